//! The rules that a typed row must keep: one row a key, and no reference to nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use rayon::prelude::*;
use safra_project::{ColumnType, KnownAt, Source};

use super::csv_file::Parsed;
use super::merge::arrow_error;
use super::partitions::Place;
use super::rejected::RejectedRow;
use super::row_index::{Repeated, RowIndex};
use super::row_values::{RowValues, text_at};
use super::typed::Typed;
use crate::LakeError;

/// The values loaded so far, to look references up in.
pub(super) struct KnownValues {
    /// For each table the columns that another table refers to.
    referenced: BTreeMap<String, BTreeSet<String>>,
    /// By table and column, as texts: a reference may be of another type than what it refers to.
    values: HashMap<(String, String), RowIndex>,
}

impl KnownValues {
    pub(super) fn new(sources: &[&Source]) -> Self {
        let mut referenced: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, table, on) in sources.iter().flat_map(|source| links(source)) {
            let columns = referenced.entry(table.to_owned()).or_default();
            columns.insert(on.to_owned());
        }
        Self {
            referenced,
            values: HashMap::new(),
        }
    }

    /// Keeps what other tables refer to. `keys` are the rows by key, where there is an index of them.
    pub(super) fn insert(
        &mut self,
        source: &Source,
        batches: &[RecordBatch],
        mut keys: Option<RowIndex>,
    ) {
        for name in self.referenced.get(&source.name).into_iter().flatten() {
            let columns = batches
                .iter()
                .filter_map(|batch| batch.column_by_name(name));
            let index = keys
                .take_if(|_| is_text_key(source, name))
                .unwrap_or_else(|| RowIndex::of(columns.map(RowValues::of_texts).collect()));
            self.values
                .insert((source.name.clone(), name.clone()), index);
        }
    }

    /// Whether an index of the rows by key serves to look references up.
    fn wants_keys(&self, source: &Source) -> bool {
        let referenced = self.referenced.get(&source.name);
        let mut referenced = referenced.into_iter().flatten();
        referenced.any(|name| is_text_key(source, name))
    }

    /// The values of a column; `None` where nothing of the table was loaded.
    fn of(&self, table: &str, column: &str) -> Option<&RowIndex> {
        self.values.get(&(table.to_owned(), column.to_owned()))
    }
}

/// Whether the rows by key are also the texts of this column.
fn is_text_key(source: &Source, name: &str) -> bool {
    let column = source.column(name);
    source.key == [name] && column.is_some_and(|column| column.kind == ColumnType::String)
}

/// Rows that keep the rules, and those that do not.
pub(super) struct Checked {
    pub batches: Vec<RecordBatch>,
    pub rejected: Vec<RejectedRow>,
    /// The rows that keep the rules, by their key, where that serves to look references up. Their places are not those in `batches`.
    pub keys: Option<RowIndex>,
    pub note: String,
}

/// The column at fault and the reason, by the place of the row.
type Faults = BTreeMap<Place, (String, String)>;

pub(super) fn check(
    source: &Source,
    parsed: Parsed,
    known: &KnownValues,
) -> Result<Checked, LakeError> {
    let mut faults = dangling(source, &parsed.blocks, known);
    let keys = find_duplicates(source, &parsed.blocks, &mut faults)?;
    let keys = keys.filter(|_| known.wants_keys(source));
    let mut rejected = parsed.rejected;
    rejected.extend(
        faults
            .iter()
            .map(|(&(block, row), (column, reason))| RejectedRow {
                line: parsed.blocks[block].lines[row],
                column: column.clone(),
                reason: reason.clone(),
                record: as_csv(&parsed.blocks[block].batch, row),
            }),
    );
    rejected.sort_by_key(|row| row.line);
    let blocks = parsed.blocks.into_iter().enumerate();
    let batches = blocks
        .map(|(block, typed)| without(&typed.batch, block, &faults))
        .collect::<Result<_, _>>()
        .map_err(|error| arrow_error(&source.name, error))?;
    Ok(Checked {
        batches,
        rejected,
        keys,
        note: parsed.note,
    })
}

