//! The dated sources of a lake.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{FieldRef, Schema};
use chrono::{Days, NaiveDate, NaiveTime};
use hashbrown::HashMap;
use safra_lake::{Folder, Lake, Snapshot, source_schema};
use safra_project::{KnownAt, Project, Source};

use crate::columns::{Columns, all_columns, wanted_columns};
use crate::dated::micros_of;
use crate::{ALWAYS, DAY, Dated, HistoryError};

/// What makes the tables that are missing.
pub(crate) const INGEST: &str = "`safra ingest DIR` reads the files of a folder";

/// Dated sources, read from a lake at one version each.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) sources: BTreeMap<String, Dated>,
    pub(crate) versions: BTreeMap<String, u64>,
}

impl History {
    /// Reads the named sources, and those from which they take their times.
    ///
    /// # Errors
    /// [`HistoryError`] names the source that is not in the project or not in the lake, or cannot be dated.
    pub async fn load(
        lake: &Lake,
        project: &Project,
        names: &BTreeSet<String>,
    ) -> Result<Self, HistoryError> {
        Self::load_at(lake, project, names, &BTreeMap::new()).await
    }

    /// As [`History::load`], with these tables as they were at an earlier version.
    ///
    /// # Errors
    /// As [`History::load`], and when a version is gone.
    pub async fn load_at(
        lake: &Lake,
        project: &Project,
        names: &BTreeSet<String>,
        versions: &BTreeMap<String, u64>,
    ) -> Result<Self, HistoryError> {
        let all = all_columns(project, names)?;
        Self::load_columns_at(lake, project, &all, versions).await
    }

    /// As [`History::load`], with no columns of each source but these and those that date them: what a few feature
    /// views need.
    ///
    /// # Errors
    /// As [`History::load`].
    pub async fn load_columns(
        lake: &Lake,
        project: &Project,
        columns: &Columns,
    ) -> Result<Self, HistoryError> {
        Self::load_columns_at(lake, project, columns, &BTreeMap::new()).await
    }

    /// As [`History::load_columns`], with these tables as they were at an earlier version.
    ///
    /// # Errors
    /// As [`History::load_at`].
    pub async fn load_columns_at(
        lake: &Lake,
        project: &Project,
        columns: &Columns,
        versions: &BTreeMap<String, u64>,
    ) -> Result<Self, HistoryError> {
        let wanted = wanted_columns(project, columns)?;
        let mut history = Self::empty();
        for source in project.sources.values() {
            let Some(columns) = wanted.get(&source.name) else {
                continue;
            };
            let table = lake.table(Folder::Sources, &source.name);
            let earlier = match versions.get(&source.name) {
                Some(version) => table.snapshot_at(*version).await?,
                None => None,
            };
            let snapshot = match earlier {
                Some(snapshot) => snapshot,
                None => table.require(INGEST).await?,
            };
            let rows = declared_rows(source, &snapshot, columns)?;
            history
                .versions
                .insert(source.name.clone(), snapshot.version());
            history
                .add(source, rows, &|name| columns.contains(name))
                .await?;
        }
        Ok(history)
    }

    /// Dates sources that are at hand as record batches; a source stands after its parents.
    ///
    /// # Errors
    /// [`HistoryError`] names the source that cannot be dated.
    pub async fn from_batches<'a>(
        tables: impl IntoIterator<Item = (&'a Source, RecordBatch)>,
    ) -> Result<Self, HistoryError> {
        let mut history = Self::empty();
        for (source, rows) in tables {
            history.add(source, rows, &|_| true).await?;
        }
        Ok(history)
    }

