//! Row versions: one for each moment at which another column of a row becomes known.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{nullif, take};
use arrow::datatypes::{DataType, Field, Schema};

use crate::dated::KnownTime;
use crate::{Dated, HistoryError, OPEN, VALID_FROM, VALID_TO};

impl Dated {
    /// The versions of all rows, with `columns` and the interval `(valid_from, valid_to]` in [`VALID_FROM`]
    /// and [`VALID_TO`] (Int64, microseconds). Rows split only where one of `columns` becomes known, so
    /// that a view pays for no more versions than it can see. Rows that are never known are left out.
    ///
    /// # Errors
    /// [`HistoryError::DataFusion`] when arrays cannot be built.
    pub fn versions(&self, columns: &BTreeSet<String>) -> Result<RecordBatch, HistoryError> {
        let schema = self.rows.schema();
        let wanted: Vec<usize> = (0..schema.fields().len())
            .filter(|&i| columns.contains(schema.field(i).name()))
            .collect();
        let late: Vec<(usize, &Int64Array)> = wanted
            .iter()
            .filter_map(|&i| match &self.columns[i] {
                KnownTime::At(times) => Some((i, times)),
                KnownTime::Row | KnownTime::Never => None,
            })
            .collect();
        let expanded = self.expand(&late);
        let rows = UInt32Array::from(expanded.rows);
        let mut fields = Vec::new();
        let mut values: Vec<ArrayRef> = Vec::new();
        for &i in &wanted {
            let taken = take(self.rows.column(i), &rows, None)
                .map_err(|e| HistoryError::at(&self.name, e))?;
            let hidden = late.iter().position(|(column, _)| *column == i);
            values.push(match (&self.columns[i], hidden) {
                (KnownTime::Never, _) => {
                    arrow::array::new_null_array(taken.data_type(), taken.len())
                }
                (_, Some(k)) => nullif(&taken, &BooleanArray::from(expanded.hidden[k].clone()))
                    .map_err(|e| HistoryError::at(&self.name, e))?,
                (_, None) => taken,
            });
            fields.push(Arc::new(schema.field(i).clone()));
        }
        fields.push(Arc::new(Field::new(VALID_FROM, DataType::Int64, false)));
        fields.push(Arc::new(Field::new(VALID_TO, DataType::Int64, false)));
        values.push(Arc::new(Int64Array::from(expanded.valid_from)));
        values.push(Arc::new(Int64Array::from(expanded.valid_to)));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), values)
            .map_err(|e| HistoryError::at(&self.name, e))
    }

    /// Whether a row may have more than one version with these columns.
    pub fn splits(&self, columns: &BTreeSet<String>) -> bool {
        let schema = self.rows.schema();
        let mut fields = schema.fields().iter().zip(&self.columns);
        fields.any(|(field, known)| {
            matches!(known, KnownTime::At(_)) && columns.contains(field.name())
        })
    }

    fn expand(&self, late: &[(usize, &Int64Array)]) -> Expanded {
        let mut out = Expanded {
            hidden: vec![Vec::new(); late.len()],
            ..Expanded::default()
        };
        let mut starts: Vec<i64> = Vec::new();
        for row in 0..self.rows.num_rows() {
            if self.row_known_at.is_null(row) {
                continue;
            }
            let known = self.row_known_at.value(row);
            starts.clear();
            starts.push(known);
            let later = late.iter().filter(|(_, times)| times.is_valid(row));
            starts.extend(
                later
                    .map(|(_, times)| times.value(row))
                    .filter(|time| *time > known),
            );
            starts.sort_unstable();
            starts.dedup();
            for (i, &start) in starts.iter().enumerate() {
                out.rows.push(row as u32);
                out.valid_from.push(start);
                out.valid_to
                    .push(starts.get(i + 1).copied().unwrap_or(OPEN));
                for (hidden, (_, times)) in out.hidden.iter_mut().zip(late) {
                    hidden.push(times.is_null(row) || times.value(row) > start);
                }
            }
        }
        out
    }
}

#[derive(Default)]
struct Expanded {
    rows: Vec<u32>,
    valid_from: Vec<i64>,
    valid_to: Vec<i64>,
    /// For each late column, whether its value is not known yet in this version.
    hidden: Vec<Vec<bool>>,
}
