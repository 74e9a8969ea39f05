//! The store of a view about events: one table of all of them, of which only the days are replaced that changed.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use chrono::NaiveDate;
use safra_history::History;
use safra_lake::{Change, Replace, Snapshot, Table};

use crate::backfill::Job;
use crate::compile::Way;
use crate::events::{Events, collect, days};
use crate::store::{Held, REFERENCE_TIME, condition};
use crate::{CompiledView, FeatureError};

/// Puts the days into the table that it lacks, and those that the present sources give otherwise, in one commit. Tells
/// which of the days asked for these were.
pub(crate) async fn fill(job: &Job, table: &Table) -> Result<BTreeSet<NaiveDate>, FeatureError> {
    let (view, history) = (&job.view, &job.history);
    let name = &view.view.name;
    let snapshot = table.snapshot().await?;
    let mut held = match &snapshot {
        Some(snapshot) => Held::of(snapshot).await?,
        None => Held::default(),
    };
    let same_view = held.fingerprint == view.fingerprint();
    if !same_view {
        held = Held::default();
    }
    let asked: BTreeSet<NaiveDate> = job.dates.iter().copied().collect();
    let missing: BTreeSet<NaiveDate> = asked.difference(&held.dates).copied().collect();
    if missing.is_empty() && same_view && held.is_of(history) {
        (job.progress)(name, job.dates.len());
        return Ok(BTreeSet::new());
    }
    let wanted = asked.union(&held.dates).copied();
    let events = events_of(view, history, wanted).await?;
    let mut replaced = missing;
    if let Some(snapshot) = snapshot
        .as_ref()
        .filter(|_| same_view && !held.is_of(history))
    {
        replaced.extend(differing(view, snapshot, &held, &events)?);
    }
    held.dates.extend(&replaced);
    held.fingerprint = view.fingerprint().to_owned();
    held.sources = job.source_versions();
    let replace = match same_view {
        true => Replace::Where(vec![condition(REFERENCE_TIME, &replaced)]),
        false => Replace::All,
    };
    let mut batches = events.batches(replaced.iter().copied());
    let mut next = batches.next();
    let mut change: Option<Change<'_>> = None;
    while let Some(rows) = next {
        let rows = rows.map_err(|error| FeatureError::datafusion(&view.view.file, error))?;
        let change = match &mut change {
            Some(change) => change,
            None => change.insert(table.change(snapshot.as_ref(), &rows.schema(), &replace)?),
        };
        // What one batch leaves of the processors, putting the next one together takes.
        let (added, ahead) = rayon::join(|| change.add(&rows), || batches.next());
        added?;
        next = ahead;
    }
    if let Some(change) = change {
        change.commit(held.metadata()).await?;
    }
    (job.progress)(name, job.dates.len());
    Ok(asked.intersection(&replaced).copied().collect())
}

/// The days in the table that the present sources give otherwise.
pub(crate) async fn changed(
    view: &CompiledView,
    snapshot: &Snapshot,
    held: &Held,
    history: &History,
) -> Result<BTreeSet<NaiveDate>, FeatureError> {
    let events = events_of(view, history, held.dates.iter().copied()).await?;
    differing(view, snapshot, held, &events)
}

async fn events_of(
    view: &CompiledView,
    history: &History,
    days: impl IntoIterator<Item = NaiveDate>,
) -> Result<Events, FeatureError> {
    match &view.way {
        Way::Events(input) => collect(view, input, history, days).await,
        Way::Sweep(..) | Way::Dates(_) => Err(FeatureError::shape(
            &view.view.file,
            "the view is not about events",
        )),
    }
}

fn differing(
    view: &CompiledView,
    snapshot: &Snapshot,
    held: &Held,
    events: &Events,
) -> Result<BTreeSet<NaiveDate>, FeatureError> {
    let failed = |error: ArrowError| FeatureError::datafusion(&view.view.file, error);
    let stored = concat_batches(&snapshot.schema(), &snapshot.read(None)?).map_err(failed)?;
    let rows = events.on(held.dates.iter().copied()).map_err(failed)?;
    let changed = differing_days(&stored, &rows).map_err(failed)?;
    let dates = held.dates.iter();
    Ok(dates
        .filter(|date| changed.contains(&date.to_epoch_days()))
        .copied()
        .collect())
}

/// The days, since 1970-01-01, on which two tables of events do not hold the same rows.
fn differing_days(one: &RecordBatch, other: &RecordBatch) -> Result<BTreeSet<i32>, ArrowError> {
    let fields = one.schema();
    let fields = fields.fields().iter();
    let fields = fields.map(|field| SortField::new(field.data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    let (one_rows, other_rows) = (
        converter.convert_columns(one.columns())?,
        converter.convert_columns(other.columns())?,
    );
    let one = by_day(&days(one)?, &one_rows);
    let other = by_day(&days(other)?, &other_rows);
    let all: BTreeSet<i32> = one.keys().chain(other.keys()).copied().collect();
    let differs = |day: &i32| one.get(day) != other.get(day);
    Ok(all.into_iter().filter(differs).collect())
}

/// The rows of each day, in an order of their own.
fn by_day<'a>(days: &[i32], rows: &'a Rows) -> BTreeMap<i32, Vec<&'a [u8]>> {
    let mut found: BTreeMap<i32, Vec<&[u8]>> = BTreeMap::new();
    for (row, day) in days.iter().enumerate() {
        found.entry(*day).or_default().push(rows.row(row).data());
    }
    found.values_mut().for_each(|rows| rows.sort_unstable());
    found
}
