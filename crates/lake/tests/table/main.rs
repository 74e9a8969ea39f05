//! One Delta table: what a write replaces, and what is left when writers are killed or meet.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod row_groups;
mod run_ends;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread::{scope, sleep};
use std::time::Duration;

use arrow::array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use proptest::prelude::*;
use safra_lake::{Folder, Lake, LakeError, Replace, Table, Values};
use serde_json::json;

use common::{block_on, rows, texts, version};

/// Names the lake to the killed program, which is this test run again.
const LAKE_VARIABLE: &str = "SAFRA_LAKE_KILLED_LAKE";

const MODELS: [&str; 3] = ["a", "b", "c"];

/// Day of the reference date, model, score.
type Row = (i32, &'static str, i64);

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("reference_date", DataType::Date32, true),
        Field::new("model", DataType::Utf8, true),
        Field::new("score", DataType::Int64, true),
    ]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let dates: Date32Array = rows.iter().map(|row| Some(row.0)).collect();
    let models: StringArray = rows.iter().map(|row| Some(row.1)).collect();
    let scores: Int64Array = rows.iter().map(|row| Some(row.2)).collect();
    let columns: [Arc<dyn arrow::array::Array>; 3] =
        [Arc::new(dates), Arc::new(models), Arc::new(scores)];
    RecordBatch::try_new(schema(), columns.into()).unwrap()
}

fn table(root: &Path) -> Table {
    Lake::new(root).table(Folder::Predictions, "churn")
}

fn write(table: &Table, rows: &[Row], replace: &Replace) -> Result<u64, LakeError> {
    block_on(table.write(schema(), &[batch(rows)], replace, HashMap::new()))
}

fn dates(days: impl IntoIterator<Item = i32>) -> (String, Values) {
    let days = days.into_iter().collect();
    ("reference_date".to_owned(), Values::Dates(days))
}

fn models(names: &[&str]) -> (String, Values) {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    ("model".to_owned(), Values::Texts(names))
}

fn show(rows: &[Row]) -> Vec<String> {
    texts(&[batch(rows)])
}

/// Number of data files of the latest version, by its log.
fn referenced(table: &Table) -> usize {
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let mut live: BTreeSet<String> = BTreeSet::new();
    for version in 0..=snapshot.version() {
        let commit = table.path().join(format!("_delta_log/{version:020}.json"));
        for line in std::fs::read_to_string(commit).unwrap().lines() {
            let action: serde_json::Value = serde_json::from_str(line).unwrap();
            let path = |action: &serde_json::Value| action["path"].as_str().map(str::to_owned);
            live.extend(path(&action["add"]));
            if let Some(gone) = path(&action["remove"]) {
                live.remove(&gone);
            }
        }
    }
    live.len()
}

fn data_files(table: &Table) -> BTreeSet<PathBuf> {
    std::fs::read_dir(table.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "parquet"))
        .collect()
}

#[test]
fn a_table_that_is_not_there_is_none_or_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    assert_eq!(version(&table), None);
    let error = block_on(table.require("`safra predict churn` makes it")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "predictions/churn: no such table in the lake at {}\nhint: `safra predict churn` makes it",
            folder.path().display()
        )
    );
    let lake = Lake::new(folder.path());
    assert!(lake.table_names(Folder::Predictions).unwrap().is_empty());
}

#[test]
fn every_write_is_one_version_and_rows_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    let first = [(1, "a", 3), (1, "a", 1), (1, "a", 2)];
    let second = [(3, "a", 9), (2, "b", 8)];
    assert_eq!(write(&table, &first, &Replace::All).unwrap(), 0);
    assert_eq!(
        write(&table, &second, &Replace::Where(vec![dates([2, 3])])).unwrap(),
        1
    );
    assert_eq!(rows(&table), [show(&first), show(&second)].concat());
    assert_eq!(write(&table, &second, &Replace::All).unwrap(), 2);
    assert_eq!(rows(&table), show(&second));
    assert_eq!(write(&table, &[], &Replace::All).unwrap(), 3);
    assert_eq!(rows(&table), Vec::<String>::new());
    let names = Lake::new(folder.path()).table_names(Folder::Predictions);
    assert_eq!(names.unwrap(), ["churn"]);
}

