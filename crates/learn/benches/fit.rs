//! The seconds of one fit of the learner `lightgbm`, for `benches/learners`, which holds them against LightGBM itself.
//!
//! `SAFRA_FIT` is a folder with `features.f64` (numbers, column after column, little-endian) and `label.u8` (0 or 1 a row); without it
//! rows are made up. Prints one JSON document.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use safra_learn::{Examples, Training, learner};
use serde_json::json;

/// Repetitions, of which the fastest counts.
const REPETITIONS: usize = 5;

fn main() {
    // One thread, as a fit has.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    let (columns, label) = match std::env::var("SAFRA_FIT") {
        Ok(folder) => read(Path::new(&folder)),
        Err(_) => made_up(5_000, 100),
    };
    let names = || {
        (0..columns.len())
            .map(|place| format!("f{place}"))
            .collect()
    };
    let known = label.iter().copied().map(Some).collect();
    let examples = Examples::new(names(), columns.clone(), known).unwrap();
    let fit_seconds = fastest(|| {
        let training = Training::new(examples.all()).unwrap();
        learner("lightgbm", &BTreeMap::new())
            .unwrap()
            .fit(&training, 0)
            .unwrap();
    });
    let found = json!({
        "rows": examples.len(),
        "features": columns.len(),
        "fit_seconds": fit_seconds,
    });
    println!("{found}");
}

/// Seconds of the fastest repetition.
fn fastest(mut run: impl FnMut()) -> f64 {
    let mut once = || {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    };
    (0..REPETITIONS)
        .map(|_| once())
        .fold(f64::INFINITY, f64::min)
}

fn read(folder: &Path) -> (Vec<Vec<f64>>, Vec<bool>) {
    let label: Vec<bool> = std::fs::read(folder.join("label.u8"))
        .unwrap()
        .iter()
        .map(|&label| label == 1)
        .collect();
    let bytes = std::fs::read(folder.join("features.f64")).unwrap();
    let values: Vec<f64> = bytes
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    (
        values.chunks(label.len()).map(<[f64]>::to_vec).collect(),
        label,
    )
}

fn made_up(rows: usize, features: usize) -> (Vec<Vec<f64>>, Vec<bool>) {
    let mut state = 1_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let columns: Vec<Vec<f64>> = (0..features)
        .map(|_| (0..rows).map(|_| noise()).collect())
        .collect();
    let label = (0..rows).map(|row| columns[0][row] + columns[1][row] * noise() > 0.8);
    let label = label.collect();
    (columns, label)
}
