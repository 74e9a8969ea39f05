//! `safra fetch` from a local server.

use std::fs;
use std::io::{Cursor, Write};

use serde_json::Value;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::server::{Act, Server};
use crate::support::{Home, Ran, interrupt, wait_until};

const VERSION: &str = "ETag: \"one\"";

/// A zip archive of a CSV file that hardly shrinks.
fn archive() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file("orders.csv", stored).unwrap();
    writer.write_all(csv().as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

fn csv() -> String {
    (0..40_000)
        .map(|row| format!("{row},{}\n", row * 7919 % 40_009))
        .collect()
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_downloads_of_a_project_are_fetched_checked_and_unpacked() {
    let home = Home::new();
    let bytes = archive();
    let server = Server::new(&bytes, VERSION, &[Act::Cut(100_000)]);
    home.ok(&["init", "project"]);
    let settings = format!(
        "name = \"olist\"\nfirst_date = \"2017-01-01\"\n[[downloads]]\nname = \"data.zip\"\nurl = \"{}\"\nsha256 = \"{}\"\npage = \"https://example.org/page\"\nlicence = \"CC BY-NC-SA 4.0\"\n",
        server.url(),
        checksum(&bytes)
    );
    fs::write(home.path("project/safra.toml"), settings).unwrap();
    let ran = home.safra(&["--project", "project", "fetch", "--out", "raw"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("raw/orders.csv"), "{}", ran.stdout);
    assert!(
        ran.stderr
            .contains("data.zip: going on after 100,000 bytes\n"),
        "{}",
        ran.stderr
    );
    let licence = "data.zip: licence: CC BY-NC-SA 4.0 (https://example.org/page)\n";
    assert!(ran.stderr.contains(licence), "{}", ran.stderr);
    assert!(!ran.stderr.contains("state that sha256"), "{}", ran.stderr);
    assert_eq!(home.files("raw"), ["data.zip", "orders.csv"]);
    assert_eq!(
        fs::read_to_string(home.path("raw/orders.csv")).unwrap(),
        csv()
    );

    let again = home.ok(&["--project", "project", "fetch", "--out", "raw", "--json"]);
    let document: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(document[0]["reused"], true);
    assert_eq!(document[0]["files"][0]["file"], "raw/orders.csv");
    assert_eq!(server.headers("range").len(), 2);
}

#[test]
fn without_a_checksum_the_one_seen_is_said() {
    let home = Home::new();
    let bytes = archive();
    let server = Server::new(&bytes, VERSION, &[]);
    let ran = home.safra(&["fetch", "--url", &server.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = format!("sha256 {}\nhint: state that sha256", checksum(&bytes));
    assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    assert_eq!(home.files("data"), ["data.zip", "orders.csv"]);
}

#[test]
fn what_cannot_be_fetched_says_why_and_leaves_nothing() {
    let home = Home::new();
    let server = Server::new(b"<html>", VERSION, &[Act::Answer(404, "")]);
    let url = server.url();
    let ran = home.safra(&["fetch", "--url", &url]);
    assert_eq!(
        (ran.code, ran.stderr),
        (Some(3), format!("error: {url}: the server answered 404\n"))
    );
    let ran = home.safra(&["fetch", "--url", &url, "--sha256", &"0".repeat(64)]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("expected 000"), "{}", ran.stderr);
    assert_eq!(home.files("data"), Vec::<String>::new());
    let ran = home.safra(&["fetch", "--url", &url, "--sha256", "12"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(
        ran.stderr,
        "error: data.zip: sha256: not 64 hexadecimal digits: 12\n"
    );
    let ran = home.safra(&["fetch", "--url", &url]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("data/data.zip: not a readable zip archive"),
        "{}",
        ran.stderr
    );
    assert_eq!(home.files("data"), ["data.zip"]);
}

#[test]
fn a_killed_or_interrupted_download_goes_on() {
    let home = Home::new();
    let bytes = archive();
    let server = Server::new(&bytes, VERSION, &[Act::Stall(100_000), Act::Stall(80_000)]);
    let url = server.url();
    let arguments = ["fetch", "--url", url.as_str()];
    let held = |least: u64| {
        let partial = fs::metadata(home.path("data/data.zip.partial"));
        partial.is_ok_and(|file| file.len() >= least)
    };

    let mut killed = home.start(&arguments);
    wait_until(&mut killed, || held(100_000));
    killed.kill().unwrap();
    killed.wait().unwrap();

    let mut interrupted = home.start(&arguments);
    wait_until(&mut interrupted, || held(180_000));
    interrupt(&interrupted);
    let ran = Ran::of(interrupted.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let said = "interrupted\nhint: the same command goes on with what is there\n";
    assert!(ran.stderr.ends_with(said), "{}", ran.stderr);

    home.ok(&arguments);
    assert_eq!(fs::read(home.path("data/data.zip")).unwrap(), bytes);
    assert_eq!(
        fs::read_to_string(home.path("data/orders.csv")).unwrap(),
        csv()
    );
    assert_eq!(
        server.headers("range"),
        ["", "bytes=100000-", "bytes=180000-"]
    );
    assert_eq!(home.files("data"), ["data.zip", "orders.csv"]);
}