#[test]
fn rows_come_in_several_batches_and_files_as_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    let many: Vec<Row> = (0..300_000)
        .map(|i| (i / 1_000, "a", i64::from(i)))
        .collect();
    let parts: Vec<RecordBatch> = many.chunks(70_000).map(batch).collect();
    block_on(table.write(schema(), &parts, &Replace::All, HashMap::new())).unwrap();
    write(
        &table,
        &[(7, "b", -7)],
        &Replace::Where(vec![dates([7, 299])]),
    )
    .unwrap();
    let mut expected = many;
    expected.retain(|row| ![7, 299].contains(&row.0));
    expected.push((7, "b", -7));
    assert_eq!(rows(&table), show(&expected));
}

#[test]
fn files_without_a_replaced_row_are_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    let large: Vec<Row> = (0..100_000)
        .map(|i| (i / 50_000, "a", i64::from(i)))
        .collect();
    write(&table, &large, &Replace::All).unwrap();
    let first = data_files(&table);
    let later = Replace::Where(vec![dates([2])]);
    write(&table, &[(2, "a", 2)], &later).unwrap();
    assert_eq!(referenced(&table), 2);
    assert!(data_files(&table).is_superset(&first));
    write(&table, &[(3, "a", 3)], &Replace::Where(vec![dates([3])])).unwrap();
    assert_eq!(referenced(&table), 2, "small files are put together");
    assert_eq!(
        rows(&table),
        show(&[large, vec![(2, "a", 2), (3, "a", 3)]].concat())
    );
}

/// Events are replaced by the days of their times.
#[test]
fn files_without_an_event_of_a_replaced_day_are_not_written_again() {
    const DAY: i64 = 86_400_000_000;
    let folder = tempfile::tempdir().unwrap();
    let table = Lake::new(folder.path()).table(Folder::Features, "order");
    let events = |times: &[i64]| {
        let times = TimestampMicrosecondArray::from(times.to_vec());
        RecordBatch::try_from_iter([("reference_time", Arc::new(times) as ArrayRef)]).unwrap()
    };
    let put = |batch: RecordBatch, replace: &Replace| {
        let schema = batch.schema();
        block_on(table.write(schema, &[batch], replace, HashMap::new())).unwrap();
    };
    let on = |day| {
        let days = BTreeSet::from([day]);
        vec![("reference_time".to_owned(), Values::Dates(days))]
    };
    // One day before 1970, and the last microsecond of a day.
    let earlier: Vec<i64> = (0..100_000)
        .map(|i| -DAY + i)
        .chain([2 * DAY - 1])
        .collect();
    put(events(&earlier), &Replace::All);
    let first = data_files(&table);
    let log = table.path().join("_delta_log/00000000000000000000.json");
    let log = std::fs::read_to_string(log).unwrap();
    let bounds = "\\\"reference_time\\\":\\\"1969-12-31T00:00:00.000\\\"";
    assert!(log.contains(bounds), "{log}");
    assert!(log.contains("1970-01-03T00:00:00.000"), "{log}");
    put(events(&[3 * DAY, 4 * DAY - 1]), &Replace::Where(on(3)));
    assert_eq!(referenced(&table), 2);
    assert!(data_files(&table).is_superset(&first));
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let count = |day| -> usize {
        let found = snapshot.read_where(None, &on(day)).unwrap();
        found.iter().map(RecordBatch::num_rows).sum()
    };
    assert_eq!([-1, 0, 1, 3].map(count), [100_000, 0, 1, 2]);
}

#[test]
fn a_write_replaces_the_rows_that_meet_all_conditions() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    let held = [(1, "a", 1), (1, "b", 2), (2, "a", 3), (2, "b", 4)];
    write(&table, &held, &Replace::All).unwrap();
    let replace = Replace::Where(vec![dates([1, 7]), models(&["b", "z"])]);
    write(&table, &[(1, "b", 20), (1, "b", 21)], &replace).unwrap();
    let mut found = rows(&table);
    found.sort();
    let expected = [
        (1, "a", 1),
        (1, "b", 20),
        (1, "b", 21),
        (2, "a", 3),
        (2, "b", 4),
    ];
    assert_eq!(found, show(&expected));
    write(&table, &[], &Replace::Where(vec![models(&["b"])])).unwrap();
    assert_eq!(rows(&table), show(&[(1, "a", 1), (2, "a", 3)]));
}

