//! The definition of a sweep, followed to the letter: for every date, window and entity, look at every row.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use chrono::{Duration, Months, NaiveDate};
use num_bigint::BigInt;
use safra_sweep::{Aggregate, Function, Window};

pub const DAY: i64 = 86_400_000_000;

/// A value of a column, as it compares.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Float(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
}

/// A row version with one value for each column.
#[derive(Debug, Clone)]
pub struct Row {
    pub entity: u32,
    pub time: i64,
    pub valid_from: i64,
    pub valid_to: i64,
    pub values: Vec<Value>,
}

/// What is expected of an output.
#[derive(Debug, Clone)]
pub enum Expected {
    /// This value, to the bit.
    Exactly(Value),
    /// This float, to 1e-9 of the size of what it is computed from.
    Near { value: f64, size: f64 },
}

/// The expected output rows: entity, date, and values by window and aggregate.
pub type Table = Vec<(u32, i32, Vec<Vec<Expected>>)>;

pub fn sweep(rows: &[Row], windows: &[Window], aggregates: &[Aggregate], dates: &[i32]) -> Table {
    let entities: BTreeSet<_> = rows.iter().map(|row| row.entity).collect();
    let mut table = Vec::new();
    for entity in entities {
        for &date in dates {
            let active = |window: &Window| -> Vec<&Row> {
                rows.iter()
                    .filter(|row| row.entity == entity && is_active(row, *window, date))
                    .collect()
            };
            let active: Vec<_> = windows.iter().map(active).collect();
            if active.iter().any(|rows| !rows.is_empty()) {
                let compute = |rows: &Vec<&Row>| {
                    aggregates
                        .iter()
                        .map(|aggregate| aggregate_of(rows, aggregate, date))
                        .collect()
                };
                table.push((entity, date, active.iter().map(compute).collect()));
            }
        }
    }
    table
}

fn is_active(row: &Row, window: Window, date: i32) -> bool {
    let day = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + Duration::days(i64::from(date));
    let midnight = |day: NaiveDate| {
        day.and_hms_opt(0, 0, 0)
            .unwrap()
            .and_utc()
            .timestamp_micros()
    };
    let is_in_window = match window {
        Window::Days(days) => midnight(day - Duration::days(i64::from(days))) <= row.time,
        Window::Months(months) => midnight(day - Months::new(months)) <= row.time,
        Window::All => true,
    };
    let reference = midnight(day);
    row.valid_from < reference && reference <= row.valid_to && is_in_window && row.time < reference
}

fn aggregate_of(rows: &[&Row], aggregate: &Aggregate, date: i32) -> Expected {
    let passes = |row: &&Row| {
        aggregate
            .filter
            .is_none_or(|filter| row.values[filter] == Value::Boolean(true))
    };
    let value = |row: &Row| {
        aggregate
            .column
            .map_or(Value::Integer(1), |column| row.values[column].clone())
    };
    let mut values: Vec<_> = rows
        .iter()
        .filter(|row| passes(row))
        .map(|row| (row.time, value(row)))
        .collect();
    values.retain(|(_, value)| *value != Value::Null);
    compute(aggregate.function, values, date)
}

fn compute(function: Function, mut values: Vec<(i64, Value)>, date: i32) -> Expected {
    let count = |count: usize| Expected::Exactly(Value::Integer(count as i64));
    match function {
        Function::CountRows | Function::Count => return count(values.len()),
        Function::DecayedCount { half_life_days } => {
            values
                .iter_mut()
                .for_each(|(_, value)| *value = Value::Float(1.0));
            return decayed_sum(&values, half_life_days, date);
        }
        Function::CountDistinct if values.is_empty() => return count(0),
        _ if values.is_empty() => return Expected::Exactly(Value::Null),
        _ => {}
    }
    values.sort_by(|(_, left), (_, right)| compare(left, right));
    let numbers = || {
        values
            .iter()
            .map(|(_, value)| number(value))
            .collect::<Vec<_>>()
    };
    match function {
        Function::CountRows | Function::Count | Function::DecayedCount { .. } => unreachable!(),
        Function::CountDistinct => count(frequencies(&values).len()),
        Function::Sum => sum(&values),
        Function::Average => average(&values),
        Function::Minimum => exactly(&values[0].1),
        Function::Maximum => exactly(&values[values.len() - 1].1),
        Function::Quantile(probability) => quantile(&numbers(), probability),
        Function::Variance { sample } => variance(&numbers(), sample, false),
        Function::StandardDeviation { sample } => variance(&numbers(), sample, true),
        Function::First => exactly(&values.iter().min_by_key(|(time, _)| *time).unwrap().1),
        Function::Last => exactly(&values.iter().max_by_key(|(time, _)| *time).unwrap().1),
        Function::Mode => {
            let frequencies = frequencies(&values);
            let most = frequencies.iter().map(|(_, count)| *count).max();
            exactly(
                &frequencies
                    .iter()
                    .find(|(_, count)| Some(*count) == most)
                    .unwrap()
                    .0,
            )
        }
        Function::MeanGap | Function::QuantileGap(_) | Function::LongestGap => {
            gap(function, &values)
        }
        Function::DecayedSum { half_life_days } => decayed_sum(&values, half_life_days, date),
    }
}

/// The order of values: NaN above all numbers, zeros equal.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left
            .partial_cmp(right)
            .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan())),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        _ => panic!("{left:?} and {right:?} do not compare"),
    }
}

