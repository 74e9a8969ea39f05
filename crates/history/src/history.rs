//! The dated sources of a lake.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, UInt32Type};
use chrono::{Days, NaiveDate, NaiveTime};
use hashbrown::HashMap;
use rayon::prelude::*;
use safra_lake::{Folder, Lake, Snapshot, source_schema};
use safra_project::{KnownAt, Project, Source};

use crate::codes::{Encoding, Identity, codes, comparable, decoded, merged};
use crate::columns::{Columns, all_columns, deriving_columns, wanted_columns};
use crate::dated::micros_of;
use crate::dictionary::Dictionary;
use crate::read::{Table, read};
use crate::{ALWAYS, DAY, Dated, HistoryError};

/// What makes the tables that are missing.
pub(crate) const INGEST: &str = "`safra ingest DIR` reads the files of a folder";

/// Dated sources, read from a lake at one version each.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) sources: BTreeMap<String, Dated>,
    pub(crate) versions: BTreeMap<String, u64>,
    pub(crate) keeps_texts: bool,
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

    /// As [`History::load_columns`], from the tables that have been opened, as far as they have, with the texts of these identities, and
    /// of those by which sources take their times from others, as numbers: [`Dated::versions_as`] gives them so. Elsewhere they
    /// are the texts that they were, where these are kept.
    ///
    /// # Errors
    /// As [`History::load`].
    pub async fn load_encoded(
        lake: &Lake,
        project: &Project,
        columns: &Columns,
        opened: &BTreeMap<String, Arc<Snapshot>>,
        encoding: Encoding,
    ) -> Result<Self, HistoryError> {
        let inherited = project.sources.values().filter_map(|source| {
            let KnownAt::From { from, on } = &source.known_at else {
                return None;
            };
            let ends = [from, &source.name].map(|name| (name.clone(), on.clone()));
            Some(Identity::from(ends))
        });
        let mut encoding = Encoding {
            identities: merged(encoding.identities.into_iter().chain(inherited)),
            texts: encoding.texts,
        };
        if let Some(texts) = &mut encoding.texts {
            for (source, columns) in deriving_columns(project, columns)? {
                texts.entry(source).or_default().extend(columns);
            }
        }
        let wanted = wanted_columns(project, columns)?;
        Self::read(lake, project, &wanted, opened, &encoding).await
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
        let mut opened = BTreeMap::new();
        for (name, version) in versions {
            let table = lake.table(Folder::Sources, name);
            if wanted.contains_key(name)
                && let Some(snapshot) = table.snapshot_at(*version).await?
            {
                opened.insert(name.clone(), Arc::new(snapshot));
            }
        }
        let encoding = Encoding::default();
        Self::read(lake, project, &wanted, &opened, &encoding).await
    }

    async fn read(
        lake: &Lake,
        project: &Project,
        wanted: &Columns,
        opened: &BTreeMap<String, Arc<Snapshot>>,
        encoding: &Encoding,
    ) -> Result<Self, HistoryError> {
        let mut history = Self {
            keeps_texts: encoding.texts.is_none(),
            ..Self::empty()
        };
        let (mut sources, mut tables) = (Vec::new(), Vec::new());
        for source in project.sources.values() {
            let Some(columns) = wanted.get(&source.name) else {
                continue;
            };
            let table = lake.table(Folder::Sources, &source.name);
            let snapshot = match opened.get(&source.name) {
                Some(snapshot) => Arc::clone(snapshot),
                None => Arc::new(table.require(INGEST).await?),
            };
            tables.push(declared(source, &snapshot, columns)?);
            let version = snapshot.version();
            history.versions.insert(source.name.clone(), version);
            sources.push((source, columns));
        }
        let rows = read(&tables, encoding)?;
        for ((source, columns), rows) in sources.into_iter().zip(rows) {
            history
                .add(source, rows, &|name| columns.contains(name))
                .await?;
        }
        Ok(history)
    }

    /// The same sources, with the texts of these identities as numbers: see [`History::load_encoded`].
    ///
    /// # Errors
    /// [`HistoryError`] names the source whose texts are too long for one array.
    pub fn encoded(
        &self,
        identities: impl IntoIterator<Item = Identity>,
    ) -> Result<Self, HistoryError> {
        let mut history = self.clone();
        for identity in merged(identities) {
            let mut dictionary: Dictionary = Dictionary::new(self.row_count());
            let mut numbers = Vec::new();
            for (source, column) in identity {
                let Some(dated) = self.source(&source) else {
                    continue;
                };
                let Ok(place) = dated.rows.schema_ref().index_of(&column) else {
                    continue;
                };
                let texts = texts(&source, &dated.rows, &column)?;
                let codes = dictionary.encode(&[texts.as_string::<i32>()]);
                numbers.push((
                    codes.map_err(|e| HistoryError::at(&source, e))?,
                    source,
                    place,
                ));
            }
            let texts = dictionary.into_texts();
            let texts = texts.map_err(|e| HistoryError::at("sources", e))?;
            for (numbers, source, place) in numbers {
                if let Some(dated) = history.sources.get_mut(&source) {
                    let column = DictionaryArray::try_new(numbers, Arc::clone(&texts));
                    let column = column.map_err(|e| HistoryError::at(&source, e))?;
                    dated.replace(place, Arc::new(column))?;
                }
            }
        }
        Ok(history)
    }

    /// Whether the texts of all these identities are numbers, equal ones of an identity the same.
    pub fn encodes(&self, identities: &[Identity]) -> bool {
        let column = |(source, column): &(String, String)| {
            let dated = self.source(source)?;
            dated.rows.column_by_name(column)
        };
        identities.iter().all(|identity| {
            let columns: Option<Vec<_>> = identity.iter().map(column).collect();
            columns.is_some_and(|columns| comparable(columns).is_some())
        })
    }

    /// The texts by number, if those of a column are numbers.
    pub fn texts_of(&self, source: &str, column: &str) -> Option<ArrayRef> {
        let column = self.source(source)?.rows.column_by_name(column)?;
        let texts = codes(column)?.values();
        (*texts.data_type() == DataType::Utf8).then(|| Arc::clone(texts))
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
            keeps_texts: true,
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
            keeps_texts: self.keeps_texts,
        }
    }

    /// The same sources with no columns but these, as far as they are there; a source that is not named is left out.
    ///
    /// # Errors
    /// [`HistoryError`] when arrays cannot be built.
    pub fn only(&self, columns: &Columns) -> Result<Self, HistoryError> {
        let sources = self.sources.iter().filter_map(|(name, dated)| {
            let columns = columns.get(name)?;
            Some(dated.only(columns).map(|dated| (name.clone(), dated)))
        });
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
            versions: self.versions.clone(),
            keeps_texts: self.keeps_texts,
        })
    }

    /// Whether all texts that are numbers can be given as texts, too.
    pub fn keeps_texts(&self) -> bool {
        self.keeps_texts
    }

    /// A loaded source.
    pub fn source(&self, name: &str) -> Option<&Dated> {
        self.sources.get(name)
    }

    /// Rows of all sources together.
    pub fn row_count(&self) -> usize {
        let sources = self.sources.values();
        sources.map(|dated| dated.rows.num_rows()).sum()
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
        let columns = [&parent.rows, rows].map(|rows| rows.column_by_name(on));
        let columns = columns.into_iter().flatten();
        if let Some([keys, own]) = comparable(columns).as_deref() {
            return Ok(inherited(keys, &parent.row_known_at, own));
        }
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

/// In place of a time where there is none: later than any.
const NO_TIME: i64 = i64::MAX;

/// [`History::inherit`] by numbers.
fn inherited(
    keys: &DictionaryArray<UInt32Type>,
    known_at: &Int64Array,
    own: &DictionaryArray<UInt32Type>,
) -> Int64Array {
    let mut times = vec![NO_TIME; keys.values().len()];
    for (key, time) in keys.keys().iter().zip(known_at) {
        if let (Some(key), Some(time)) = (key, time) {
            let held = &mut times[key as usize];
            *held = time.min(*held);
        }
    }
    let own = own.keys();
    let time = |row: usize| match own.is_valid(row) {
        true => times[own.value(row) as usize],
        false => NO_TIME,
    };
    let found: Vec<i64> = (0..own.len()).into_par_iter().map(time).collect();
    let valid = BooleanBuffer::collect_bool(found.len(), |row| found[row] != NO_TIME);
    Int64Array::new(found.into(), Some(NullBuffer::new(valid)))
}

/// The declared columns of a table that are wanted, by their names: the table may have been ingested when the declaration was
/// another.
fn declared<'a>(
    source: &'a Source,
    snapshot: &Snapshot,
    wanted: &BTreeSet<String>,
) -> Result<Table<'a>, HistoryError> {
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
    Ok(Table {
        name: &source.name,
        fields,
        pieces: snapshot.pieces(&[])?,
    })
}

pub(crate) fn texts(
    table: &str,
    rows: &RecordBatch,
    column: &str,
) -> Result<ArrayRef, HistoryError> {
    let index = rows
        .schema_ref()
        .index_of(column)
        .map_err(|e| HistoryError::at(table, e))?;
    decoded(rows.column(index))
        .and_then(|column| cast(&column, &DataType::Utf8))
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