#[test]
fn a_condition_must_fit_its_column() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    write(&table, &[(1, "a", 1)], &Replace::All).unwrap();
    let wrong = [
        (
            ("nowhere".to_owned(), Values::Dates(BTreeSet::new())),
            "no column nowhere",
        ),
        (
            ("model".to_owned(), Values::Dates(BTreeSet::from([1]))),
            "no column model of the type of its condition",
        ),
        (
            ("score".to_owned(), Values::Texts(BTreeSet::new())),
            "no column score of the type of its condition",
        ),
    ];
    for (condition, message) in wrong {
        let error = write(&table, &[(2, "b", 2)], &Replace::Where(vec![condition])).unwrap_err();
        assert_eq!(error.to_string(), format!("predictions/churn: {message}"));
    }
    assert_eq!(
        (version(&table), rows(&table)),
        (Some(0), show(&[(1, "a", 1)]))
    );
}

#[test]
fn reading_returns_the_columns_and_rows_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    write(
        &table,
        &[(1, "a", 1), (2, "b", 2), (3, "a", 3)],
        &Replace::All,
    )
    .unwrap();
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let read = |columns: Option<&[&str]>, conditions: &[(String, Values)]| {
        snapshot
            .read_where(columns, conditions)
            .map(|batches| texts(&batches))
    };
    assert_eq!(
        read(Some(&["score", "model"]), &[]).unwrap(),
        ["1|a", "2|b", "3|a"]
    );
    assert_eq!(
        read(Some(&["score"]), &[models(&["a"]), dates([3, 4])]).unwrap(),
        ["3"]
    );
    assert_eq!(read(None, &[dates([2])]).unwrap(), ["1970-01-03|b|2"]);
    assert!(read(None, &[dates([])]).unwrap().is_empty());
    let error = read(Some(&["score", "scores"]), &[]).unwrap_err();
    assert_eq!(error.to_string(), "predictions/churn: no column scores");
}

#[test]
fn other_columns_replace_the_table_whatever_was_to_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    write(&table, &[(1, "a", 1)], &Replace::All).unwrap();
    let narrow = Arc::new(Schema::new(vec![Field::new("score", DataType::Utf8, true)]));
    let column = Arc::new(StringArray::from(vec!["high"]));
    let new = RecordBatch::try_new(narrow.clone(), vec![column]).unwrap();
    let replace = Replace::Where(vec![dates([9])]);
    let written = block_on(table.write(narrow.clone(), &[new], &replace, HashMap::new()));
    assert_eq!(written.unwrap(), 1);
    assert_eq!(rows(&table), ["high"]);
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    assert_eq!(snapshot.schema().fields(), narrow.fields());
    assert_eq!(write(&table, &[(2, "b", 2)], &Replace::All).unwrap(), 2);
    assert_eq!(rows(&table), show(&[(2, "b", 2)]));
}

#[test]
fn the_metadata_of_the_latest_commit_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    for number in 0..3 {
        let metadata = HashMap::from([("safra.dates".to_owned(), json!([number, "x"]))]);
        let rows = [batch(&[(number, "a", 1)])];
        block_on(table.write(schema(), &rows, &Replace::All, metadata)).unwrap();
        let snapshot = block_on(table.snapshot()).unwrap().unwrap();
        let held = block_on(snapshot.metadata()).unwrap();
        assert_eq!(held["safra.dates"], json!([number, "x"]));
    }
}

#[test]
fn what_a_killed_writer_left_behind_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    write(&table, &[(1, "a", 1)], &Replace::All).unwrap();
    let held = data_files(&table).pop_first().unwrap();
    std::fs::copy(&held, table.path().join("part-00001-left-behind.parquet")).unwrap();
    std::fs::write(table.path().join("part-00002-cut-short.parquet"), b"PAR1").unwrap();
    let commit = table.path().join("_delta_log/00000000000000000001.json#1");
    std::fs::write(commit, b"{\"add\":").unwrap();
    assert_eq!(
        (version(&table), rows(&table)),
        (Some(0), show(&[(1, "a", 1)]))
    );
    assert_eq!(
        write(&table, &[(2, "a", 2)], &Replace::Where(vec![dates([2])])).unwrap(),
        1
    );
    assert_eq!(rows(&table), show(&[(1, "a", 1), (2, "a", 2)]));
}

