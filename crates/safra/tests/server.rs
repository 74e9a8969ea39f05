//! The whole way with an MLflow server as the tracking store, and the champion served by MLflow.
//!
//! The environment variable `SAFRA_MLFLOW_PYTHON` names a Python with `mlflow`, `lightgbm` and `deltalake`. Without it the
//! test of a real server is skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../mlflow/tests/common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Python, Server};
use safra_marketplace::{Parameters, generate};
use serde_json::Value;
use tempfile::TempDir;

/// A working directory with a marketplace in `data`, and a store that is named by a variable.
struct Home {
    folder: TempDir,
    tracking: String,
}

impl Home {
    fn new(tracking: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let parameters = Parameters {
            scale: 0.03,
            seed: 7,
            ..Parameters::default()
        };
        generate(&parameters, &folder.path().join("data"), &|_, _| {}).unwrap();
        Self {
            folder,
            tracking: tracking.to_owned(),
        }
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn safra(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safra"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env("MLFLOW_TRACKING_URI", &self.tracking)
            .env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1");
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.safra(&[arguments, &["--json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Takes LightGBM alone as the learner, so that it becomes champion.
    fn with_lightgbm_alone(self) -> Self {
        assert!(self.safra(&["init", "."]).status.success());
        let problem = self.path("problems/churn.toml");
        let text = std::fs::read_to_string(&problem).unwrap();
        let (before, _) = text.split_once("[[learners]]").unwrap();
        let text = format!("{before}[[learners]]\nname = \"lightgbm\"\n");
        std::fs::write(&problem, text).unwrap();
        self
    }
}

#[test]
fn a_server_holds_the_models_and_serves_the_champion() {
    let Some(python) = Python::find() else { return };
    let served = tempfile::tempdir().unwrap();
    let server = Server::start(&python, served.path());
    let home = Home::new(&server.uri()).with_lightgbm_alone();
    home.json(&["ingest", "data"]);
    assert_eq!(home.json(&["train", "churn"])["reused"], false);
    assert_eq!(home.json(&["train", "churn"])["reused"], true);
    assert_eq!(home.json(&["promote", "churn"])["promoted"], true);
    home.json(&["predict", "churn"]);
    assert!(home.safra(&["report"]).status.success());
    assert!(
        std::fs::read_to_string(home.path("report.html"))
            .unwrap()
            .contains("Seller churn")
    );
    assert_eq!(
        home.json(&["run", "--source", "data"])["tracking"],
        server.uri()
    );
    assert!(!home.path("mlruns").exists());

    let folder = home.folder.path().to_str().unwrap();
    let compared = python.script("champion.py", &[folder, &server.uri()]);
    assert!(compared.starts_with("compared"), "{compared}");
    check_provenance(&home, &python.script("provenance.py", &[&server.uri()]));

    let model = "models:/olist-churn@champion";
    let scoring = Server::serve_model(&python, served.path(), model, &server.uri());
    let port = scoring.port().to_string();
    let compared = python.script("served.py", &[folder, &server.uri(), &port]);
    assert!(compared.starts_with("compared"), "{compared}");
}

/// The champion says which features, views, tables and code it comes from, and these are there.
fn check_provenance(home: &Home, said: &str) {
    let said: Value = serde_json::from_str(said).unwrap();
    let metadata = &said["metadata"];
    assert_eq!(metadata["features"], said["inputs"]);
    assert_eq!(metadata["version"], env!("CARGO_PKG_VERSION"));
    for tags in [&said["version"], &said["run"]] {
        let held = |key: &str| serde_json::from_str::<Value>(tags[key].as_str().unwrap()).unwrap();
        assert_eq!(held("safra.views"), metadata["views"]);
        assert_eq!(held("safra.tables"), metadata["tables"]);
        assert_eq!(tags["safra.version"], metadata["version"]);
    }
    let views = metadata["views"].as_object().unwrap();
    assert!(!views.is_empty());
    for (view, sum) in views {
        assert!(
            home.path(&format!("features/{view}.sql")).is_file(),
            "{view}"
        );
        assert_eq!(sum.as_str().unwrap().len(), 64);
    }
    let tables = metadata["tables"].as_object().unwrap();
    assert!(
        tables.contains_key("sources/orders") && tables.contains_key("datasets/churn"),
        "{tables:?}"
    );
    for (table, version) in tables {
        let log = format!(
            "lake/{table}/_delta_log/{:020}.json",
            version.as_u64().unwrap()
        );
        assert!(home.path(&log).is_file(), "{log}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let home = Home::new("http://ana:s3cret@127.0.0.1:9");
    let output = home.safra(&["promote", "churn"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(
        stderr.contains("http://127.0.0.1:9/api/2.0/mlflow/registered-models/get?name=olist-churn"),
        "{stderr}"
    );
    assert!(
        stderr.contains("(after 2 attempts)\nhint: is the server running"),
        "{stderr}"
    );
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

#[test]
fn a_database_is_refused_with_a_hint() {
    let home = Home::new("sqlite:///mlflow.db");
    let output = home.safra(&["promote", "churn"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("unsupported URI: sqlite:///mlflow.db\nhint: start `mlflow server"),
        "{stderr}"
    );
    assert!(!Path::new("mlflow.db").exists());
}