/// The rows of a block that have no fault.
fn without(batch: &RecordBatch, block: usize, faults: &Faults) -> Result<RecordBatch, ArrowError> {
    if faults.range((block, 0)..(block + 1, 0)).next().is_none() {
        return Ok(batch.clone());
    }
    let rows = 0..batch.num_rows();
    let kept: BooleanArray = rows
        .map(|row| Some(!faults.contains_key(&(block, row))))
        .collect();
    filter_record_batch(batch, &kept)
}

/// Rows that refer to nowhere.
fn dangling(source: &Source, blocks: &[Typed], known: &KnownValues) -> Faults {
    let mut faults = Faults::new();
    for (column, table, on) in links(source) {
        let targets = known.of(table, on);
        let of_block = |typed: &Typed| match typed.batch.column_by_name(column) {
            Some(values) => pointing_nowhere(values, targets),
            None => Vec::new(),
        };
        let rows: Vec<Vec<(usize, String)>> = blocks.par_iter().map(of_block).collect();
        for (block, rows) in rows.into_iter().enumerate() {
            for (row, text) in rows {
                let reason = format!("no such row in {table}: {on} = {text}");
                faults
                    .entry((block, row))
                    .or_insert((column.to_owned(), reason));
            }
        }
    }
    faults
}

/// The rows of a column, and their values, that are not among the targets.
fn pointing_nowhere(values: &ArrayRef, targets: Option<&RowIndex>) -> Vec<(usize, String)> {
    let found = targets.map(|targets| targets.find(&RowValues::of_texts(values)));
    let is_there = |row: usize| found.as_ref().is_some_and(|found| found[row].is_some());
    (0..values.len())
        .filter(|&row| values.is_valid(row) && !is_there(row))
        .filter_map(|row| Some((row, text_at(values, row)?)))
        .collect()
}

/// (column, other table, its column), without repeats: a row without a parent could not be dated either.
fn links(source: &Source) -> Vec<(&str, &str, &str)> {
    let mut links = Vec::new();
    if let KnownAt::From { from, on } = &source.known_at {
        links.push((on.as_str(), from.as_str(), on.as_str()));
    }
    for reference in &source.references {
        let on = reference.on.as_ref().unwrap_or(&reference.column);
        let link = (
            reference.column.as_str(),
            reference.to.as_str(),
            on.as_str(),
        );
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

/// The first row of a key stays; a row that is rejected already does not count. Returns those that stay, by key.
fn find_duplicates(
    source: &Source,
    blocks: &[Typed],
    faults: &mut Faults,
) -> Result<Option<RowIndex>, LakeError> {
    if source.key.is_empty() {
        return Ok(None);
    }
    let keys = blocks
        .iter()
        .map(|typed| RowValues::of_key(source, &typed.batch))
        .collect::<Result<_, _>>()?;
    let (index, repeated) = RowIndex::of_wanted(keys, |block| {
        let faulty = faults.range((block, 0)..(block + 1, 0));
        let faulty: Vec<usize> = faulty.map(|((_, row), _)| *row).collect();
        move |row| faulty.binary_search(&row).is_err()
    });
    for Repeated { place, first } in repeated {
        let line = blocks[first.0].lines[first.1];
        let reason = format!("duplicate key, first on line {line}");
        faults.insert(place, (source.key.join(", "), reason));
    }
    Ok(Some(index))
}

fn as_csv(batch: &RecordBatch, row: usize) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fields = batch
        .columns()
        .iter()
        .map(|column| text_at(column, row).unwrap_or_default());
    let written = writer.write_record(fields).is_ok();
    match writer.into_inner() {
        Ok(bytes) if written => String::from_utf8_lossy(&bytes)
            .trim_end_matches('\n')
            .to_owned(),
        _ => String::new(),
    }
}
