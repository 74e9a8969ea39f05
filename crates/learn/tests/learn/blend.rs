//! The blend: one model of several, in a backtest, as files, and explained.

use safra_learn::*;
use serde_json::json;

use crate::support::{parameters, signal};

fn blend(values: serde_json::Value) -> Result<Box<dyn Learner>, LearnError> {
    learner("blend", &parameters(values))
}

fn make(name: &str) -> Box<dyn Learner> {
    learner(name, &parameters(json!({}))).unwrap()
}

#[test]
fn the_score_is_the_weighted_mean_of_log_odds() {
    let (train, test) = (signal(800, 1), signal(200, 2));
    let training = Training::new(train.all()).unwrap();
    let weights = json!({"members": {"logistic_regression": {}, "lightgbm": {"num_leaves": 4}}, "weights": {"lightgbm": 3}});
    let scores = |learner: Box<dyn Learner>| {
        let model = learner.fit(&training, 5).unwrap();
        model.predict(&test.all()).unwrap()
    };
    let blended = scores(blend(weights).unwrap());
    let linear = scores(learner("logistic_regression", &parameters(json!({}))).unwrap());
    let trees = scores(learner("lightgbm", &parameters(json!({"num_leaves": 4}))).unwrap());
    let log_odds = |score: f64| (score / (1.0 - score)).ln();
    for ((blended, linear), trees) in blended.iter().zip(linear).zip(trees) {
        let expected = 0.25 * log_odds(linear) + 0.75 * log_odds(trees);
        assert!((log_odds(*blended) - expected).abs() < 1e-9);
    }
}

/// Whether its members are fitted anyway or not, a backtest gives the same scores.
#[test]
fn a_backtest_combines_the_scores_it_has() {
    let examples = signal(600, 3);
    let splits = [400, 500].map(|end| Split {
        date: format!("after {end}"),
        train: (0..end).collect(),
        test: (end..end + 100).collect(),
        ..Split::default()
    });
    let alone = [make("blend")];
    let among = ["lightgbm", "blend", "logistic_regression"].map(make);
    let run = |learners: &[Box<dyn Learner>]| backtest(&examples, &splits, learners, 2, &|| ());
    let (alone, among) = (run(&alone).unwrap(), run(&among).unwrap());
    let of = |backtest: &Backtest| -> Vec<BacktestPredictions> {
        let predictions = backtest.predictions_of("blend").unwrap();
        predictions.into_iter().cloned().collect()
    };
    assert_eq!(of(&alone), of(&among));
    assert_eq!(alone.means[0], among.means[1]);
    let order: Vec<&str> = among.rows.iter().map(|row| &*row.learner).collect();
    assert_eq!(order[..3], ["lightgbm", "blend", "logistic_regression"]);
}

#[test]
fn dates_without_an_answer_say_why() {
    let examples = signal(100, 4);
    let splits = [Split {
        date: "first".into(),
        train: vec![],
        test: (0..50).collect(),
        ..Split::default()
    }];
    let learners = ["lightgbm", "logistic_regression", "blend"]
        .map(|name| learner(name, &parameters(json!({}))).unwrap());
    let result = backtest(&examples, &splits, &learners, 0, &|| ()).unwrap();
    assert_eq!(result.rows[2].learner, "blend");
    assert_eq!(result.rows[2].reason.as_deref(), Some("no training rows"));
    assert!(result.predictions.is_empty());
}

#[test]
fn models_fitted_together_are_those_fitted_alone() {
    let examples = signal(800, 5);
    let training = Training::new(examples.all()).unwrap();
    let learners = ["lightgbm", "blend", "logistic_regression"].map(make);
    let together = fit_all(&learners, &training, 7).unwrap();
    for (learner, model) in learners.iter().zip(together) {
        let alone = learner.fit(&training, 7).unwrap();
        assert_eq!(model.learner(), learner.name());
        assert_eq!(model.save().unwrap(), alone.save().unwrap());
    }
}

#[test]
fn impossible_blends_are_refused() {
    let refused = |values| blend(values).err().unwrap().to_string();
    let alone = refused(json!({"members": {"lightgbm": {}}}));
    assert!(alone.contains("two or more learners"), "{alone}");
    let nested = refused(json!({"members": {"lightgbm": {}, "blend": {}}}));
    assert!(nested.contains("none of them a blend"), "{nested}");
    let unknown = refused(json!({"members": {"lightgbm": {}, "forest": {}}}));
    assert!(unknown.contains("unknown learner: `forest`"), "{unknown}");
    let weight = refused(json!({"weights": {"baseline": 1}}));
    assert!(
        weight.contains("`weights`") && weight.contains("baseline = 1"),
        "{weight}"
    );
}
