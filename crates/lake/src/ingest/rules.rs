//! The rules that a typed row must keep: one row a key, and no reference to nowhere.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::util::display::array_value_to_string;
use safra_project::{KnownAt, Source};

use super::csv_file::Parsed;
use super::merge::RowKeys;
use super::rejected::RejectedRow;
use crate::LakeError;

/// The values loaded so far, to look references up in.
pub(super) struct KnownValues {
    /// For each table the columns that another table refers to.
    referenced: BTreeMap<String, BTreeSet<String>>,
    columns: HashMap<(String, String), ArrayRef>,
    values: HashMap<(String, String), HashSet<String>>,
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
            columns: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// Keeps what other tables refer to.
    pub(super) fn insert(&mut self, table: &str, batch: &RecordBatch) {
        for name in self.referenced.get(table).into_iter().flatten() {
            if let Some(column) = batch.column_by_name(name) {
                let place = (table.to_owned(), name.clone());
                self.columns.insert(place, column.clone());
            }
        }
    }

    fn column(&mut self, table: &str, column: &str) -> &HashSet<String> {
        let place = (table.to_owned(), column.to_owned());
        let columns = &self.columns;
        self.values
            .entry(place.clone())
            .or_insert_with(|| match columns.get(&place) {
                Some(values) => (0..values.len())
                    .filter_map(|row| Some(value(values, row)?.into_owned()))
                    .collect(),
                None => HashSet::new(),
            })
    }
}

/// Rows that keep the rules, and those that do not.
pub(super) struct Checked {
    pub batch: RecordBatch,
    pub rejected: Vec<RejectedRow>,
    pub note: String,
}

pub(super) fn check(
    source: &Source,
    parsed: Parsed,
    known: &mut KnownValues,
) -> Result<Checked, LakeError> {
    let mut faults: BTreeMap<usize, (String, String)> = BTreeMap::new();
    for (column, table, on) in links(source) {
        let Some(values) = parsed.batch.column_by_name(column) else {
            continue;
        };
        let targets = known.column(table, on);
        for row in 0..values.len() {
            if let Some(text) = value(values, row).filter(|text| !targets.contains(&**text)) {
                let reason = format!("no such row in {table}: {on} = {text}");
                faults.entry(row).or_insert((column.to_owned(), reason));
            }
        }
    }
    find_duplicates(source, &parsed, &mut faults)?;
    let batch = match faults.is_empty() {
        true => parsed.batch.clone(),
        false => {
            let rows = 0..parsed.batch.num_rows();
            let kept: BooleanArray = rows.map(|row| Some(!faults.contains_key(&row))).collect();
            filter_record_batch(&parsed.batch, &kept).map_err(|error| LakeError::Arrow {
                table: source.name.clone(),
                source: error,
            })?
        }
    };
    let mut rejected = parsed.rejected;
    rejected.extend(
        faults
            .into_iter()
            .map(|(row, (column, reason))| RejectedRow {
                line: parsed.lines[row],
                column,
                reason,
                record: as_csv(&parsed.batch, row),
            }),
    );
    rejected.sort_by_key(|row| row.line);
    Ok(Checked {
        batch,
        rejected,
        note: parsed.note,
    })
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
    parsed: &Parsed,
    faults: &mut BTreeMap<usize, (String, String)>,
) -> Result<(), LakeError> {
    if source.key.is_empty() {
        return Ok(());
    }
    let keys = RowKeys::of_key(source, &parsed.batch)?;
    let mut first: HashMap<&[u8], usize> = HashMap::with_capacity(parsed.batch.num_rows());
    for row in 0..parsed.batch.num_rows() {
        if faults.contains_key(&row) {
            continue;
        }
        if let Some(earlier) = first.insert(keys.bytes(row), row) {
            first.insert(keys.bytes(row), earlier);
            let reason = format!("duplicate key, first on line {}", parsed.lines[earlier]);
            faults.insert(row, (source.key.join(", "), reason));
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
