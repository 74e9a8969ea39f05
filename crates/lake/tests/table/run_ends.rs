//! Run-end encoded columns are written as if each row had its value.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, RunArray, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use proptest::collection::vec;
use proptest::prelude::*;
use safra_lake::{Folder, Lake, Replace, Table};

use crate::common::{block_on, version};
use crate::{python, read_by_python};

const FLOATS: [f64; 8] = [f64::NAN, -0.0, 0.0, f64::INFINITY, -1.5, 1e-300, 0.1, 7.0];

/// One of each type, from a few small numbers. The last is of a type that has no dictionary.
fn columns(values: &[Option<i64>]) -> Vec<ArrayRef> {
    let values = || values.iter().copied();
    let texts = values().map(|value| value.map(|v| "ação".repeat(v as usize % 10)));
    let floats = values().map(|value| value.map(|v| FLOATS[v as usize % FLOATS.len()]));
    vec![
        Arc::new(Date32Array::from_iter(
            values().map(|v| v.map(|v| v as i32 - 20)),
        )),
        Arc::new(Int32Array::from_iter(
            values().map(|v| v.map(|v| v as i32 * 100_003)),
        )),
        Arc::new(Int64Array::from_iter(values())),
        Arc::new(Int64Array::from_iter(values().map(|v| v.map(|v| v << 40)))),
        Arc::new(TimestampMicrosecondArray::from_iter(
            values().map(|v| v.map(|v| (v - 5) * 86_400_000_123)),
        )),
        Arc::new(Float64Array::from_iter(floats)),
        Arc::new(StringArray::from_iter(texts)),
        Arc::new(BooleanArray::from_iter(
            values().map(|v| v.map(|v| v % 2 == 0)),
        )),
    ]
}

/// Rows of a table: runs of values, which of the columns are plain, and the rows that are kept.
#[derive(Debug)]
struct Part {
    runs: Vec<(Option<i64>, usize)>,
    plain: Vec<bool>,
    kept: (f64, f64),
}

impl Part {
    fn batch(&self) -> RecordBatch {
        let values: Vec<_> = self.runs.iter().map(|(value, _)| *value).collect();
        let ends: Int32Array = (self.runs.iter())
            .scan(0, |end, (_, length)| {
                *end += *length as i32;
                Some(*end)
            })
            .collect();
        let encoded = |values: &ArrayRef| -> ArrayRef {
            Arc::new(RunArray::<Int32Type>::try_new(&ends, values).unwrap())
        };
        let columns = columns(&values).into_iter().zip(&self.plain);
        let columns = columns.map(|(values, plain)| match plain {
            true => cast(&encoded(&values), values.data_type()).unwrap(),
            false => encoded(&values),
        });
        let batch = named(columns.collect());
        let kept = self.kept(batch.num_rows());
        batch.slice(kept.start, kept.len())
    }

    fn kept(&self, rows: usize) -> Range<usize> {
        let place = |share: f64| (rows as f64 * share) as usize;
        let (one, other) = (place(self.kept.0), place(self.kept.1));
        one.min(other)..one.max(other)
    }
}

fn named(columns: Vec<ArrayRef>) -> RecordBatch {
    let fields = columns.iter().enumerate();
    let fields = fields
        .map(|(i, values)| Field::new(format!("column_{i}"), values.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn plain(batch: &RecordBatch) -> RecordBatch {
    let columns = batch.columns().iter();
    let columns = columns.map(|column| match column.as_run_opt::<Int32Type>() {
        Some(runs) => cast(column, runs.values().data_type()).unwrap(),
        None => column.clone(),
    });
    named(columns.collect())
}

fn part() -> impl Strategy<Value = Part> {
    let value = prop_oneof![1 => Just(None), 4 => (0_i64..12).prop_map(Some)];
    let length = prop_oneof![4 => 1_usize..4, 4 => 1_usize..30, 1 => 1_usize..60_000];
    let whole = prop_oneof![Just((0.0, 1.0)), (0.0..1.0, 0.0..1.0)];
    let plain = vec(prop_oneof![3 => Just(false), 1 => Just(true)], 8);
    (vec((value, length), 1..40), plain, whole).prop_map(|(runs, plain, kept)| Part {
        runs,
        plain,
        kept,
    })
}

fn write(folder: &Path, batches: &[RecordBatch]) -> Table {
    let table = Lake::new(folder).table(Folder::Features, "sales");
    let schema = batches[0].schema();
    block_on(table.write(schema, batches, &Replace::All, HashMap::new())).unwrap();
    table
}

fn read(table: &Table) -> RecordBatch {
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let batches = snapshot.read_where(None, &[]).unwrap();
    concat_batches(&snapshot.schema(), &batches).unwrap()
}

/// What the log says of the values of the table's file; nothing without one.
fn stated(table: &Table) -> Option<serde_json::Value> {
    let version = version(table).unwrap();
    let commit = table.path().join(format!("_delta_log/{version:020}.json"));
    let log = std::fs::read_to_string(commit).unwrap();
    let actions = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let added: Option<serde_json::Value> = actions
        .map(|action: serde_json::Value| action["add"]["stats"].clone())
        .find(|stats| !stats.is_null());
    added.map(|stats| serde_json::from_str(stats.as_str().unwrap()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_and_statistics_are_those_of_plain_columns(parts in vec(part(), 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let encoded: Vec<_> = parts.iter().map(Part::batch).collect();
        let rows: Vec<_> = encoded.iter().map(plain).collect();
        let expected = concat_batches(&rows[0].schema(), &rows).unwrap();
        let ours = write(&folder.path().join("ours"), &encoded);
        let theirs = write(&folder.path().join("theirs"), &rows);
        prop_assert_eq!(read(&ours), expected);
        prop_assert_eq!(stated(&ours), stated(&theirs));
    }
}

#[test]
fn long_texts_are_whole_and_their_bounds_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(1_000);
    let values: ArrayRef = Arc::new(StringArray::from(vec![Some(long.as_str()), None, Some("")]));
    let ends = Int32Array::from(vec![2, 3, 10]);
    let runs: ArrayRef = Arc::new(RunArray::<Int32Type>::try_new(&ends, &values).unwrap());
    let table = write(folder.path(), &[named(vec![runs])]);
    let found = read(&table);
    assert_eq!(found.schema().field(0).data_type(), &DataType::Utf8);
    let found = found.column(0).as_string::<i32>().clone();
    assert_eq!((found.len(), found.null_count()), (10, 1));
    assert_eq!((found.value(1), found.value(9)), (long.as_str(), ""));
    let stated = stated(&table).unwrap();
    assert_eq!(stated["nullCount"]["column_0"], 1);
    assert!(stated["maxValues"].get("column_0").is_none());
}

#[test]
fn delta_lake_for_python_reads_runs() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let values: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![Some(7), None, Some(-1)])),
        Arc::new(Float64Array::from(vec![Some(0.5), None, Some(1e300)])),
        Arc::new(StringArray::from(vec![Some("ação"), None, Some("")])),
    ];
    let ends = Int32Array::from(vec![2, 3, 12]);
    let runs = values.iter().map(|values| -> ArrayRef {
        Arc::new(RunArray::<Int32Type>::try_new(&ends, values).unwrap())
    });
    let table = write(folder.path(), &[named(runs.collect())]);
    let header = "0\ncolumn_0 long\ncolumn_1 double\ncolumn_2 string\n";
    let rows = ["-1 1e+300 \n".repeat(9), "7 0.5 ação\n".repeat(2)].concat();
    assert_eq!(
        read_by_python(&python, &table),
        [header, &rows, "None None None\n"].concat()
    );
}
