//! The local store, used as a program uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use safra_mlflow::{
    Artifact, Environment, Error, Flavor, LocalStore, LoggedModel, LoggedModelStatus, Metric,
    Model, ModelFile, ModelOutput, NewLoggedModel, NewModelVersion, NewRegisteredModel, NewRun,
    RegisteredModel, RunStatus, Store, log_model, open, tags,
};
use tempfile::TempDir;
use uuid::Uuid;

const NOW: i64 = 1_700_000_000_000;

struct Fixture {
    folder: TempDir,
    store: Box<dyn Store>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path().join("mlruns").to_str().unwrap()).unwrap();
        Self { folder, store }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("mlruns")
    }

    fn run(&self, name: &str, tags: &[(&str, &str)]) -> String {
        let experiment = self.store.get_or_create_experiment("churn", NOW).unwrap();
        let run = new_run(&experiment.experiment_id, name, tags);
        self.store.create_run(&run).unwrap().run_id
    }

    /// A run with a model that is ready: the run id, what the model was made from, and the model.
    fn logged_model(&self) -> (String, NewLoggedModel, LoggedModel) {
        let run_id = self.run("r", &[]);
        let experiment_id = self.store.get_run(&run_id).unwrap().experiment_id;
        let new = new_logged_model(&experiment_id, Some(&run_id));
        let model = text_model(vec![ModelFile::new("weights.txt", "1 2 3")]);
        let logged = log_model(self.store.as_ref(), &new, &model).unwrap();
        (run_id, new, logged)
    }

    fn version(&self, name: &str) -> u32 {
        self.store
            .get_or_create_registered_model(&new_registered_model(name))
            .unwrap();
        self.store
            .create_model_version(&new_version(name, "/somewhere"))
            .unwrap()
            .version
    }
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn new_run(experiment_id: &str, name: &str, tags: &[(&str, &str)]) -> NewRun {
    NewRun {
        experiment_id: experiment_id.into(),
        run_name: name.into(),
        start_time: NOW,
        tags: map(tags),
    }
}

fn new_registered_model(name: &str) -> NewRegisteredModel {
    NewRegisteredModel {
        name: name.into(),
        description: Some("who leaves".into()),
        tags: map(&[("task", "classification")]),
        creation_timestamp: NOW,
    }
}

fn new_version(name: &str, source: &str) -> NewModelVersion {
    NewModelVersion {
        name: name.into(),
        source: source.into(),
        run_id: None,
        model_id: None,
        description: None,
        tags: BTreeMap::new(),
        creation_timestamp: NOW + 1,
    }
}

fn new_logged_model(experiment_id: &str, run_id: Option<&str>) -> NewLoggedModel {
    NewLoggedModel {
        experiment_id: experiment_id.into(),
        name: "model".into(),
        source_run_id: run_id.map(str::to_owned),
        model_type: None,
        params: map(&[("num_leaves", "31")]),
        tags: map(&[("learner", "boosted trees")]),
        creation_timestamp: NOW,
    }
}

fn text_model(data: Vec<ModelFile>) -> Model {
    Model {
        flavor: Flavor::PythonFunction {
            loader_module: "loader".into(),
            code: vec![ModelFile::new("loader.py", "def _load_pyfunc(path): ...")],
            data,
        },
        signature: None,
        input_example: None,
        environment: Environment {
            python_version: "3.12.1".into(),
            mlflow_version: "3.17.2".into(),
            requirements: Vec::new(),
        },
    }
}