/// One value for both zeros and for every NaN.
fn exactly(value: &Value) -> Expected {
    Expected::Exactly(match value {
        Value::Float(float) if float.is_nan() => Value::Float(f64::NAN),
        Value::Float(0.0) => Value::Float(0.0),
        value => value.clone(),
    })
}

/// The distinct values of a sorted list and how often each occurs.
fn frequencies(values: &[(i64, Value)]) -> Vec<(Value, usize)> {
    let same =
        |left: &(i64, Value), right: &(i64, Value)| compare(&left.1, &right.1) == Ordering::Equal;
    values
        .chunk_by(same)
        .map(|group| (group[0].1.clone(), group.len()))
        .collect()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Float(float) => *float,
        Value::Integer(integer) => *integer as f64,
        _ => panic!("{value:?} is no number"),
    }
}

fn sum(values: &[(i64, Value)]) -> Expected {
    let integers = values.iter().map(|(_, value)| match value {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    });
    let sum = match integers.sum::<Option<i64>>() {
        Some(sum) => Value::Integer(sum),
        None => Value::Float(float_sum(values.iter().map(|(_, value)| number(value)))),
    };
    exactly(&sum)
}

fn average(values: &[(i64, Value)]) -> Expected {
    let Expected::Exactly(sum) = sum(values) else {
        unreachable!()
    };
    exactly(&Value::Float(number(&sum) / values.len() as f64))
}

/// The sum rounded once: in units of the smallest float, 2^-1074, written out in decimal and read back.
fn float_sum(values: impl Iterator<Item = f64>) -> f64 {
    let (special, finite): (Vec<f64>, Vec<f64>) = values.partition(|value| !value.is_finite());
    if !special.is_empty() {
        return special.iter().sum();
    }
    let sum: BigInt = finite.into_iter().map(units).sum();
    format!("{}e-1074", sum * BigInt::from(5).pow(1074))
        .parse()
        .unwrap()
}

fn units(value: f64) -> BigInt {
    let bits = value.to_bits();
    let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    let magnitude = match exponent {
        0 => BigInt::from(fraction),
        _ => BigInt::from(fraction | 1 << 52) << (exponent - 1),
    };
    if value < 0.0 { -magnitude } else { magnitude }
}

fn variance(numbers: &[f64], sample: bool, root: bool) -> Expected {
    let count = numbers.len() as u64;
    if sample && count == 1 {
        return Expected::Exactly(Value::Null);
    }
    if numbers.iter().any(|number| !number.is_finite()) {
        return exactly(&Value::Float(f64::NAN));
    }
    let values: Vec<_> = numbers.iter().copied().map(units).collect();
    let sum: BigInt = values.iter().sum();
    let squares: BigInt = values.iter().map(|value| value * value).sum();
    // In units of 2^-2148, with twenty decimals more.
    let spread =
        (squares * count - sum.pow(2)) * BigInt::from(5).pow(2148) * BigInt::from(10).pow(20);
    let variance: f64 = format!("{}e-2168", spread / (count * (count - u64::from(sample))))
        .parse()
        .unwrap();
    near(if root { variance.sqrt() } else { variance })
}

fn near(value: f64) -> Expected {
    Expected::Near {
        value,
        size: value.abs(),
    }
}

fn quantile(sorted: &[f64], probability: f64) -> Expected {
    let position = probability * (sorted.len() - 1) as f64;
    let (low, high) = (
        sorted[position.floor() as usize],
        sorted[position.ceil() as usize],
    );
    let fraction = position - position.floor();
    let is_same = low == high || fraction == 0.0;
    let value = if is_same {
        low
    } else {
        low * (1.0 - fraction) + high * fraction
    };
    Expected::Near {
        value,
        size: low.abs().max(high.abs()),
    }
}

fn gap(function: Function, values: &[(i64, Value)]) -> Expected {
    let days: BTreeSet<_> = values
        .iter()
        .map(|(time, _)| time.div_euclid(DAY))
        .collect();
    let days: Vec<_> = days.into_iter().collect();
    let mut gaps: Vec<_> = days
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) as f64)
        .collect();
    gaps.sort_by(f64::total_cmp);
    if gaps.is_empty() {
        return Expected::Exactly(Value::Null);
    }
    match function {
        Function::MeanGap => near(gaps.iter().sum::<f64>() / gaps.len() as f64),
        Function::QuantileGap(probability) => quantile(&gaps, probability),
        _ => exactly(&Value::Float(gaps[gaps.len() - 1])),
    }
}

fn decayed_sum(values: &[(i64, Value)], half_life_days: f64, date: i32) -> Expected {
    let age = |time: i64| (i64::from(date) * DAY - time) as f64 / DAY as f64;
    // Made small before they are added, so that no part of the sum overflows, and weighed in four steps,
    // so that no weight vanishes before a large value.
    let weigh = |(time, value): &(i64, Value)| {
        let step = (-age(*time) / half_life_days / 4.0).exp2();
        number(value) * 2_f64.powi(-20) * step * step * step * step
    };
    let weighted = values.iter().map(weigh);
    let size = weighted.clone().map(f64::abs).sum::<f64>() * 2_f64.powi(20);
    let value = values.iter().map(weigh).fold(0.0, |sum, value| sum + value) * 2_f64.powi(20);
    Expected::Near { value, size }
}
