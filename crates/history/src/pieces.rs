//! Sources in pieces, by what their rows are about.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use arrow::array::{AsArray, BooleanArray, Int64Array};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::Int64Type;

use crate::dated::KnownTime;
use crate::history::texts;
use crate::{Dated, History, HistoryError};

/// Which rows of some sources belong to which piece.
#[derive(Debug)]
pub struct Pieces {
    count: u32,
    /// The piece of each row, by source.
    of_rows: BTreeMap<String, Vec<u32>>,
}

impl Pieces {
    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }
}

impl History {
    /// Divides sources into at least one piece: rows with the same value in the column that `columns` names for their source
    /// are in the same piece, whatever the source, and those with NULL are in the first. Which piece that is does not change
    /// from run to run.
    ///
    /// # Errors
    /// [`HistoryError`] names the source that has no such column.
    pub fn divide(
        &self,
        columns: &BTreeMap<String, String>,
        count: u32,
    ) -> Result<Pieces, HistoryError> {
        let count = count.max(1);
        let mut of_rows = BTreeMap::new();
        for (name, column) in columns {
            let Some(dated) = self.source(name) else {
                continue;
            };
            let values = texts(name, &dated.rows, column)?;
            let values = values.as_string::<i32>().iter();
            let pieces = values.map(|value| value.map_or(0, |value| piece_of(value, count)));
            of_rows.insert(name.clone(), pieces.collect());
        }
        Ok(Pieces { count, of_rows })
    }

    /// One of the pieces, from 0: those rows of the divided sources that belong to it, and all other sources as they are.
    ///
    /// # Errors
    /// [`HistoryError`] when arrays cannot be built.
    pub fn piece(&self, pieces: &Pieces, number: u32) -> Result<Self, HistoryError> {
        let sources = self.sources.iter().map(|(name, dated)| {
            let piece = match pieces.of_rows.get(name) {
                None => dated.clone(),
                Some(of_rows) => {
                    dated.only(&of_rows.iter().map(|&of| Some(of == number)).collect())?
                }
            };
            Ok((name.clone(), piece))
        });
        Ok(Self {
            sources: sources.collect::<Result<_, HistoryError>>()?,
            versions: self.versions.clone(),
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
    /// These rows.
    fn only(&self, kept: &BooleanArray) -> Result<Self, HistoryError> {
        let failed = |error| HistoryError::at(&self.name, error);
        let times = |times: &Int64Array| -> Result<Int64Array, HistoryError> {
            let kept = filter(times, kept).map_err(failed)?;
            Ok(kept.as_primitive::<Int64Type>().clone())
        };
        let columns = self.columns.iter().map(|known| {
            Ok(match known {
                KnownTime::Row => KnownTime::Row,
                KnownTime::Never => KnownTime::Never,
                KnownTime::At(at) => KnownTime::At(times(at)?),
            })
        });
        Ok(Self {
            name: self.name.clone(),
            rows: filter_record_batch(&self.rows, kept).map_err(failed)?,
            row_known_at: times(&self.row_known_at)?,
            columns: columns.collect::<Result<_, HistoryError>>()?,
        })
    }
}
