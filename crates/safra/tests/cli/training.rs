//! Training through the binary: a search that is killed, and a promotion that is forced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use safra_lake::Folder;
use safra_marketplace::{Parameters, generate};
use safra_mlflow::{ModelVersion, Store};
use serde_json::Value;

use crate::support::{Home, wait_until};

const MODEL: &str = "olist-churn";

/// Enough time to try all there is to try.
const SEARCH: [&str; 4] = ["train", "churn", "--budget", "600s"];

/// What was measured, by date, learner and parameters.
type Object = serde_json::Map<String, Value>;

/// A filled lake, and a project whose `churn` has these learners.
fn with_learners(learners: &str) -> Home {
    let home = Home::new();
    let parameters = Parameters {
        scale: 0.03,
        seed: 7,
        ..Parameters::default()
    };
    generate(&parameters, &home.path("data"), &|_, _| {}).unwrap();
    home.ok(&["init", "."]);
    let problem = home.path("problems/churn.toml");
    let text = std::fs::read_to_string(&problem).unwrap();
    let (declared, _) = text.split_once("[[learners]]").unwrap();
    std::fs::write(&problem, format!("{declared}{learners}")).unwrap();
    home.ok(&["ingest", "data"]);
    home
}

/// A search over sixteen sets of parameters besides the declared one.
fn with_search() -> Home {
    with_learners(
        r#"
[[learners]]
name = "lightgbm"
num_iterations = 100

[learners.tune]
num_leaves = [3, 5, 9, 17]
learning_rate = [0.02, 0.05, 0.1, 0.2]
"#,
    )
}

fn store(home: &Home) -> Box<dyn Store> {
    safra_mlflow::open(home.path("mlruns").to_str().unwrap()).unwrap()
}

fn version(home: &Home, number: u32) -> ModelVersion {
    store(home).get_model_version(MODEL, number).unwrap()
}

/// What a search has kept, and the file it is in; nothing before it has kept anything.
fn kept(home: &Home) -> Option<(PathBuf, Object)> {
    let mut files = home.files("lake/tuning/churn");
    files.retain(|file| file.ends_with(".json"));
    let path = home.path("lake/tuning/churn").join(files.first()?);
    assert_eq!(files.len(), 1, "one search, one file");
    let measured = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    Some((path, measured))
}

/// The line that says what a search has found.
fn found(stderr: &str) -> &str {
    let mut lines = stderr.lines();
    lines
        .find(|line| line.starts_with("tune lightgbm: "))
        .unwrap()
}

/// The parameters of each candidate in the tracking store, by the name of its run. A name that is there twice is a failure.
fn candidates(home: &Home) -> BTreeMap<String, BTreeMap<String, String>> {
    let store = store(home);
    let experiment = store.get_experiment_by_name(MODEL).unwrap().unwrap();
    let runs = store.search_runs(&[&experiment.experiment_id], &BTreeMap::new());
    let mut candidates = BTreeMap::new();
    for run in runs.unwrap() {
        if run.run_name.contains(" candidate ") {
            let name = run.run_name.clone();
            assert!(
                candidates.insert(run.run_name, run.params).is_none(),
                "{name}"
            );
        }
    }
    candidates
}