/// Every file below a folder with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(current) = pending.pop() {
        for child in fs::read_dir(current).unwrap() {
            let path = child.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn an_experiment_is_made_once() {
    let Fixture { folder, store } = &Fixture::new();
    let made = store.get_or_create_experiment("1e5: não?", NOW).unwrap();
    let again = store
        .get_or_create_experiment("1e5: não?", NOW + 5)
        .unwrap();
    assert_eq!(made, again);
    assert_eq!(made.creation_time, Some(NOW));
    assert_eq!(made.experiment_id.len(), 18);
    assert!(made.artifact_location.starts_with("file:///"));
    store
        .set_experiment_tags(&made.experiment_id, &map(&[("team", "growth")]))
        .unwrap();
    let by_name = store.get_experiment_by_name("1e5: não?").unwrap().unwrap();
    assert_eq!(by_name.tags, map(&[("team", "growth")]));
    let names: Vec<_> = store
        .list_experiments()
        .unwrap()
        .into_iter()
        .map(|e| e.name)
        .collect();
    assert_eq!(names, ["Default", "1e5: não?"]);
    assert!(folder.path().join("mlruns/0/meta.yaml").is_file());
}

#[test]
fn a_store_that_is_not_there_is_empty_and_stays_so() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.list_experiments().unwrap(), []);
    assert_eq!(fixture.store.get_experiment_by_name("churn").unwrap(), None);
    assert_eq!(fixture.store.get_registered_model("churn").unwrap(), None);
    assert_eq!(fixture.store.list_registered_models().unwrap(), []);
    assert!(matches!(
        fixture.store.get_run("abc"),
        Err(Error::NotFound { kind: "run", .. })
    ));
    assert!(matches!(
        fixture.store.create_run(&new_run("1", "x", &[])),
        Err(Error::NotFound { kind: "store", .. })
    ));
    assert!(!fixture.root().exists());
}

#[test]
fn a_run_reads_back() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run_id = fixture.run("2024-01-01", &[(tags::USER, "ana"), ("half", "yes")]);
    let started = store.get_run(&run_id).unwrap();
    assert_eq!(
        (started.status, started.end_time),
        (RunStatus::Running, None)
    );

    let params = [("tree/depth", "6"), ("learner", "árvores\nduas")];
    store.log_params(&run_id, &map(&params)).unwrap();
    let more = [("tree/depth", "6"), ("seed", "")];
    store.log_params(&run_id, &map(&more)).unwrap();
    let tags = [("half", "no"), (tags::RUN_NAME, "renamed")];
    store.set_tags(&run_id, &map(&tags)).unwrap();
    store
        .end_run(&run_id, RunStatus::Finished, NOW + 9)
        .unwrap();

    let run = store.get_run(&run_id).unwrap();
    assert_eq!(run.run_name, "renamed");
    assert_eq!((run.status, run.start_time), (RunStatus::Finished, NOW));
    assert_eq!(run.end_time, Some(NOW + 9));
    assert_eq!(run.params, map(&[params[0], params[1], more[1]]));
    assert_eq!(run.tags, map(&[(tags::USER, "ana"), tags[0], tags[1]]));
}

#[test]
fn metrics_read_back() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run_id = fixture.run("r", &[]);
    let log = |metrics: &[Metric]| store.log_metrics(&run_id, metrics).unwrap();
    log(&[
        Metric::new("auc", 0.7, NOW + 2, 2),
        Metric::new("auc", 0.9, NOW + 3, 1),
    ]);
    log(&[Metric::new("auc", 0.1 + 0.2, NOW + 4, 2)]);
    log(&[
        Metric::new("loss/train", f64::INFINITY, NOW, 0),
        Metric::new("empty", f64::NAN, NOW, -1),
        Metric::new("tiny", 5e-324, NOW, 0),
    ]);

    let latest = store.get_run(&run_id).unwrap().metrics;
    assert_eq!(latest["auc"], Metric::new("auc", 0.1 + 0.2, NOW + 4, 2));
    assert_eq!(latest["loss/train"].value, f64::INFINITY);
    assert_eq!(latest["tiny"].value, 5e-324);
    assert!(latest["empty"].value.is_nan() && latest["empty"].step == -1);
    let history = store.get_metric_history(&run_id, "auc").unwrap();
    let values: Vec<f64> = history.iter().map(|metric| metric.value).collect();
    assert_eq!(values, [0.7, 0.9, 0.1 + 0.2]);
    assert_eq!(store.get_metric_history(&run_id, "loss").unwrap(), []);
    assert!(store.get_metric_history(&run_id, "../meta.yaml").is_err());
}

