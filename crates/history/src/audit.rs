//! Two other ways to look at the same sources: strictly cut at a date, and with hindsight.

use arrow::array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::{filter, filter_record_batch, nullif};
use chrono::NaiveDate;
use safra_project::{ColumnKnownAt, ColumnType, Project, Source};

use crate::dated::{KnownTime, micros_of};
use crate::history::midnight;
use crate::{ALWAYS, Dated, History, HistoryError};

impl History {
    /// The sources as a lake would have held them at the start of a date, for audits: rows and values known
    /// on or after it are gone, and derived columns are computed anew from what is left.
    ///
    /// The declarations are not taken at their word: a row or value is gone, too, when a time in it that is
    /// not declared `planned` lies on or after the date, for nobody could have written it down before.
    ///
    /// # Errors
    /// [`HistoryError`] names the source at fault.
    pub async fn cut(&self, project: &Project, date: NaiveDate) -> Result<Self, HistoryError> {
        let mut cut = Self::empty();
        for source in project.sources.values() {
            let Some(dated) = self.source(&source.name) else {
                continue;
            };
            let (rows, known_at) = cut_source(source, dated, midnight(date))?;
            cut.insert(source, Dated::new(source, rows, known_at).await?);
        }
        Ok(cut)
    }

    /// The sources as if everything that is ever known of a row had been known from the start: what features
    /// look like that read the future. Only to measure what such a leak would seem to be worth.
    pub fn with_hindsight(&self) -> Self {
        self.map(|dated| {
            let known = |_: &KnownTime| KnownTime::Row;
            Dated {
                name: dated.name.clone(),
                rows: dated.rows.clone(),
                row_known_at: Int64Array::from(vec![ALWAYS; dated.rows.num_rows()]),
                columns: dated.columns.iter().map(known).collect(),
            }
        })
    }
}

fn cut_source(
    source: &Source,
    dated: &Dated,
    at: i64,
) -> Result<(RecordBatch, Int64Array), HistoryError> {
    let failed = |error| HistoryError::at(&source.name, error);
    let raw: Vec<usize> = (0..source.columns.len()).collect();
    let rows = dated.rows.project(&raw).map_err(failed)?;
    let mut kept: Vec<bool> = dated
        .row_known_at
        .iter()
        .map(|time| time.is_some_and(|time| time < at))
        .collect();
    let mut values = rows.columns().to_vec();
    for (i, column) in source.columns.iter().enumerate() {
        let is_time = matches!(column.kind, ColumnType::Timestamp | ColumnType::Date);
        let own = match is_time && !column.planned {
            true => Some(micros_of(&source.name, &rows, &column.name)?),
            false => None,
        };
        let ahead = |row: usize| {
            own.as_ref()
                .is_some_and(|own| own.is_valid(row) && own.value(row) >= at)
        };
        if column.known_at == ColumnKnownAt::Row {
            for (row, kept) in kept.iter_mut().enumerate() {
                *kept &= !ahead(row);
            }
        }
        if let KnownTime::At(times) = &dated.columns[i] {
            let hidden: BooleanArray = (0..rows.num_rows())
                .map(|row| Some(times.is_null(row) || times.value(row) >= at || ahead(row)))
                .collect();
            values[i] = nullif(&values[i], &hidden).map_err(failed)?;
        }
    }
    let kept = BooleanArray::from(kept);
    let rows = RecordBatch::try_new(rows.schema(), values).map_err(failed)?;
    let known_at = filter(&dated.row_known_at, &kept).map_err(failed)?;
    let known_at =
        arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&known_at).clone();
    Ok((filter_record_batch(&rows, &kept).map_err(failed)?, known_at))
}
