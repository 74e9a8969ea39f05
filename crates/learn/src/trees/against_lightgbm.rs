//! The trees in memory against LightGBM itself, on random models of random rows.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::forest::Forest;
use super::library::reference::Prediction;
use super::library::{Booster, Dataset, LibraryParameters, Matrix};
use crate::encoding::Encoding;
use crate::random::SplitMix64;
use crate::{Categories, Column, Examples, Rows};

/// A model of LightGBM, and rows that it has not seen.
struct Case {
    text: String,
    encoding: Encoding,
    rows: Examples,
}

/// What a model is grown with.
#[derive(Clone, Debug)]
struct Settings {
    seed: u64,
    leaves: u32,
    trees: u32,
    forest: bool,
    log_odds: bool,
    zero_as_missing: bool,
    use_missing: bool,
}

fn settings() -> impl Strategy<Value = Settings> {
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.8),
    );
    let leaves = prop_oneof![2..17_u32, 17..33_u32, 33..65_u32, 65..120_u32];
    (any::<u64>(), leaves, 1..12_u32, flags).prop_map(|(seed, leaves, trees, flags)| Settings {
        seed,
        leaves,
        trees,
        forest: flags.0,
        log_odds: flags.1,
        zero_as_missing: flags.2,
        use_missing: flags.3,
    })
}

/// Numbers of few and of many values, with and without zeros and missing ones, and categories.
fn rows(random: &mut SplitMix64, rows: usize, unseen: bool) -> Examples {
    let mut unit = || random.below(1 << 30) as f64 / f64::from(1 << 30);
    let mut columns: Vec<Column> = Vec::new();
    for kind in 0..6 {
        let numbers = (0..rows).map(|_| match kind {
            0 => unit(),
            1 if unit() < 0.3 => f64::NAN,
            1 => (unit() * 8.0).floor() - 3.0,
            2 if unit() < 0.4 => [0.0, -0.0, 1e-36, -1e-36][(unit() * 4.0) as usize],
            2 => unit() - 0.5,
            3 if unit() < 0.2 => f64::NAN,
            3 if unit() < 0.4 => 0.0,
            3 => (unit() * 40.0 - 20.0).exp() * (unit() - 0.5).signum(),
            4 => 7.0,
            _ => (unit() * 900.0).floor() / 3.0,
        });
        columns.push(numbers.collect::<Vec<f64>>().into());
    }
    for count in [3.0, 70.0] {
        let most = if unseen { count + 3.0 } else { count };
        let mut text = || (unit() > 0.1).then(|| format!("c{}", (unit() * most) as u32));
        let texts: Vec<Option<String>> = (0..rows).map(|_| text()).collect();
        columns.push(Categories::from_texts(texts.iter().map(Option::as_deref)).into());
    }
    let names = (0..columns.len())
        .map(|place| format!("f{place}"))
        .collect();
    Examples::with_columns(names, columns, vec![None; rows]).unwrap()
}

fn matrix<'v>(values: &'v [f64], encoding: &Encoding) -> Matrix<'v> {
    Matrix {
        values,
        width: encoding.features().len(),
    }
}

