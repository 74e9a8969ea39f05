//! The feature store: one Delta table a view.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use chrono::NaiveDate;
use safra_history::{Columns, History};
use safra_lake::{Folder, Lake, Snapshot, Values};
use safra_project::Project;
use serde::Serialize;
use serde_json::{Value, json};

use crate::stale::stale_dates;
use crate::{CompiledView, FeatureError, event_store};

/// Name of the date column of every feature table about reference dates.
pub const REFERENCE_DATE: &str = "reference_date";
/// Name of the time column of every feature table about events.
pub const REFERENCE_TIME: &str = "reference_time";

const FINGERPRINT: &str = "safra.view";
const SOURCES: &str = "safra.sources";
const DATES: &str = "safra.dates";

/// Dates of a view that were computed from sources that have changed since in a way that shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleDates {
    /// The view.
    pub view: String,
    /// The dates, in order.
    pub dates: Vec<NaiveDate>,
}

/// Reads a view's features at `dates`, from the store; those of the events on these days, where it is about events.
///
/// # Errors
/// [`FeatureError::MissingDates`] when the store does not have them all.
pub async fn read(
    lake: &Lake,
    view: &str,
    dates: &[NaiveDate],
) -> Result<Vec<RecordBatch>, FeatureError> {
    let snapshot = complete(lake, view, dates).await?;
    let time = time_column(&snapshot.schema());
    let mut batches = snapshot.read_where(None, &[condition(time, dates)])?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(snapshot.schema()));
    }
    Ok(batches)
}

/// The table of a view, if it holds all of these dates.
pub(crate) async fn complete(
    lake: &Lake,
    view: &str,
    dates: &[NaiveDate],
) -> Result<Snapshot, FeatureError> {
    let snapshot = require(lake, view).await?;
    let held = Held::of(&snapshot).await?;
    let missing: Vec<&NaiveDate> = dates
        .iter()
        .filter(|date| !held.dates.contains(date))
        .collect();
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
        return Ok(snapshot);
    };
    // The events of a day come before the date on which they can be looked back on.
    let to = match time_column(&snapshot.schema()) {
        REFERENCE_TIME => last.succ_opt().unwrap_or(**last),
        _ => **last,
    };
    Err(FeatureError::MissingDates {
        view: view.to_owned(),
        missing: format!(
            "{} of {} dates, the first is {first}",
            missing.len(),
            dates.len()
        ),
        from: first.to_string(),
        to: to.to_string(),
    })
}

/// The dates that the store holds of a view, in order; the days of its events, where it is about events.
///
/// # Errors
/// [`FeatureError::Lake`] when the store has no such view.
pub async fn stored_dates(lake: &Lake, view: &str) -> Result<Vec<NaiveDate>, FeatureError> {
    Ok(Held::of(&require(lake, view).await?)
        .await?
        .dates
        .into_iter()
        .collect())
}

/// The dates in the store that the present sources would give otherwise: facts arrived late, or were corrected.
///
/// # Errors
/// [`FeatureError`] names the view or source at fault.
pub async fn find_stale(lake: &Lake, project: &Project) -> Result<Vec<StaleDates>, FeatureError> {
    let mut views = Vec::new();
    let mut columns = Columns::new();
    for view in project.views.values() {
        let table = lake.table(Folder::Features, &view.name);
        let Some(snapshot) = table.snapshot().await? else {
            continue;
        };
        let held = Held::of(&snapshot).await?;
        let compiled = CompiledView::new(project, view).await?;
        if held.fingerprint == compiled.fingerprint() {
            for (table, of_view) in compiled.columns(project) {
                columns.entry(table).or_default().extend(of_view);
            }
            views.push((compiled, snapshot, held));
        }
    }
    let history = History::load_columns(lake, project, &columns).await?;
    let mut found = Vec::new();
    for (compiled, snapshot, held) in views {
        let dates = match compiled.view.is_about_events() {
            true if held.is_of(&history) => BTreeSet::new(),
            true => event_store::changed(&compiled, &snapshot, &held, &history).await?,
            false => held.stale(lake, project, &compiled, &history).await?,
        };
        if !dates.is_empty() {
            found.push(StaleDates {
                view: compiled.view.name,
                dates: dates.into_iter().collect(),
            });
        }
    }
    Ok(found)
}

async fn require(lake: &Lake, view: &str) -> Result<Snapshot, FeatureError> {
    let table = lake.table(Folder::Features, view);
    Ok(table
        .require("`safra features` fills the feature store")
        .await?)
}

/// The rows whose time is on these dates, for reading and replacing.
pub(crate) fn condition<'a>(
    time: &str,
    dates: impl IntoIterator<Item = &'a NaiveDate>,
) -> (String, Values) {
    let dates = dates.into_iter();
    let days = dates.map(|date| date.to_epoch_days()).collect();
    (time.to_owned(), Values::Dates(days))
}

/// The column of a feature table that holds the time of each row.
pub(crate) fn time_column(schema: &Schema) -> &'static str {
    match schema.column_with_name(REFERENCE_DATE) {
        Some(_) => REFERENCE_DATE,
        None => REFERENCE_TIME,
    }
}

/// What the latest commit of a feature table says about it.
#[derive(Default)]
pub(crate) struct Held {
    /// The view that computed it.
    pub fingerprint: String,
    /// The versions of the sources from which it was computed.
    pub sources: BTreeMap<String, u64>,
    /// The dates that it holds, with or without rows.
    pub dates: BTreeSet<NaiveDate>,
}

impl Held {
    pub(crate) async fn of(snapshot: &Snapshot) -> Result<Self, FeatureError> {
        let mut metadata = snapshot.metadata().await?;
        let sources = metadata.remove(SOURCES);
        let dates = metadata.remove(DATES);
        Ok(Self {
            fingerprint: metadata
                .get(FINGERPRINT)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            sources: sources
                .and_then(|value| serde_json::from_value(value).ok())
                .unwrap_or_default(),
            dates: dates
                .and_then(|value| serde_json::from_value(value).ok())
                .unwrap_or_default(),
        })
    }

    pub(crate) fn metadata(&self) -> std::collections::HashMap<String, Value> {
        [
            (FINGERPRINT, json!(self.fingerprint)),
            (SOURCES, json!(self.sources)),
            (DATES, json!(self.dates)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    }

    /// Whether it was computed from these sources.
    pub(crate) fn is_of(&self, now: &History) -> bool {
        let versions = now.table_versions();
        let mut sources = self.sources.iter();
        sources.all(|(name, version)| versions.get(name) == Some(version))
    }

    /// The dates held that the present sources would give otherwise. Where the earlier version of a source
    /// can no longer be read, that may be any of them.
    pub(crate) async fn stale(
        &self,
        lake: &Lake,
        project: &Project,
        view: &CompiledView,
        now: &History,
    ) -> Result<BTreeSet<NaiveDate>, FeatureError> {
        if self.is_of(now) || self.dates.is_empty() {
            return Ok(BTreeSet::new());
        }
        let columns = view.columns(project);
        let Ok(before) = History::load_columns_at(lake, project, &columns, &self.sources).await
        else {
            return Ok(self.dates.clone());
        };
        if now.keeps_texts() {
            return stale_dates(view, &before, now, &self.dates).await;
        }
        let now = History::load_columns_at(lake, project, &columns, now.table_versions()).await?;
        stale_dates(view, &before, &now, &self.dates).await
    }
}
