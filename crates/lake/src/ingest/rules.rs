//! The rules that a typed row must keep: one row a key, and no reference to nowhere.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use hashbrown::{DefaultHashBuilder, HashTable};
use safra_project::{KnownAt, Source};

use super::csv_file::Parsed;
use super::keys::{KeyIndex, Place, RowKeys};
use super::merge::arrow_error;
use super::rejected::RejectedRow;
use super::typed::Typed;
use crate::LakeError;

/// The values loaded so far, to look references up in.
pub(super) struct KnownValues {
    /// For each table the columns that another table refers to.
    referenced: BTreeMap<String, BTreeSet<String>>,
    values: HashMap<(String, String), ValueIndex>,
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

    /// Keeps what other tables refer to.
    pub(super) fn insert(&mut self, table: &str, batches: &[RecordBatch]) {
        for name in self.referenced.get(table).into_iter().flatten() {
            let columns = batches
                .iter()
                .filter_map(|batch| batch.column_by_name(name));
            let index = ValueIndex::of(columns.cloned().collect());
            self.values.insert((table.to_owned(), name.clone()), index);
        }
    }

    /// The values of a column; `None` where nothing of the table was loaded.
    fn of(&self, table: &str, column: &str) -> Option<&ValueIndex> {
        self.values.get(&(table.to_owned(), column.to_owned()))
    }
}

/// The values of a column, found without a copy of them.
struct ValueIndex {
    columns: Vec<ArrayRef>,
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

impl ValueIndex {
    fn of(columns: Vec<ArrayRef>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut places: HashTable<Place> = HashTable::new();
        let at = |&(batch, row): &Place| value(&columns[batch], row);
        for (batch, column) in columns.iter().enumerate() {
            for row in 0..column.len() {
                let Some(text) = value(column, row) else {
                    continue;
                };
                let hash = hasher.hash_one(&*text);
                if places
                    .find(hash, |place| at(place).as_deref() == Some(&*text))
                    .is_none()
                {
                    let hash_of = |place: &Place| hasher.hash_one(&*at(place).unwrap_or_default());
                    places.insert_unique(hash, (batch, row), hash_of);
                }
            }
        }
        Self {
            columns,
            places,
            hasher,
        }
    }

    fn hold(&self, text: &str) -> bool {
        let same =
            |&(batch, row): &Place| value(&self.columns[batch], row).as_deref() == Some(text);
        self.places.find(self.hasher.hash_one(text), same).is_some()
    }
}

/// Rows that keep the rules, and those that do not.
pub(super) struct Checked {
    pub batches: Vec<RecordBatch>,
    pub rejected: Vec<RejectedRow>,
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
    find_duplicates(source, &parsed.blocks, &mut faults)?;
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
        let is_there = |text: &str| targets.is_some_and(|targets| targets.hold(text));
        for (block, typed) in blocks.iter().enumerate() {
            let Some(values) = typed.batch.column_by_name(column) else {
                continue;
            };
            for row in 0..values.len() {
                if let Some(text) = value(values, row).filter(|text| !is_there(text)) {
                    let reason = format!("no such row in {table}: {on} = {text}");
                    faults
                        .entry((block, row))
                        .or_insert((column.to_owned(), reason));
                }
            }
        }
    }
    faults
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

/// The first row of a key stays; a row that is rejected already does not count.
fn find_duplicates(
    source: &Source,
    blocks: &[Typed],
    faults: &mut Faults,
) -> Result<(), LakeError> {
    if source.key.is_empty() {
        return Ok(());
    }
    let mut index = KeyIndex::default();
    for (block, typed) in blocks.iter().enumerate() {
        let mut duplicates = Vec::new();
        index.insert_all(
            RowKeys::of_key(source, &typed.batch)?,
            |row| !faults.contains_key(&(block, row)),
            |row, earlier| duplicates.push((row, earlier)),
        );
        for (row, (earlier_block, earlier)) in duplicates {
            let line = blocks[earlier_block].lines[earlier];
            let reason = format!("duplicate key, first on line {line}");
            faults.insert((block, row), (source.key.join(", "), reason));
        }
    }
    Ok(())
}

fn value(column: &ArrayRef, row: usize) -> Option<Cow<'_, str>> {
    if column.is_null(row) {
        return None;
    }
    match column.as_string_opt::<i32>() {
        Some(texts) => Some(Cow::Borrowed(texts.value(row))),
        None => array_value_to_string(column, row).ok().map(Cow::Owned),
    }
}

fn as_csv(batch: &RecordBatch, row: usize) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fields = batch
        .columns()
        .iter()
        .map(|column| value(column, row).unwrap_or_default().into_owned());
    let written = writer.write_record(fields).is_ok();
    match writer.into_inner() {
        Ok(bytes) if written => String::from_utf8_lossy(&bytes)
            .trim_end_matches('\n')
            .to_owned(),
        _ => String::new(),
    }
}
