//! Which servers are believed to be the right one.
//!
//! The environment variable `SAFRA_MLFLOW_PYTHON` names a Python with `cryptography`, which comes with `mlflow`. Without
//! it the tests here are skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::{Python, scripts, text};
use safra_mlflow::{Error, Experiment, ExperimentStore, RestOptions, RestStore};

#[test]
fn a_server_is_believed_if_someone_known_vouches_for_it() {
    let Some(python) = Python::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = scripts().join("tls.py");
    let mut command = python.command(&[text(&script), text(folder.path())]);
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    let uri = format!("https://127.0.0.1:{}", port.trim());
    let ask = |options: &RestOptions| -> Result<Experiment, Error> {
        RestStore::new(&uri, options)?.get_experiment("7")
    };

    let error = ask(&RestOptions::default()).unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { attempts: 1, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("certificate"), "{error}");
    let insecure = RestOptions {
        insecure_tls: true,
        ..RestOptions::default()
    };
    assert_eq!(ask(&insecure).unwrap().name, "churn");
    let given = |file: &str| RestOptions {
        server_certificates: Some(folder.path().join(file)),
        ..RestOptions::default()
    };
    assert_eq!(ask(&given("certificate.pem")).unwrap().name, "churn");
    let error = ask(&given("key.pem")).unwrap_err().to_string();
    assert!(
        error.ends_with("key.pem: there is no certificate in it"),
        "{error}"
    );
    assert!(matches!(ask(&given("none.pem")), Err(Error::Io { .. })));

    drop(process.stdin.take());
    process.wait().unwrap();
}
