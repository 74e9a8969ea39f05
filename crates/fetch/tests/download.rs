//! Downloads from a server that misbehaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use safra_fetch::{Event, FetchError, Fetched, Options, Source, download};
use server::{Act, Server};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const VERSION: &str = "ETag: \"one\"";

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("deep/data.zip")
    }

    /// The names of all files beside the target.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.target().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn body(bytes: u32) -> Vec<u8> {
    (0..bytes)
        .map(|index| (index * 31 / 7 % 251) as u8)
        .collect()
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn options() -> Options {
    Options {
        attempts: 3,
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
        silence: Duration::from_secs(20),
    }
}

/// Downloads, and tells what happened beside progress.
fn fetch(
    url: &str,
    sha256: Option<&str>,
    target: &Path,
) -> (Result<Fetched, FetchError>, Vec<Event>) {
    let mut events = Vec::new();
    let source = Source { url, sha256 };
    let result = download(&source, target, &options(), &mut |event| match event {
        Event::Progress { .. } => {}
        other => events.push(other),
    });
    (result, events)
}

#[test]
fn a_file_is_there_whole_and_a_second_download_asks_for_nothing() {
    let (home, bytes) = (Home::new(), body(300_000));
    let server = Server::new(&bytes, VERSION, &[]);
    let mut last = None;
    let source = Source {
        url: &server.url(),
        sha256: Some(&checksum(&bytes).to_uppercase()),
    };
    let fetched = download(&source, &home.target(), &options(), &mut |event| {
        last = Some(event)
    });
    let fetched = fetched.unwrap();
    assert_eq!(fetched.sha256, checksum(&bytes));
    assert_eq!((fetched.bytes, fetched.reused), (300_000, false));
    let end = Event::Progress {
        bytes: 300_000,
        total: Some(300_000),
    };
    assert_eq!(last, Some(end));
    assert_eq!(fs::read(home.target()).unwrap(), bytes);
    assert_eq!(home.files(), ["data.zip"]);
    let (again, _) = fetch(&server.url(), None, &home.target());
    assert!(again.unwrap().reused);
    assert_eq!(server.headers("host").len(), 1);
}

#[test]
fn a_broken_connection_goes_on_where_it_stopped() {
    let (home, bytes) = (Home::new(), body(200_000));
    let server = Server::new(
        &bytes,
        VERSION,
        &[Act::Cut(70_000), Act::HangUp, Act::Cut(50_000)],
    );
    let (result, events) = fetch(&server.url(), Some(&checksum(&bytes)), &home.target());
    assert_eq!(result.unwrap().bytes, 200_000);
    assert_eq!(fs::read(home.target()).unwrap(), bytes);
    assert_eq!(
        server.headers("range"),
        ["", "bytes=70000-", "bytes=70000-", "bytes=120000-"]
    );
    assert_eq!(server.headers("if-range")[1..], ["\"one\""; 3]);
    let resumed = [70_000, 120_000].map(|bytes| Event::Resumed { bytes });
    let seen: Vec<Event> = events
        .into_iter()
        .filter(|event| matches!(event, Event::Resumed { .. }))
        .collect();
    assert_eq!(seen, resumed);
    assert_eq!(home.files(), ["data.zip"]);
}

#[test]
fn what_an_earlier_process_left_is_gone_on_with() {
    let (home, bytes) = (Home::new(), body(100_000));
    let server = Server::new(
        &bytes,
        "Last-Modified: Mon, 04 Jun 2018 08:00:00 GMT",
        &[Act::Cut(40_000), Act::HangUp, Act::HangUp],
    );
    let (result, _) = fetch(&server.url(), None, &home.target());
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("hint: what has come so far is kept"),
        "{error}"
    );
    assert_eq!(
        home.files(),
        ["data.zip.partial", "data.zip.partial.version"]
    );
    let (result, events) = fetch(&server.url(), None, &home.target());
    assert_eq!(result.unwrap().sha256, checksum(&bytes));
    assert!(events.contains(&Event::Resumed { bytes: 40_000 }));
    assert_eq!(home.files(), ["data.zip"]);
}

#[test]
fn a_complete_partial_file_is_taken_as_it_is() {
    let (home, bytes) = (Home::new(), body(5_000));
    let server = Server::new(&bytes, VERSION, &[]);
    fs::create_dir_all(home.target().parent().unwrap()).unwrap();
    fs::write(home.target().with_file_name("data.zip.partial"), &bytes).unwrap();
    let note = format!("{}\n\"one\"", server.url());
    fs::write(
        home.target().with_file_name("data.zip.partial.version"),
        note,
    )
    .unwrap();
    let (result, _) = fetch(&server.url(), None, &home.target());
    assert_eq!(result.unwrap().sha256, checksum(&bytes));
    assert_eq!(server.headers("range"), ["bytes=5000-"]);
}

