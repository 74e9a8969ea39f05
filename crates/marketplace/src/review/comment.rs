//! The words of a review.

use rand::{Rng, RngExt};

use crate::random::{chance, pick};

/// Share of the reviews with a message, and with a title, by score from 1.
const MESSAGES: [f64; 5] = [0.76, 0.67, 0.43, 0.31, 0.36];
const TITLES: [f64; 5] = [0.06, 0.05, 0.034, 0.036, 0.043];

/// Title and message of a review with this score, 1 to 5.
pub(super) fn comment(score: u8, rng: &mut impl Rng) -> (Option<&'static str>, Option<String>) {
    let place = usize::from(score.clamp(1, 5)) - 1;
    let message = chance(rng, MESSAGES[place]).then(|| message(score, rng));
    let title = chance(rng, TITLES[place]).then(|| pick(rng, titles(score), "Ok"));
    (title, message)
}

fn message(score: u8, rng: &mut impl Rng) -> String {
    let (openings, details): (&[&str], &[&str]) = match score {
        1 | 2 => (&BAD, &BAD_DETAILS),
        3 => (&MIXED, &MIXED_DETAILS),
        _ => (&GOOD, &GOOD_DETAILS),
    };
    let mut text = pick(rng, openings, "").to_owned();
    for _ in 0..rng.random_range(0..3) {
        text.push_str(separator(rng));
        text.push_str(pick(rng, details, ""));
    }
    text.push_str(pick(rng, &ENDINGS, ""));
    text
}

fn separator(rng: &mut impl Rng) -> &'static str {
    if chance(rng, 0.12) {
        "\n"
    } else {
        pick(rng, &[", ", ". ", " e ", "! "], ", ")
    }
}

fn titles(score: u8) -> &'static [&'static str] {
    match score {
        1 | 2 => &[
            "Não chegou",
            "Atraso",
            "Péssimo",
            "Produto errado",
            "Decepcionado, e muito",
        ],
        3 => &["Razoável", "Regular", "Esperava mais"],
        _ => &[
            "Recomendo",
            "Muito bom",
            "Super recomendo",
            "Perfeito!",
            "Ótimo, como sempre",
            "10",
        ],
    }
}

const BAD: [&str; 8] = [
    "Ainda não recebi a encomenda",
    "O prazo passou e nada da entrega",
    "Veio com defeito",
    "Mandaram a cor errada",
    "Falta uma parte do pedido",
    "O \"original\" é uma cópia ruim",
    "Ninguém responde às mensagens",
    "Quero o meu dinheiro de volta",
];
const BAD_DETAILS: [&str; 6] = [
    "já faz semanas",
    "a caixa chegou aberta",
    "o rastreamento diz \"em trânsito\" há dias",
    "não compro mais aqui",
    "liguei duas vezes, sem retorno",
    "peço uma solução",
];
const MIXED: [&str; 5] = [
    "O material é mais fino do que na foto",
    "Serve, mas nada de especial",
    "Chegou depois do combinado",
    "Bom, porém a embalagem é fraca",
    "O tamanho \"G\" parece um M",
];
const MIXED_DETAILS: [&str; 4] = [
    "pelo preço está bom",
    "a entrega podia ser melhor",
    "as instruções faltavam",
    "talvez compre de novo",
];
const GOOD: [&str; 8] = [
    "Chegou antes do prazo",
    "Gostei muito",
    "Tudo certo com a compra",
    "Exatamente como no anúncio",
    "Ótimo custo, boa qualidade",
    "Minha filha adorou",
    "Entrega rápida",
    "Loja de confiança",
];
const GOOD_DETAILS: [&str; 6] = [
    "bem embalado",
    "o acabamento é lindo",
    "recomendo a todos",
    "o vendedor é atencioso",
    "já é a segunda vez que compro",
    "funciona \"de primeira\"",
];
const ENDINGS: [&str; 6] = ["", "", ".", "!", " ", "!!"];
