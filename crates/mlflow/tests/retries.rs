//! What is asked again and what is not, and what is said in the end: against a server that answers by a script.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::NOW;
use safra_mlflow::{
    Artifact, Credentials, Error, ExperimentStore, LoggedModelStore, NewLoggedModel, NewRun,
    RestOptions, RestStore, RunStore,
};

/// An answer: status, further headers, body. Without a status the connection is closed without an answer.
type Answer = (u16, &'static str, &'static str);

const EXPERIMENT: &str = r#"{"experiment": {"experiment_id": "7", "name": "churn"}}"#;
const RUN: &str = r#"{"run": {"info": {"run_id": "ab", "experiment_id": "7", "artifact_uri": "mlflow-artifacts:/7/ab"}}}"#;
const BROKEN: Answer = (0, "", "");

/// A request that came: its first line, its headers in lower case, and its body.
#[derive(Debug)]
struct Came {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A server that gives its answers one after the other, and then the requests that came.
struct Scripted {
    port: u16,
    thread: JoinHandle<Vec<Came>>,
}

impl Scripted {
    fn new(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = answers.to_vec();
        let thread = thread::spawn(move || {
            let serve = |answer| serve(listener.accept().unwrap().0, answer);
            answers.into_iter().map(serve).collect()
        });
        Self { port, thread }
    }

    fn store(&self) -> RestStore {
        RestStore::new(&format!("http://127.0.0.1:{}", self.port), &options()).unwrap()
    }

    /// The requests that came; waits until all answers are given.
    fn came(self) -> Vec<Came> {
        self.thread.join().unwrap()
    }
}

fn serve(stream: TcpStream, (status, headers, body): Answer) -> Came {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut came = Came {
        line: line.trim_end().to_owned(),
        headers: BTreeMap::new(),
        body: Vec::new(),
    };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        came.headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = came
        .headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    came.body.resize(length, 0);
    reader.read_exact(&mut came.body).unwrap();
    if status > 0 {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        (&stream).write_all(answer.as_bytes()).unwrap();
    }
    came
}

fn options() -> RestOptions {
    RestOptions {
        timeout: Duration::from_secs(20),
        retries: 3,
        backoff: Duration::from_millis(1),
        ..RestOptions::default()
    }
}

fn new_run() -> NewRun {
    NewRun {
        experiment_id: "7".into(),
        run_name: "r".into(),
        start_time: NOW,
        tags: BTreeMap::new(),
    }
}

#[test]
fn what_reads_is_asked_again() {
    let server = Scripted::new(&[
        (429, "Retry-After: 0\r\n", ""),
        (503, "", "<html>busy</html>"),
        BROKEN,
        (200, "", EXPERIMENT),
    ]);
    let experiment = server.store().get_experiment("7").unwrap();
    assert_eq!(experiment.name, "churn");
    let came = server.came();
    assert_eq!(came.len(), 4);
    assert!(came.iter().all(|came| came.line == "GET /api/2.0/mlflow/experiments/get?experiment_id=7 HTTP/1.1"));
}

#[test]
fn what_says_how_something_is_to_be_is_sent_again() {
    let server = Scripted::new(&[(200, "", RUN), (500, "", ""), (200, "", "{}")]);
    server
        .store()
        .log_artifact("ab", "notes.txt", Artifact::Bytes(b"hello"))
        .unwrap();
    let came = server.came();
    for came in &came[1..] {
        assert_eq!(
            came.line,
            "PUT /api/2.0/mlflow-artifacts/artifacts/7/ab/notes.txt HTTP/1.1"
        );
        assert_eq!(came.body, b"hello");
    }
}

#[test]
fn a_file_is_sent_again_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "hello").unwrap();
    let server = Scripted::new(&[(200, "", RUN), (502, "", ""), BROKEN, (200, "", "{}")]);
    server
        .store()
        .log_artifact("ab", "notes.txt", Artifact::File(&file))
        .unwrap();
    let came = server.came();
    assert!(
        came[1..].iter().all(|came| came.body == b"hello"),
        "{came:?}"
    );
}