fn grown(settings: &Settings) -> Case {
    let mut random = SplitMix64::stream(settings.seed, 0);
    let training = rows(&mut random, 500, false);
    let encoding = Encoding::fit(&training.all());
    let values = encoding.apply(&training.all(), "test").unwrap();
    let label: Vec<f32> = (0..500)
        .map(|row| {
            let signal =
                values[row] + values[500 + row].max(-1.0) * 0.2 + values[6 * 500 + row] * 0.3;
            f32::from(u8::from(
                signal + random.below(1_000) as f64 / 1_000.0 > 1.2,
            ))
        })
        .collect();
    let mut parameters: LibraryParameters = [
        (
            "objective",
            if settings.log_odds {
                "binary"
            } else {
                "regression"
            },
        ),
        ("boosting", if settings.forest { "rf" } else { "gbdt" }),
        ("bagging_freq", "1"),
        ("bagging_fraction", "0.7"),
        ("feature_fraction", "0.8"),
        ("min_data_in_leaf", "3"),
        ("min_data_per_group", "5"),
        ("cat_smooth", "1"),
        ("categorical_feature", "6,7"),
        ("verbosity", "-1"),
        ("num_threads", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (name, value) in [
        ("num_leaves", settings.leaves.to_string()),
        ("zero_as_missing", settings.zero_as_missing.to_string()),
        ("use_missing", settings.use_missing.to_string()),
        ("seed", (settings.seed % 1_000).to_string()),
    ] {
        parameters.insert(name.to_owned(), value);
    }
    let dataset = Dataset::new(matrix(&values, &encoding), &label, &parameters, None).unwrap();
    let mut booster = Booster::new(&dataset, &parameters).unwrap();
    for _ in 0..settings.trees {
        booster.grow().unwrap();
    }
    Case {
        text: booster.to_text().unwrap(),
        rows: rows(&mut random, 301, true),
        encoding,
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

impl Case {
    fn forest(&self) -> Forest {
        Forest::parse(&self.text).unwrap()
    }

    fn sums(&self, rows: &Rows<'_>, ends: &[usize]) -> Vec<Vec<f64>> {
        let columns = self.encoding.columns(rows, "test").unwrap();
        self.forest().sums(&columns, rows.indices(), ends)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sums_and_explanations_are_those_of_lightgbm(settings in settings()) {
        let case = grown(&settings);
        let (rows, forest) = (case.rows.all(), case.forest());
        prop_assert!(forest.fits(|place| case.encoding.is_categories(place)));
        let values = case.encoding.apply(&rows, "test").unwrap();
        let matrix = matrix(&values, &case.encoding);
        let library = Booster::from_text(&case.text).unwrap();

        let ends: Vec<usize> = (1..=forest.len()).collect();
        for (end, sums) in ends.iter().zip(case.sums(&rows, &ends)) {
            let expected = library.predict(matrix, Prediction::Sum, *end as i32).unwrap();
            prop_assert_eq!(bits(&sums), bits(&expected), "{} trees", end);
        }
        let columns = case.encoding.columns(&rows, "test").unwrap();
        let explained = forest.contributions(&columns, rows.indices());
        let expected = library.predict(matrix, Prediction::Contributions, -1).unwrap();
        for (value, expected) in explained.iter().zip(&expected) {
            prop_assert!((value - expected).abs() < 1e-9, "{} {}", value, expected);
        }
        prop_assert_eq!(explained.len(), expected.len());
        let gains = library.gains(forest.features()).unwrap();
        for (gain, expected) in forest.gains().iter().zip(gains) {
            prop_assert!((gain - expected).abs() <= 1e-9 * expected, "{} {}", gain, expected);
        }
    }

    /// Any rows, in any order and any number.
    #[test]
    fn a_sum_does_not_depend_on_the_other_rows(
        settings in settings(),
        chosen in prop::collection::vec(0..301_usize, 0..90),
    ) {
        let case = grown(&settings);
        let ends = [case.forest().len()];
        let all = case.sums(&case.rows.all(), &ends);
        let some = case.sums(&case.rows.rows(&chosen).unwrap(), &ends);
        let expected: Vec<f64> = chosen.iter().map(|&row| all[0][row]).collect();
        prop_assert_eq!(bits(&some[0]), bits(&expected));
    }

    /// A model that was cut or changed anywhere is refused, or still a model: it never panics.
    #[test]
    fn a_damaged_text_is_no_reason_to_panic(
        settings in settings(),
        place in 0.0..1.0_f64,
        replacement in "[-0-9a-z= .\n]{0,6}",
    ) {
        let case = grown(&settings);
        let place = (place * case.text.len() as f64) as usize;
        let end = (place + replacement.len()).min(case.text.len());
        let damaged = format!("{}{replacement}{}", &case.text[..place], &case.text[end..]);
        for text in [&damaged, &case.text[..place]] {
            if let Ok(forest) = Forest::parse(text)
                && forest.features() == case.encoding.features().len()
                && forest.fits(|place| case.encoding.is_categories(place))
            {
                let rows = case.rows.all();
                let columns = case.encoding.columns(&rows, "test").unwrap();
                forest.sums(&columns, &[0, 1], &[forest.len()]);
                forest.contributions(&columns, &[0, 1]);
            }
        }
    }
}

/// The score itself, by the formula of the objective.
#[test]
fn scores_are_those_of_lightgbm() {
    for (log_odds, forest) in [(true, false), (false, true), (false, false)] {
        let case = grown(&Settings {
            seed: 5,
            leaves: 31,
            trees: 20,
            forest,
            log_odds,
            zero_as_missing: false,
            use_missing: true,
        });
        let rows = case.rows.all();
        let values = case.encoding.apply(&rows, "test").unwrap();
        let library = Booster::from_text(&case.text).unwrap();
        let expected = library.predict(matrix(&values, &case.encoding), Prediction::Score, -1);
        let scale = match log_odds {
            true => super::ensemble::Scale::LogOdds,
            false => super::ensemble::Scale::Probability { base_rate: 0.0 },
        };
        let trees = if log_odds || forest {
            case.forest().len()
        } else {
            1
        };
        let sums = case.sums(&rows, &[case.forest().len()]);
        let scores: Vec<f64> = sums[0].iter().map(|&sum| scale.score(sum, trees)).collect();
        let clamped = expected.unwrap().into_iter().map(|score| match log_odds {
            true => score,
            false => score.clamp(1e-6, 1.0 - 1e-6),
        });
        assert_eq!(bits(&scores), bits(&clamped.collect::<Vec<f64>>()));
    }
}
