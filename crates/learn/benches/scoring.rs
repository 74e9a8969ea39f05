//! How many rows a core scores and explains in a second: 300 trees of 15 leaves on 100 features, and a forest of 63 leaves.
//! `cargo bench --workspace --bench scoring` prints it as items a second.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use divan::Bencher;
use divan::counter::ItemsCount;
use safra_learn::{Column, Examples, Model, Training, learner};
use serde_json::{Value, json};

const TRAINED: usize = 5_000;
const SCORED: usize = 50_000;
const EXPLAINED: usize = 2_000;
const FEATURES: usize = 100;

fn main() {
    // One core.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    divan::main();
}

#[divan::bench(args = ["lightgbm", "random_forest"], sample_count = 20)]
fn predict(bencher: Bencher, name: &str) {
    let (model, rows) = (fitted(name), examples(SCORED, 2));
    bencher
        .counter(ItemsCount::new(SCORED))
        .bench_local(|| model.predict(&rows.all()).unwrap());
}

#[divan::bench(args = ["lightgbm", "random_forest"], sample_count = 10)]
fn contributions(bencher: Bencher, name: &str) {
    let (model, rows) = (fitted(name), examples(EXPLAINED, 3));
    bencher
        .counter(ItemsCount::new(EXPLAINED))
        .bench_local(|| model.contributions(&rows.all()).unwrap());
}

/// 300 trees of 15 leaves, or the forest as it is by default: 100 trees of 63 leaves.
fn fitted(name: &str) -> Box<dyn Model> {
    let parameters: Value = match name {
        "lightgbm" => json!({"num_iterations": 300, "num_leaves": 15, "min_data_in_leaf": 5}),
        _ => json!({}),
    };
    let parameters: BTreeMap<String, Value> = parameters
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .collect();
    let examples = examples(TRAINED, 1);
    let training = Training::new(examples.all()).unwrap();
    learner(name, &parameters)
        .unwrap()
        .fit(&training, 0)
        .unwrap()
}

/// Numbers, a tenth of them missing, and a label that the first few explain in part.
fn examples(rows: usize, seed: u64) -> Examples {
    let mut state = seed;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut column = || -> Vec<f64> {
        (0..rows)
            .map(|_| match noise() {
                missing if missing < 0.1 => f64::NAN,
                _ => noise(),
            })
            .collect()
    };
    let columns: Vec<Vec<f64>> = (0..FEATURES).map(|_| column()).collect();
    let label = (0..rows).map(|row| {
        let signal: f64 = columns[..5].iter().map(|column| column[row].max(0.0)).sum();
        Some(signal + 2.0 * noise() > 3.0)
    });
    let label = label.collect();
    let names = (0..FEATURES).map(|place| format!("f{place}")).collect();
    let columns = columns.into_iter().map(Column::from).collect();
    Examples::with_columns(names, columns, label).unwrap()
}
