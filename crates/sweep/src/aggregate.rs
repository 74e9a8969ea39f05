//! The aggregates a sweep can compute, and what each gives back.

use std::fmt;

use arrow::datatypes::{DataType, TimeUnit};

use crate::SweepError;

/// What is computed of the active rows of a window. The conventions for NULL, NaN, ties and empty
/// windows are those of the [crate documentation](crate).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// Number of rows. `Int64`, 0 when empty.
    CountRows,
    /// Number of non-null values, of a column of any type. `Int64`, 0 when empty.
    Count,
    /// Number of distinct non-null values. `Int64`, 0 when empty.
    CountDistinct,
    /// Sum. `Int64` for integers, else `Float64`: the exact sum of the active values, rounded once.
    Sum,
    /// Mean: the exact sum rounded to 64-bit float, divided by the number of values. `Float64`.
    Average,
    /// Smallest value, in the type of the column.
    Minimum,
    /// Largest value, in the type of the column.
    Maximum,
    /// Quantile of the given probability, with linear interpolation between the two nearest values:
    /// position `p * (n - 1)` among the sorted values (definition 7 of Hyndman and Fan 1996, DuckDB's
    /// `quantile_cont`, Spark's `percentile`). 0.5 is the median. `Float64`.
    Quantile(f64),
    /// Standard deviation, the square root of the variance. `Float64`.
    StandardDeviation {
        /// Whether to divide by `n - 1` (NULL for a single value) instead of `n`.
        sample: bool,
    },
    /// Variance: `(n * sum(x^2) - sum(x)^2)`, exact and so never negative, rounded once and divided by
    /// `n * (n - 1)` or `n * n`. `Float64`.
    Variance {
        /// Whether to divide by `n - 1` (NULL for a single value) instead of `n`.
        sample: bool,
    },
    /// Value of the earliest row by time; of several, the smallest value. In the type of the column.
    First,
    /// Value of the latest row by time; of several, the largest value. In the type of the column.
    Last,
    /// Most frequent value; of several, the smallest. In the type of the column.
    Mode,
    /// Mean gap between consecutive distinct days of `time`, in days. With a column, of its non-null
    /// rows only. NULL with fewer than two days. `Float64`.
    MeanGap,
    /// Quantile of the gaps between consecutive distinct days of `time`, in days, interpolated as
    /// [`Function::Quantile`]. With a column, of its non-null rows only. `Float64`.
    QuantileGap(f64),
    /// Longest gap between consecutive distinct days of `time`, in days. With a column, of its non-null
    /// rows only. NULL with fewer than two days. `Float64`.
    LongestGap,
    /// Number of rows, each with weight `2^(-age / half_life_days)`, where age is the time from the row
    /// to the reference date at 00:00, in days. With a column, of its non-null rows only.
    /// `Float64`, 0 when empty.
    DecayedCount {
        /// The age at which a row counts half, in days.
        half_life_days: f64,
    },
    /// Sum of the values, each with the weight of [`Function::DecayedCount`]. `Float64`.
    DecayedSum {
        /// The age at which a value counts half, in days.
        half_life_days: f64,
    },
}

/// One aggregate: a function of a column, over the rows that a filter lets through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregate {
    /// What is computed.
    pub function: Function,
    /// Index of the column it is computed of. [`Function::CountRows`] takes none; the gaps and
    /// [`Function::DecayedCount`] may take one; all others need one.
    pub column: Option<usize>,
    /// Index of a boolean column: rows where it is false or NULL are left out.
    pub filter: Option<usize>,
}

impl Aggregate {
    /// The type of the output for columns of the given types.
    ///
    /// # Errors
    /// Everything that is wrong with the aggregate by itself: an index without a column, a missing or
    /// needless column, a type it cannot be computed of, a filter that is not boolean, a probability or
    /// half-life out of range.
    ///
    /// ```
    /// use arrow::datatypes::DataType;
    /// use safra_sweep::{Aggregate, Function};
    ///
    /// let largest = Aggregate { function: Function::Maximum, column: Some(0), filter: None };
    /// assert_eq!(largest.output_type(&[DataType::Utf8])?, DataType::Utf8);
    /// # Ok::<(), safra_sweep::SweepError>(())
    /// ```
    pub fn output_type(&self, columns: &[DataType]) -> Result<DataType, SweepError> {
        self.check_parameter()?;
        if let Some(filter) = self.filter {
            let data_type = self.column_type(filter, columns)?.clone();
            if data_type != DataType::Boolean {
                return Err(SweepError::FilterType {
                    aggregate: *self,
                    data_type,
                });
            }
        }
        let column = match self.column {
            Some(column) => Some(self.column_type(column, columns)?),
            None => None,
        };
        self.value_type(column)
    }

