//! Values of a column, to say which rows are meant.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::max;
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Values of a column, to say which rows a write replaces or a read returns.
#[derive(Debug, Clone)]
pub enum Values {
    /// Days since 1970-01-01, for a date column, or a timestamp column (in microseconds) whose values lie on these days.
    Dates(BTreeSet<i32>),
    /// Texts, for a string column.
    Texts(BTreeSet<String>),
}

impl Values {
    /// Which values of a column are among these; `None` when the column has another type.
    pub(crate) fn contained(&self, column: &dyn Array) -> Option<BooleanArray> {
        match self {
            Self::Dates(dates) => {
                let is_held = |day: Option<i32>| day.is_some_and(|day| dates.contains(&day));
                if let Some(days) = column.as_primitive_opt::<Date32Type>() {
                    return Some(days.iter().map(|day| Some(is_held(day))).collect());
                }
                let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
                let days = times.iter().map(|time| time.and_then(day_of));
                Some(days.map(|day| Some(is_held(day))).collect())
            }
            Self::Texts(texts) => {
                let column = column.as_string_opt::<i32>()?;
                let is_held = |value: Option<&str>| value.is_some_and(|text| texts.contains(text));
                Some(column.iter().map(|value| Some(is_held(value))).collect())
            }
        }
    }

    /// Whether one of these may be a day of a stretch, both ends included. Texts are not asked.
    pub(crate) fn may_be_in(&self, first: i32, last: i32) -> bool {
        match self {
            Self::Dates(dates) => first <= last && dates.range(first..=last).next().is_some(),
            Self::Texts(_) => true,
        }
    }
}

/// The last day since 1970-01-01 in a column of dates or timestamps (in microseconds); `None` where it holds none.
pub(crate) fn last_day(column: &dyn Array) -> Option<i32> {
    match column.as_primitive_opt::<Date32Type>() {
        Some(days) => max(days),
        None => max(column.as_primitive_opt::<TimestampMicrosecondType>()?).and_then(day_of),
    }
}

/// The day of a time in microseconds, both since 1970-01-01.
pub(crate) fn day_of(time: i64) -> Option<i32> {
    i32::try_from(time.div_euclid(MICROS_A_DAY)).ok()
}
