//! The backtest: honest, complete, in order, and the same for any number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use safra_learn::*;

use crate::support::{all_learners, of_labels, signal};

fn split(date: &str, train: std::ops::Range<usize>, test: std::ops::Range<usize>) -> Split {
    Split {
        date: date.into(),
        train: train.collect(),
        test: test.collect(),
        ..Split::default()
    }
}

fn three_dates() -> Vec<Split> {
    vec![
        split("2018-01-01", 0..400, 400..500),
        split("2018-02-01", 0..500, 500..600),
        split("2018-03-01", 0..600, 600..700),
    ]
}

fn run(examples: &Examples, splits: &[Split]) -> Result<Backtest, LearnError> {
    backtest(examples, splits, &all_learners(), 5, &|| ())
}

#[test]
fn results_are_complete_and_in_order() {
    let examples = signal(700, 1);
    let finished = AtomicUsize::new(0);
    let count = || {
        finished.fetch_add(1, Ordering::Relaxed);
    };
    let result = backtest(&examples, &three_dates(), &all_learners(), 5, &count).unwrap();
    assert_eq!(finished.load(Ordering::Relaxed), 21);
    let found: Vec<(&str, &str)> = result
        .rows
        .iter()
        .map(|row| (&*row.date, &*row.learner))
        .collect();
    let dates = ["2018-01-01", "2018-02-01", "2018-03-01"];
    let expected: Vec<(&str, &str)> = dates
        .iter()
        .flat_map(|&date| of_labels().iter().map(move |&name| (date, name)))
        .collect();
    assert_eq!(found, expected);
    let predicted: Vec<(&str, &str)> = result
        .predictions
        .iter()
        .map(|p| (&*p.date, &*p.learner))
        .collect();
    assert_eq!(predicted, expected);
    for (row, predictions) in result.rows.iter().zip(&result.predictions) {
        assert_eq!(
            (row.rows, predictions.rows.len(), predictions.scores.len()),
            (100, 100, 100)
        );
        assert_eq!(row.reason, None);
    }
    assert_eq!(result.rows[20].train_rows, 600);
    assert_eq!(result.predictions[20].rows, (600..700).collect::<Vec<_>>());
}

#[test]
fn a_row_is_what_fitting_and_scoring_by_hand_gives() {
    let examples = signal(700, 2);
    let splits = three_dates();
    let result = run(&examples, &splits).unwrap();
    let training = Training::new(examples.rows(&splits[1].train).unwrap()).unwrap();
    let model = all_learners()[3].fit(&training, 5).unwrap();
    let scores = model
        .predict(&examples.rows(&splits[1].test).unwrap())
        .unwrap();
    let labels: Vec<bool> = splits[1]
        .test
        .iter()
        .map(|&row| examples.label()[row].unwrap())
        .collect();
    let row = &result.rows[10];
    assert_eq!(result.predictions[10].scores, scores);
    assert_eq!(
        row.metrics,
        Metrics::of(&Scored::new(&labels, &scores).unwrap())
    );
    assert_eq!(row.positives, labels.iter().filter(|&&label| label).count());
}

#[test]
fn means_are_over_dates() {
    let result = run(&signal(700, 3), &three_dates()).unwrap();
    for (position, means) in result.means.iter().enumerate() {
        assert_eq!(
            (means.learner.as_str(), means.dates),
            (of_labels()[position], 3)
        );
        for metric in Metric::ALL {
            let values = result
                .rows
                .iter()
                .filter(|row| row.learner == means.learner);
            let sum: f64 = values.map(|row| row.metrics.get(metric).unwrap()).sum();
            assert!((means.metrics.get(metric).unwrap() - sum / 3.0).abs() < 1e-12);
        }
    }
}

/// The same examples, but for the labels and features of rows from `first` on.
fn altered(examples: &Examples, first: usize) -> Examples {
    let names = examples.feature_names().to_vec();
    let columns = names.iter().map(|name| {
        let mut column = examples.column(name).unwrap().to_vec();
        column[first..]
            .iter_mut()
            .for_each(|value| *value = 1_000.0 - *value);
        column
    });
    let mut label = examples.label().to_vec();
    label[first..]
        .iter_mut()
        .for_each(|label| *label = label.map(|positive| !positive));
    Examples::new(names.clone(), columns.collect(), label).unwrap()
}