    pub(crate) fn empty() -> Self {
        Self {
            sources: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    pub(crate) fn insert(&mut self, source: &Source, dated: Dated) {
        self.sources.insert(source.name.clone(), dated);
    }

    pub(crate) fn map(&self, change: impl Fn(&Dated) -> Dated) -> Self {
        let sources = self.sources.iter();
        Self {
            sources: sources
                .map(|(name, dated)| (name.clone(), change(dated)))
                .collect(),
            versions: self.versions.clone(),
        }
    }

    /// A loaded source.
    pub fn source(&self, name: &str) -> Option<&Dated> {
        self.sources.get(name)
    }

    /// The versions of the tables that were read.
    pub fn table_versions(&self) -> &BTreeMap<String, u64> {
        &self.versions
    }

    /// The first day of which nothing is known: the day after the last fact of these sources. Sources
    /// without times say nothing; the least of the others counts, since a label needs all of them.
    pub fn data_end<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<NaiveDate> {
        names
            .into_iter()
            .filter_map(|name| self.source(name)?.last_known())
            .min()
            .and_then(|micros| day_of(micros)?.checked_add_days(Days::new(1)))
    }

    /// Dates a source, with those of its derived columns that are wanted.
    async fn add(
        &mut self,
        source: &Source,
        rows: RecordBatch,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<(), HistoryError> {
        let known_at = match &source.known_at {
            KnownAt::Always => Int64Array::from(vec![ALWAYS; rows.num_rows()]),
            KnownAt::Column(column) => micros_of(&source.name, &rows, column)?,
            KnownAt::From { from, on } => self.inherit(source, &rows, from, on)?,
        };
        let dated = Dated::with_derived(source, rows, known_at, wanted).await?;
        self.sources.insert(source.name.clone(), dated);
        Ok(())
    }

    /// The time of the parent's row with the same value; the earliest where there are several.
    fn inherit(
        &self,
        source: &Source,
        rows: &RecordBatch,
        from: &str,
        on: &str,
    ) -> Result<Int64Array, HistoryError> {
        let parent = self.sources.get(from).ok_or_else(|| {
            let message = format!("{from} must be loaded before {}", source.name);
            HistoryError::at(
                &source.name,
                datafusion::error::DataFusionError::Plan(message),
            )
        })?;
        let keys = texts(&source.name, &parent.rows, on)?;
        let mut times: HashMap<&str, i64> = HashMap::with_capacity(keys.len());
        let keys = keys.as_string::<i32>();
        for row in 0..keys.len() {
            if keys.is_valid(row) && parent.row_known_at.is_valid(row) {
                let time = parent.row_known_at.value(row);
                let held = times.entry(keys.value(row)).or_insert(time);
                *held = (*held).min(time);
            }
        }
        let own = texts(&source.name, rows, on)?;
        Ok(own
            .as_string::<i32>()
            .iter()
            .map(|key| times.get(key?).copied())
            .collect())
    }
}

/// The rows of a table with those of the declared columns that are wanted, by their names: the table may have been
/// ingested when the declaration was another.
fn declared_rows(
    source: &Source,
    snapshot: &Snapshot,
    wanted: &BTreeSet<String>,
) -> Result<RecordBatch, HistoryError> {
    let (declared, held) = (source_schema(source).0, snapshot.schema());
    let fields = declared.fields().iter();
    let fields: Vec<FieldRef> = fields
        .filter(|field| wanted.contains(field.name()))
        .cloned()
        .collect();
    for field in &fields {
        let same = held
            .field_with_name(field.name())
            .is_ok_and(|held| held.data_type() == field.data_type());
        if !same {
            return Err(HistoryError::OtherColumns {
                table: source.name.clone(),
                column: field.name().clone(),
            });
        }
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let rows = snapshot.read(Some(&names))?;
    concat_batches(&Schema::new(fields.clone()).into(), &rows)
        .map_err(|e| HistoryError::at(&source.name, e))
}

pub(crate) fn texts(
    table: &str,
    rows: &RecordBatch,
    column: &str,
) -> Result<arrow::array::ArrayRef, HistoryError> {
    let index = rows
        .schema_ref()
        .index_of(column)
        .map_err(|e| HistoryError::at(table, e))?;
    arrow::compute::cast(rows.column(index), &arrow::datatypes::DataType::Utf8)
        .map_err(|e| HistoryError::at(table, e))
}

/// Midnight at the start of a day, in microseconds.
pub(crate) fn midnight(date: NaiveDate) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

fn day_of(micros: i64) -> Option<NaiveDate> {
    let days = i32::try_from(micros.div_euclid(DAY)).ok()?;
    NaiveDate::from_epoch_days(days)
}