#[test]
fn what_would_be_done_twice_is_sent_again_only_if_it_was_not_taken() {
    let server = Scripted::new(&[(429, "", ""), (200, "", RUN)]);
    server.store().create_run(&new_run()).unwrap();
    let came = server.came();
    assert_eq!(came.len(), 2);
    assert!(
        came.iter()
            .all(|came| came.line == "POST /api/2.0/mlflow/runs/create HTTP/1.1")
    );

    for (answer, expected) in [
        (
            (503, "", ""),
            "runs/create: HTTP status 503\nhint: the server failed; its log says more",
        ),
        (
            BROKEN,
            "\nhint: is the server running, and is this its address?",
        ),
    ] {
        let server = Scripted::new(&[answer]);
        let error = server
            .store()
            .create_run(&new_run())
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(expected), "{error}");
        assert_eq!(server.came().len(), 1);
    }
}

#[test]
fn an_experiment_that_was_made_at_the_first_attempt_is_taken() {
    let server = Scripted::new(&[
        (
            404,
            "",
            r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}"#,
        ),
        BROKEN,
        (
            400,
            "",
            r#"{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there"}"#,
        ),
        (200, "", EXPERIMENT),
    ]);
    let experiment = server
        .store()
        .get_or_create_experiment("churn", NOW)
        .unwrap();
    assert_eq!(experiment.experiment_id, "7");
    assert_eq!(server.came().len(), 4);
}

#[test]
fn in_the_end_the_error_says_what_was_tried() {
    let busy = r#"{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "busy\n[SQL: SELECT 1]"}"#;
    let server = Scripted::new(&[(503, "", busy); 4]);
    let port = server.port;
    let error = server.store().get_run("ab").unwrap_err();
    assert!(matches!(
        &error,
        Error::Server {
            status: 503,
            attempts: 4,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        format!(
            "GET http://127.0.0.1:{port}/api/2.0/mlflow/runs/get?run_id=ab: TEMPORARILY_UNAVAILABLE: busy (after 4 attempts)\n\
             hint: the server failed; its log says more"
        )
    );
    assert_eq!(server.came().len(), 4);
}

#[test]
fn what_is_refused_is_not_asked_again() {
    for (answer, expected) in [
        (
            (401, "", "<html>"),
            "HTTP status 401\nhint: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        ),
        (
            (
                403,
                "",
                r#"{"error_code": "PERMISSION_DENIED", "message": "no"}"#,
            ),
            "PERMISSION_DENIED: no\nhint: this user may not do that; ask who runs the server, or come as another user",
        ),
        (
            (404, "", "<html>"),
            "HTTP status 404\nhint: is this the address of an MLflow server, with its path if it has one?",
        ),
        (
            (
                400,
                "",
                r#"{"error_code": "BAD_REQUEST", "message": "what?"}"#,
            ),
            ": BAD_REQUEST: what?",
        ),
        (
            (200, "", "<html>"),
            "expected value at line 1 column 1\nhint: is this the address of an MLflow server?",
        ),
        // Longer than any wait.
        (
            (429, "Retry-After: 3600\r\n", ""),
            "HTTP status 429\nhint: the server has too much to do; try again later",
        ),
    ] {
        let server = Scripted::new(&[answer]);
        let error = server
            .store()
            .get_logged_model("m-0")
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(expected), "{error}");
        assert_eq!(server.came().len(), 1);
    }
}

/// Followed, it would be taken for done: the page to log in is there, and has the status 200.
#[test]
fn what_is_sent_on_to_a_page_to_log_in_is_an_error() {
    let found = "Location: https://ana:s3cret@sso.example.com/login?ticket=s3cret\r\n";
    let page = (
        200,
        "Content-Type: text/html\r\n",
        "<html>who are you?</html>",
    );
    for (answer, expected) in [
        (
            (302, found, ""),
            "7/ab/notes.txt: HTTP status 302: sent on to https://sso.example.com/login\n\
             hint: give the address of the server itself: nothing is followed, for it may lead to a page to log in",
        ),
        (
            page,
            "expected value at line 1 column 1\nhint: is this the address of an MLflow server?",
        ),
    ] {
        let server = Scripted::new(&[(200, "", RUN), answer]);
        let error = server
            .store()
            .log_artifact("ab", "notes.txt", Artifact::Bytes(b"hello"))
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(expected), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
        assert_eq!(server.came().len(), 2);
    }
}

#[test]
fn an_answer_that_memory_may_not_hold_is_given_up() {
    for (largest_answer, fits) in [(5, true), (4, false)] {
        let server = Scripted::new(&[(200, "", "hello")]);
        let options = RestOptions {
            largest_answer,
            ..options()
        };
        let uri = format!("http://127.0.0.1:{}", server.port);
        let store = RestStore::new(&uri, &options).unwrap();
        let read = store.get_run("ab");
        match fits {
            true => assert!(
                matches!(read, Err(Error::UnexpectedAnswer { .. })),
                "{read:?}"
            ),
            false => {
                let error = read.unwrap_err();
                assert!(
                    matches!(error, Error::TooLarge { limit: 4, .. }),
                    "{error:?}"
                );
                let expected = format!(
                    "the answer to GET {uri}/api/2.0/mlflow/runs/get?run_id=ab has more than 4 bytes\n\
                     hint: download it with MLflow, or raise `RestOptions::largest_answer`"
                );
                assert_eq!(error.to_string(), expected);
            }
        }
        assert_eq!(server.came().len(), 1);
    }
}

#[test]
fn a_logged_model_without_all_its_params_is_failed() {
    let made = r#"{"model": {"info": {"model_id": "m-1", "experiment_id": "7"}}}"#;
    let refusal = r#"{"error_code": "BAD_REQUEST", "message": "no"}"#;
    let server = Scripted::new(&[(200, "", made), (400, "", refusal), (200, "", "{}")]);
    let params = (0..101).map(|number| (number.to_string(), String::new()));
    let error = server
        .store()
        .create_logged_model(&NewLoggedModel {
            experiment_id: "7".into(),
            name: "m".into(),
            source_run_id: None,
            model_type: None,
            params: params.collect(),
            tags: BTreeMap::new(),
            creation_timestamp: NOW,
        })
        .unwrap_err();
    assert!(error.to_string().ends_with("BAD_REQUEST: no"), "{error}");
    let came = server.came();
    assert_eq!(
        came[2].line,
        "PATCH /api/2.0/mlflow/logged-models/m-1 HTTP/1.1"
    );
    let said = String::from_utf8_lossy(&came[2].body);
    assert!(said.contains("LOGGED_MODEL_UPLOAD_FAILED"), "{said}");
}

#[test]
fn pages_that_go_round_end() {
    let page = |token| match token {
        "a" => r#"{"next_page_token": "a"}"#,
        _ => r#"{"next_page_token": "b"}"#,
    };
    let server = Scripted::new(&[
        (200, "", page("a")),
        (200, "", page("b")),
        (200, "", page("a")),
    ]);
    let error = server.store().list_experiments().unwrap_err().to_string();
    assert!(
        error.contains("the pages go round: a comes again"),
        "{error}"
    );
    assert_eq!(server.came().len(), 3);
}

#[test]
fn a_server_that_is_not_there_is_tried_and_named() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let store = RestStore::new(&format!("http://127.0.0.1:{free}"), &options()).unwrap();
    // Not taken by any server, so that even this may be sent again.
    let error = store.create_run(&new_run()).unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { attempts: 4, .. }),
        "{error:?}"
    );
    let error = error.to_string();
    assert!(
        error.starts_with(&format!(
            "POST http://127.0.0.1:{free}/api/2.0/mlflow/runs/create: "
        )),
        "{error}"
    );
    assert!(
        error.ends_with(
            " (after 4 attempts)\nhint: is the server running, and is this its address?"
        ),
        "{error}"
    );
}