#[test]
fn labels_of_test_rows_change_no_score() {
    let examples = signal(700, 4);
    let names = examples.feature_names().to_vec();
    let columns = names
        .iter()
        .map(|name| examples.column(name).unwrap().to_vec());
    let mut label = examples.label().to_vec();
    label[400..]
        .iter_mut()
        .for_each(|label| *label = label.map(|positive| !positive));
    let flipped = Examples::new(names.clone(), columns.collect(), label).unwrap();
    let first = &three_dates()[..1];
    let (before, after) = (
        run(&examples, first).unwrap(),
        run(&flipped, first).unwrap(),
    );
    assert_eq!(before.predictions, after.predictions);
    assert_ne!(before.rows, after.rows);
}

#[test]
fn rows_outside_a_split_change_nothing_in_it() {
    let examples = signal(700, 5);
    let before = run(&examples, &three_dates()).unwrap();
    let after = run(&altered(&examples, 600), &three_dates()).unwrap();
    assert_eq!(before.rows[..14], after.rows[..14]);
    assert_eq!(before.predictions[..14], after.predictions[..14]);
    assert_ne!(before.rows[14..], after.rows[14..]);
}

/// A feature that is the label in the test rows, but says nothing in the training rows, must not even move a score.
#[test]
fn a_leak_planted_in_test_rows_has_no_effect() {
    let source = signal(700, 6);
    let mut names = source.feature_names().to_vec();
    let mut columns: Vec<Vec<f64>> = names
        .iter()
        .map(|name| source.column(name).unwrap().to_vec())
        .collect();
    let leak = |row: usize| match source.label()[row] {
        Some(positive) if row >= 400 => f64::from(u8::from(positive)),
        _ => 0.0,
    };
    names.push("leak".into());
    columns.push((0..700).map(leak).collect());
    let leaky = Examples::new(names, columns, source.label().to_vec()).unwrap();
    let first = &three_dates()[..1];
    assert_eq!(run(&leaky, first).unwrap(), run(&source, first).unwrap());
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let examples = signal(700, 7);
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let result = pool.install(|| run(&examples, &three_dates())).unwrap();
        serde_json::to_string(&result).unwrap()
    };
    assert_eq!(with_threads(1), with_threads(4));
}

#[test]
fn dates_without_an_answer_say_why() {
    let source = signal(100, 8);
    let names = source.feature_names().to_vec();
    let columns = names
        .iter()
        .map(|name| source.column(name).unwrap().to_vec())
        .collect();
    let mut label = source.label().to_vec();
    label[..10].fill(Some(false));
    label[90..].fill(None);
    let examples = Examples::new(names, columns, label).unwrap();
    let splits = [
        split("a", 0..0, 50..60),
        split("b", 0..10, 50..60),
        split("c", 0..50, 50..50),
        split("d", 0..50, 90..100),
        split("e", 0..50, 80..100),
        split("f", 20..50, 0..10),
    ];
    let result = run(&examples, &splits).unwrap();
    let reasons: Vec<Option<&str>> = result
        .rows
        .iter()
        .step_by(of_labels().len())
        .map(|row| row.reason.as_deref())
        .collect();
    let expected = [
        Some("no training rows"),
        Some("all 10 training rows are negative"),
        Some("no test rows"),
        Some("no test row has a label yet"),
        None,
        None,
    ];
    assert_eq!(reasons, expected);
    for row in &result.rows[..28] {
        assert_eq!(row.metrics, Metrics::default());
    }
    assert!(
        result
            .predictions
            .iter()
            .all(|p| p.date != "a" && p.date != "b")
    );
    let unlabelled = result.predictions.iter().find(|p| p.date == "d").unwrap();
    assert_eq!(unlabelled.scores.len(), 10);
    assert_eq!(
        (
            result.rows[28].rows,
            result.rows[28].metrics.roc_auc.is_some()
        ),
        (10, true)
    );
    assert_eq!(
        (result.rows[35].metrics.roc_auc, result.rows[35].positives),
        (None, 0)
    );
    assert!(result.rows[35].metrics.brier.is_some());
    assert!(result.means.iter().all(|means| means.dates == 2));
    assert!(
        serde_json::to_string(&result)
            .unwrap()
            .contains("\"roc_auc\":null")
    );
}

