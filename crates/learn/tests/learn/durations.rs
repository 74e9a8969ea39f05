//! The learner of durations: it knows the distribution, learns from rows that have not ended, and sees nothing of the future.

use proptest::prelude::*;
use safra_learn::*;
use serde_json::{Value, json};

use crate::support::{durations, parameters};

fn make(mut values: Value) -> Box<dyn Learner> {
    values["promise"] = json!("promise");
    learner("duration", &parameters(values)).unwrap()
}

/// The model of all rows that started before `at`: with a settled label where the promised day is over, as open ones otherwise.
fn fit_at(examples: &Examples, at: f64) -> Box<dyn Model> {
    let (train, open) = known_at(examples, at);
    let training = Training::new(examples.rows(&train).unwrap()).unwrap();
    let training = training.observed_at(&open, at).unwrap();
    make(json!({})).fit(&training, 7).unwrap()
}

fn known_at(examples: &Examples, at: f64) -> (Vec<usize>, Vec<usize>) {
    let promise = examples.column("promise").unwrap();
    let started = &examples.durations().unwrap().started;
    let before = (0..examples.len()).filter(|&row| started[row] < at);
    before.partition(|&row| started[row] + promise[row] < at)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn error_of(model: &dyn Model, test: &Examples, late: &[f64]) -> f64 {
    let scores = model.predict(&test.all()).unwrap();
    mean(
        scores
            .iter()
            .zip(late)
            .map(|(score, late)| (score - late).abs()),
    )
}

fn bytes(model: &dyn Model) -> SavedModel {
    model.save().unwrap()
}

#[test]
fn probabilities_are_those_of_the_distribution() {
    let ((train, _), (test, late)) = (durations(6_000, 300.0, 1), durations(2_000, 300.0, 2));
    let model = fit_at(&train, 400.0);
    let error = error_of(model.as_ref(), &test, &late);
    assert!(error < 0.02, "{error}");
}

/// All rows are a few days old, so that most have not ended, and those that have are the fast ones.
#[test]
fn rows_that_have_not_ended_do_not_bias() {
    let ((train, _), (test, late)) = (durations(6_000, 24.0, 3), durations(2_000, 24.0, 4));
    let at = 24.0;
    let truth = mean(late.iter().copied());
    let score = |model: &dyn Model| mean(model.predict(&test.all()).unwrap().into_iter());
    let censored = fit_at(&train, at);
    assert!((score(censored.as_ref()) - truth).abs() < 0.02, "{truth}");
    assert!(error_of(censored.as_ref(), &test, &late) < 0.04);

    let known = &train.durations().unwrap().known;
    let ended: Vec<usize> = (0..train.len()).filter(|&row| known[row] < at).collect();
    let training = Training::new(train.rows(&ended).unwrap()).unwrap();
    let training = training.observed_at(&[], at).unwrap();
    let naive = make(json!({})).fit(&training, 7).unwrap();
    assert!(score(naive.as_ref()) < truth - 0.05, "{truth}");
}

#[test]
fn contributions_add_up_and_importance_names_what_matters() {
    let (examples, _) = durations(3_000, 100.0, 5);
    let model = fit_at(&examples, 90.0);
    let scores = model.predict(&examples.all()).unwrap();
    let contributions = model.contributions(&examples.all()).unwrap();
    for (row, score) in scores.iter().enumerate() {
        let sum = contributions.bias(row) + contributions.row(row).iter().sum::<f64>();
        let log_odds = (score / (1.0 - score)).ln();
        assert!((sum - log_odds).abs() < 1e-6, "{sum} {log_odds}");
    }
    let promise = examples.column("promise").unwrap();
    let place = model.features().iter().position(|name| name == "promise");
    for (row, &days) in promise.iter().enumerate() {
        let part = contributions.row(row)[place.unwrap()];
        assert!(
            days > 6.0 || part > 1.0,
            "a short promise is likely broken: {part}"
        );
        assert!(
            days < 19.0 || part < -1.0,
            "a long promise is likely kept: {part}"
        );
    }
    let importance = model.importance().unwrap();
    assert!(
        importance.iter().all(|feature| feature.importance > 100.0),
        "{importance:?}"
    );
}

#[test]
fn a_saved_model_is_the_same_model() {
    let (examples, _) = durations(1_500, 60.0, 6);
    let model = fit_at(&examples, 50.0);
    let saved = bytes(model.as_ref());
    let loaded = load(&saved).unwrap();
    let predicted = |model: &dyn Model| model.predict(&examples.all()).unwrap();
    assert_eq!(predicted(model.as_ref()), predicted(loaded.as_ref()));
    assert_eq!(bytes(loaded.as_ref()), saved);
    assert_eq!(model.importance().unwrap(), loaded.importance().unwrap());
    let broken = |from: &str, to: &str| {
        let mut saved = saved.clone();
        let file = saved
            .files
            .iter_mut()
            .find(|(name, _)| name == "duration.json");
        let bytes = &mut file.unwrap().1;
        *bytes = String::from_utf8(bytes.clone())
            .unwrap()
            .replace(from, to)
            .into_bytes();
        load(&saved).err().unwrap().to_string()
    };
    assert!(broken("\"promise\"", "\"vow\"").contains("no feature of the trees"));
    assert!(broken("\"steepness\": ", "\"steepness\": -").contains("not above 0"));
    assert!(broken("\"intercept\"", "\"start\"").contains("`duration.json` cannot be read"));
}

#[test]
fn a_missing_promise_is_the_median_one() {
    let (examples, _) = durations(1_500, 60.0, 7);
    let model = fit_at(&examples, 100.0);
    let row = |promise: f64| {
        let state = Categories::from_texts([Some("near")]);
        let columns: Vec<Column> = vec![vec![0.3].into(), vec![promise].into(), state.into()];
        let names = ["x", "promise", "state"].map(str::to_owned).to_vec();
        let row = Examples::with_columns(names, columns, vec![None]).unwrap();
        model.predict(&row.all()).unwrap()[0]
    };
    let scores = [f64::NAN, 0.0, -3.0, 1e12].map(row);
    assert!(scores[0] > row(20.0) && scores[0] < row(5.0), "{scores:?}");
    assert!(
        scores[1] > 0.999 && scores[1] == scores[2] && scores[3] < 1e-9,
        "{scores:?}"
    );
}

#[test]
fn the_model_does_not_depend_on_the_number_of_threads() {
    let (examples, _) = durations(1_200, 60.0, 8);
    let fitted = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build()
            .unwrap()
            .install(|| bytes(fit_at(&examples, 50.0).as_ref()))
    };
    assert_eq!(fitted(1), fitted(3));
}

