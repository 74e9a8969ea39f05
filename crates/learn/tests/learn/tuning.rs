//! The search: in a fixed order, resumable, by growing stages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use safra_learn::*;
use serde_json::{Value, json};

use crate::support::{durations, parameters, signal};

fn splits() -> Vec<Split> {
    let split = |end: usize| Split {
        date: format!("row {end}"),
        train: (0..end).collect(),
        test: (end..end + 150).collect(),
        ..Split::default()
    };
    [450, 600, 750].map(split).to_vec()
}

fn space(declared: Value) -> SearchSpace {
    SearchSpace::parse("lightgbm", &parameters(declared)).unwrap()
}

/// Searches with time for so many measurements.
fn search(examples: &Examples, space: &SearchSpace, time: usize, measured: &mut Measured) -> Tuned {
    let declared = parameters(json!({"num_iterations": 40}));
    let splits = splits();
    let search = Search {
        examples,
        splits: &splits,
        learner: "lightgbm",
        declared: &declared,
        space,
        metric: Metric::LogLoss,
        seed: 3,
    };
    let left = AtomicUsize::new(time);
    let take = |left: usize| left.checked_sub(1);
    let has_time = || {
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .is_ok()
    };
    tune(&search, measured, &has_time, &mut |_| ()).unwrap()
}

fn quick() -> SearchSpace {
    space(json!({
        "learning_rate": {"from": 0.001, "to": 0.3, "scale": "log"},
        "num_leaves": {"from": 2, "to": 12},
        "num_iterations": [60],
    }))
}

#[test]
fn a_stage_is_the_model_with_so_many_trees() {
    let (train, test) = (signal(500, 1), signal(200, 2));
    let (training, validation) = (
        Training::new(train.all()).unwrap(),
        Training::new(test.all()).unwrap(),
    );
    let make = |values: BTreeMap<String, Value>| learner("lightgbm", &values).unwrap();
    let grown = make(parameters(json!({"num_iterations": 60})));
    let stages = grown.stages(&training, &validation, 9).unwrap();
    let trees: Vec<&Value> = stages
        .iter()
        .map(|s| &s.parameters["num_iterations"])
        .collect();
    assert_eq!(trees, [25, 50, 60]);
    for stage in stages {
        let model = make(stage.parameters.clone()).fit(&training, 9).unwrap();
        let scores = model.predict(&validation).unwrap();
        for (score, expected) in stage.scores.iter().zip(scores) {
            assert!((score - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn a_stage_of_durations_is_the_model_with_so_many_trees() {
    let ((train, _), (test, _)) = (durations(800, 100.0, 1), durations(300, 100.0, 2));
    let training = Training::new(train.all()).unwrap();
    let training = training.observed_at(&[], 100.5).unwrap();
    let validation = Training::new(test.all()).unwrap();
    let make = |mut values: BTreeMap<String, Value>| {
        values.insert("promise".into(), json!("promise"));
        learner("duration", &values).unwrap()
    };
    let grown = make(parameters(json!({"num_iterations": 63})));
    let stages = grown.stages(&training, &validation, 9).unwrap();
    assert_eq!(stages.len(), 3);
    for stage in stages {
        let model = make(stage.parameters.clone()).fit(&training, 9).unwrap();
        let scores = model.predict(&validation).unwrap();
        for (score, expected) in stage.scores.iter().zip(scores) {
            assert!((score - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn growth_ends_when_it_no_longer_helps() {
    let (train, test) = (signal(500, 3), signal(500, 4));
    let values = json!({"num_iterations": 5_000, "learning_rate": 0.3, "num_leaves": 31, "min_data_in_leaf": 5});
    let stages = learner("lightgbm", &parameters(values))
        .unwrap()
        .stages(
            &Training::new(train.all()).unwrap(),
            &Training::new(test.all()).unwrap(),
            1,
        )
        .unwrap();
    assert!((5..40).contains(&stages.len()), "{}", stages.len());
}

#[test]
fn the_search_finds_better_parameters_and_says_how_good_they_are() {
    let examples = signal(900, 5);
    let tuned = search(&examples, &quick(), 60, &mut Measured::new());
    let (declared, best) = (&tuned.trials[0], &tuned.trials[tuned.best]);
    assert_eq!((declared.number, declared.by_date.len()), (0, 3));
    assert!(best.mean <= declared.mean && best.by_date.len() == 3);
    assert_eq!(best.by_date[0].0, "row 750", "the latest date comes first");
    let splits = splits();
    let model = [learner("lightgbm", &best.parameters).unwrap()];
    let result = backtest(&examples, &splits, &model, 3, &|| ()).unwrap();
    assert!((result.means[0].metrics.log_loss.unwrap() - best.mean).abs() < 1e-9);
}

#[test]
fn more_time_looks_at_more_of_the_same_candidates() {
    let examples = signal(900, 6);
    let numbers = |time| -> Vec<(usize, BTreeMap<String, Value>)> {
        let tuned = search(&examples, &quick(), time, &mut Measured::new());
        let trials = tuned.trials.into_iter();
        trials
            .map(|trial| (trial.number, trial.parameters))
            .collect()
    };
    let (none, some, more) = (numbers(0), numbers(20), numbers(60));
    assert_eq!(none.len(), 1, "the declared parameters are always judged");
    assert!(some.len() > 1 && some.len() < more.len());
    assert_eq!(some[..9], more[..9]);
}

#[test]
fn a_stopped_search_goes_on_without_measuring_again() {
    let examples = signal(900, 7);
    let mut measured = Measured::new();
    search(&examples, &quick(), 12, &mut measured);
    let before = measured.clone();
    let text = serde_json::to_string(&measured).unwrap();
    let mut measured: Measured = serde_json::from_str(&text).unwrap();
    let resumed = search(&examples, &quick(), 30, &mut measured);
    assert!(before.iter().all(|(key, values)| measured[key] == *values));
    assert!(measured.len() > before.len());
    let at_once = search(&examples, &quick(), 60, &mut Measured::new());
    for trial in &resumed.trials {
        let same = at_once
            .trials
            .iter()
            .find(|other| other.number == trial.number);
        if let Some(same) = same.filter(|same| same.by_date.len() == trial.by_date.len()) {
            assert_eq!(same, trial);
        }
    }
}

#[test]
fn without_a_date_that_can_judge_there_is_no_search() {
    let examples = signal(900, 8);
    let (declared, space) = (BTreeMap::new(), quick());
    let search = Search {
        examples: &examples,
        splits: &[],
        learner: "lightgbm",
        declared: &declared,
        space: &space,
        metric: Metric::RocAuc,
        seed: 0,
    };
    let error = tune(&search, &mut Measured::new(), &|| true, &mut |_| ()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("roc_auc is not defined on any date")
    );
}
