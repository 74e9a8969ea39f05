//! MLflow itself reads what this crate writes, and this crate reads what MLflow writes.
//!
//! The environment variable `SAFRA_MLFLOW_PYTHON` names a Python with `mlflow` and `lightgbm`. Without it the tests
//! here are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use safra_mlflow::{
    Artifact, ColumnSpec, DataType, Environment, Flavor, InputExample, LoggedModel,
    LoggedModelStatus, Metric, Model, ModelFile, NewLoggedModel, NewModelVersion,
    NewRegisteredModel, NewRun, Run, RunStatus, Schema, Signature, Store, TensorSpec, log_model,
    open, tags,
};
use serde_json::{Value, json};

use common::{NOW, Python, Server, map, scripts, text};

#[test]
fn mlflow_reads_and_migrates_what_this_crate_writes() {
    let Some(python) = Python::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("my rúns #1");
    let store = open(text(&root)).unwrap();
    let expected = write_trained(&python, folder.path(), store.as_ref());
    leave_half_made(&root, &expected);
    python.script("read.py", &[text(&root), &expected.to_string(), "folder"]);

    if !python.has_command("migrate-filestore") {
        return;
    }
    let database = format!("sqlite:///{}/mlflow.db", text(folder.path()));
    let arguments = ["--source", text(&root), "--target", &database];
    python.run(&[&["-m", "mlflow", "migrate-filestore"], &arguments[..]].concat());
    python.script("read.py", &[&database, &expected.to_string(), "migrated"]);
    let server = Server::start(&python, folder.path());
    check_migrated(
        open(&server.uri()).unwrap().as_ref(),
        store.as_ref(),
        &expected,
    );
}

#[test]
fn mlflow_reads_what_this_crate_sends_to_a_server() {
    let Some(python) = Python::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&python, folder.path());
    let store = open(&server.uri()).unwrap();
    let expected = write_trained(&python, folder.path(), store.as_ref());
    python.script("read.py", &[&server.uri(), &expected.to_string(), "server"]);
}

/// Trains a model and writes a store with it; gives what is to be read.
fn write_trained(python: &Python, folder: &Path, store: &dyn Store) -> Value {
    let path = folder.join("model.txt");
    let trained = python.script("train.py", &[text(&path)]);
    let trained: Value = serde_json::from_str(&trained).unwrap();
    write_store(store, &trained, std::fs::read(&path).unwrap())
}

/// A server on the migrated database has what the folder has, and goes on with it.
fn check_migrated(server: &dyn Store, folder: &dyn Store, expected: &Value) {
    for run in ["parent", "child"] {
        let run_id = expected[run].as_str().unwrap();
        let (migrated, mut ours) = (
            server.get_run(run_id).unwrap(),
            folder.get_run(run_id).unwrap(),
        );
        // Databases have no infinity, and NaN is not equal to itself.
        ours.metrics.retain(|_, metric| metric.value.is_finite());
        let metrics = migrated.metrics.into_iter();
        let metrics = metrics
            .filter(|(key, _)| ours.metrics.contains_key(key))
            .collect();
        assert_eq!(
            Run {
                metrics,
                ..migrated
            },
            ours
        );
        assert_eq!(
            server.list_artifacts(run_id, "plots").unwrap(),
            folder.list_artifacts(run_id, "plots").unwrap()
        );
    }
    assert_eq!(
        server.get_registered_model("churn").unwrap(),
        folder.get_registered_model("churn").unwrap()
    );
    // The database does not keep the logged model of a version, but the client finds it.
    assert_eq!(
        server.list_model_versions("churn").unwrap(),
        folder.list_model_versions("churn").unwrap()
    );
    let champion = server
        .get_model_version_by_alias("churn", "champion")
        .unwrap()
        .unwrap();
    let model_id = champion.model_id.unwrap();
    assert_eq!(
        server.get_logged_model(&model_id).unwrap(),
        folder.get_logged_model(&model_id).unwrap()
    );
    let read = |store: &dyn Store| store.read_model_artifact(&model_id, "model.lgb").unwrap();
    assert_eq!(read(server), read(folder));
    let child = expected["child"].as_str().unwrap();
    server
        .log_artifact(child, "new/notes.txt", Artifact::Bytes(b"later"))
        .unwrap();
    assert_eq!(
        server.read_artifact(child, "new/notes.txt").unwrap(),
        b"later"
    );
    let files = server.list_artifacts(child, "new").unwrap();
    assert_eq!(
        files
            .iter()
            .map(|file| file.path.as_str())
            .collect::<Vec<_>>(),
        ["new/notes.txt"]
    );
}