#[test]
fn impossible_splits_are_refused() {
    let examples = signal(100, 9);
    let refused = |splits: &[Split]| run(&examples, splits).unwrap_err().to_string();
    let overlap = refused(&[split("2018-01-01", 0..50, 49..60)]);
    assert_eq!(
        overlap,
        "row 49 is in the training and in the test rows of 2018-01-01"
    );
    let beyond = refused(&[split("2018-01-01", 0..50, 90..101)]);
    assert_eq!(
        beyond,
        "learner `baseline` on 2018-01-01: row 100 was selected from 100 rows"
    );
    let twice = [all_learners(), all_learners()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    let error = backtest(&examples, &[], &twice, 0, &|| ())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "learner `baseline` is listed twice");
    let same_date = [
        split("2018-01-01", 0..50, 50..60),
        split("2018-01-01", 0..60, 60..70),
    ];
    assert_eq!(refused(&same_date), "2018-01-01 is the date of two splits");
}

#[test]
fn a_failing_learner_is_named_with_the_date() {
    let other = Examples::new(
        vec!["x".into()],
        vec![vec![0.0, 1.0, 2.0]],
        vec![Some(true), Some(false), None],
    )
    .unwrap();
    let error = run(&other, &[split("2018-05-01", 0..2, 2..3)])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "learner `recency` on 2018-05-01: learner `recency` needs features that are not there: recency"
    );
    let error = run(&other, &[split("2018-05-01", 0..3, 0..0)])
        .unwrap_err()
        .to_string();
    assert!(error.contains("training row 2 has no label"), "{error}");
}

#[test]
fn nothing_to_do_is_done() {
    let examples = signal(50, 10);
    let result = run(&examples, &[]).unwrap();
    assert!(result.rows.is_empty() && result.means.iter().all(|means| means.dates == 0));
    let result = backtest(&examples, &three_dates()[..0], &[], 0, &|| ()).unwrap();
    assert_eq!(result.means, []);
}

#[test]
fn two_learners_of_a_backtest_are_compared_on_the_same_rows() {
    let source = signal(700, 11);
    let groups: Vec<u64> = (0..700).map(|row| row % 90).collect();
    let result = run(&source, &three_dates()).unwrap();
    let resampling = Resampling {
        resamples: 200,
        ..Resampling::default()
    };
    let against = |challenger: &str, champion: &str| {
        let challenger = result.predictions_of(challenger)?;
        let champion = result.predictions_of(champion)?;
        compare_predictions(&challenger, &champion, &source, &groups, &resampling)
    };
    let comparison = against("lightgbm", "baseline").unwrap();
    let mean = |position: usize| result.means[position].metrics.roc_auc.unwrap();
    assert!((comparison.challenger - mean(5)).abs() < 1e-12);
    assert!((comparison.champion - mean(0)).abs() < 1e-12);
    assert!(comparison.probability_better > 0.99 && comparison.difference.lower > 0.1);
    let error = against("lightgbm", "forest").unwrap_err().to_string();
    assert_eq!(error, "the backtest has no predictions of learner `forest`");
    let predictions = result.predictions_of("lightgbm").unwrap();
    let refused = |champion: &[&BacktestPredictions], groups: &[u64]| {
        compare_predictions(&predictions, champion, &source, groups, &resampling).unwrap_err()
    };
    let error = refused(&predictions, &groups[1..]).to_string();
    assert_eq!(error, "groups: 699 values for 700 rows");
    let mut other = predictions[0].clone();
    other.rows.reverse();
    let error = refused(&[&other], &groups).to_string();
    assert_eq!(
        error,
        "the learners to compare did not score the same rows on 2018-01-01"
    );
    assert!(matches!(
        refused(&[], &groups),
        LearnError::UndefinedMetric { .. }
    ));
}