    fn column_type<'a>(
        &self,
        column: usize,
        columns: &'a [DataType],
    ) -> Result<&'a DataType, SweepError> {
        let unknown = SweepError::UnknownColumn {
            aggregate: *self,
            column,
            columns: columns.len(),
        };
        columns.get(column).ok_or(unknown)
    }

    fn check_parameter(&self) -> Result<(), SweepError> {
        match self.function {
            Function::Quantile(probability) | Function::QuantileGap(probability)
                if !(0.0..=1.0).contains(&probability) =>
            {
                Err(SweepError::Probability {
                    aggregate: *self,
                    probability,
                })
            }
            Function::DecayedCount { half_life_days } | Function::DecayedSum { half_life_days }
                if !half_life_microseconds(half_life_days).is_some_and(f64::is_finite) =>
            {
                Err(SweepError::HalfLife {
                    aggregate: *self,
                    half_life_days,
                })
            }
            _ => Ok(()),
        }
    }

    fn value_type(&self, column: Option<&DataType>) -> Result<DataType, SweepError> {
        use Function::*;
        match (self.function, column) {
            (CountRows, Some(_)) => Err(SweepError::UnexpectedColumn { aggregate: *self }),
            (CountRows, None) | (Count, Some(_)) => Ok(DataType::Int64),
            (MeanGap | QuantileGap(_) | LongestGap | DecayedCount { .. }, _) => {
                Ok(DataType::Float64)
            }
            (_, None) => Err(SweepError::MissingColumn { aggregate: *self }),
            (CountDistinct, Some(column)) => self
                .require(is_ordered(column), column, ORDERED)
                .map(|()| DataType::Int64),
            (Sum, Some(column)) if is_integer(column) => Ok(DataType::Int64),
            (Minimum | Maximum | First | Last | Mode, Some(column)) => self
                .require(is_ordered(column), column, ORDERED)
                .map(|()| column.clone()),
            (_, Some(column)) => self
                .require(is_number(column), column, NUMBERS)
                .map(|()| DataType::Float64),
        }
    }

    fn require(
        &self,
        supported: bool,
        data_type: &DataType,
        expected: &'static str,
    ) -> Result<(), SweepError> {
        if supported {
            return Ok(());
        }
        Err(SweepError::UnsupportedType {
            aggregate: *self,
            data_type: data_type.clone(),
            expected,
        })
    }
}

const NUMBERS: &str = "integers, 32- and 64-bit floats, and 128-bit decimals";
const ORDERED: &str = "numbers, booleans, strings, dates and timestamps without a time zone";

fn is_integer(data_type: &DataType) -> bool {
    data_type.is_integer()
}

fn is_number(data_type: &DataType) -> bool {
    is_integer(data_type)
        || matches!(
            data_type,
            DataType::Float32 | DataType::Float64 | DataType::Decimal128(_, _)
        )
}

fn is_ordered(data_type: &DataType) -> bool {
    use DataType::{Boolean, Date32, LargeUtf8, Timestamp, Utf8, Utf8View};
    is_number(data_type)
        || matches!(
            data_type,
            Boolean | Utf8 | LargeUtf8 | Utf8View | Date32 | Timestamp(_, None)
        )
}

/// The unit of a timestamp without a time zone.
pub(crate) fn timestamp_unit(data_type: &DataType) -> Option<TimeUnit> {
    match data_type {
        DataType::Timestamp(unit, None) => Some(*unit),
        _ => None,
    }
}

/// A half-life in microseconds; none below one microsecond, the resolution of time.
pub(crate) fn half_life_microseconds(half_life_days: f64) -> Option<f64> {
    Some(half_life_days * crate::calendar::DAY as f64).filter(|&half_life| half_life >= 1.0)
}

/// As in SQL: `sum(column 2)`, `quantile(0.5)(column 0)`, `count(*)`.
impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Function::CountRows | Function::Count => "count",
            Function::CountDistinct => "count_distinct",
            Function::Sum => "sum",
            Function::Average => "avg",
            Function::Minimum => "min",
            Function::Maximum => "max",
            Function::Quantile(probability) => return write!(formatter, "quantile({probability})"),
            Function::StandardDeviation { sample: true } => "stddev_samp",
            Function::StandardDeviation { sample: false } => "stddev_pop",
            Function::Variance { sample: true } => "var_samp",
            Function::Variance { sample: false } => "var_pop",
            Function::First => "first",
            Function::Last => "last",
            Function::Mode => "mode",
            Function::MeanGap => "mean_gap",
            Function::QuantileGap(probability) => {
                return write!(formatter, "quantile_gap({probability})");
            }
            Function::LongestGap => "longest_gap",
            Function::DecayedCount { half_life_days } => {
                return write!(formatter, "decayed_count({half_life_days})");
            }
            Function::DecayedSum { half_life_days } => {
                return write!(formatter, "decayed_sum({half_life_days})");
            }
        };
        formatter.write_str(name)
    }
}

/// As in SQL: `sum(column 2) filter (where column 5)`.
impl fmt::Display for Aggregate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(formatter, "{}(column {column})", self.function)?,
            None => write!(formatter, "{}(*)", self.function)?,
        }
        match self.filter {
            Some(filter) => write!(formatter, " filter (where column {filter})"),
            None => Ok(()),
        }
    }
}