#[test]
fn runs_are_found_by_tag() {
    let fixture = Fixture::new();
    let parent = fixture.run("backtest", &[("kind", "backtest")]);
    let first = fixture.run(
        "fold 1",
        &[(tags::PARENT_RUN_ID, &parent), ("kind", "fold")],
    );
    let second = fixture.run(
        "fold 2",
        &[(tags::PARENT_RUN_ID, &parent), ("kind", "fold")],
    );
    let experiment = fixture.store.get_run(&parent).unwrap().experiment_id;
    let search = |wanted: &[(&str, &str)]| {
        let runs = fixture
            .store
            .search_runs(&[&experiment], &map(wanted))
            .unwrap();
        runs.into_iter()
            .map(|run| run.run_id)
            .collect::<BTreeSet<_>>()
    };
    let nested = search(&[(tags::PARENT_RUN_ID, &parent)]);
    assert_eq!(nested, BTreeSet::from([first.clone(), second.clone()]));
    assert_eq!(
        search(&[("kind", "fold"), (tags::RUN_NAME, "fold 2")]),
        BTreeSet::from([second])
    );
    assert_eq!(search(&[("kind", "other")]), BTreeSet::new());
    assert_eq!(search(&[]).len(), 3);
    assert!(fixture.store.search_runs(&["42"], &map(&[])).is_err());
}

#[test]
fn a_param_never_changes_and_a_refused_batch_writes_nothing() {
    let fixture = Fixture::new();
    let run_id = fixture.run("r", &[]);
    let log = |params: &[(&str, &str)]| fixture.store.log_params(&run_id, &map(params));
    log(&[("seed", "1")]).unwrap();
    let error = log(&[("depth", "6"), ("seed", "2")]).unwrap_err();
    assert!(matches!(error, Error::ParamChanged { .. }), "{error}");
    let long = "x".repeat(6_001);
    for (refused, expected) in [
        (("a\tb", "1"), "invalid param key: \"a\\tb\""),
        (
            ("notes", long.as_str()),
            "param value is too long: \"notes\" has 6001 characters",
        ),
        ((long.as_str(), "1"), "param key is too long"),
    ] {
        let error = log(&[("depth", "6"), refused]).unwrap_err().to_string();
        assert!(
            error.starts_with(expected) && error.contains("\nhint: "),
            "{error}"
        );
    }
    let negative = Metric::new("late", 1.0, -1, 0);
    let metrics = [Metric::new("auc", 1.0, NOW, 0), negative];
    assert!(fixture.store.log_metrics(&run_id, &metrics).is_err());
    let of_no_model = [Metric::new("auc", 1.0, NOW, 0).of_model("m-0")];
    assert!(fixture.store.log_metrics(&run_id, &of_no_model).is_err());
    let run = fixture.store.get_run(&run_id).unwrap();
    assert_eq!(run.params, map(&[("seed", "1")]));
    assert!(run.metrics.is_empty());
}

#[test]
fn artifacts_read_back() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run_id = fixture.run("r", &[]);
    let source = fixture.folder.path().join("source.txt");
    fs::write(&source, "from a file").unwrap();
    let log = |path, content| store.log_artifact(&run_id, path, content);
    log("plots/gain.svg", Artifact::Bytes(b"<svg>1</svg>")).unwrap();
    log("plots/gain.svg", Artifact::Bytes(b"<svg>22</svg>")).unwrap();
    log("notes.txt", Artifact::File(&source)).unwrap();
    assert!(log("../x", Artifact::Bytes(b"")).is_err());
    assert!(log("none", Artifact::File(Path::new("/none"))).is_err());

    let read = |path| store.read_artifact(&run_id, path);
    assert_eq!(read("plots/gain.svg").unwrap(), b"<svg>22</svg>");
    assert_eq!(read("notes.txt").unwrap(), b"from a file");
    assert!(matches!(read("none"), Err(Error::NotFound { .. })));
    assert!(read("../meta.yaml").is_err());
}

#[test]
fn artifacts_are_listed() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run_id = fixture.run("r", &[]);
    for path in ["plots/gain.svg", "notes.txt"] {
        store
            .log_artifact(&run_id, path, Artifact::Bytes(path.as_bytes()))
            .unwrap();
    }
    let list = |path| {
        let infos = store.list_artifacts(&run_id, path).unwrap();
        infos
            .into_iter()
            .map(|i| (i.path, i.is_dir, i.file_size))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        list(""),
        [("notes.txt".into(), false, 9), ("plots".into(), true, 0)]
    );
    assert_eq!(list("plots"), [("plots/gain.svg".into(), false, 14)]);
    assert_eq!(list("plots/gain.svg"), []);
    assert!(store.list_artifacts(&run_id, "..").is_err());
}