#[test]
fn this_crate_reads_what_mlflow_writes() {
    let Some(python) = Python::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mlruns");
    let store = open(text(&root)).unwrap();
    store.get_or_create_experiment("ours", NOW).unwrap();
    let written = python.script("write.py", &[text(&root), text(folder.path())]);
    let written: Value = serde_json::from_str(&written).unwrap();
    let id = |key: &str| written[key].as_str().unwrap().to_owned();

    let experiment = store.get_or_create_experiment("1e5", NOW).unwrap();
    assert_eq!(
        (experiment.experiment_id, experiment.tags),
        (id("experiment"), map(&[("team", "growth")]))
    );
    check_run(&store.get_run(&id("run")).unwrap(), &id("model"));
    assert_eq!(
        store.read_artifact(&id("run"), "notes/hello.txt").unwrap(),
        b"hello"
    );
    let history = store.get_metric_history(&id("run"), "auc").unwrap();
    assert_eq!(history[0], Metric::new("auc", 0.7, NOW, 3));
    let model = store.get_logged_model(&id("model")).unwrap();
    assert_eq!(
        (model.name.as_str(), model.status),
        ("linear", LoggedModelStatus::Ready)
    );
    assert_eq!(model.metrics["rows"].value, 10.0);
    assert!(store.read_model_artifact(&id("model"), "MLmodel").is_ok());
    check_registry(store.as_ref(), &id("model"));
}

fn check_run(run: &Run, model_id: &str) {
    assert_eq!(
        (run.run_name.as_str(), run.status),
        ("0o17", RunStatus::Finished)
    );
    assert_eq!(
        run.params,
        map(&[("tree/depth", "6"), ("note", "duas\nlinhas é")])
    );
    assert!(run.metrics["auc"].value.is_nan() && run.metrics["auc"].step == 4);
    assert_eq!(
        run.outputs
            .iter()
            .map(|output| output.model_id.as_str())
            .collect::<Vec<_>>(),
        [model_id]
    );
}

fn check_registry(store: &dyn Store, model_id: &str) {
    let champion = store
        .get_model_version_by_alias("churn", "champion")
        .unwrap()
        .unwrap();
    assert_eq!(
        (champion.version, champion.model_id.as_deref()),
        (1, Some(model_id))
    );
    assert_eq!(champion.tags, map(&[("auc", "0.7")]));
    store
        .set_registered_model_alias("churn", "previous", 1, NOW)
        .unwrap();
    let registered = store.get_registered_model("churn").unwrap().unwrap();
    let description = format!("{}\nwith: two lines", "a long description ".repeat(20));
    assert_eq!(registered.description, Some(description));
}

/// Writes a store with two runs, two models and two versions; gives what is to be read.
fn write_store(store: &dyn Store, trained: &Value, booster: Vec<u8>) -> Value {
    let experiment = store
        .get_or_create_experiment("2024-01-01: não", NOW)
        .unwrap()
        .experiment_id;
    store
        .set_experiment_tags(&experiment, &map(&[("team", "growth")]))
        .unwrap();
    let parent = write_parent(store, &experiment);
    let child = NewRun {
        experiment_id: experiment.clone(),
        run_name: "fold".into(),
        start_time: NOW + 1,
        tags: map(&[(tags::PARENT_RUN_ID, &parent), (tags::USER, "ana")]),
    };
    let child = store.create_run(&child).unwrap().run_id;
    let boosted = log(
        store,
        "boosted trees",
        &experiment,
        &child,
        &boosted_trees(trained, booster),
    );
    let linear = log(store, "linear", &experiment, &child, &linear(trained));
    store
        .log_metrics(
            &child,
            &[Metric::new("auc", 0.81, NOW, 0).of_model(&boosted.model_id)],
        )
        .unwrap();
    register(store, &boosted, &linear);
    json!({
        "parent": parent, "child": child, "linear": linear.model_id,
        "rows": trained["rows"], "predictions": trained["predictions"], "metadata": metadata(),
    })
}

fn write_parent(store: &dyn Store, experiment: &str) -> String {
    let run = NewRun {
        experiment_id: experiment.into(),
        run_name: "yes".into(),
        start_time: NOW,
        tags: map(&[
            (tags::USER, "ana"),
            (tags::SOURCE_NAME, "safra"),
            (tags::SOURCE_TYPE, "LOCAL"),
            (tags::SOURCE_GIT_COMMIT, "0123abc"),
            ("kind", "backtest"),
        ]),
    };
    let run_id = store.create_run(&run).unwrap().run_id;
    let params = map(&[
        ("tree/depth", "6"),
        ("learner", "árvores\nduas"),
        ("empty", ""),
    ]);
    store.log_params(&run_id, &params).unwrap();
    let metrics = [
        Metric::new("auc", 0.7, NOW + 1_000, 0),
        Metric::new("auc", 0.1 + 0.2, NOW + 2_000, 1),
        Metric::new("huge", 1e300, NOW, 0),
        Metric::new("least", f64::NEG_INFINITY, NOW, 0),
        Metric::new("none", f64::NAN, NOW, 0),
    ];
    store.log_metrics(&run_id, &metrics).unwrap();
    store
        .log_artifact(
            &run_id,
            "plots/gain (1).svg",
            Artifact::Bytes(b"<svg>22</svg>"),
        )
        .unwrap();
    store
        .end_run(&run_id, RunStatus::Finished, NOW + 9_000)
        .unwrap();
    run_id
}

