//! Row versions: one for each moment at which another column of a row becomes known.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{nullif, take};
use arrow::datatypes::{DataType, Field, Schema};

use crate::codes::{codes, decoded};
use crate::dated::KnownTime;
use crate::{DAY, Dated, HistoryError, OPEN, VALID_FROM, VALID_TO};

/// How versions are wanted.
#[derive(Debug, Clone)]
pub struct Form<'a> {
    /// The columns that are wanted as numbers (UInt32), as far as they have numbers
    /// ([`crate::History::load_encoded`]).
    pub encoded: BTreeSet<&'a str>,
    /// The moments of which the versions tell.
    pub moments: Moments,
}

/// Moments of which versions tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moments {
    /// All.
    Any,
    /// The starts of days, at which reference dates are: what holds at none of them is left out.
    Midnights,
}

impl Dated {
    /// The versions of all rows, with `columns` and the interval `(valid_from, valid_to]` in [`VALID_FROM`]
    /// and [`VALID_TO`] (Int64, microseconds). Rows split only where one of `columns` becomes known, so
    /// that a view pays for no more versions than it can see. Rows that are never known are left out.
    ///
    /// # Errors
    /// [`HistoryError::DataFusion`] when arrays cannot be built.
    pub fn versions(&self, columns: &BTreeSet<String>) -> Result<RecordBatch, HistoryError> {
        let form = Form {
            encoded: BTreeSet::new(),
            moments: Moments::Any,
        };
        self.versions_as(columns, &form)
    }

    /// As [`Dated::versions`], in another form.
    ///
    /// # Errors
    /// As [`Dated::versions`].
    pub fn versions_as(
        &self,
        columns: &BTreeSet<String>,
        form: &Form<'_>,
    ) -> Result<RecordBatch, HistoryError> {
        let failed = |error| HistoryError::at(&self.name, error);
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
        let expanded = self.expand(&late, form.moments);
        let rows = expanded.rows.map(UInt32Array::from);
        let mut fields = Vec::new();
        let mut values: Vec<ArrayRef> = Vec::new();
        for &i in &wanted {
            let name = schema.field(i).name().as_str();
            let held: ArrayRef = match codes(self.rows.column(i)) {
                Some(codes) if form.encoded.contains(name) => Arc::new(codes.keys().clone()),
                _ => Arc::clone(self.rows.column(i)),
            };
            let taken = match &rows {
                Some(rows) => take(&held, rows, None).map_err(failed)?,
                None => held,
            };
            let taken = decoded(&taken).map_err(failed)?;
            let hidden = late.iter().position(|(column, _)| *column == i);
            values.push(match (&self.columns[i], hidden) {
                (KnownTime::Never, _) => {
                    arrow::array::new_null_array(taken.data_type(), taken.len())
                }
                (_, Some(k)) => nullif(&taken, &BooleanArray::from(expanded.hidden[k].clone()))
                    .map_err(failed)?,
                (_, None) => taken,
            });
            let kind = values[values.len() - 1].data_type().clone();
            fields.push(Arc::new(schema.field(i).clone().with_data_type(kind)));
        }
        fields.push(Arc::new(Field::new(VALID_FROM, DataType::Int64, false)));
        fields.push(Arc::new(Field::new(VALID_TO, DataType::Int64, false)));
        values.push(Arc::new(Int64Array::new(expanded.valid_from, None)));
        values.push(Arc::new(Int64Array::new(expanded.valid_to, None)));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), values).map_err(failed)
    }

    /// Whether a row may have more than one version with these columns.
    pub fn splits(&self, columns: &BTreeSet<String>) -> bool {
        let schema = self.rows.schema();
        let mut fields = schema.fields().iter().zip(&self.columns);
        fields.any(|(field, known)| {
            matches!(known, KnownTime::At(_)) && columns.contains(field.name())
        })
    }

    fn expand(&self, late: &[(usize, &Int64Array)], moments: Moments) -> Expanded {
        if late.is_empty() && self.row_known_at.null_count() == 0 {
            return Expanded {
                rows: None,
                valid_from: self.row_known_at.values().clone(),
                valid_to: vec![OPEN; self.rows.num_rows()].into(),
                hidden: Vec::new(),
            };
        }
        let mut rows = Vec::new();
        let (mut valid_from, mut valid_to) = (Vec::new(), Vec::new());
        let mut hidden = vec![Vec::new(); late.len()];
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
                let end = starts.get(i + 1).copied().unwrap_or(OPEN);
                if moments == Moments::Midnights && !spans_midnight(start, end) {
                    continue;
                }
                rows.push(row as u32);
                valid_from.push(start);
                valid_to.push(end);
                for (hidden, (_, times)) in hidden.iter_mut().zip(late) {
                    hidden.push(times.is_null(row) || times.value(row) > start);
                }
            }
        }
        Expanded {
            rows: Some(rows),
            valid_from: valid_from.into(),
            valid_to: valid_to.into(),
            hidden,
        }
    }
}

/// Whether an interval `(from, to]` holds the start of a day.
pub fn spans_midnight(from: i64, to: i64) -> bool {
    from.div_euclid(DAY) < to.div_euclid(DAY)
}

struct Expanded {
    /// The row of each version; `None` when each row has just one.
    rows: Option<Vec<u32>>,
    valid_from: ScalarBuffer<i64>,
    valid_to: ScalarBuffer<i64>,
    /// For each late column, whether its value is not known yet in this version.
    hidden: Vec<Vec<bool>>,
}