/// A split a month, over rows that start on 200 days.
fn splits(examples: &Examples) -> Vec<Split> {
    let started = &examples.durations().unwrap().started;
    let split = |at: f64| {
        let (train, open) = known_at(examples, at);
        let month = (0..examples.len()).filter(|&row| (at..at + 30.0).contains(&started[row]));
        Split {
            date: format!("day {at}"),
            train,
            test: month.collect(),
            open,
            at: Some(at),
        }
    };
    [80.0, 110.0, 140.0].map(split).to_vec()
}

#[test]
fn a_backtest_passes_open_rows_and_blends_with_a_classifier() {
    let (examples, _) = durations(3_000, 200.0, 9);
    let splits = splits(&examples);
    let members = json!({"duration": {"promise": "promise"}, "lightgbm": {}});
    let blend = learner("blend", &parameters(json!({"members": members}))).unwrap();
    let learners = [
        make(json!({})),
        learner("lightgbm", &Default::default()).unwrap(),
        blend,
    ];
    let result = backtest(&examples, &splits, &learners, 3, &|| ()).unwrap();
    for (split, predicted) in splits
        .iter()
        .zip(result.predictions_of("duration").unwrap())
    {
        let training = split.training(&examples).unwrap();
        let model = learners[0].fit(&training, 3).unwrap();
        let test = examples.rows(&split.test).unwrap();
        assert_eq!(predicted.scores, model.predict(&test).unwrap());
        let blend = learners[2].fit(&training, 3).unwrap();
        let scores = blend.predict(&test).unwrap();
        let loaded = load(&bytes(blend.as_ref())).unwrap();
        assert_eq!(loaded.predict(&test).unwrap(), scores);
        let made = result.predictions_of("blend").unwrap();
        let made = made.iter().find(|made| made.date == split.date).unwrap();
        assert_eq!(made.scores, scores);
    }
    let area = |place: usize| result.means[place].metrics.roc_auc.unwrap();
    assert!(
        area(0) > 0.8 && area(2) > area(1),
        "{} {} {}",
        area(0),
        area(1),
        area(2)
    );
    let methods = CalibrationMethod::ALL;
    let calibrated = calibrate(&result, &examples, &splits, &methods).unwrap();
    assert_eq!(calibrated.methods.len(), 9);
}

