//! Categories: each learner by its own means, the same in training and serving.

use safra_learn::*;
use serde_json::json;

use crate::support::{categories, parameters};

const LEARN_FROM_CATEGORIES: [&str; 4] = [
    "logistic_regression",
    "decision_tree",
    "random_forest",
    "lightgbm",
];

fn fit(name: &str, examples: &Examples) -> Box<dyn Model> {
    // Of two features, a forest would look at one a split.
    let values = match name {
        "random_forest" => json!({"feature_fraction_bynode": 1.0}),
        _ => json!({}),
    };
    let learner = learner(name, &parameters(values)).unwrap();
    let training = Training::new(examples.all()).unwrap();
    learner.fit(&training, 3).unwrap()
}

/// Rows with these states, in a dictionary of their own.
fn states(states: &[Option<&str>]) -> Examples {
    let columns: Vec<Column> = vec![
        vec![5.0; states.len()].into(),
        Categories::from_texts(states.iter().copied()).into(),
    ];
    let names = ["recency", "state"].map(str::to_owned).to_vec();
    Examples::with_columns(names, columns, vec![None; states.len()]).unwrap()
}

#[test]
fn scores_follow_the_categories() {
    let train = categories(3_000, 1);
    let asked = states(&[Some("sp"), Some("rj"), Some("mg"), Some("rs"), None]);
    for name in LEARN_FROM_CATEGORIES {
        let scores = fit(name, &train).predict(&asked.all()).unwrap();
        for (score, truth) in scores.iter().zip([0.9, 0.1, 0.7, 0.3, 0.05]) {
            assert!((score - truth).abs() < 0.2, "{name}: {scores:?}");
        }
    }
}

/// Serving sees other rows, whose dictionary has other texts in other places.
#[test]
fn a_category_scores_the_same_in_any_dictionary() {
    let train = categories(1_500, 2);
    let all = states(&[Some("aa"), Some("mg"), Some("rare 3"), Some("sp"), None]);
    for name in LEARN_FROM_CATEGORIES {
        let model = load(&fit(name, &train).save().unwrap()).unwrap();
        let together = model.predict(&all.all()).unwrap();
        let column = all.feature("state").unwrap();
        for (row, expected) in together.iter().enumerate() {
            let text = match column.value(row) {
                FeatureValue::Category(text) => Some(text),
                _ => None,
            };
            let alone = model.predict(&states(&[text]).all()).unwrap();
            assert_eq!(alone[0].to_bits(), expected.to_bits(), "{name} {text:?}");
        }
    }
}

#[test]
fn what_did_not_occur_in_training_is_scored_like_a_rare_category() {
    let train = categories(3_000, 3);
    let asked = states(&[Some("never seen"), Some("unheard of"), Some("rare 7"), None]);
    for name in LEARN_FROM_CATEGORIES {
        let scores = fit(name, &train).predict(&asked.all()).unwrap();
        assert_eq!(scores[0].to_bits(), scores[1].to_bits(), "{name}");
        assert!((0.0..=1.0).contains(&scores[0]), "{name}");
        assert!(scores[3] < 0.2, "{name}: a missing one is no rare one");
        if name == "logistic_regression" {
            assert!(scores[0] > 0.8 && scores[0].to_bits() == scores[2].to_bits());
        }
    }
}

#[test]
fn contributions_of_categories_add_up_and_point_the_right_way() {
    let train = categories(2_000, 4);
    let asked = states(&[Some("sp"), Some("rj"), Some("new"), None]);
    for name in LEARN_FROM_CATEGORIES {
        let model = fit(name, &train);
        let scores = model.predict(&asked.all()).unwrap();
        let contributions = model.contributions(&asked.all()).unwrap();
        for (row, score) in scores.iter().enumerate() {
            let sum = contributions.bias(row) + contributions.row(row).iter().sum::<f64>();
            assert!((sum - (score / (1.0 - score)).ln()).abs() < 1e-6, "{name}");
        }
        let top: Vec<Reason> = (0..2)
            .map(|row| contributions.top(row, 1)[0].clone())
            .collect();
        assert!(top.iter().all(|reason| reason.feature == "state"), "{name}");
        assert!(top[0].contribution > 0.0 && top[1].contribution < 0.0);
    }
}

#[test]
fn the_order_of_rows_does_not_change_the_codes() {
    let forwards = Categories::from_texts([Some("b"), None, Some("a")]);
    let backwards = Categories::from_texts([Some("a"), None, Some("b")]);
    assert_eq!(forwards.dictionary(), backwards.dictionary());
}

#[test]
fn a_feature_of_the_other_kind_is_refused_by_name() {
    let train = categories(500, 5);
    let numbers = Examples::new(
        vec!["recency".into(), "state".into()],
        vec![vec![1.0], vec![2.0]],
        vec![None],
    )
    .unwrap();
    for name in LEARN_FROM_CATEGORIES {
        let error = fit(name, &train).predict(&numbers.all()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("learner `{name}` needs feature `state` as categories, not as numbers")
        );
    }
    let recency = learner("recency", &parameters(json!({"feature": "state"}))).unwrap();
    let training = Training::new(train.all()).unwrap();
    let error = recency.fit(&training, 0).err().unwrap().to_string();
    assert_eq!(
        error,
        "learner `recency` needs feature `state` as numbers, not as categories"
    );
}
