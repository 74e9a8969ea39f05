//! What every learner must do, and what each alone does.

use std::collections::BTreeMap;

use proptest::prelude::*;
use safra_learn::*;
use serde_json::json;

use crate::support::{all_learners, of_labels, parameters, signal};

fn fit(learner: &dyn Learner, examples: &Examples) -> Box<dyn Model> {
    learner
        .fit(&Training::new(examples.all()).unwrap(), 7)
        .unwrap()
}

fn known_labels(examples: &Examples) -> Vec<bool> {
    examples
        .label()
        .iter()
        .copied()
        .map(Option::unwrap)
        .collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn learners_find_the_signal_in_new_rows() {
    let (train, test) = (signal(2_000, 1), signal(2_000, 2));
    let area = |learner: &dyn Learner| {
        let scores = fit(learner, &train).predict(&test.all()).unwrap();
        roc_auc(&Scored::new(&known_labels(&test), &scores).unwrap()).unwrap()
    };
    let areas: Vec<f64> = all_learners()
        .iter()
        .map(|learner| area(learner.as_ref()))
        .collect();
    assert_eq!(areas[0], 0.5);
    assert!(areas[1] > 0.75, "{areas:?}");
    assert!(
        areas[2..].iter().all(|&area| area > areas[1] + 0.02),
        "{areas:?}"
    );
}

#[test]
fn mean_scores_of_training_rows_are_near_the_base_rate() {
    let examples = signal(1_500, 3);
    let training = Training::new(examples.all()).unwrap();
    for learner in all_learners() {
        let scores = learner
            .fit(&training, 0)
            .unwrap()
            .predict(&examples.all())
            .unwrap();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        assert!(
            (mean - training.base_rate()).abs() < 0.01,
            "{}: {mean}",
            learner.name()
        );
    }
}

#[test]
fn a_saved_model_predicts_the_identical_bits() {
    let (train, test) = (signal(600, 4), signal(300, 5));
    for learner in all_learners() {
        let model = fit(learner.as_ref(), &train);
        let saved = model.save().unwrap();
        let loaded = load(&saved).unwrap();
        let scores = |model: &dyn Model| bits(&model.predict(&test.all()).unwrap());
        assert_eq!(
            scores(model.as_ref()),
            scores(loaded.as_ref()),
            "{}",
            learner.name()
        );
        let contributions = |model: &dyn Model| model.contributions(&test.all()).unwrap();
        assert_eq!(
            contributions(model.as_ref()),
            contributions(loaded.as_ref())
        );
        assert_eq!(model.importance().unwrap(), loaded.importance().unwrap());
        assert_eq!(model.features(), loaded.features());
        assert_eq!(
            (loaded.learner(), saved.learner.as_str()),
            (learner.name(), learner.name())
        );
        assert_eq!(loaded.save().unwrap(), saved);
    }
}

#[test]
fn contributions_add_up_to_the_log_odds_of_the_score() {
    let (train, test) = (signal(600, 6), signal(200, 7));
    for learner in all_learners() {
        let model = fit(learner.as_ref(), &train);
        let scores = model.predict(&test.all()).unwrap();
        let contributions = model.contributions(&test.all()).unwrap();
        assert_eq!(
            (contributions.len(), contributions.features()),
            (200, model.features())
        );
        for (row, score) in scores.iter().enumerate() {
            let sum = contributions.bias(row) + contributions.row(row).iter().sum::<f64>();
            let log_odds = (score / (1.0 - score)).ln();
            assert!(
                (sum - log_odds).abs() < 1e-6,
                "{}: {sum} {log_odds}",
                learner.name()
            );
        }
    }
}

#[test]
fn importance_and_contributions_point_to_the_features_that_matter() {
    let examples = signal(2_000, 8);
    for learner in all_learners().iter().skip(2) {
        let model = fit(learner.as_ref(), &examples);
        let importance: BTreeMap<String, f64> = model
            .importance()
            .unwrap()
            .into_iter()
            .map(|i| (i.feature, i.importance))
            .collect();
        assert!(
            importance["recency"] > 3.0 * importance["noise"],
            "{importance:?}"
        );
        assert!(
            importance["sales"] > 2.0 * importance["noise"],
            "{importance:?}"
        );
        assert_eq!((importance["never"], importance["constant"]), (0.0, 0.0));
        let contributions = model.contributions(&examples.all()).unwrap();
        let recency = examples.column("recency").unwrap();
        let late = recency.iter().position(|&days| days == 44.0).unwrap();
        let early = recency.iter().position(|&days| days == 0.0).unwrap();
        assert!(contributions.row(late)[0] > 0.5 && contributions.row(early)[0] < -0.5);
    }
}

#[test]
fn columns_without_information_leave_the_base_rate() {
    let label: Vec<Option<bool>> = (0..120).map(|row| Some(row % 3 == 0)).collect();
    let names = ["constant", "recency"].map(str::to_owned).to_vec();
    let columns = vec![vec![2.0; 120], vec![f64::NAN; 120]];
    let examples = Examples::new(names, columns, label).unwrap();
    for learner in all_learners() {
        let model = fit(learner.as_ref(), &examples);
        // Each tree of a forest sees other rows, with a base rate of their own.
        let tolerance = match learner.name() {
            "random_forest" => 0.02,
            _ => 1e-6,
        };
        for score in model.predict(&examples.all()).unwrap() {
            assert!(
                (score - 1.0 / 3.0).abs() < tolerance,
                "{}: {score}",
                learner.name()
            );
        }
        let contributions = model.contributions(&examples.all()).unwrap();
        assert!(contributions.row(0).iter().all(|value| value.abs() < 1e-12));
        assert!(
            contributions
                .top(0, 3)
                .iter()
                .all(|reason| reason.contribution.abs() < 1e-12)
        );
    }
}

#[test]
fn values_missing_only_when_scoring_are_scored() {
    let train = signal(400, 9);
    let names = train.feature_names().to_vec();
    let missing = Examples::new(names, vec![vec![f64::NAN; 2]; 5], vec![None; 2]).unwrap();
    for learner in all_learners() {
        let scores = fit(learner.as_ref(), &train)
            .predict(&missing.all())
            .unwrap();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    }
}

#[test]
fn no_rows_give_no_scores() {
    let examples = signal(200, 10);
    let none = examples.rows(&[]).unwrap();
    for learner in all_learners() {
        let model = fit(learner.as_ref(), &examples);
        assert!(model.predict(&none).unwrap().is_empty());
        assert!(model.contributions(&none).unwrap().is_empty());
    }
}

/// One row alone, and rows in any order, score as they do among others.
#[test]
fn a_score_does_not_depend_on_the_other_rows() {
    let examples = signal(300, 11);
    for learner in all_learners() {
        let model = fit(learner.as_ref(), &examples);
        let all = model.predict(&examples.all()).unwrap();
        let some = [17, 5, 5, 250];
        let scores = model.predict(&examples.rows(&some).unwrap()).unwrap();
        assert_eq!(bits(&scores), bits(&some.map(|row| all[row])));
        let alone = model.predict(&examples.rows(&[17]).unwrap()).unwrap();
        assert_eq!(bits(&alone), bits(&all[17..18]));
        let contributions = model.contributions(&examples.rows(&some).unwrap()).unwrap();
        assert_eq!(
            contributions.row(3),
            model.contributions(&examples.all()).unwrap().row(250)
        );
    }
}

#[test]
fn features_are_matched_by_name() {
    let examples = signal(300, 12);
    let mut names = examples.feature_names().to_vec();
    let mut columns: Vec<Vec<f64>> = names
        .iter()
        .map(|name| examples.column(name).unwrap().to_vec())
        .collect();
    names.push("another".into());
    columns.push(vec![0.0; 300]);
    names.reverse();
    columns.reverse();
    let reversed = Examples::new(names, columns, vec![None; 300]).unwrap();
    let few = Examples::new(vec!["noise".into()], vec![vec![0.5]], vec![None]).unwrap();
    for learner in all_learners().iter().skip(1) {
        let model = fit(learner.as_ref(), &examples);
        let scores = |rows: Rows<'_>| bits(&model.predict(&rows).unwrap());
        assert_eq!(scores(examples.all()), scores(reversed.all()));
        let error = model.predict(&few.all()).unwrap_err().to_string();
        assert!(
            error.contains(learner.name()) && error.contains("recency"),
            "{error}"
        );
        assert!(!error.contains("noise"), "{error}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let examples = signal(400, 13);
    let training = Training::new(examples.all()).unwrap();
    for learner in all_learners() {
        let saved = |seed| learner.fit(&training, seed).unwrap().save().unwrap();
        assert_eq!(saved(3), saved(3));
        let drawn = ["lightgbm", "random_forest", "blend"].contains(&learner.name());
        assert_eq!(saved(3) != saved(4), drawn, "{}", learner.name());
        assert_eq!(saved(u64::MAX).learner, learner.name());
    }
}

#[test]
fn rows_that_cannot_be_learned_from_are_refused() {
    let label = vec![Some(true), Some(true), None, Some(false)];
    let examples = Examples::new(vec![], vec![], label).unwrap();
    let refused = |rows: &[usize]| {
        Training::new(examples.rows(rows).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused(&[]), "no training rows");
    assert_eq!(refused(&[0, 1]), "all 2 training rows are positive");
    assert_eq!(refused(&[3]), "all 1 training rows are negative");
    assert!(refused(&[0, 2, 3]).starts_with("training row 2 has no label\nhint: "));
    assert_eq!(
        examples.rows(&[4]).unwrap_err().to_string(),
        "row 4 was selected from 4 rows"
    );
    assert_eq!(
        Training::new(examples.rows(&[0, 1, 3]).unwrap())
            .unwrap()
            .base_rate(),
        2.0 / 3.0
    );
}

#[test]
fn examples_are_checked() {
    let refused = |names: &[&str], columns: Vec<Vec<f64>>| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Examples::new(names, columns, vec![None; 2])
            .unwrap_err()
            .to_string()
    };
    let column = || vec![1.0, f64::NAN];
    assert_eq!(
        refused(&["a"], vec![]),
        "1 feature names for 0 feature columns"
    );
    assert_eq!(
        refused(&["a"], vec![vec![1.0]]),
        "feature `a` has 1 rows, the label has 2"
    );
    assert_eq!(
        refused(&["a", "a"], vec![column(), column()]),
        "feature name is empty or not unique: `a`"
    );
    assert_eq!(
        refused(&[""], vec![column()]),
        "feature name is empty or not unique: ``"
    );
    let infinite = refused(&["a"], vec![vec![1.0, f64::NEG_INFINITY]]);
    assert!(
        infinite.starts_with("feature `a` is infinite in row 1\nhint: "),
        "{infinite}"
    );
}

#[test]
fn without_features_there_is_a_base_rate_or_an_error() {
    let examples = Examples::new(vec![], vec![], vec![Some(true), Some(false)]).unwrap();
    let training = Training::new(examples.all()).unwrap();
    let outcome = |learner: &dyn Learner| {
        let model = learner
            .fit(&training, 0)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(model.predict(&examples.all()).unwrap()[0])
    };
    let outcomes: Vec<_> = all_learners()
        .iter()
        .map(|learner| outcome(learner.as_ref()))
        .collect();
    assert_eq!(outcomes[0], Ok(0.5));
    assert_eq!(
        outcomes[1],
        Err("learner `recency` needs features that are not there: recency".into())
    );
    assert_eq!(outcomes[2], Ok(0.5));
    for (outcome, name) in outcomes[3..].iter().zip(&of_labels()[3..]) {
        let name = if *name == "blend" { "lightgbm" } else { name };
        let expected = format!("learner `{name}` needs at least one feature");
        assert_eq!(*outcome, Err(expected));
    }
}

#[test]
fn learners_and_parameters_are_known_by_name() {
    let refused = |name, values| {
        learner(name, &parameters(values))
            .err()
            .unwrap()
            .to_string()
    };
    let unknown = refused("forest", json!({}));
    assert!(
        unknown.contains("`forest`") && unknown.contains(&LEARNERS.join(", ")),
        "{unknown}"
    );
    let unknown = refused("logistic_regression", json!({"alpha": 1}));
    assert!(
        unknown.ends_with("hint: its parameters are l2, max_iterations"),
        "{unknown}"
    );
    assert!(refused("baseline", json!({"x": 1})).ends_with("hint: it has none"));
    let wrong = refused(
        "lightgbm",
        json!({"num_leaves": 15, "learning_rate": "fast"}),
    );
    assert_eq!(
        wrong,
        "parameter `learning_rate` of learner `lightgbm` must be a number: \"fast\""
    );
    let wrong = refused("recency", json!({"feature": "x", "direction": "up"}));
    assert!(
        wrong.contains("`increasing` or `decreasing`: \"up\""),
        "{wrong}"
    );
    assert!(refused("recency", json!({})).contains("the name of a feature"));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |name, values| {
        learner(name, &parameters(values))
            .err()
            .unwrap()
            .to_string()
    };
    for values in [
        json!({"num_leaves": 1}),
        json!({"num_iterations": 0}),
        json!({"num_iterations": -3}),
        json!({"feature_fraction": 0}),
        json!({"bagging_fraction": 1.5}),
        json!({"lambda_l2": -1}),
        json!({"learning_rate": 0.0}),
        json!({"min_data_in_leaf": 0}),
        json!({"extra_trees": 1}),
    ] {
        let error = refused("lightgbm", values.clone());
        let name = values.as_object().unwrap().keys().next().unwrap();
        assert!(
            error.starts_with(&format!("parameter `{name}` of learner `lightgbm`")),
            "{error}"
        );
    }
    assert!(refused("logistic_regression", json!({"l2": 0})).contains("above 0"));
}

#[test]
fn parameters_are_described_with_their_defaults() {
    let described = learner("lightgbm", &parameters(json!({"num_leaves": 9})))
        .unwrap()
        .parameters();
    assert_eq!(described["num_leaves"], "9");
    assert_eq!(
        (&*described["learning_rate"], &*described["extra_trees"]),
        ("0.03", "false")
    );
    let described = all_learners()[1].parameters();
    assert_eq!(
        (&*described["feature"], &*described["direction"]),
        ("recency", "increasing")
    );
}

#[test]
fn parameters_change_the_model() {
    let examples = signal(500, 14);
    let score = |name, values| {
        let learner = learner(name, &parameters(values)).unwrap();
        fit(learner.as_ref(), &examples)
            .predict(&examples.all())
            .unwrap()
    };
    let spread = |scores: Vec<f64>| {
        scores.iter().copied().fold(0.0, f64::max) - scores.iter().copied().fold(1.0, f64::min)
    };
    let (weak, strong) = (json!({"l2": 0.1}), json!({"l2": 1e5}));
    assert!(
        spread(score("logistic_regression", weak))
            > spread(score("logistic_regression", strong)) + 0.5
    );
    let (few, many) = (json!({"num_iterations": 2}), json!({"num_iterations": 80}));
    assert!(spread(score("lightgbm", many)) > spread(score("lightgbm", few)) + 0.2);
}

#[test]
fn broken_files_are_refused_by_name() {
    let examples = signal(200, 15);
    for learner in all_learners() {
        let saved = fit(learner.as_ref(), &examples).save().unwrap();
        for position in 0..saved.files.len() {
            let name = saved.files[position].0.clone();
            let mut broken = saved.clone();
            broken.files[position].1 = b"{}".to_vec();
            let error = load(&broken).err().unwrap().to_string();
            assert!(
                error.contains(&name) && error.contains(learner.name()),
                "{error}"
            );
            broken.files.remove(position);
            let error = load(&broken).err().unwrap().to_string();
            assert!(
                error.ends_with(&format!("file `{name}` is missing")),
                "{error}"
            );
        }
    }
    let unknown = SavedModel {
        learner: "forest".into(),
        files: vec![],
    };
    assert!(matches!(
        load(&unknown),
        Err(LearnError::UnknownLearner { .. })
    ));
}

/// scikit-learn 1.9.1, `LogisticRegression(C=1 / 2.0, tol=1e-12, max_iter=10000)` after `StandardScaler`, on
/// `x1 = [(i * 17 % 60) / 10 for i in range(60)]`, `x2 = [(i * 23 % 60) / 6 for i in range(60)]` and
/// `y = [x1[i] - 0.4 * x2[i] + (i * 31 % 60) / 15 > 3 for i in range(60)]`: `intercept_`, `coef_` and `predict_proba(x)[:5, 1]`.
#[test]
fn logistic_regression_agrees_with_scikit_learn() {
    let column = |step: u32, unit: f64| (0..60).map(|i| f64::from(i * step % 60) / unit).collect();
    let (x1, x2): (Vec<f64>, Vec<f64>) = (column(17, 10.0), column(23, 6.0));
    let y = |i: u32| {
        let row = i as usize;
        x1[row] - 0.4 * x2[row] + f64::from(i * 31 % 60) / 15.0 > 3.0
    };
    let label = (0..60).map(|i| Some(y(i))).collect();
    let examples = Examples::new(
        vec!["x1".into(), "x2".into()],
        vec![x1.clone(), x2.clone()],
        label,
    )
    .unwrap();
    let learner = learner("logistic_regression", &parameters(json!({"l2": 2.0}))).unwrap();
    let model = fit(learner.as_ref(), &examples);
    let importance: Vec<f64> = model
        .importance()
        .unwrap()
        .iter()
        .map(|i| i.importance)
        .collect();
    assert!(
        (importance[0] - 1.543_528_31).abs() < 1e-4 && (importance[1] - 0.839_866_18).abs() < 1e-4
    );
    assert!((model.contributions(&examples.all()).unwrap().bias(0) - -0.097_811_82).abs() < 1e-4);
    let expected = [
        0.214_764_112,
        0.289_732_132_7,
        0.378_263_147,
        0.943_353_862_9,
        0.105_712_372_8,
    ];
    for (score, expected) in model.predict(&examples.all()).unwrap().iter().zip(expected) {
        assert!((score - expected).abs() < 1e-4, "{score} {expected}");
    }
}

/// The rarer class is the positive one here, the more frequent one there: the score stays that of `true`.
#[test]
fn the_score_is_that_of_the_positive_class_however_rare() {
    for threshold in [8.0, 92.0] {
        let column: Vec<f64> = (0..100).map(f64::from).collect();
        let label = column
            .iter()
            .map(|&value| Some(value >= threshold))
            .collect();
        let examples = Examples::new(vec!["recency".into()], vec![column], label).unwrap();
        for learner in all_learners().iter().skip(1) {
            let scores = fit(learner.as_ref(), &examples)
                .predict(&examples.all())
                .unwrap();
            assert!(scores[99] >= scores[0], "{} {threshold}", learner.name());
        }
    }
}

/// Classes that a feature separates, features that repeat each other, and values of any size.
#[test]
fn logistic_regression_survives_hard_columns() {
    let rows = 400;
    let label: Vec<Option<bool>> = (0..rows).map(|row| Some(row >= 200)).collect();
    let separating: Vec<f64> = (0..rows).map(f64::from).collect();
    let huge = separating
        .iter()
        .map(|value| (value - 200.0) * 1e300)
        .collect();
    let tiny = separating.iter().map(|value| value * 1e-300).collect();
    let wild = separating
        .iter()
        .map(|value| (value / 2.0 - 90.0).exp())
        .collect();
    let names = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
    let columns = vec![separating.clone(), separating, huge, tiny, wild];
    let examples = Examples::new(names, columns, label).unwrap();
    let learner = learner("logistic_regression", &parameters(json!({"l2": 1e-6}))).unwrap();
    let scores = fit(learner.as_ref(), &examples)
        .predict(&examples.all())
        .unwrap();
    assert!(
        scores[0] < 0.01 && scores[399] > 0.99,
        "{} {}",
        scores[0],
        scores[399]
    );
}

#[test]
fn lightgbm_takes_names_its_format_cannot_hold() {
    let source = signal(300, 16);
    let names = ["a b", "a_b", "[x]: \"y\"", "preço=é", "tab\tnew\nline"]
        .map(str::to_owned)
        .to_vec();
    let columns = source
        .feature_names()
        .iter()
        .map(|name| source.column(name).unwrap().to_vec());
    let examples =
        Examples::new(names.clone(), columns.collect(), source.label().to_vec()).unwrap();
    let lightgbm = &all_learners()[5];
    let renamed = fit(lightgbm.as_ref(), &examples);
    let scores = renamed.predict(&examples.all()).unwrap();
    let expected = fit(lightgbm.as_ref(), &source)
        .predict(&source.all())
        .unwrap();
    assert_eq!(bits(&scores), bits(&expected));
    assert_eq!(renamed.features(), names);
    assert_eq!(load(&renamed.save().unwrap()).unwrap().features(), names);
}

/// Fits `recency` to whole-number values, missing where `None`.
fn recency_scores(values: &[Option<i32>], label: &[bool], direction: &str) -> Vec<f64> {
    let column = values
        .iter()
        .map(|value| value.map_or(f64::NAN, f64::from))
        .collect();
    let label = label.iter().copied().map(Some).collect();
    let examples = Examples::new(vec!["days".into()], vec![column], label).unwrap();
    let values = json!({"feature": "days", "direction": direction});
    let learner = learner("recency", &parameters(values)).unwrap();
    fit(learner.as_ref(), &examples)
        .predict(&examples.all())
        .unwrap()
}

proptest! {
    #[test]
    fn recency_ranks_exactly_like_its_feature(
        rows in prop::collection::vec(
            (prop::option::weighted(0.9, prop_oneof![0..60, -1_000_000..1_000_000]), any::<bool>()),
            2..60,
        ),
        increasing in any::<bool>(),
    ) {
        let (values, label): (Vec<Option<i32>>, Vec<bool>) = rows.into_iter().unzip();
        prop_assume!(label.contains(&true) && label.contains(&false));
        let direction = if increasing { "increasing" } else { "decreasing" };
        let scores = recency_scores(&values, &label, direction);
        let mut present: Vec<i32> = values.iter().copied().flatten().collect();
        present.sort_unstable();
        let median = match present.len() {
            0 => 0.0,
            count => f64::from(present[(count - 1) / 2] + present[count / 2]) / 2.0,
        };
        let filled: Vec<f64> = values.iter().map(|value| value.map_or(median, f64::from)).collect();
        for (a, score_a) in filled.iter().zip(&scores) {
            for (b, score_b) in filled.iter().zip(&scores) {
                let expected = if increasing { a.total_cmp(b) } else { b.total_cmp(a) };
                prop_assert_eq!(score_a.total_cmp(score_b), expected, "{} {}", a, b);
            }
        }
    }
}

#[test]
fn recency_keeps_its_direction_against_the_data() {
    let values: Vec<Option<i32>> = (0..40).map(Some).collect();
    let label: Vec<bool> = (0..40).map(|row| row < 20).collect();
    let scores = recency_scores(&values, &label, "increasing");
    assert!(scores.is_sorted() && scores[0] < scores[39]);
    assert!((scores.iter().sum::<f64>() / 40.0 - 0.5).abs() < 1e-9);
}
