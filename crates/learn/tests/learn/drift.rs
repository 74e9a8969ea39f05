//! Drift: what has moved is named, and what has not stays below chance.

use safra_learn::{Categories, Column, Examples, drift, score_drift};

fn examples(columns: Vec<(&str, Column)>) -> Examples {
    let rows = columns[0].1.len();
    let (names, columns) = columns
        .into_iter()
        .map(|(name, column)| (name.to_owned(), column))
        .unzip();
    Examples::with_columns(names, columns, vec![None; rows]).unwrap()
}

/// Numbers between 0 and 1 without order, the same for the same seed.
fn uniform(seed: u64, rows: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..rows)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        })
        .collect()
}

fn texts(values: &[f64], bounds: &[(f64, &'static str)]) -> Column {
    let texts: Vec<Option<&str>> = values
        .iter()
        .map(|value| {
            let found = bounds.iter().find(|(bound, _)| value < bound);
            found.map(|(_, text)| *text)
        })
        .collect();
    Categories::from_texts(texts).into()
}

#[test]
fn the_index_is_that_of_the_definition() {
    let then: Vec<f64> = (0..1_000).map(f64::from).collect();
    let now: Vec<f64> = (0..1_000).map(|i| f64::from(i) + 100.0).collect();
    let found = score_drift(&then, &now).unwrap();
    // A shift by one tenth empties the first bin and doubles the last.
    let share = |count: f64| (count + 0.5) / (1_000.0 + 5.0);
    let term = |then: f64, now: f64| (share(now) - share(then)) * (share(now) / share(then)).ln();
    let expected = term(100.0, 0.0) + term(100.0, 200.0);
    assert!((found.psi - expected).abs() < 1e-12, "{found:?}");
    assert_eq!(found.reference.as_deref(), Some("499"));
    assert_eq!(found.current.as_deref(), Some("599"));
}

#[test]
fn rows_of_one_population_stay_below_chance_most_of_the_time() {
    let above = (0..200)
        .filter(|&seed| {
            let found = score_drift(&uniform(2 * seed + 1, 500), &uniform(2 * seed + 2, 300));
            let found = found.unwrap();
            found.psi > found.chance
        })
        .count();
    assert!(
        (1..=25).contains(&above),
        "{above} of 200, about 10 are expected"
    );
}

#[test]
fn what_moved_is_named_whatever_its_kind() {
    let (old, new) = (uniform(1, 2_000), uniform(2, 2_000));
    let gaps = |values: &[f64], share: f64| -> Column {
        let values = values.iter().enumerate().map(|(row, &value)| {
            let gone = (row as f64 * 0.618_034).fract() < share;
            if gone { f64::NAN } else { value }
        });
        values.collect::<Vec<_>>().into()
    };
    let then = examples(vec![
        ("still", old.clone().into()),
        ("shifted", old.clone().into()),
        ("emptied", gaps(&old, 0.1)),
        ("category", texts(&old, &[(0.5, "sp"), (0.9, "rj")])),
    ]);
    let now = examples(vec![
        (
            "category",
            texts(&new, &[(0.3, "sp"), (0.6, "rj"), (0.9, "new")]),
        ),
        ("emptied", gaps(&new, 0.6)),
        (
            "shifted",
            new.iter()
                .map(|value| value * 0.5)
                .collect::<Vec<_>>()
                .into(),
        ),
        ("still", new.clone().into()),
    ]);
    let names = ["still", "shifted", "emptied", "category"].map(str::to_owned);
    let found = drift(&then.all(), &now.all(), &names).unwrap();
    let order: Vec<&str> = found.iter().map(|drift| drift.feature.as_str()).collect();
    assert_eq!(order, names);
    assert!(found[0].psi < 0.02, "{:?}", found[0]);
    for moved in &found[1..] {
        assert!(moved.psi > 0.25 && moved.psi > moved.chance, "{moved:?}");
    }
    assert!((found[2].reference_missing - 0.1).abs() < 0.01);
    assert!((found[2].current_missing - 0.6).abs() < 0.01);
    assert_eq!(found[3].reference.as_deref(), Some("sp"));
}

#[test]
fn a_constant_has_not_moved_and_a_new_constant_has() {
    let same = score_drift(&[0.5; 100], &[0.5; 40]).unwrap();
    assert!(same.psi < 1e-3 && same.psi.is_finite(), "{same:?}");
    let other = score_drift(&[0.5; 100], &[0.4; 40]).unwrap();
    assert!(other.psi > 1.0 && other.psi.is_finite(), "{other:?}");
}

#[test]
fn no_rows_and_unknown_features_are_refused() {
    let some = examples(vec![("x", vec![1.0].into())]);
    let none = examples(vec![("x", vec![].into())]);
    let error = drift(&some.all(), &none.all(), &["x".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "no current rows to compare");
    let error = drift(&some.all(), &some.all(), &["y".to_owned()]).unwrap_err();
    assert!(error.to_string().contains('y'), "{error}");
}