#[test]
fn a_log_without_a_commit_is_no_table_yet() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    std::fs::create_dir_all(table.path().join("_delta_log")).unwrap();
    assert_eq!(version(&table), None);
    assert_eq!(write(&table, &[(1, "a", 1)], &Replace::All).unwrap(), 0);
    assert_eq!(rows(&table), show(&[(1, "a", 1)]));
}

/// The rows of one date as a writer that dies or races writes them: they tell whose they are.
fn signed(writer: i64) -> Vec<Row> {
    (0..50).map(|_| (5, "a", writer)).collect()
}

/// The writer whose rows a table holds; they must be all of one writer's, once.
fn signature(table: &Table) -> i64 {
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let scores = texts(
        &snapshot
            .read_where(Some(&["score"]), &[dates([5])])
            .unwrap(),
    );
    assert_eq!(scores.len(), 50, "{scores:?}");
    assert!(scores.iter().all(|score| *score == scores[0]), "{scores:?}");
    scores[0].parse().unwrap()
}

/// Not a test of its own: the program that [`a_killed_writer_leaves_a_whole_table`] kills.
#[test]
fn writes_until_it_is_killed() {
    let Ok(root) = std::env::var(LAKE_VARIABLE) else {
        return;
    };
    let table = table(Path::new(&root));
    // Far more than it lives to write, but it must end if nobody is left to kill it.
    for writer in 0..3_000 {
        write(&table, &signed(writer), &Replace::Where(vec![dates([5])])).unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    write(&table, &[(1, "a", 1)], &Replace::All).unwrap();
    write(&table, &signed(-1), &Replace::Where(vec![dates([5])])).unwrap();
    for round in 0..12 {
        let before = version(&table);
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed"])
            .env(LAKE_VARIABLE, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while version(&table) == before {
            let ended = writer.try_wait().unwrap();
            assert!(ended.is_none(), "the writer ended by itself");
            sleep(Duration::from_millis(1));
        }
        // Spread over the time of one write, to die at another point each time.
        sleep(Duration::from_micros(613 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        signature(&table);
        write(&table, &signed(-1), &Replace::Where(vec![dates([5])])).unwrap();
        assert_eq!(signature(&table), -1);
        assert_eq!(rows(&table).len(), 51);
    }
}

/// Lets several writers write at the same time, and returns those that did.
fn race(table: &Table, replace: &Replace) -> BTreeSet<i64> {
    const WRITERS: i64 = 4;
    let start = Barrier::new(WRITERS as usize);
    let one = |writer: i64| {
        start.wait();
        match write(table, &signed(writer), replace) {
            Ok(_) => Some(writer),
            Err(LakeError::Conflict { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    };
    scope(|threads| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| threads.spawn(move || one(writer)))
            .collect();
        writers
            .into_iter()
            .filter_map(|writer| writer.join().unwrap())
            .collect()
    })
}

#[test]
fn writers_that_create_a_table_at_once_do_not_mix() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        let done = race(&table, &Replace::All);
        assert!(done.contains(&signature(&table)), "{done:?}");
    }
}

#[test]
fn writers_that_meet_in_an_empty_table_do_not_mix() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        write(&table, &[], &Replace::All).unwrap();
        let done = race(&table, &Replace::All);
        assert!(done.contains(&signature(&table)), "{done:?}");
    }
}

#[test]
fn writers_that_meet_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    let large: Vec<Row> = (0..70_000).map(|i| (1, "a", i)).collect();
    write(&table, &large, &Replace::All).unwrap();
    let date = Replace::Where(vec![dates([5])]);
    for round in 0..10 {
        // Every other round no file of the table is touched, so that nothing but the version tells of the others.
        if round % 2 == 0 {
            write(&table, &[], &date).unwrap();
        }
        let done = race(&table, &date);
        assert!(
            done.contains(&signature(&table)),
            "{done:?} in round {round}"
        );
        let snapshot = block_on(table.snapshot()).unwrap().unwrap();
        assert_eq!(snapshot.row_count().unwrap(), 70_050);
    }
}

