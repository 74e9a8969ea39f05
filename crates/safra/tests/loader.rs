//! Every learner's files, each calibration on top, read by the Python that goes with them: the same scores from raw features,
//! numbers and texts, missing and unheard of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use safra_learn::{
    Calibration, CalibrationMethod, Categories, Column, Durations, Examples, FeatureValue, Model,
    Training, calibrated, learner,
};
use serde_json::{Value, json};

const SCRIPT: &str = r#"
import json, sys
import numpy, pandas

sys.path.insert(0, sys.argv[1])
import loader

for case in json.load(open(sys.argv[1] + "/cases.json")):
    frame = pandas.DataFrame(case["rows"])
    frame = frame.astype({name: "float64" for name in ("x", "y")})
    scores = loader._load_pyfunc(case["folder"]).predict(frame)
    difference = numpy.abs(numpy.asarray(scores) - numpy.asarray(case["scores"])).max()
    assert difference < 1e-9, (case["folder"], difference)
print("compared", len(frame))
"#;

/// Rows with two numbers, a text, and a label that depends on all.
fn examples(rows: u32, shift: u32) -> Examples {
    let hash = |row: u32, salt: u32| {
        let mixed = (row + shift)
            .wrapping_mul(2_654_435_761)
            .wrapping_add(salt * 97);
        f64::from(mixed.wrapping_mul(2_246_822_519) >> 8) / f64::from(1_u32 << 24)
    };
    let number = |salt: u32| -> Vec<f64> {
        let value = |row| match hash(row, salt + 10) {
            missing if missing < 0.1 => f64::NAN,
            _ => (hash(row, salt) * 6.0 - 2.0).exp(),
        };
        (0..rows).map(value).collect()
    };
    let (x, y) = (number(1), number(2));
    let names: Vec<String> = (0..30).map(|place| format!("place {place}")).collect();
    let text = |row| match hash(row, 3) {
        missing if missing < 0.1 => None,
        some => Some(names[((some - 0.1).powi(2) * 36.0) as usize].as_str()),
    };
    let texts: Vec<Option<&str>> = (0..rows).map(text).collect();
    let label = (0..rows as usize).map(|row| {
        let risk = 0.3 * f64::from(u8::from(x[row] > 2.0))
            + 0.3 * f64::from(u8::from(texts[row] == Some("place 0")))
            + 0.2 * f64::from(u8::from(texts[row].is_none()));
        Some(hash(row as u32, 4) < 0.1 + risk)
    });
    let label = label.collect();
    let columns: Vec<Column> = vec![
        x.into(),
        y.into(),
        Categories::from_texts(texts.iter().copied()).into(),
    ];
    let names = ["x", "y", "place"].map(str::to_owned).to_vec();
    let days: Vec<f64> = (0..rows).map(|row| 1.0 + 4.0 * hash(row, 5)).collect();
    let durations = Durations {
        started: vec![0.0; days.len()],
        known: days.clone(),
        days,
    };
    let examples = Examples::with_columns(names, columns, label).unwrap();
    examples.with_durations(durations).unwrap()
}

/// Rows as Python reads them.
fn as_json(examples: &Examples) -> Vec<Value> {
    let value = |name: &String, row: usize| match examples.feature(name).unwrap().value(row) {
        FeatureValue::Missing => Value::Null,
        FeatureValue::Number(number) => json!(number),
        FeatureValue::Category(text) => json!(text),
    };
    let row = |row: usize| {
        let names = examples.feature_names().iter();
        names.map(|name| (name.clone(), value(name, row))).collect()
    };
    (0..examples.len())
        .map(|at| Value::Object(row(at)))
        .collect()
}

fn write(model: &dyn Model, folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for (name, bytes) in model.save().unwrap().files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn python_reads_every_model_with_every_calibration() {
    let Ok(python) = std::env::var("SAFRA_MLFLOW_PYTHON") else {
        eprintln!("skipped: SAFRA_MLFLOW_PYTHON does not name a Python with lightgbm and pandas");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("loader.py"),
        include_str!("../src/pipeline/loader.py"),
    )
    .unwrap();
    // Test rows have places that training rows do not.
    let (train, test) = (examples(900, 0), examples(300, 5_000));
    let training = Training::new(train.all()).unwrap();
    let training = training.observed_at(&[], 4.0).unwrap();
    let known: Vec<bool> = test.label().iter().map(|label| label.unwrap()).collect();
    let rows = as_json(&test);
    let mut cases = Vec::new();
    for name in safra_learn::LEARNERS {
        let parameters = match name {
            "recency" => BTreeMap::from([("feature".to_owned(), json!("x"))]),
            "duration" => BTreeMap::from([("promise".to_owned(), json!("x"))]),
            "blend" => {
                let members = json!({"lightgbm": {}, "duration": {"promise": "x"}});
                BTreeMap::from([("members".to_owned(), members)])
            }
            _ => BTreeMap::new(),
        };
        let learner = learner(name, &parameters).unwrap();
        for method in CalibrationMethod::ALL {
            let model = learner.fit(&training, 1).unwrap();
            let scores = model.predict(&test.all()).unwrap();
            let calibration = Calibration::fit(method, &known, &scores).unwrap();
            let model = calibrated(model, calibration);
            let folder = home.path().join(format!("{name}-{}", method.name()));
            write(model.as_ref(), &folder);
            let scores = model.predict(&test.all()).unwrap();
            cases.push(json!({"folder": folder, "rows": rows, "scores": scores}));
        }
    }
    let file = std::fs::File::create(home.path().join("cases.json")).unwrap();
    serde_json::to_writer(file, &cases).unwrap();
    let output = Command::new(python)
        .args(["-W", "ignore", "-c", SCRIPT])
        .arg(home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("compared"), "{complaint}");
}
