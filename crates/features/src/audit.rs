//! The audit: features of past dates, computed again from sources cut at each date, against the store.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{concat_batches, take};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use safra_history::History;
use safra_lake::Lake;
use safra_project::{Project, View};
use serde::Serialize;

use crate::{
    CompiledView, FeatureError, REFERENCE_DATE, REFERENCE_TIME, compute, read, stored_dates,
};

/// Dates audited when none are named.
const DATES: usize = 5;

/// What an audit found in one view.
#[derive(Debug, Clone, Serialize)]
pub struct ViewAudit {
    /// The view.
    pub view: String,
    /// The dates that were computed again.
    pub dates: Vec<NaiveDate>,
    /// Cells compared, bit by bit.
    pub cells: usize,
    /// Features that differ, in the order of the view; empty when nothing leaks.
    pub leaks: Vec<Leak>,
}

/// A feature whose stored values differ from what was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The feature; `row` when a whole row is in one of the two only.
    pub column: String,
    /// Cells that differ.
    pub cells: usize,
    /// The first of them: its date.
    pub date: NaiveDate,
    /// The first of them: its entity, the values of several columns joined by `/`.
    pub entity: String,
    /// The first of them: the value in the store.
    pub stored: String,
    /// The first of them: the value from what was known.
    pub known: String,
}