#[test]
fn a_deleted_run_is_only_read() {
    let fixture = Fixture::new();
    let run_id = fixture.run("r", &[]);
    let run = fixture.store.get_run(&run_id).unwrap();
    let path = fixture
        .root()
        .join(&run.experiment_id)
        .join(&run_id)
        .join("meta.yaml");
    let meta = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        meta.replace("lifecycle_stage: \"active\"", "lifecycle_stage: deleted"),
    )
    .unwrap();
    assert!(fixture.store.get_run(&run_id).is_ok());
    let refused = fixture.store.log_params(&run_id, &map(&[("a", "1")]));
    assert!(matches!(refused, Err(Error::Deleted { kind: "run", .. })));
    assert_eq!(
        fixture
            .store
            .search_runs(&[&run.experiment_id], &map(&[]))
            .unwrap(),
        []
    );
}

#[test]
fn a_deleted_experiment_keeps_its_name() {
    let fixture = Fixture::new();
    let experiment = fixture
        .store
        .get_or_create_experiment("churn", NOW)
        .unwrap();
    let folder = fixture.root().join(&experiment.experiment_id);
    let meta = fs::read_to_string(folder.join("meta.yaml")).unwrap();
    fs::write(
        folder.join("meta.yaml"),
        meta.replace("\"active\"", "deleted"),
    )
    .unwrap();
    fs::rename(
        &folder,
        fixture
            .root()
            .join(".trash")
            .join(&experiment.experiment_id),
    )
    .unwrap();
    let refused = fixture.store.get_or_create_experiment("churn", NOW);
    assert!(matches!(
        refused,
        Err(Error::Deleted {
            kind: "experiment",
            ..
        })
    ));
    assert_eq!(fixture.store.list_experiments().unwrap().len(), 1);
}

#[test]
fn fields_of_other_programs_stay() {
    let fixture = Fixture::new();
    let run_id = fixture.run("r", &[]);
    let run = fixture.store.get_run(&run_id).unwrap();
    let path = fixture
        .root()
        .join(&run.experiment_id)
        .join(&run_id)
        .join("meta.yaml");
    let meta = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("{meta}zone: {{shelf: 0o17, rows: [1e5, '1e5']}}\n"),
    )
    .unwrap();
    fixture
        .store
        .end_run(&run_id, RunStatus::Failed, NOW + 1)
        .unwrap();
    let meta = fs::read_to_string(&path).unwrap();
    assert!(
        meta.contains("zone:\n  rows:\n    - 1e5\n    - \"1e5\"\n  shelf: 0o17\n"),
        "{meta}"
    );
    assert!(meta.contains("\nstatus: 4\n"), "{meta}");
}

#[test]
fn a_logged_model_reads_back() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (run_id, new, logged) = fixture.logged_model();
    assert_eq!(
        (logged.status, &logged.params),
        (LoggedModelStatus::Ready, &new.params)
    );
    assert_eq!(logged.tags, new.tags);
    let output = ModelOutput {
        model_id: logged.model_id.clone(),
        step: 0,
    };
    assert_eq!(store.get_run(&run_id).unwrap().outputs, [output]);

    let measured = Metric::new("auc", 0.8, NOW, 3).of_model(&logged.model_id);
    store
        .log_metrics(&run_id, &[measured, Metric::new("rows", 10.0, NOW, 0)])
        .unwrap();
    let read = store.get_logged_model(&logged.model_id).unwrap();
    assert_eq!(
        read.metrics,
        BTreeMap::from([("auc".into(), Metric::new("auc", 0.8, NOW, 3))])
    );
    assert_eq!(store.get_run(&run_id).unwrap().metrics.len(), 2);
    assert_eq!(
        store.search_logged_models(&[&new.experiment_id]).unwrap(),
        [read]
    );
}

#[test]
fn a_logged_model_has_the_files_of_an_mlflow_model() {
    let fixture = Fixture::new();
    let (_, _, logged) = fixture.logged_model();
    let infos = fixture
        .store
        .list_model_artifacts(&logged.model_id, "")
        .unwrap();
    let names: Vec<_> = infos.iter().map(|info| info.path.as_str()).collect();
    let folders = ["code", "data"];
    let files = [
        "MLmodel",
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
    ];
    assert_eq!(
        BTreeSet::from_iter(names),
        BTreeSet::from_iter([&folders[..], &files].concat())
    );
    let mlmodel = fixture
        .store
        .read_model_artifact(&logged.model_id, "MLmodel")
        .unwrap();
    let mlmodel = String::from_utf8(mlmodel).unwrap();
    assert!(
        mlmodel.contains("utc_time_created: \"2023-11-14 22:13:20.000000\"\n"),
        "{mlmodel}"
    );
    assert!(mlmodel.contains("model_size_bytes: 32\n"), "{mlmodel}");
}

