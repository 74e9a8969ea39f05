//! Archives, whole, damaged and hostile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use safra_fetch::{FetchError, unpack};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn archive(path: &Path, files: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn files_are_unpacked_in_place_of_those_that_are_there() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data.zip");
    let rows = "a,b\n1,2\n".repeat(10_000);
    archive(
        &path,
        &[("orders.csv", rows.as_bytes()), ("deep/empty.csv", b"")],
    );
    let out = home.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("orders.csv"), "old").unwrap();
    let unpacked = unpack(&path, &out).unwrap();
    let seen: Vec<_> = unpacked
        .iter()
        .map(|file| (file.path.clone(), file.bytes))
        .collect();
    assert_eq!(
        seen,
        [
            (out.join("orders.csv"), 80_000),
            (out.join("deep/empty.csv"), 0)
        ]
    );
    assert_eq!(fs::read_to_string(out.join("orders.csv")).unwrap(), rows);
    assert_eq!(names(&out), ["deep", "orders.csv"]);
}

#[test]
fn a_damaged_archive_is_named_and_leaves_no_partial_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data.zip");
    archive(
        &path,
        &[("orders.csv", "0123456789".repeat(5_000).as_bytes())],
    );
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[45..60] {
        *byte ^= 0x55;
    }
    fs::write(&path, bytes).unwrap();
    let out = home.path().join("out");
    let error = unpack(&path, &out).unwrap_err();
    assert!(
        matches!(&error, FetchError::Archive { path: named, .. } if named.ends_with("data.zip")),
        "{error}"
    );
    assert_eq!(names(&out), Vec::<String>::new());
    fs::write(&path, "<html>please log in</html>").unwrap();
    assert!(matches!(
        unpack(&path, &out),
        Err(FetchError::Archive { .. })
    ));
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data.zip");
    archive(&path, &[("../outside.csv", b"x")]);
    let error = unpack(&path, &home.path().join("out")).unwrap_err();
    assert!(
        matches!(&error, FetchError::Outside { name, .. } if name == "../outside.csv"),
        "{error}"
    );
    assert_eq!(names(home.path()), ["data.zip"]);
}
