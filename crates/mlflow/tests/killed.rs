//! A program that is killed while it writes leaves a store that can be read and written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use safra_mlflow::{Metric, NewModelVersion, NewRegisteredModel, NewRun, Run, Store, open};

const NOW: i64 = 1_700_000_000_000;
/// Names the store to the killed program, which is this test run again.
const STORE_VARIABLE: &str = "SAFRA_MLFLOW_KILLED_STORE";

fn entries(value: &str) -> BTreeMap<String, String> {
    (0..5)
        .map(|key| (format!("key {key}"), value.repeat(200)))
        .collect()
}

fn write_one(store: &dyn Store, number: i64) {
    let experiment = store.get_or_create_experiment("churn", NOW).unwrap();
    let run = NewRun {
        experiment_id: experiment.experiment_id,
        run_name: format!("run {number}"),
        start_time: NOW + number,
        tags: entries("tag"),
    };
    let run_id = store.create_run(&run).unwrap().run_id;
    store.log_params(&run_id, &entries("param")).unwrap();
    for step in 0..3 {
        store
            .log_metrics(&run_id, &[Metric::new("auc", 0.123_456_789, NOW, step)])
            .unwrap();
    }
    let model = NewRegisteredModel {
        name: "churn".into(),
        description: None,
        tags: entries("tag"),
        creation_timestamp: NOW,
    };
    store.get_or_create_registered_model(&model).unwrap();
    let version = NewModelVersion {
        name: "churn".into(),
        source: "/x".into(),
        run_id: Some(run_id),
        model_id: None,
        description: None,
        tags: entries("tag"),
        creation_timestamp: NOW,
    };
    let version = store.create_model_version(&version).unwrap().version;
    store
        .set_registered_model_alias("churn", "champion", version, NOW + number)
        .unwrap();
}

fn check(store: &dyn Store) {
    let experiment = store.get_experiment_by_name("churn").unwrap().unwrap();
    let runs = store
        .search_runs(&[&experiment.experiment_id], &BTreeMap::new())
        .unwrap();
    runs.iter().for_each(|run| check_run(store, run));
    let versions = store.list_model_versions("churn").unwrap();
    for (version, number) in versions.iter().zip(1..) {
        assert_eq!((version.version, &version.tags), (number, &entries("tag")));
    }
    assert!(
        store
            .get_model_version_by_alias("churn", "champion")
            .unwrap()
            .is_some()
    );
}

/// Every entry of the run must be whole, but some may be missing.
fn check_run(store: &dyn Store, run: &Run) {
    let written = entries("param");
    assert!(
        entries("tag")
            .iter()
            .all(|(key, value)| run.tags.get(key) == Some(value))
    );
    assert!(
        run.params
            .iter()
            .all(|(key, value)| written.get(key) == Some(value))
    );
    for (metric, step) in store
        .get_metric_history(&run.run_id, "auc")
        .unwrap()
        .iter()
        .zip(0..)
    {
        assert_eq!(*metric, Metric::new("auc", 0.123_456_789, NOW, step));
    }
}

/// Not a test of its own: the program that [`a_killed_writer_leaves_a_sound_store`] kills.
#[test]
fn writes_until_it_is_killed() {
    let Ok(uri) = std::env::var(STORE_VARIABLE) else {
        return;
    };
    let store = open(&uri).unwrap();
    // Far more than it lives to write, but it must end if nobody is left to kill it.
    (0..2_000).for_each(|number| write_one(store.as_ref(), number));
}

#[test]
fn a_killed_writer_leaves_a_sound_store() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mlruns");
    let store = open(root.to_str().unwrap()).unwrap();
    write_one(store.as_ref(), 0);
    for round in 0..20 {
        let before = versions(&root);
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed"])
            .env(STORE_VARIABLE, &root)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while versions(&root) == before {
            assert!(
                writer.try_wait().unwrap().is_none(),
                "the writer ended by itself"
            );
            sleep(Duration::from_millis(1));
        }
        // Spread over the time of one round of writing, to die at another point each time.
        sleep(Duration::from_micros(137 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        check(store.as_ref());
        write_one(store.as_ref(), 0);
        check(store.as_ref());
    }
}

fn versions(root: &Path) -> usize {
    std::fs::read_dir(root.join("models/churn"))
        .unwrap()
        .count()
}
