//! A learner on the splits of a training set, for `benches/learners`, which holds it against other libraries on the same rows.
//!
//! `SAFRA_FIT` is a folder with `set.json` (see [`Set`]), `features.f64` (little-endian numbers, column after column; a category is its
//! place among the texts of its column), `label.u8` (0, 1, or 2 where it is unknown) and, for durations, `durations.f64` (start,
//! days and moment of the outcome, column after column). Without it rows are made up. Prints one JSON document: the parameters
//! of the learner, for each split the processor seconds of the fastest fit and the scores of its test rows, and memory. Linux only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use safra_learn::{Categories, Column, Durations, Examples, Split, learner};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is to be fitted.
#[derive(Deserialize)]
struct Set {
    rows: usize,
    features: Vec<Feature>,
    durations: bool,
    splits: Vec<SplitRows>,
    learner: String,
    parameters: BTreeMap<String, Value>,
    seed: u64,
    /// Fits of each split, of which the fastest counts.
    repetitions: usize,
}

/// A feature, with the texts of its categories if it is one.
#[derive(Deserialize)]
struct Feature {
    name: String,
    texts: Option<Vec<String>>,
}

/// A date, in days since 1970-01-01 too, with its rows.
#[derive(Deserialize)]
struct SplitRows {
    date: String,
    at: f64,
    train: Vec<usize>,
    test: Vec<usize>,
    open: Vec<usize>,
}

fn main() {
    // One thread, as a fit has.
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    let (set, examples) = match std::env::var("SAFRA_FIT") {
        Ok(folder) => read(Path::new(&folder)),
        Err(_) => made_up(5_000, 100),
    };
    let learner = learner(&set.learner, &set.parameters).unwrap();
    // The peak so far, that of reading the rows, is forgotten.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS");
    let fit = |split: &SplitRows| {
        let rows = Split {
            date: split.date.clone(),
            train: split.train.clone(),
            test: split.test.clone(),
            open: split.open.clone(),
            at: Some(split.at),
        };
        let training = rows.training(&examples).unwrap();
        let mut seconds = f64::INFINITY;
        let mut model = None;
        for _ in 0..set.repetitions {
            let started = cpu_seconds();
            model = Some(learner.fit(&training, set.seed).unwrap());
            seconds = seconds.min(cpu_seconds() - started);
        }
        let test = examples.rows(&rows.test).unwrap();
        let scores = model.unwrap().predict(&test).unwrap();
        json!({"date": split.date, "seconds": seconds, "scores": scores})
    };
    let dates: Vec<Value> = set.splits.iter().map(fit).collect();
    let found = json!({
        "parameters": learner.parameters(),
        "dates": dates,
        "rows_alone": before,
        "peak": memory("VmHWM"),
    });
    println!("{found}");
}

/// The time that the threads of this process have had a processor, as Linux counts it.
fn cpu_seconds() -> f64 {
    let nanoseconds = |thread: std::fs::DirEntry| -> f64 {
        let path = thread.path().join("schedstat");
        let held = std::fs::read_to_string(path).unwrap();
        held.split(' ').next().unwrap().parse().unwrap()
    };
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let all: f64 = threads.map(|thread| nanoseconds(thread.unwrap())).sum();
    all / 1e9
}

/// A figure of this process in `/proc/self/status`, in MiB.
fn memory(figure: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(figure)).unwrap();
    let kib = line.trim_start_matches(':').trim_end_matches(" kB").trim();
    kib.parse::<f64>().unwrap() / 1024.0
}

fn read(folder: &Path) -> (Set, Examples) {
    let set: Set =
        serde_json::from_slice(&std::fs::read(folder.join("set.json")).unwrap()).unwrap();
    let numbers = |file: &str| -> Vec<f64> {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap());
        bytes.chunks_exact(8).map(number).collect()
    };
    let values = numbers("features.f64");
    let column = |(feature, values): (&Feature, &[f64])| match &feature.texts {
        None => Column::from(values.to_vec()),
        Some(texts) => {
            let text = |place: &f64| (!place.is_nan()).then(|| texts[*place as usize].as_str());
            Categories::from_texts(values.iter().map(text)).into()
        }
    };
    let columns = set.features.iter().zip(values.chunks(set.rows));
    let columns = columns.map(column).collect();
    let labels = std::fs::read(folder.join("label.u8")).unwrap();
    let labels = labels.iter().map(|label| match label {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    });
    let names = set.features.iter().map(|feature| feature.name.clone());
    let examples = Examples::with_columns(names.collect(), columns, labels.collect()).unwrap();
    let examples = match set.durations {
        false => examples,
        true => {
            let values = numbers("durations.f64");
            let mut columns = values.chunks(set.rows).map(<[f64]>::to_vec);
            let mut next = || columns.next().unwrap();
            let durations = Durations {
                started: next(),
                days: next(),
                known: next(),
            };
            examples.with_durations(durations).unwrap()
        }
    };
    (set, examples)
}

fn made_up(rows: usize, features: usize) -> (Set, Examples) {
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
    let label = (0..rows).map(|row| Some(columns[0][row] + columns[1][row] * noise() > 0.8));
    let label = label.collect();
    let names = (0..features).map(|place| format!("f{place}")).collect();
    let examples = Examples::new(names, columns, label).unwrap();
    let split = SplitRows {
        date: "made up".to_owned(),
        at: 0.0,
        train: (0..rows).collect(),
        test: Vec::new(),
        open: Vec::new(),
    };
    let set = Set {
        rows,
        features: Vec::new(),
        durations: false,
        splits: vec![split],
        learner: "lightgbm".to_owned(),
        parameters: BTreeMap::new(),
        seed: 0,
        repetitions: 5,
    };
    (set, examples)
}