#[test]
fn a_model_that_cannot_be_written_is_failed() {
    let fixture = Fixture::new();
    let experiment = fixture
        .store
        .get_or_create_experiment("churn", NOW)
        .unwrap();
    let new = new_logged_model(&experiment.experiment_id, None);
    for data in [vec![], vec![ModelFile::new("../out", "1")]] {
        assert!(log_model(fixture.store.as_ref(), &new, &text_model(data)).is_err());
    }
    let models = fixture
        .store
        .search_logged_models(&[&experiment.experiment_id])
        .unwrap();
    assert_eq!(models.len(), 2);
    assert!(
        models
            .iter()
            .all(|model| model.status == LoggedModelStatus::Failed)
    );
}

#[test]
fn a_version_of_a_logged_model_knows_where_it_comes_from() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (run_id, _, logged) = fixture.logged_model();
    store
        .get_or_create_registered_model(&new_registered_model("churn"))
        .unwrap();
    let source = format!("models:/{}", logged.model_id);
    let version = NewModelVersion {
        model_id: Some(logged.model_id.clone()),
        description: Some("first: ok".into()),
        tags: map(&[("auc", "0.8")]),
        ..new_version("churn", &source)
    };
    let made = store.create_model_version(&version).unwrap();
    assert_eq!(
        (made.version, made.run_id.as_deref()),
        (1, Some(run_id.as_str()))
    );
    assert_eq!(
        (&made.source, &made.storage_location),
        (&source, &logged.artifact_location)
    );
    assert_eq!(
        (&made.tags, &made.description),
        (&version.tags, &version.description)
    );
    let copy = store
        .create_model_version(&new_version("churn", "models:/churn/1"))
        .unwrap();
    assert_eq!(copy.storage_location, logged.artifact_location);
    let read = store.get_logged_model(&logged.model_id).unwrap();
    assert_eq!(
        read.tags[tags::MODEL_VERSIONS],
        r#"[{"name":"churn","version":1}]"#
    );
}

#[test]
fn a_version_needs_a_source() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    fixture.version("churn");
    for source in ["m-none", "churn/9", "churn@champion", "churn/Staging"] {
        let version = new_version("churn", &format!("models:/{source}"));
        assert!(store.create_model_version(&version).is_err(), "{source}");
    }
    let no_model = NewModelVersion {
        model_id: Some("m-0".into()),
        ..new_version("churn", "/x")
    };
    assert!(store.create_model_version(&no_model).is_err());
    assert!(
        store
            .create_model_version(&new_version("none", "/x"))
            .is_err()
    );
    assert_eq!(store.list_model_versions("churn").unwrap().len(), 1);
}

#[test]
fn a_registered_model_is_made_once() {
    let fixture = Fixture::new();
    let made = fixture
        .store
        .get_or_create_registered_model(&new_registered_model("churn"))
        .unwrap();
    fixture.version("churn");
    let other = NewRegisteredModel {
        description: None,
        tags: BTreeMap::new(),
        creation_timestamp: NOW + 5,
        ..new_registered_model("churn")
    };
    let again = fixture
        .store
        .get_or_create_registered_model(&other)
        .unwrap();
    let touched = RegisteredModel {
        last_updated_timestamp: NOW + 1,
        ..made
    };
    assert_eq!(again, touched);
}

#[test]
fn an_alias_moves() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    assert_eq!([fixture.version("churn"), fixture.version("churn")], [1, 2]);
    let set = |alias, version| store.set_registered_model_alias("churn", alias, version, NOW + 9);
    let get = |alias| {
        let version = store.get_model_version_by_alias("churn", alias).unwrap();
        version.map(|version| (version.version, version.aliases))
    };
    assert_eq!(get("champion"), None);
    set("champion", 2).unwrap();
    set("first", 1).unwrap();
    assert_eq!(get("champion"), Some((2, vec!["champion".into()])));
    set("champion", 1).unwrap();
    assert_eq!(
        get("champion"),
        Some((1, vec!["champion".into(), "first".into()]))
    );
    assert_eq!(get("latest"), Some((2, vec![])));
    let model = store.get_registered_model("churn").unwrap().unwrap();
    assert_eq!(
        model.aliases,
        BTreeMap::from([("champion".into(), 1), ("first".into(), 1)])
    );
    assert_eq!(model.last_updated_timestamp, NOW + 9);
}