#[test]
fn a_killed_search_goes_on_and_tries_nothing_twice() {
    let undisturbed = with_search();
    let expected = undisturbed.safra(&SEARCH);
    assert_eq!(expected.code, Some(0), "{}", expected.stderr);

    let home = with_search();
    let mut search = home.start(&SEARCH);
    // The declared parameters on all dates, and candidates on some.
    wait_until(&mut search, || {
        kept(&home).is_some_and(|(_, kept)| kept.len() > 4)
    });
    search.kill().unwrap();
    assert!(!search.wait().unwrap().success());
    let (_, before) = kept(&home).unwrap();
    assert!(!home.path("mlruns/models").join(MODEL).exists());

    let resumed = home.safra(&SEARCH);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    let (_, after) = kept(&home).unwrap();
    assert!(before.iter().all(|(key, values)| after[key] == *values));
    assert!(after.len() > before.len(), "it was killed before its end");
    assert_eq!(after, kept(&undisturbed).unwrap().1);
    assert_eq!(found(&resumed.stderr), found(&expected.stderr));

    let tried = candidates(&home);
    let distinct: BTreeSet<_> = tried.values().map(|tried| format!("{tried:?}")).collect();
    assert_eq!(distinct.len(), tried.len(), "{tried:?}");
    assert_eq!(tried, candidates(&undisturbed));

    for home in [&home, &undisturbed] {
        home.ok(&["promote", "churn"]);
        home.ok(&["predict", "churn"]);
    }
    let [ours, theirs] = [&home, &undisturbed].map(|home| home.contents(&[Folder::Predictions]));
    assert_eq!(ours, theirs);
    check_nothing_is_measured_again(&home);
}

/// A search believes what was kept: it would not if it measured again.
fn check_nothing_is_measured_again(home: &Home) {
    let (path, mut measured) = kept(home).unwrap();
    let parameters = |key: &String| key.split_once(" lightgbm ").unwrap().1.to_owned();
    let mut dates: BTreeMap<String, usize> = BTreeMap::new();
    for key in measured.keys() {
        *dates.entry(parameters(key)).or_default() += 1;
    }
    // One that was judged on all dates.
    let (chosen, _) = dates.iter().max_by_key(|(_, dates)| **dates).unwrap();
    for (key, values) in &mut measured {
        if parameters(key) == *chosen {
            for value in values.as_array_mut().unwrap() {
                value["value"] = 0.9999.into();
            }
        }
    }
    std::fs::write(&path, serde_json::to_string(&measured).unwrap()).unwrap();
    let again = home.safra(&SEARCH);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(
        found(&again.stderr).contains("mean roc_auc 0.9999,"),
        "{}",
        again.stderr
    );
}

#[test]
fn a_forced_promotion_is_recorded() {
    let home = with_learners("[[learners]]\nname = \"logistic_regression\"\n");
    home.ok(&["train", "churn"]);
    home.ok(&["promote", "churn"]);
    home.ok(&["train", "churn", "--at", "2018-03-01"]);
    let refused = home.safra(&["promote", "churn"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert_eq!(version(&home, 2).tags["safra.promotion"], "kept");

    let decision = home.json(&["promote", "churn", "--force"]);
    assert_eq!(decision["previous_champion"], 1);
    assert_eq!(decision["challenger"], 2);
    assert_eq!(
        (&decision["promoted"], &decision["forced"]),
        (&true.into(), &true.into())
    );
    let store = store(&home);
    let champion = store
        .get_model_version_by_alias(MODEL, "champion")
        .unwrap()
        .unwrap();
    assert_eq!(champion.version, 2);

    let run_id = champion.run_id.clone().unwrap();
    let reason = decision["reason"].as_str().unwrap();
    assert!(reason.starts_with("forced; mean roc_auc "), "{reason}");
    for tags in [&champion.tags, &store.get_run(&run_id).unwrap().tags] {
        assert_eq!(tags["safra.promotion"], "forced");
        assert_eq!(tags["safra.promotion.reason"], reason);
        assert_eq!(tags["safra.promotion.against"], "1");
        assert!(tags.contains_key("safra.promotion.difference"));
    }
    let evidence = store.read_artifact(&run_id, "promotion.json").unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&evidence).unwrap(),
        decision
    );

    let before = version(&home, 1).tags;
    assert_eq!(before["safra.promotion"], "promoted");
    assert_eq!(before["safra.promotion.reason"], "there was no champion");
    home.ok(&["predict", "churn"]);
    let versions = home.json(&[
        "sql",
        "SELECT DISTINCT model_version AS version FROM predictions.churn",
    ]);
    assert_eq!(versions, serde_json::json!([{"version": 2}]));
}
