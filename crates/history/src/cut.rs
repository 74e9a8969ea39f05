//! A table as it stood at a reference date.

use arrow::array::{Array, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{filter_record_batch, nullif};
use arrow::datatypes::Schema;
use chrono::NaiveDate;

use crate::codes::decoded;
use crate::dated::{KnownTime, fields_of};
use crate::history::midnight;
use crate::{Dated, HistoryError};

impl Dated {
    /// The rows known at a reference date, with the columns that were not known then, or never are, NULL.
    ///
    /// # Errors
    /// [`HistoryError::DataFusion`] when arrays cannot be built.
    pub fn cut(&self, reference_date: NaiveDate) -> Result<RecordBatch, HistoryError> {
        self.cut_before(midnight(reference_date))
    }

    /// As [`Dated::cut`], with what was known before a moment, in microseconds. What was known at the time of an
    /// event, that of the event itself included, is what was known before the microsecond after it.
    ///
    /// # Errors
    /// As [`Dated::cut`].
    pub fn cut_before(&self, at: i64) -> Result<RecordBatch, HistoryError> {
        let failed = |e| HistoryError::at(&self.name, e);
        let known: BooleanArray = self
            .row_known_at
            .iter()
            .map(|time| Some(time.is_some_and(|time| time < at)))
            .collect();
        let values = self.rows.columns().iter().map(decoded);
        let mut values = values.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        for (value, times) in values.iter_mut().zip(&self.columns) {
            match times {
                KnownTime::Row => {}
                KnownTime::Never => *value = new_null_array(value.data_type(), value.len()),
                KnownTime::At(times) => {
                    let hidden: BooleanArray = times
                        .iter()
                        .map(|time| Some(time.is_none_or(|time| time >= at)))
                        .collect();
                    *value = nullif(value, &hidden).map_err(failed)?;
                }
            }
        }
        let fields = fields_of(&self.rows).into_iter().zip(&values);
        let fields = fields.map(|(field, value)| field.with_data_type(value.data_type().clone()));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let rows = RecordBatch::try_new(schema.into(), values).map_err(failed)?;
        filter_record_batch(&rows, &known).map_err(failed)
    }
}