#[test]
fn a_write_over_an_older_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    let write_over = |held: Option<&safra_lake::Snapshot>, row: Row| {
        block_on(table.write_over(
            held,
            schema(),
            &[batch(&[row])],
            &Replace::All,
            HashMap::new(),
        ))
    };
    assert_eq!(write_over(None, (1, "a", 1)).unwrap(), 0);
    let seen = block_on(table.snapshot()).unwrap();
    assert_eq!(write_over(seen.as_ref(), (2, "a", 2)).unwrap(), 1);
    for stale in [None, seen.as_ref()] {
        let error = write_over(stale, (3, "a", 3)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "predictions/churn: another process has changed the table meanwhile; nothing was written\nhint: run the command again"
        );
    }
    assert_eq!(
        (version(&table), rows(&table)),
        (Some(1), show(&[(2, "a", 2)]))
    );
}

#[test]
fn delta_lake_for_python_reads_the_table() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path());
    write(&table, &[(1, "a", 1), (2, "b", 2)], &Replace::All).unwrap();
    write(&table, &[(2, "ç", -7)], &Replace::Where(vec![dates([2])])).unwrap();
    assert_eq!(
        read_by_python(&python, &table),
        "1\nreference_date date\nmodel string\nscore long\n1970-01-02 a 1\n1970-01-03 ç -7\n"
    );
}

/// A Python with the Delta Lake package; without one it says aloud that the test is skipped.
fn python() -> Option<String> {
    let python = std::env::var("SAFRA_MLFLOW_PYTHON").ok();
    if python.is_none() {
        eprintln!("SKIPPED: SAFRA_MLFLOW_PYTHON names no Python with deltalake");
    }
    python
}

/// Version, columns and sorted rows of a table, as the Delta Lake package of a Python finds them.
fn read_by_python(python: &str, table: &Table) -> String {
    // Without the shutdown of the interpreter, in which threads of its packages have been seen to abort it.
    let script = "import os, sys, deltalake\n\
        table = deltalake.DeltaTable(sys.argv[1])\n\
        rows = table.to_pyarrow_table().to_pylist()\n\
        print(table.version())\n\
        for field in table.schema().fields: print(field.name, field.type.type)\n\
        for row in sorted(rows, key=str): print(*row.values())\n\
        sys.stdout.flush()\n\
        os._exit(0)\n";
    let output = Command::new(python)
        .args(["-c", script])
        .arg(table.path())
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What a write replaces: all, some dates, some models, or some dates of some models.
fn replacement() -> impl Strategy<Value = (Option<BTreeSet<i32>>, Option<BTreeSet<usize>>)> {
    let days = prop::collection::btree_set(0..6_i32, 0..4);
    let names = prop::collection::btree_set(0..MODELS.len(), 1..3);
    (prop::option::of(days), prop::option::of(names))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn replacing_is_what_a_list_would_do(
        writes in prop::collection::vec(
            (prop::collection::vec((0..6_i32, 0..3_usize, any::<i64>()), 0..12), replacement()),
            1..5,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path());
        let mut expected: Vec<Row> = Vec::new();
        for (number, (new, (days, names))) in writes.iter().enumerate() {
            let new: Vec<Row> = new.iter().map(|(day, model, score)| (*day, MODELS[*model], *score)).collect();
            let mut conditions = Vec::new();
            conditions.extend(days.iter().map(|days| dates(days.iter().copied())));
            let wanted = |names: &BTreeSet<usize>| names.iter().map(|name| MODELS[*name]).collect::<Vec<_>>();
            conditions.extend(names.iter().map(|names| models(&wanted(names))));
            let replace = if conditions.is_empty() { Replace::All } else { Replace::Where(conditions) };
            prop_assert_eq!(write(&table, &new, &replace).unwrap(), number as u64);
            expected.retain(|row| {
                let kept_by_day = days.as_ref().is_some_and(|days| !days.contains(&row.0));
                let kept_by_name = names.as_ref().is_some_and(|names| !wanted(names).contains(&row.1));
                kept_by_day || kept_by_name
            });
            expected.extend(new);
            let mut found = rows(&table);
            let mut wanted = show(&expected);
            found.sort();
            wanted.sort();
            prop_assert_eq!(found, wanted);
        }
    }
}