#[test]
fn a_file_that_changed_meanwhile_is_never_mixed() {
    let (home, new) = (
        Home::new(),
        body(90_000).into_iter().rev().collect::<Vec<u8>>(),
    );
    let cut = [Act::Cut(40_000), Act::HangUp, Act::HangUp];
    let server = Server::new(&body(100_000), VERSION, &cut);
    assert!(fetch(&server.url(), None, &home.target()).0.is_err());
    server.replace(&new, "ETag: \"two\"");
    let (result, events) = fetch(&server.url(), None, &home.target());
    assert_eq!(result.unwrap().sha256, checksum(&new));
    assert_eq!(events, []);
}

#[test]
fn a_server_without_versions_or_ranges_starts_over() {
    for (version, second) in [
        ("", Act::Serve),
        ("ETag: W/\"weak\"", Act::Serve),
        (VERSION, Act::IgnoreRange),
    ] {
        let (home, bytes) = (Home::new(), body(80_000));
        let server = Server::new(&bytes, version, &[Act::Cut(30_000), second]);
        let (result, _) = fetch(&server.url(), None, &home.target());
        assert_eq!(result.unwrap().sha256, checksum(&bytes), "{version}");
    }
}

#[test]
fn another_address_does_not_go_on_with_the_bytes_of_the_first() {
    let home = Home::new();
    let first = Server::new(
        &body(50_000),
        VERSION,
        &[Act::Cut(20_000), Act::HangUp, Act::HangUp],
    );
    assert!(fetch(&first.url(), None, &home.target()).0.is_err());
    let other = body(60_000);
    let second = Server::new(&other, VERSION, &[]);
    let (result, _) = fetch(&second.url(), None, &home.target());
    assert_eq!(result.unwrap().sha256, checksum(&other));
    assert_eq!(second.headers("range"), [""]);
}

#[test]
fn a_wrong_checksum_leaves_nothing_behind() {
    let home = Home::new();
    let server = Server::new(&body(1_000), VERSION, &[]);
    let expected = "ab".repeat(32);
    let (result, _) = fetch(&server.url(), Some(&expected), &home.target());
    match result.unwrap_err() {
        FetchError::Checksum {
            expected: stated,
            found,
            ..
        } => {
            assert_eq!((stated, found), (expected.clone(), checksum(&body(1_000))));
        }
        other => panic!("{other}"),
    }
    assert_eq!(home.files(), Vec::<String>::new());
    fs::write(home.target(), b"old").unwrap();
    assert!(
        fetch(&server.url(), Some(&expected), &home.target())
            .0
            .is_err()
    );
    assert_eq!(fs::read(home.target()).unwrap(), b"old");
}

#[test]
fn a_refusal_is_final_and_a_busy_server_is_asked_again() {
    let home = Home::new();
    for status in [403, 404, 410] {
        let server = Server::new(&body(10), VERSION, &[Act::Answer(status, "")]);
        match fetch(&server.url(), None, &home.target()).0.unwrap_err() {
            FetchError::Status { url, status: said } => {
                assert_eq!((url, said), (server.url(), status))
            }
            other => panic!("{other}"),
        }
        assert_eq!(server.headers("range").len(), 1);
    }
    let busy = [Act::Answer(503, ""), Act::Answer(429, "Retry-After: 7\r\n")];
    let server = Server::new(&body(10), VERSION, &busy);
    let (result, events) = fetch(&server.url(), None, &home.target());
    assert_eq!(result.unwrap().bytes, 10);
    let messages: Vec<String> = events
        .into_iter()
        .map(|event| match event {
            Event::Retry { message, .. } => message,
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        messages,
        ["the server answered 503", "the server answered 429"]
    );
}

#[test]
fn waits_double_and_heed_the_server_up_to_the_longest() {
    let home = Home::new();
    let busy = [503, 503, 503].map(|status| Act::Answer(status, ""));
    let asked = [Act::Answer(429, "Retry-After: 3600\r\n")];
    let server = Server::new(&body(10), VERSION, &[&busy[..], &asked[..]].concat());
    let patient = Options {
        attempts: 6,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(3),
        ..options()
    };
    let mut waits = Vec::new();
    let source = Source {
        url: &server.url(),
        sha256: None,
    };
    download(&source, &home.target(), &patient, &mut |event| {
        if let Event::Retry { wait, .. } = event {
            waits.push(wait.as_millis());
        }
    })
    .unwrap();
    assert_eq!(waits, [1, 2, 3, 3]);
}

#[test]
fn a_redirected_request_keeps_its_range() {
    let (home, bytes) = (Home::new(), body(60_000));
    let acts = [
        Act::Redirect("/elsewhere"),
        Act::Cut(10_000),
        Act::Redirect("/elsewhere"),
    ];
    let server = Server::new(&bytes, VERSION, &acts);
    let (result, _) = fetch(&server.url(), None, &home.target());
    assert_eq!(result.unwrap().sha256, checksum(&bytes));
    assert_eq!(
        server.headers("range"),
        ["", "", "bytes=10000-", "bytes=10000-"]
    );
}

#[test]
fn an_address_that_can_never_work_is_refused_at_once() {
    let home = Home::new();
    for url in ["nonsense", "ftp://127.0.0.1/data.zip"] {
        let (result, events) = fetch(url, None, &home.target());
        let error = result.unwrap_err();
        assert!(matches!(error, FetchError::Address { .. }), "{error}");
        assert_eq!(events, []);
    }
}
