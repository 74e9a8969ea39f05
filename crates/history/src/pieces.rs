//! Sources in pieces, by what their rows are about.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int64Array, RecordBatch, RecordBatchOptions,
    UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{Int64Type, UInt32Type};
use arrow::error::ArrowError;
use rayon::prelude::*;

use crate::codes::comparable;
use crate::counting_sort::{by_number, starts_of};
use crate::dated::KnownTime;
use crate::history::texts;
use crate::{Dated, History, HistoryError};

/// Texts as numbers.
type Codes = DictionaryArray<UInt32Type>;

/// Which rows of some sources belong to which piece.
#[derive(Debug)]
pub struct Pieces {
    count: u32,
    of_sources: BTreeMap<String, Parts>,
}

impl Pieces {
    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }
}

/// How a source follows those that are divided: a piece takes the rows whose key its rows of another source refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The column that is referred to.
    pub key: String,
    /// The source that refers to it.
    pub from: String,
    /// The column of that source with the same values.
    pub column: String,
}

/// The rows of a source, piece by piece.
#[derive(Debug)]
struct Parts {
    /// The rows of all pieces, those of a piece together; `None` when they stand so in the source.
    rows: Option<UInt32Array>,
    /// Where each piece begins.
    starts: Vec<usize>,
}

impl Parts {
    /// From the piece of each row.
    fn of(pieces: &[u32], count: u32) -> Self {
        let numbers = pieces.iter().copied().map(Some);
        let starts = starts_of(numbers.clone(), count as usize);
        let rows = (!pieces.is_sorted()).then(|| UInt32Array::from(by_number(numbers, &starts)));
        Self { rows, starts }
    }

    /// The rows whose keys those of each piece refer to, by the numbers of the keys and of the references; a row may be in several
    /// pieces. References stand in the order of their pieces.
    fn followed(&self, keys: &Codes, references: &Codes) -> Self {
        let first = starts_of(keys.keys().iter(), keys.values().len());
        let by_key = by_number(keys.keys().iter(), &first);
        // For each key the last piece that has it, counted from 1.
        let mut seen = vec![0_u32; keys.values().len()];
        let (mut rows, mut starts) = (Vec::new(), vec![0]);
        for (piece, bounds) in self.starts.windows(2).enumerate() {
            for place in bounds[0]..bounds[1] {
                let row = match &self.rows {
                    Some(rows) => rows.value(place) as usize,
                    None => place,
                };
                if references.is_null(row) {
                    continue;
                }
                let key = references.keys().value(row) as usize;
                if seen[key] <= piece as u32 {
                    seen[key] = piece as u32 + 1;
                    rows.extend_from_slice(&by_key[first[key]..first[key + 1]]);
                }
            }
            starts.push(rows.len());
        }
        Self {
            rows: Some(rows.into()),
            starts,
        }
    }

    /// The values of a piece among those of all rows.
    fn take(&self, values: &dyn Array, piece: u32) -> Result<ArrayRef, ArrowError> {
        let (start, end) = (self.starts[piece as usize], self.starts[piece as usize + 1]);
        match &self.rows {
            None => Ok(values.slice(start, end - start)),
            Some(rows) => take(values, &rows.slice(start, end - start), None),
        }
    }
}

impl History {
    /// Divides sources into at least one piece: rows with the same value in the column that `columns` names for their source
    /// are in the same piece, whatever the source, and those with NULL are in the first. Which piece that is does not change
    /// from run to run. Values that are encoded go to pieces by their numbers, so that neighbouring rows stay together.
    ///
    /// Of a source that `links` names, a piece has only the rows that it refers to, where keys and references are encoded; else, as of
    /// all others, all rows.
    ///
    /// # Errors
    /// [`HistoryError`] names the source that has no such column.
    pub fn divide(
        &self,
        columns: &BTreeMap<String, String>,
        links: &BTreeMap<String, Link>,
        count: u32,
    ) -> Result<Pieces, HistoryError> {
        let count = count.max(1);
        let mut of_sources = match self.divide_by_number(columns, count) {
            Some(of_sources) => of_sources,
            None => self.divide_by_text(columns, count)?,
        };
        let followed: Vec<(String, Parts)> = links
            .iter()
            .filter_map(|(name, link)| {
                Some((
                    name.clone(),
                    self.follow(name, link, of_sources.get(&link.from)?)?,
                ))
            })
            .collect();
        of_sources.extend(followed);
        Ok(Pieces { count, of_sources })
    }

