//! The local store, used as a program uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use safra_mlflow::{
    Artifact, Environment, Error, Flavor, LocalStore, LoggedModel, Metric, Model, ModelFile,
    NewLoggedModel, NewModelVersion, NewRegisteredModel, NewRun, RunStatus, Store, log_model, open,
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
        metadata: BTreeMap::new(),
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
fn times_are_those_of_the_caller() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let experiment = store.get_or_create_experiment("churn", NOW).unwrap();
    let id = &experiment.experiment_id;
    assert_eq!((id.len(), experiment.creation_time), (18, Some(NOW)));
    assert!(fixture.root().join("0/meta.yaml").is_file());
    store.delete_experiment(id, NOW + 1).unwrap();
    assert!(fixture.root().join(".trash").join(id).is_dir());
    assert_eq!(
        store.get_experiment(id).unwrap().last_update_time,
        Some(NOW + 1)
    );
    store.restore_experiment(id, NOW + 2).unwrap();
    assert_eq!(
        store.get_experiment(id).unwrap().last_update_time,
        Some(NOW + 2)
    );
    fixture.version("churn");
    let changed = || {
        let model = store.get_registered_model("churn").unwrap().unwrap();
        (model.creation_timestamp, model.last_updated_timestamp)
    };
    assert_eq!(changed(), (NOW, NOW + 1));
    store
        .set_registered_model_alias("churn", "champion", 1, NOW + 9)
        .unwrap();
    assert_eq!(changed(), (NOW, NOW + 9));
    for time in [NOW + 13, NOW + 14] {
        store
            .delete_registered_model_alias("churn", "champion", time)
            .unwrap();
        assert_eq!(changed(), (NOW, NOW + 13));
    }
    store
        .set_model_version_tags("churn", 1, &map(&[("auc", "0.8")]), NOW + 15)
        .unwrap();
    assert_eq!(changed(), (NOW, NOW + 15));
}

#[test]
fn the_default_experiment_stays() {
    let fixture = Fixture::new();
    fixture.run("r", &[]);
    let refused = fixture.store.delete_experiment("0", NOW).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "invalid experiment to delete: \"0\"\nhint: the experiment Default must stay"
    );
}

#[test]
fn infinities_and_the_order_of_values_are_kept() {
    let fixture = Fixture::new();
    let run_id = fixture.run("r", &[]);
    let metrics = [
        Metric::new("loss", f64::INFINITY, NOW, 1),
        Metric::new("loss", f64::NEG_INFINITY, NOW, 0),
    ];
    fixture.store.log_metrics(&run_id, &metrics).unwrap();
    assert_eq!(
        fixture.store.get_metric_history(&run_id, "loss").unwrap(),
        metrics
    );
    assert_eq!(
        fixture.store.get_run(&run_id).unwrap().metrics["loss"],
        metrics[0]
    );
}

#[test]
fn a_logged_model_says_when_it_was_made_and_how_large_it_is() {
    let fixture = Fixture::new();
    let (_, _, logged) = fixture.logged_model();
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
fn a_version_may_be_of_any_folder() {
    let fixture = Fixture::new();
    assert_eq!(fixture.version("churn"), 1);
    let version = fixture.store.get_model_version("churn", 1).unwrap();
    assert_eq!((version.model_id, version.run_id), (None, None));
    assert_eq!(
        (version.source, version.storage_location),
        ("/somewhere".into(), "/somewhere".into())
    );
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

/// MLflow lets an experiment have its artifacts anywhere. A file cannot be renamed from one disk to another.
#[cfg(target_os = "linux")]
#[test]
fn artifacts_may_be_on_another_disk() {
    use std::os::unix::fs::MetadataExt;

    let fixture = Fixture::new();
    let Ok(other) = TempDir::new_in("/dev/shm") else {
        return;
    };
    let disk = |path: &Path| fs::metadata(path).unwrap().dev();
    if disk(other.path()) == disk(fixture.folder.path()) {
        return;
    }
    let experiment = fixture
        .store
        .get_or_create_experiment("churn", NOW)
        .unwrap();
    let meta = fixture
        .root()
        .join(&experiment.experiment_id)
        .join("meta.yaml");
    let text = fs::read_to_string(&meta).unwrap();
    let elsewhere = format!("file://{}", other.path().display());
    fs::write(
        &meta,
        text.replace(&experiment.artifact_location, &elsewhere),
    )
    .unwrap();
    let run = fixture.run("a", &[]);
    for content in ["one", "two"] {
        let bytes = Artifact::Bytes(content.as_bytes());
        fixture
            .store
            .log_artifact(&run, "notes/a.txt", bytes)
            .unwrap();
        let read = fixture.store.read_artifact(&run, "notes/a.txt").unwrap();
        assert_eq!(read, content.as_bytes());
    }
    let listed = fixture.store.list_artifacts(&run, "notes").unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(
        other
            .path()
            .join(&run)
            .join("artifacts/notes/a.txt")
            .is_file()
    );
}
