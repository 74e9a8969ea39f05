//! What the tests of this crate share.

use std::future::Future;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use safra_lake::Table;

/// Runs a future to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// The latest version of a table; `None` when it does not exist.
pub fn version(table: &Table) -> Option<u64> {
    block_on(table.snapshot())
        .unwrap()
        .map(|snapshot| snapshot.version())
}

/// The rows of a table in their order, the values of a row joined by `|`, NULL as `-`.
pub fn rows(table: &Table) -> Vec<String> {
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let rows = texts(&snapshot.read(None).unwrap());
    assert_eq!(snapshot.row_count().unwrap(), rows.len());
    rows
}

/// Rows as text, see [`rows`].
pub fn texts(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let mut texts = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            texts.push(cells.join("|"));
        }
    }
    texts
}