#[test]
fn a_date_without_any_outcome_cannot_be_learned_from() {
    let (examples, _) = durations(400, 200.0, 10);
    let never = Durations {
        days: vec![f64::NAN; 400],
        ..examples.durations().unwrap().clone()
    };
    let examples = examples.with_durations(never).unwrap();
    let splits = splits(&examples);
    let members = json!({"duration": {"promise": "promise"}, "baseline": {}});
    let blend = learner("blend", &parameters(json!({"members": members}))).unwrap();
    let baseline = learner("baseline", &Default::default()).unwrap();
    let result = backtest(
        &examples,
        &splits,
        &[baseline, make(json!({})), blend],
        3,
        &|| (),
    );
    let reasons: Vec<Option<String>> = result.unwrap().rows.into_iter().map(|r| r.reason).collect();
    let rows = splits[0].train.len() + splits[0].open.len();
    let expected = Some(format!("none of {rows} rows has come to its outcome"));
    assert_eq!(reasons[..3], [None, expected.clone(), expected]);
}

#[test]
fn what_is_wrong_is_named() {
    let (examples, _) = durations(300, 60.0, 11);
    let training = || Training::new(examples.all()).unwrap();
    let said = |result: Result<Box<dyn Model>, LearnError>| result.err().unwrap().to_string();
    let without = said(make(json!({})).fit(&training(), 1));
    assert!(
        without.contains("no durations") && without.contains("hint:"),
        "{without}"
    );
    let refused = |open: &[usize], at| training().observed_at(open, at).unwrap_err().to_string();
    assert_eq!(
        refused(&[], 30.0),
        "row 150 starts on or after the date that it is to be learned from"
    );
    assert!(refused(&[4], 90.0).contains("row 4 is open, and trained on"));
    let seen = |name: &str| {
        let learner = learner("duration", &parameters(json!({"promise": name}))).unwrap();
        let training = training().observed_at(&[], 90.0).unwrap();
        said(learner.fit(&training, 1))
    };
    assert_eq!(
        seen("vow"),
        "learner `duration` needs features that are not there: vow"
    );
    assert_eq!(
        seen("state"),
        "learner `duration` needs feature `state` as numbers, not as categories"
    );
    let unnamed = learner("duration", &Default::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        unnamed.contains("`promise`") && unnamed.contains("the name of a feature"),
        "{unnamed}"
    );
    let values = parameters(json!({"promise": "promise", "num_leaves": 1}));
    let leaves = learner("duration", &values).err().unwrap().to_string();
    assert!(
        leaves.contains("`num_leaves` of learner `duration`"),
        "{leaves}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever becomes known of a duration at the moment of training or after it changes nothing.
    #[test]
    fn the_future_is_not_seen(at in 30.0_f64..80.0, factor in 1.0_f64..9.0, never in any::<bool>()) {
        let (examples, _) = durations(500, 80.0, 12);
        let mut changed = examples.durations().unwrap().clone();
        for row in 0..examples.len() {
            if changed.known[row] >= at {
                let days = at - changed.started[row] + factor * (changed.known[row] - at);
                changed.days[row] = if never { f64::NAN } else { days };
                changed.known[row] = changed.started[row] + days;
            }
        }
        let other = examples.clone().with_durations(changed).unwrap();
        prop_assert_eq!(bytes(fit_at(&examples, at).as_ref()), bytes(fit_at(&other, at).as_ref()));
    }
}
