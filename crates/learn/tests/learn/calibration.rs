//! Calibration by backtest: from earlier dates alone, part of the model, no ranking changed.

use std::collections::BTreeMap;

use safra_learn::*;
use serde_json::json;

use crate::support::{Noise, parameters, signal};

const ROWS: usize = 4_000;
const DATES: usize = 10;

/// Ten dates of 400 rows; the rows of a date may be trained on from the second date after it on.
fn splits() -> Vec<Split> {
    let of_date = |date: usize| (date * ROWS / DATES)..((date + 1) * ROWS / DATES);
    let split = |date: usize| Split {
        date: format!("2017-{date:02}-01"),
        train: (0..of_date(date - 2).end).collect(),
        test: of_date(date).collect(),
        ..Split::default()
    };
    (2..DATES).map(split).collect()
}

/// A learner that is too sure of itself: trees of single rows, and many of them.
fn overfitted() -> Box<dyn Learner> {
    let values =
        json!({"num_leaves": 63, "min_data_in_leaf": 5, "learning_rate": 0.3, "lambda_l2": 0.0});
    learner("lightgbm", &parameters(values)).unwrap()
}

fn loss(backtest: &Backtest) -> f64 {
    backtest.means[0].metrics.log_loss.unwrap()
}

#[test]
fn a_learner_too_sure_of_itself_is_corrected() {
    let examples = signal(ROWS, 1);
    let before = backtest(&examples, &splits(), &[overfitted()], 1, &|| ()).unwrap();
    let after = calibrate(&before, &examples, &splits(), &CalibrationMethod::ALL[1..]).unwrap();
    assert!(loss(&after.backtest) < loss(&before) - 0.05);
    // A date's labels are known two dates later: the third date of the backtest is the first to be calibrated, and the seventh the
    // first on which it is known how three of them went.
    let (before_judged, judged) = after.methods.split_at(6);
    assert_eq!(before_judged, [CalibrationMethod::None; 6]);
    assert!(!judged.contains(&CalibrationMethod::None));
    for (row, plain) in after.backtest.rows.iter().zip(&before.rows) {
        let areas = (row.metrics.roc_auc.unwrap(), plain.metrics.roc_auc.unwrap());
        assert!((areas.0 - areas.1).abs() < 1e-9, "rankings stay");
    }
}

#[test]
fn without_a_method_nothing_changes() {
    let examples = signal(ROWS, 2);
    let before = backtest(&examples, &splits(), &[overfitted()], 1, &|| ()).unwrap();
    let after = calibrate(&before, &examples, &splits(), &[]).unwrap();
    assert_eq!(after.backtest, before);
}

#[test]
fn scores_that_are_probabilities_already_are_not_made_worse() {
    let examples = signal(ROWS, 3);
    let learner = learner("logistic_regression", &BTreeMap::new()).unwrap();
    let before = backtest(&examples, &splits(), &[learner], 1, &|| ()).unwrap();
    let after = calibrate(&before, &examples, &splits(), &CalibrationMethod::ALL[1..]).unwrap();
    assert!(loss(&after.backtest) < loss(&before) + 0.005);
}

/// Every fourth date has most of the rows, and a rate above what the scores say; the others are below it. A calibration to all
/// rows gains on the one, and loses on the three.
#[test]
fn a_calibration_that_harms_on_most_dates_is_not_used() {
    const DATES: usize = 20;
    let is_large = |date: usize| date.is_multiple_of(4);
    let ends: Vec<usize> = (0..DATES)
        .scan(0, |end, date| {
            *end += if is_large(date) { 3_000 } else { 300 };
            Some(*end)
        })
        .collect();
    let of_date = |date: usize| date.checked_sub(1).map_or(0, |before| ends[before])..ends[date];
    let mut noise = Noise::new(9);
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for date in 0..DATES {
        for _ in of_date(date) {
            let score = 0.05 + 0.9 * noise.next();
            let odds = score / (1.0 - score) * if is_large(date) { 2.0 } else { 0.5 };
            scores.push(score);
            labels.push(Some(noise.next() < odds / (1.0 + odds)));
        }
    }
    let examples = Examples::new(vec!["score".into()], vec![scores.clone()], labels).unwrap();
    let split = |date: usize| Split {
        date: format!("{date:02}"),
        train: (0..of_date(date).start).collect(),
        test: of_date(date).collect(),
        ..Split::default()
    };
    let made = |date: usize| BacktestPredictions {
        date: format!("{date:02}"),
        learner: "lightgbm".into(),
        rows: of_date(date).collect(),
        scores: scores[of_date(date)].to_vec(),
    };
    let backtest = Backtest {
        rows: Vec::new(),
        predictions: (0..DATES).map(made).collect(),
        means: Vec::new(),
    };
    let splits: Vec<Split> = (0..DATES).map(split).collect();
    let methods = &CalibrationMethod::ALL[1..];
    let after = calibrate(&backtest, &examples, &splits, methods).unwrap();
    assert_eq!(after.methods, [CalibrationMethod::None; DATES]);
}

