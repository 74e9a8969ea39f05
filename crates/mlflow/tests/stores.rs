//! One suite of behaviours, held against the local store and against a real server.
//!
//! The environment variable `SAFRA_MLFLOW_PYTHON` names a Python with `mlflow`. Without it the tests of a server are
//! skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod suite;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use common::{Python, Server, text};
use safra_mlflow::{Credentials, Error, ExperimentStore, RestOptions, RestStore, Store, open};
use suite::{World, behaviours};

#[test]
fn a_folder_behaves_as_a_store() {
    let failed = failures(|_, check| {
        let folder = tempfile::tempdir().unwrap();
        let store = open(text(&folder.path().join("mlruns"))).unwrap();
        check(store.as_ref(), "");
    });
    assert_eq!(failed, [""; 0]);
}

#[test]
fn a_server_behaves_as_a_store() {
    let Some(python) = Python::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&python, folder.path());
    let options = RestOptions {
        retries: 1,
        backoff: Duration::from_millis(10),
        // Small, so that every search of the suite needs several pages.
        page_size: 2,
        ..RestOptions::default()
    };
    let store = RestStore::new(&server.uri(), &options).unwrap();
    let failed = failures(|name, check| check(&store, &format!("{name} ")));
    assert_eq!(failed, [""; 0]);
}

#[test]
fn a_server_with_users_lets_in_those_it_knows() {
    let Some(python) = Python::find() else { return };
    if !python.has_module("flask_wtf") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The name is that of the first user of every server.
    let (name, password) = ("admin", "a password 123");
    let variables = [
        ("MLFLOW_FLASK_SERVER_SECRET_KEY", "for this test alone"),
        ("MLFLOW_AUTH_ADMIN_PASSWORD", password),
    ];
    let arguments = ["--app-name", "basic-auth"];
    let server = Server::start_with(&python, folder.path(), &arguments, &variables);
    let credentials = Some(Credentials::Basic {
        username: name.into(),
        password: password.into(),
    });
    let options = RestOptions {
        credentials,
        ..RestOptions::default()
    };
    let with_options = RestStore::new(&server.uri(), &options).unwrap();
    let with_uri = open(&server.uri_with(name, &password.replace(' ', "%20"))).unwrap();
    for (store, prefix) in [
        (&with_options as &dyn Store, "a "),
        (with_uri.as_ref(), "b "),
    ] {
        // Few, for each request takes the server the time to check a password.
        let chosen = ["an alias is removed", "artifacts are listed"];
        for (_, behaviour) in behaviours()
            .into_iter()
            .filter(|(name, _)| chosen.contains(name))
        {
            behaviour(&World { store, prefix });
        }
    }
    for uri in [server.uri(), server.uri_with(name, "wrong")] {
        let store = RestStore::new(&uri, &RestOptions::default()).unwrap();
        let error = store.list_experiments().unwrap_err();
        assert!(
            matches!(
                error,
                Error::Server {
                    status: 401,
                    attempts: 1,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("MLFLOW_TRACKING_USERNAME"),
            "{error}"
        );
    }
}

/// Checks every behaviour in a world that `with_world` makes; gives the names of those that fail.
fn failures(with_world: impl Fn(&'static str, &dyn Fn(&dyn Store, &str))) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for (name, behaviour) in behaviours() {
        let check = |store: &dyn Store, prefix: &str| behaviour(&World { store, prefix });
        let outcome = catch_unwind(AssertUnwindSafe(|| with_world(name, &check)));
        if outcome.is_err() {
            eprintln!("^ failed: {name}");
            failed.push(name);
        }
    }
    failed
}