#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = RestOptions {
        timeout: Duration::from_millis(50),
        retries: 1,
        ..options()
    };
    let store = RestStore::new(&format!("http://127.0.0.1:{port}"), &options).unwrap();
    let error = store.get_run("ab").unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { attempts: 2, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("timeout"), "{error}");
}

#[test]
fn credentials_are_sent_and_never_shown() {
    let refused = (401, "", "");
    let authorization = |uri: &str, credentials| {
        let server = Scripted::new(&[refused]);
        let uri = uri.replace("PORT", &server.port.to_string());
        let options = RestOptions {
            credentials,
            ..options()
        };
        let error = RestStore::new(&uri, &options)
            .unwrap()
            .get_run("ab")
            .unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );
        server.came().remove(0).headers.remove("authorization")
    };
    let plain = "http://127.0.0.1:PORT";
    let token = || Some(Credentials::Token("s3cret".into()));
    let (username, password) = ("ana".to_owned(), "s3cret:é".to_owned());
    assert_eq!(authorization(plain, None), None);
    assert_eq!(authorization(plain, token()), Some("Bearer s3cret".into()));
    let basic = Some("Basic YW5hOnMzY3JldDrDqQ==".to_owned());
    assert_eq!(
        authorization(plain, Some(Credentials::Basic { username, password })),
        basic
    );
    let within = "http://ana:s3cret%3A%C3%A9@127.0.0.1:PORT";
    assert_eq!(authorization(within, token()), basic);
}