#[test]
fn an_alias_is_removed() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    fixture.version("churn");
    store
        .set_registered_model_alias("churn", "champion", 1, NOW)
        .unwrap();
    for time in [NOW + 13, NOW + 14] {
        store
            .delete_registered_model_alias("churn", "champion", time)
            .unwrap();
        assert_eq!(
            store
                .get_model_version_by_alias("churn", "champion")
                .unwrap(),
            None
        );
    }
    let model = store.get_registered_model("churn").unwrap().unwrap();
    assert_eq!(model.last_updated_timestamp, NOW + 13);
}

#[test]
fn an_alias_needs_a_version_and_a_name_of_its_own() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    fixture.version("churn");
    for (model, alias, version) in [
        ("churn", "champion", 2),
        ("churn", "latest", 1),
        ("churn", "v1", 1),
        ("none", "champion", 1),
    ] {
        assert!(
            store
                .set_registered_model_alias(model, alias, version, NOW)
                .is_err(),
            "{alias}"
        );
    }
    assert!(
        store
            .get_model_version_by_alias("none", "champion")
            .is_err()
    );
}

#[test]
fn registry_tags_are_set() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    fixture.version("churn");
    store
        .set_registered_model_tags("churn", &map(&[("owner", "ana")]), NOW + 2)
        .unwrap();
    store
        .set_model_version_tags("churn", 1, &map(&[("auc", "0.8")]), NOW + 3)
        .unwrap();
    let model = store.list_registered_models().unwrap().remove(0);
    assert_eq!(
        model.tags,
        map(&[("owner", "ana"), ("task", "classification")])
    );
    assert_eq!(model.last_updated_timestamp, NOW + 3);
    assert_eq!(
        store.get_model_version("churn", 1).unwrap().tags,
        map(&[("auc", "0.8")])
    );
    assert!(
        store
            .set_model_version_tags("churn", 2, &map(&[]), NOW)
            .is_err()
    );
    assert!(
        store
            .set_registered_model_tags("none", &map(&[]), NOW)
            .is_err()
    );
}

#[test]
fn what_a_killed_program_left_is_passed_over() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run_id = fixture.run("r", &[]);
    let experiment_id = store.get_run(&run_id).unwrap().experiment_id;
    fixture.version("churn");
    leave_half_made(&fixture.root(), &experiment_id, &run_id);

    assert_eq!(store.list_experiments().unwrap().len(), 2);
    assert_eq!(
        store
            .search_runs(&[&experiment_id], &map(&[]))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.search_logged_models(&[&experiment_id]).unwrap(), []);
    assert_eq!(store.get_run(&run_id).unwrap().outputs, []);
    assert!(matches!(
        store.get_run("0123456789abcdef"),
        Err(Error::NotFound { .. })
    ));
    assert_eq!(store.list_registered_models().unwrap().len(), 1);
    assert_eq!(store.list_model_versions("churn").unwrap().len(), 1);
    assert_eq!([fixture.version("churn"), fixture.version("empty")], [2, 1]);
    assert_eq!(
        fs::read_dir(fixture.root().join(".staging.trash"))
            .unwrap()
            .count(),
        0
    );
}

fn leave_half_made(root: &Path, experiment_id: &str, run_id: &str) {
    let folders = [
        "123456789012345678".to_owned(),
        "234567890123456789".to_owned(),
        "models/empty".to_owned(),
        "models/churn/version-2".to_owned(),
        ".staging.trash/1/tags".to_owned(),
        format!("{experiment_id}/0123456789abcdef/metrics"),
        format!("{experiment_id}/models/m-0123"),
        format!("{experiment_id}/{run_id}/outputs/m-0123"),
    ];
    for folder in folders {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("234567890123456789/meta.yaml"), "").unwrap();
    fs::write(root.join(".staging.trash/2"), "half").unwrap();
}