fn log(
    store: &dyn Store,
    name: &str,
    experiment: &str,
    run_id: &str,
    model: &Model,
) -> LoggedModel {
    let new = NewLoggedModel {
        experiment_id: experiment.into(),
        name: name.into(),
        source_run_id: Some(run_id.into()),
        model_type: None,
        params: map(&[("num_leaves", "4")]),
        tags: map(&[("learner", "lightgbm")]),
        creation_timestamp: NOW,
    };
    log_model(store, &new, model).unwrap()
}

fn boosted_trees(trained: &Value, booster: Vec<u8>) -> Model {
    let column = |name: &str| ColumnSpec {
        name: Some(name.into()),
        data_type: DataType::Double,
        required: true,
    };
    let predictions = TensorSpec {
        name: None,
        dtype: "float64".into(),
        shape: vec![-1],
    };
    let lightgbm = trained["lightgbm"].as_str().unwrap();
    Model {
        flavor: Flavor::Lightgbm {
            model: booster,
            lightgbm_version: lightgbm.into(),
        },
        signature: Some(Signature {
            inputs: Schema::Columns(vec![column("orders"), column("ticket")]),
            outputs: Some(Schema::Tensors(vec![predictions])),
        }),
        input_example: Some(InputExample {
            columns: vec!["orders".into(), "ticket".into()],
            rows: serde_json::from_value(trained["rows"].clone()).unwrap(),
        }),
        environment: environment(trained, &[&format!("lightgbm=={lightgbm}")]),
        metadata: BTreeMap::from([("made".to_owned(), metadata())]),
    }
}

fn linear(trained: &Value) -> Model {
    let code = std::fs::read(scripts().join("linear_loader.py")).unwrap();
    Model {
        flavor: Flavor::PythonFunction {
            loader_module: "linear_loader".into(),
            code: vec![ModelFile::new("linear_loader.py", code)],
            data: vec![ModelFile::new("weights.txt", "2 -1")],
        },
        signature: None,
        input_example: None,
        environment: environment(trained, &["numpy"]),
        metadata: BTreeMap::new(),
    }
}

fn metadata() -> Value {
    json!({"on": "2024-01-01", "of": ["a: b", "é\n"], "rows": 7, "share": 1e-7, "large": 1e20, "whole": 2.0, "sure": true, "by": null})
}

fn environment(trained: &Value, requirements: &[&str]) -> Environment {
    Environment {
        python_version: trained["python"].as_str().unwrap().into(),
        mlflow_version: trained["mlflow"].as_str().unwrap().into(),
        requirements: requirements
            .iter()
            .map(|requirement| (*requirement).to_owned())
            .collect(),
    }
}

fn register(store: &dyn Store, boosted: &LoggedModel, linear: &LoggedModel) {
    let model = NewRegisteredModel {
        name: "churn".into(),
        description: Some("12:30:00 # who leaves?".into()),
        tags: map(&[("task", "classification")]),
        creation_timestamp: NOW,
    };
    store.get_or_create_registered_model(&model).unwrap();
    let version = |logged: &LoggedModel| NewModelVersion {
        name: "churn".into(),
        source: format!("models:/{}", logged.model_id),
        run_id: None,
        model_id: Some(logged.model_id.clone()),
        description: Some("off".into()),
        tags: map(&[("auc", "0.81")]),
        creation_timestamp: NOW,
    };
    store.create_model_version(&version(boosted)).unwrap();
    store.create_model_version(&version(linear)).unwrap();
    store
        .set_registered_model_alias("churn", "champion", 2, NOW)
        .unwrap();
    store
        .set_registered_model_alias("churn", "champion", 1, NOW + 1)
        .unwrap();
}

/// Leaves what a killed writer of this crate leaves: it must not trouble MLflow.
fn leave_half_made(root: &Path, expected: &Value) {
    let staged = root.join(".staging.trash/7");
    std::fs::create_dir_all(staged.join("tags")).unwrap();
    std::fs::write(
        staged.join("meta.yaml"),
        format!("run_id: {}", expected["child"]),
    )
    .unwrap();
    std::fs::write(root.join(".staging.trash/8"), "0.5").unwrap();
}