    /// The rows of a source that the parts of another refer to; `None` where it cannot be told.
    fn follow(&self, name: &str, link: &Link, parts: &Parts) -> Option<Parts> {
        let key = self.source(name)?.rows.column_by_name(&link.key)?;
        let reference = self.source(&link.from)?.rows.column_by_name(&link.column)?;
        match comparable([key, reference])?[..] {
            [keys, references] => Some(parts.followed(keys, references)),
            _ => None,
        }
    }

    /// By a hash of each value.
    fn divide_by_text(
        &self,
        columns: &BTreeMap<String, String>,
        count: u32,
    ) -> Result<BTreeMap<String, Parts>, HistoryError> {
        let mut of_sources = BTreeMap::new();
        for (name, column) in columns {
            let Some(dated) = self.source(name) else {
                continue;
            };
            let values = texts(name, &dated.rows, column)?;
            let values = values.as_string::<i32>().iter();
            let pieces = values.map(|value| value.map_or(0, |value| piece_of(value, count)));
            let parts = Parts::of(&pieces.collect::<Vec<u32>>(), count);
            of_sources.insert(name.clone(), parts);
        }
        Ok(of_sources)
    }

    /// Where all values have numbers: as many numbers to each piece.
    fn divide_by_number(
        &self,
        columns: &BTreeMap<String, String>,
        count: u32,
    ) -> Option<BTreeMap<String, Parts>> {
        let held = columns
            .iter()
            .filter(|(name, _)| self.source(name).is_some());
        let held: Vec<(&String, &String)> = held.collect();
        let column =
            |&(name, column): &(&String, &String)| self.source(name)?.rows.column_by_name(column);
        let found: Vec<&ArrayRef> = held.iter().map(column).collect::<Option<_>>()?;
        let numbers = comparable(found)?;
        let of_column = |numbers: &Codes| {
            let step = numbers.values().len().div_ceil(count as usize).max(1) as u32;
            let numbers = numbers.keys().iter();
            let pieces = numbers.map(|number| number.unwrap_or(0) / step);
            Parts::of(&pieces.collect::<Vec<u32>>(), count)
        };
        let of_columns: Vec<Parts> = numbers.into_par_iter().map(of_column).collect();
        let names = held.into_iter().map(|(name, _)| name.clone());
        Some(names.zip(of_columns).collect())
    }

    /// One of the pieces, from 0: those rows of the divided sources that belong to it, and of those that follow them, and all other
    /// sources as they are.
    ///
    /// # Errors
    /// [`HistoryError`] when arrays cannot be built.
    pub fn piece(&self, pieces: &Pieces, number: u32) -> Result<Self, HistoryError> {
        let sources = self.sources.iter().map(|(name, dated)| {
            let piece = match pieces.of_sources.get(name) {
                None => dated.clone(),
                Some(parts) => dated.part(parts, number)?,
            };
            Ok((name.clone(), piece))
        });
        Ok(Self {
            sources: sources.collect::<Result<_, HistoryError>>()?,
            versions: self.versions.clone(),
            keeps_texts: self.keeps_texts,
        })
    }
}

/// The piece of a value, which depends on nothing else.
fn piece_of(value: &str, count: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value.as_bytes());
    (hasher.finish() % u64::from(count)) as u32
}

impl Dated {
    /// The rows of a piece.
    fn part(&self, parts: &Parts, piece: u32) -> Result<Self, HistoryError> {
        let failed = |error| HistoryError::at(&self.name, error);
        let times = |times: &Int64Array| -> Result<Int64Array, HistoryError> {
            let taken = parts.take(times, piece).map_err(failed)?;
            Ok(taken.as_primitive::<Int64Type>().clone())
        };
        let columns = self.columns.iter().map(|known| {
            Ok(match known {
                KnownTime::Row => KnownTime::Row,
                KnownTime::Never => KnownTime::Never,
                KnownTime::At(at) => KnownTime::At(times(at)?),
            })
        });
        let values = self.rows.columns().iter();
        let values = values.map(|column| parts.take(column, piece));
        let values = values.collect::<Result<_, _>>().map_err(failed)?;
        let rows = parts.starts[piece as usize + 1] - parts.starts[piece as usize];
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Self {
            name: self.name.clone(),
            rows: RecordBatch::try_new_with_options(self.rows.schema(), values, &options)
                .map_err(failed)?,
            row_known_at: times(&self.row_known_at)?,
            columns: columns.collect::<Result<_, HistoryError>>()?,
        })
    }
}
