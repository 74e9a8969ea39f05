//! Names of towns that do not exist.

const FIRST: [&str; 28] = [
    "santa rita",
    "sao miguel",
    "nova esperanca",
    "monte alegre",
    "bom jesus",
    "santo antonio",
    "lagoa bonita",
    "pedra branca",
    "ribeirao claro",
    "campo verde",
    "boa vista",
    "vila nova",
    "porto feliz",
    "serra azul",
    "santa luzia",
    "sao joao",
    "rio manso",
    "morro alto",
    "barra mansa",
    "aguas claras",
    "sao francisco",
    "conceicao",
    "palmeiras",
    "santana",
    "bela vista",
    "pinhal",
    "cachoeira",
    "sao sebastiao",
];

const LAST: [&str; 24] = [
    "do norte",
    "do sul",
    "da serra",
    "do oeste",
    "das flores",
    "do rio",
    "dos campos",
    "da mata",
    "do planalto",
    "de minas",
    "das palmeiras",
    "do araguaia",
    "do vale",
    "da barra",
    "do sertao",
    "dos ipes",
    "da boa morte",
    "do pontal",
    "das missoes",
    "do triunfo",
    "da fronteira",
    "dos indios",
    "do paraiso",
    "",
];

/// The name that belongs to this number.
pub(super) fn name(number: u32) -> String {
    let first = FIRST[number as usize % FIRST.len()];
    let last = LAST[(number as usize / FIRST.len()) % LAST.len()];
    format!("{first} {last}").trim_end().to_owned()
}
