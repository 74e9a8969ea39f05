//! Aggregates of times: gaps between days, and counts and sums whose rows weigh less with age.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};

use super::exact::ExactSum;
use super::numbers::{constant, floats, percentile};
use super::whole::Whole;
use crate::DAY;

/// The gaps between consecutive distinct days of some times, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Gaps {
    Mean,
    Percentile,
    Longest,
}

impl Whole for Gaps {
    fn name(&self) -> &str {
        match self {
            Gaps::Mean => "avg_gap_days",
            Gaps::Percentile => "percentile_gap_days",
            Gaps::Longest => "max_gap_days",
        }
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match (self, arguments) {
            (Gaps::Mean | Gaps::Longest, [time]) if is_time(time) => Ok(vec![DataType::Date32]),
            (Gaps::Percentile, [time, share]) if is_time(time) && share.is_numeric() => {
                Ok(vec![DataType::Date32, DataType::Float64])
            }
            (Gaps::Percentile, _) => {
                plan_err!("{} takes a time and a share from 0 to 1", self.name())
            }
            _ => plan_err!("{} takes a time", self.name()),
        }
    }

    fn result(&self, _arguments: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let days = arguments[0].as_primitive::<Date32Type>();
        let mut days: Vec<i64> = days.values().iter().map(|&day| i64::from(day)).collect();
        days.sort_unstable();
        days.dedup();
        let gaps: Vec<f64> = days
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as f64)
            .collect();
        if gaps.is_empty() {
            return Ok(ScalarValue::Float64(None));
        }
        Ok(Some(match self {
            Gaps::Mean => gaps.iter().sum::<f64>() / gaps.len() as f64,
            Gaps::Longest => percentile(gaps, 1.0),
            Gaps::Percentile => {
                let share = constant(self.name(), &arguments[1])?;
                if !(0.0..=1.0).contains(&share) {
                    return exec_err!("{} needs a share from 0 to 1: {share}", self.name());
                }
                percentile(gaps, share)
            }
        })
        .into())
    }
}

/// The number of rows, or the sum of a value, each row with weight `2^(-age / half_life)`, where age is the
/// time from the row to a date at 00:00 and half-lives are in days: `decayed_count(half_life, time, date)`
/// and `decayed_sum(value, half_life, time, date)`. A feature view leaves out time and date: they are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Decayed {
    Count,
    Sum,
}

impl Decayed {
    fn values(self) -> usize {
        match self {
            Decayed::Count => 0,
            Decayed::Sum => 1,
        }
    }
}

impl Whole for Decayed {
    fn name(&self) -> &str {
        match self {
            Decayed::Count => "decayed_count",
            Decayed::Sum => "decayed_sum",
        }
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let values = self.values();
        let are_numbers =
            arguments.len() > values && arguments[..=values].iter().all(DataType::is_numeric);
        let mut types = vec![DataType::Float64; values + 1];
        match arguments.get(values + 1..) {
            Some([]) if are_numbers => Ok(types),
            Some([time, date]) if are_numbers && is_time(time) && is_time(date) => {
                types.extend([
                    DataType::Timestamp(TimeUnit::Microsecond, None),
                    DataType::Date32,
                ]);
                Ok(types)
            }
            _ => plan_err!(
                "{} takes {}a half-life in days",
                self.name(),
                ["", "a number and "][values]
            ),
        }
    }

    fn result(&self, _arguments: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn of_nothing(&self, _arguments: &[DataType]) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(match self {
            Decayed::Count => Some(0.0),
            Decayed::Sum => None,
        }))
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let values = self.values();
        let half_life = constant(self.name(), &arguments[values])?;
        let [time, date] = &arguments[values + 1..] else {
            return exec_err!(
                "{} needs the time of each row and a date, except in a feature view",
                self.name()
            );
        };
        let times = time.as_primitive::<TimestampMicrosecondType>();
        let dates = date.as_primitive::<Date32Type>();
        let term = |row: usize| {
            let value = if values == 0 {
                1.0
            } else {
                floats(&arguments[0])[row]
            };
            let age = i64::from(dates.value(row)) * DAY - times.value(row);
            match value.is_finite() {
                true => value * (-(age as f64 / DAY as f64) / half_life).exp2(),
                false => value,
            }
        };
        let dated = (0..times.len()).filter(|&row| times.is_valid(row) && dates.is_valid(row));
        Ok(Some(ExactSum::of(dated.map(term)).rounded()).into())
    }
}

fn is_time(kind: &DataType) -> bool {
    matches!(kind, DataType::Date32 | DataType::Timestamp(_, None))
}