#[test]
fn a_number_of_a_deleted_version_is_not_given_again() {
    let fixture = Fixture::new();
    fixture.version("churn");
    let meta = fixture.root().join("models/churn/version-1/meta.yaml");
    let text = fs::read_to_string(&meta).unwrap();
    let deleted = text.replace("current_stage: \"None\"", "current_stage: Deleted_Internal");
    fs::write(&meta, deleted).unwrap();
    assert!(fixture.store.get_model_version("churn", 1).is_err());
    assert_eq!(fixture.version("churn"), 2);
    let kept = fixture.store.list_model_versions("churn").unwrap();
    assert_eq!(
        kept.into_iter()
            .map(|version| version.version)
            .collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn a_broken_file_is_named() {
    let fixture = Fixture::new();
    let run_id = fixture.run("r", &[]);
    let run = fixture.store.get_run(&run_id).unwrap();
    let folder = fixture.root().join(&run.experiment_id).join(&run_id);
    fs::write(folder.join("metrics/auc"), "12 high\n").unwrap();
    let error = fixture.store.get_run(&run_id).unwrap_err().to_string();
    assert!(
        error.contains("metrics/auc: not a value of a metric: \"12 high\""),
        "{error}"
    );
    fs::write(folder.join("meta.yaml"), "status: \"1").unwrap();
    let error = fixture.store.get_run(&run_id).unwrap_err().to_string();
    assert!(
        error.starts_with("malformed file") && error.contains("meta.yaml: "),
        "{error}"
    );
}

#[test]
fn writers_in_two_threads_do_not_lose_each_others_work() {
    const EACH: u32 = 25;
    let fixture = Fixture::new();
    let store = &fixture.store;
    let run_id = fixture.run("r", &[]);
    store
        .get_or_create_registered_model(&new_registered_model("churn"))
        .unwrap();
    let work = || write_steps(&fixture.root(), &run_id, EACH);
    let numbers: BTreeSet<u32> = std::thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(numbers, (1..=2 * EACH).collect());
    let history = store.get_metric_history(&run_id, "auc").unwrap();
    assert_eq!(history.len(), 2 * EACH as usize);
    assert_eq!(store.list_experiments().unwrap().len(), EACH as usize + 2);
}

/// Gets an experiment, logs a value and registers a version `steps` times; gives their numbers.
fn write_steps(root: &Path, run_id: &str, steps: u32) -> Vec<u32> {
    let store = open(root.to_str().unwrap()).unwrap();
    let step = |step: u32| {
        store
            .get_or_create_experiment(&format!("shared {step}"), NOW)
            .unwrap();
        store
            .log_metrics(run_id, &[Metric::new("auc", 0.5, NOW, step.into())])
            .unwrap();
        store
            .create_model_version(&new_version("churn", "/x"))
            .unwrap()
            .version
    };
    (0..steps).map(step).collect()
}

#[test]
fn the_same_ids_and_times_give_the_same_bytes() {
    let write = || {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mlruns");
        let next = AtomicU64::new(1);
        let ids = move || Uuid::from_u64_pair(7, next.fetch_add(1, Ordering::Relaxed));
        let store = LocalStore::open(root.to_str().unwrap())
            .unwrap()
            .with_ids(Box::new(ids));
        let store: &dyn Store = &store;
        let experiment = store.get_or_create_experiment("churn", NOW).unwrap();
        let run = store.create_run(&new_run(
            &experiment.experiment_id,
            "r",
            &[("b", "2"), ("a", "1")],
        ));
        let run_id = run.unwrap().run_id;
        store
            .log_params(&run_id, &map(&[("z", "1"), ("y", "2")]))
            .unwrap();
        let new = new_logged_model(&experiment.experiment_id, Some(&run_id));
        log_model(store, &new, &text_model(vec![ModelFile::new("w", "1")])).unwrap();
        store
            .get_or_create_registered_model(&new_registered_model("churn"))
            .unwrap();
        store
            .create_model_version(&new_version("churn", "/x"))
            .unwrap();
        let place = folder.path().to_str().unwrap();
        let anywhere = |(name, bytes)| (name, String::from_utf8(bytes).unwrap().replace(place, ""));
        files(&root)
            .into_iter()
            .map(anywhere)
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(write(), write());
}
