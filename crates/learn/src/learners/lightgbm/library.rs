//! What LightGBM and its binding ask of their caller: counts, names, and a way to keep them quiet.

use std::cell::Cell;
use std::collections::BTreeSet;

use lightgbm3::{Booster, Dataset};
use serde_json::json;

use crate::LearnError;

/// Number of features as LightGBM counts them.
pub(super) fn width(features: &[String]) -> Result<i32, LearnError> {
    i32::try_from(features.len())
        .map_err(|_| LearnError::Lightgbm(format!("too many features: {}", features.len())))
}

/// Names LightGBM accepts: no white space, no JSON punctuation, and unique after that.
pub(super) fn library_names(features: &[String]) -> Vec<String> {
    let allowed = |letter: char| {
        if letter.is_whitespace() || letter.is_control() || "\",:[]{}=".contains(letter) {
            '_'
        } else {
            letter
        }
    };
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(features.len());
    for (position, feature) in features.iter().enumerate() {
        let mut name: String = feature.chars().map(allowed).collect();
        while !taken.insert(name.clone()) {
            name = format!("{name}_{position}");
        }
        names.push(name);
    }
    names
}

/// Keeps LightGBM from writing to the standard output of this process, in the current thread.
///
/// It keeps one log level a thread, which only a call with the parameter `verbosity` changes. The binding makes a dataset
/// without parameters, and a dataset without a usable feature is worth a warning to LightGBM. So the level is set beforehand,
/// by training a stump on a dataset that gives no cause for one.
pub(super) fn silence() -> Result<(), LearnError> {
    thread_local!(static SILENT: Cell<bool> = const { Cell::new(false) });
    if SILENT.get() {
        return Ok(());
    }
    let values: Vec<f64> = (0..100).map(|row| f64::from(row % 2)).collect();
    let label: Vec<f32> = (0..100).map(|row| f32::from(row % 4 == 0)).collect();
    let dataset = Dataset::from_slice(&values, &label, 1, false)?;
    let parameters = json!({
        "objective": "binary",
        "num_iterations": 1,
        "num_threads": 1,
        "force_col_wise": true,
        "verbosity": -1,
    });
    Booster::train(dataset, &parameters)?;
    SILENT.set(true);
    Ok(())
}
