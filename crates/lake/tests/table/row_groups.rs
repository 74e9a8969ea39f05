//! Data files of more row groups than are encoded at once.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use parquet::file::reader::{FileReader, SerializedFileReader};
use rayon::ThreadPoolBuilder;
use safra_lake::Replace;

use super::common::block_on;
use super::{data_files, table};

/// Rows of a full group.
const GROUP: usize = 131_072;

/// Eleven groups, of which the last one has a single row.
const ROWS: usize = 10 * GROUP + 1;

/// Rows of a batch; most groups begin and end inside of one.
const BATCH: usize = 100_000;

fn batches() -> Vec<RecordBatch> {
    let batch = |start: usize| {
        let numbers = start..(start + BATCH).min(ROWS);
        let texts = numbers
            .clone()
            .map(|number| format!("{:x}", number * number));
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let numbers = numbers.map(|number| number as i64);
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        RecordBatch::try_from_iter([("number", numbers), ("text", texts)]).unwrap()
    };
    (0..ROWS).step_by(BATCH).map(batch).collect()
}

/// The bytes of the file, by so many threads.
fn written(folder: &Path, batches: &[RecordBatch], threads: usize) -> Vec<u8> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let table = table(&folder.join(threads.to_string()));
    let schema = batches[0].schema();
    let write = || block_on(table.write(schema, batches, &Replace::All, HashMap::new()));
    pool.unwrap().install(write).unwrap();
    let files = data_files(&table);
    assert_eq!(files.len(), 1);
    std::fs::read(files.first().unwrap()).unwrap()
}

#[test]
fn a_file_of_many_row_groups_is_the_same_by_any_number_of_threads() {
    let (folder, batches) = (tempfile::tempdir().unwrap(), batches());
    let alone = written(folder.path(), &batches, 1);
    for threads in [2, 7] {
        assert!(written(folder.path(), &batches, threads) == alone);
    }

    let table = table(&folder.path().join("7"));
    let file = File::open(data_files(&table).first().unwrap()).unwrap();
    let metadata = SerializedFileReader::new(file).unwrap().metadata().clone();
    let groups = metadata.row_groups().iter();
    let sizes: Vec<i64> = groups.map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [vec![GROUP as i64; 10], vec![1]].concat());

    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let read = snapshot.read(None).unwrap();
    let read = concat_batches(&batches[0].schema(), &read).unwrap();
    assert!(read == concat_batches(&batches[0].schema(), &batches).unwrap());
}