/// What happens on a date, or is not known by then, moves no score of that date.
#[test]
fn the_calibration_of_a_date_knows_no_later_label() {
    let source = signal(ROWS, 4);
    let columns = source.feature_names().iter();
    let columns: Vec<Vec<f64>> = columns
        .map(|name| source.column(name).unwrap().to_vec())
        .collect();
    let mut label = source.label().to_vec();
    // The last date is that of rows 3,600 on; on it, labels of rows below 3,200 are known.
    label[3_200..]
        .iter_mut()
        .for_each(|label| *label = label.map(|positive| !positive));
    let changed = Examples::new(source.feature_names().to_vec(), columns, label).unwrap();
    let made = backtest(&source, &splits(), &[overfitted()], 1, &|| ()).unwrap();
    let scores = |examples: &Examples| {
        let methods = &CalibrationMethod::ALL[1..];
        let calibrated = calibrate(&made, examples, &splits(), methods).unwrap();
        calibrated.backtest.predictions
    };
    assert_eq!(scores(&source), scores(&changed));
}

#[test]
fn the_final_calibration_is_that_of_a_date_with_the_same_training_rows() {
    let examples = signal(ROWS, 5);
    let made = backtest(&examples, &splits(), &[overfitted()], 1, &|| ()).unwrap();
    let methods = &CalibrationMethod::ALL[1..];
    let calibrated_backtest = calibrate(&made, &examples, &splits(), methods).unwrap();
    let (earlier, last) = (&splits()[..7], &splits()[7]);
    let mut past = made.clone();
    past.predictions.truncate(7);
    let calibration =
        choose_calibration(&past, &examples, earlier, methods, "lightgbm", &last.train).unwrap();
    let scores = made.predictions[7].scores.iter();
    let scores: Vec<f64> = scores.map(|&score| calibration.apply(score)).collect();
    assert_eq!(calibrated_backtest.backtest.predictions[7].scores, scores);
}

#[test]
fn a_calibrated_model_is_one_model() {
    let (train, test) = (signal(800, 6), signal(300, 7));
    let labels: Vec<bool> = test.label().iter().map(|label| label.unwrap()).collect();
    for name in ["logistic_regression", "random_forest", "lightgbm"] {
        let learner = learner(name, &BTreeMap::new()).unwrap();
        let fit = || {
            learner
                .fit(&Training::new(train.all()).unwrap(), 1)
                .unwrap()
        };
        let raw = fit().predict(&test.all()).unwrap();
        for method in &CalibrationMethod::ALL[1..] {
            let calibration = Calibration::fit(*method, &labels, &raw).unwrap();
            let model = calibrated(fit(), calibration.clone());
            let scores = model.predict(&test.all()).unwrap();
            let expected: Vec<f64> = raw.iter().map(|&score| calibration.apply(score)).collect();
            assert_eq!(scores, expected);
            let loaded = load(&model.save().unwrap()).unwrap();
            assert_eq!(loaded.predict(&test.all()).unwrap(), scores);
            assert_eq!(
                (loaded.learner(), loaded.calibration()),
                (name, calibration)
            );
            let contributions = loaded.contributions(&test.all()).unwrap();
            let plain = fit().contributions(&test.all()).unwrap();
            for (row, score) in scores.iter().enumerate() {
                let sum = contributions.bias(row) + contributions.row(row).iter().sum::<f64>();
                assert!((sum - (score / (1.0 - score)).ln()).abs() < 1e-6);
                for (value, plain) in contributions.row(row).iter().zip(plain.row(row)) {
                    assert!(value * plain >= 0.0, "directions stay");
                }
            }
        }
    }
}

#[test]
fn a_broken_calibration_is_refused() {
    let train = signal(300, 8);
    let learner = learner("logistic_regression", &BTreeMap::new()).unwrap();
    let model = learner
        .fit(&Training::new(train.all()).unwrap(), 1)
        .unwrap();
    let mut saved = model.save().unwrap();
    let falling = br#"{"platt": {"slope": -1.0, "intercept": 0.0}}"#.to_vec();
    saved.files.push(("calibration.json".into(), falling));
    let error = load(&saved).err().unwrap().to_string();
    assert!(
        error.ends_with("file `calibration.json` does not increase"),
        "{error}"
    );
}