/// Computes features again from sources cut at each date, and compares them with the store bit by bit. Without
/// `dates` it takes a few, evenly spaced over those in the store.
///
/// Of a view about events, the events of the day before each date are computed again, from sources cut at the date in which
/// nothing is known before its own times have come ([`History::by_own_times`]), so that no event can look at what
/// happened later on its day.
///
/// # Errors
/// [`FeatureError`] when the store lacks a view or date, or the features cannot be computed.
pub async fn audit(
    lake: &Lake,
    project: &Project,
    views: &[&View],
    dates: &[NaiveDate],
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Vec<ViewAudit>, FeatureError> {
    let mut audits = Vec::new();
    for view in views {
        let compiled = CompiledView::new(project, view).await?;
        let history = History::load(lake, project, &compiled.sources()).await?;
        let dates = match dates.is_empty() {
            true => audited(view, &stored_dates(lake, &view.name).await?),
            false => dates.to_vec(),
        };
        let mut found = Differences::default();
        for &date in &dates {
            let mut cut = history.cut(project, date).await?;
            let mut wanted = date;
            if view.is_about_events() {
                cut = cut.by_own_times(project).await?;
                wanted = date.pred_opt().unwrap_or(date);
            }
            let known = compute(&compiled, &cut, &[wanted]).await?;
            let stored = read(lake, &view.name, &[wanted]).await?;
            found
                .compare(&compiled, date, &stored, &known)
                .map_err(|error| FeatureError::datafusion(&view.file, error))?;
        }
        progress(&view.name);
        audits.push(ViewAudit {
            view: view.name.clone(),
            dates,
            cells: found.cells,
            leaks: found.leaks(&compiled),
        });
    }
    Ok(audits)
}

/// A few of the dates at which the features in the store were known.
fn audited(view: &View, stored: &[NaiveDate]) -> Vec<NaiveDate> {
    let dates = spread(stored);
    match view.is_about_events() {
        true => dates.iter().filter_map(NaiveDate::succ_opt).collect(),
        false => dates,
    }
}

/// The first, the last, and some between them.
fn spread(dates: &[NaiveDate]) -> Vec<NaiveDate> {
    let last = dates.len().saturating_sub(1);
    let mut picked: Vec<NaiveDate> = (0..DATES)
        .filter_map(|i| dates.get(i * last / (DATES - 1)).copied())
        .collect();
    picked.dedup();
    picked
}

#[derive(Default)]
struct Differences {
    cells: usize,
    leaks: BTreeMap<String, Leak>,
}

impl Differences {
    fn compare(
        &mut self,
        view: &CompiledView,
        date: NaiveDate,
        stored: &[RecordBatch],
        known: &RecordBatch,
    ) -> Result<(), arrow::error::ArrowError> {
        let schema = stored
            .first()
            .map_or_else(|| known.schema(), RecordBatch::schema);
        let stored = concat_batches(&schema, stored)?;
        let mut keys: Vec<&str> = view.entity.iter().map(String::as_str).collect();
        if view.view.is_about_events() {
            keys.push(REFERENCE_TIME);
        }
        let pairs = Pairs::of(&stored, known, &keys)?;
        for &row in &pairs.stored_only {
            self.note("row", date, entity(&stored, &keys, row), "there", "absent");
        }
        for &row in &pairs.known_only {
            self.note("row", date, entity(known, &keys, row), "absent", "there");
        }
        for (i, field) in schema.fields().iter().enumerate() {
            let name = field.name().as_str();
            let Some(other) = known.column_by_name(name) else {
                continue;
            };
            if name == REFERENCE_DATE || keys.contains(&name) {
                continue;
            }
            let left = bits(&take(stored.column(i), &pairs.left(), None)?)?;
            let right = bits(&take(other, &pairs.right(), None)?)?;
            self.cells += pairs.both.len();
            for (k, &(a, b)) in pairs.both.iter().enumerate() {
                if left.row(k) != right.row(k) {
                    let text = |column: &ArrayRef, row: usize| match column.is_null(row) {
                        true => "NULL".to_owned(),
                        false => array_value_to_string(column, row).unwrap_or_default(),
                    };
                    let (held, right) = (text(stored.column(i), a), text(other, b));
                    self.note(name, date, entity(&stored, &keys, a), &held, &right);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, column: &str, date: NaiveDate, entity: String, stored: &str, known: &str) {
        let first = || Leak {
            column: column.to_owned(),
            cells: 0,
            date,
            entity,
            stored: stored.to_owned(),
            known: known.to_owned(),
        };
        self.leaks
            .entry(column.to_owned())
            .or_insert_with(first)
            .cells += 1;
    }

    fn leaks(mut self, view: &CompiledView) -> Vec<Leak> {
        let order = std::iter::once("row".to_owned()).chain(view.stored_features());
        order
            .filter_map(|column| self.leaks.remove(&column))
            .collect()
    }
}

/// Rows of two tables with the same key.
#[derive(Default)]
struct Pairs {
    both: Vec<(usize, usize)>,
    stored_only: Vec<usize>,
    known_only: Vec<usize>,
}

impl Pairs {
    fn of(
        stored: &RecordBatch,
        known: &RecordBatch,
        keys: &[&str],
    ) -> Result<Self, arrow::error::ArrowError> {
        let texts = |batch: &RecordBatch| -> Vec<String> {
            (0..batch.num_rows())
                .map(|row| entity(batch, keys, row))
                .collect()
        };
        let (left, right) = (texts(stored), texts(known));
        let places: BTreeMap<&str, usize> = right
            .iter()
            .enumerate()
            .map(|(row, key)| (key.as_str(), row))
            .collect();
        let mut pairs = Self::default();
        let mut seen = vec![false; right.len()];
        for (row, key) in left.iter().enumerate() {
            match places.get(key.as_str()) {
                Some(&other) => {
                    seen[other] = true;
                    pairs.both.push((row, other));
                }
                None => pairs.stored_only.push(row),
            }
        }
        pairs.known_only = (0..seen.len()).filter(|&row| !seen[row]).collect();
        Ok(pairs)
    }

    fn left(&self) -> arrow::array::UInt32Array {
        self.both.iter().map(|pair| pair.0 as u32).collect()
    }

    fn right(&self) -> arrow::array::UInt32Array {
        self.both.iter().map(|pair| pair.1 as u32).collect()
    }
}

/// Values as bytes that are equal when every bit is.
fn bits(column: &ArrayRef) -> Result<arrow::row::Rows, arrow::error::ArrowError> {
    let field = SortField::new(column.data_type().clone());
    RowConverter::new(vec![field])?.convert_columns(std::slice::from_ref(column))
}

fn entity(batch: &RecordBatch, keys: &[&str], row: usize) -> String {
    let text = |name: &&str| {
        let column = batch.column_by_name(name)?;
        array_value_to_string(column, row).ok()
    };
    keys.iter().filter_map(text).collect::<Vec<_>>().join("/")
}
