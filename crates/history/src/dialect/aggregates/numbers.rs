//! Aggregates of numbers that need all of them: percentiles and variances, and sums of distinct numbers.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use num_bigint::BigInt;

use super::exact::{ExactSum, decompose, leading, scale};
use super::whole::Whole;

/// The value below which a share of the numbers lies, with linear interpolation between the two nearest:
/// position `p * (n - 1)` among the sorted numbers, NaN last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Percentile {
    aliases: Vec<String>,
}

impl Percentile {
    pub(super) fn new() -> Self {
        Self {
            aliases: vec!["quantile".to_owned()],
        }
    }
}

impl Whole for Percentile {
    fn name(&self) -> &str {
        "percentile"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        numbers(
            self.name(),
            "a number and a share from 0 to 1",
            2,
            arguments,
        )
    }

    fn result(&self, _arguments: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let share = constant(self.name(), &arguments[1])?;
        if !(0.0..=1.0).contains(&share) {
            return exec_err!("percentile needs a share from 0 to 1: {share}");
        }
        Ok(Some(percentile(floats(&arguments[0]).to_vec(), share)).into())
    }
}

/// The percentile of share 0.5.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Median;

impl Whole for Median {
    fn name(&self) -> &str {
        "median"
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        numbers(self.name(), "a number", 1, arguments)
    }

    fn result(&self, _arguments: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        Ok(Some(percentile(floats(&arguments[0]).to_vec(), 0.5)).into())
    }
}

/// Some numbers; at least one.
pub(super) fn percentile(mut numbers: Vec<f64>, share: f64) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let position = share * (numbers.len() - 1) as f64;
    let low = numbers[position.floor() as usize];
    let high = numbers[position.ceil() as usize];
    let fraction = position.fract();
    if fraction == 0.0 || low == high {
        return low;
    }
    let step = high - low;
    let between = match step.is_finite() {
        true => low + step * fraction + 0.0,
        // The two are taken apart where their difference overflows.
        false => low * (1.0 - fraction) + high * fraction,
    };
    // Between infinities lies NaN, of which processors make one with a sign or one without.
    match between.is_nan() {
        true => f64::NAN,
        false => between,
    }
}

/// Variances and standard deviations, from exact sums of the numbers and of their squares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Spread {
    name: &'static str,
    aliases: Vec<String>,
    /// Whether to divide by `n - 1` instead of `n`.
    sample: bool,
    /// Whether to take the square root.
    root: bool,
}

impl Spread {
    /// Every one of them, under Spark's names.
    pub(super) fn all() -> [Self; 4] {
        let spread = |name, aliases: &[&str], sample, root| Self {
            name,
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            sample,
            root,
        };
        [
            spread("var", &["var_samp", "variance", "var_sample"], true, false),
            spread("var_pop", &["var_population"], false, false),
            spread("stddev", &["stddev_samp", "std"], true, true),
            spread("stddev_pop", &[], false, true),
        ]
    }
}

impl Whole for Spread {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        numbers(self.name, "a number", 1, arguments)
    }

    fn result(&self, _arguments: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let variance = variance(floats(&arguments[0]), self.sample);
        let root = |variance: f64| match self.root {
            true => variance.sqrt(),
            false => variance,
        };
        Ok(variance.map(root).into())
    }
}

/// `(n * sum(x^2) - sum(x)^2) / (n * (n - 1))`, or over `n * n`; none of a single number of a sample.
fn variance(numbers: &[f64], sample: bool) -> Option<f64> {
    let count = numbers.len();
    if sample && count == 1 {
        return None;
    }
    if numbers.iter().any(|number| !number.is_finite()) {
        return Some(f64::NAN);
    }
    let others = numbers.iter().filter(|number| **number != 0.0);
    let parts = others.map(|&number| (number, decompose(number)));
    let exponents = parts.clone().map(|(_, (_, exponent))| exponent);
    let unit = exponents.min().unwrap_or(0);
    let (mut sum, mut squares) = (BigInt::ZERO, BigInt::ZERO);
    for (number, (magnitude, exponent)) in parts {
        let integer = BigInt::from(magnitude) << (exponent - unit);
        squares += &integer * &integer;
        sum += if number < 0.0 { -integer } else { integer };
    }
    let (spread, shift) = leading(&(squares * count - &sum * &sum));
    let pairs = count as f64 * (count - usize::from(sample)) as f64;
    Some(scale(spread / pairs, shift + 2 * unit))
}

/// Sums and means of the distinct numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct OfDistinct {
    pub(super) mean: bool,
}

impl Whole for OfDistinct {
    fn name(&self) -> &str {
        if self.mean { "avg" } else { "sum" }
    }

    fn coerce(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        numbers(self.name(), "a number", 1, arguments)
    }

    fn result(&self, _arguments: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn of(&self, arguments: &[ArrayRef]) -> Result<ScalarValue> {
        let numbers = floats(&arguments[0]);
        let sum = ExactSum::of(numbers.iter().copied()).rounded();
        Ok(Some(if self.mean {
            sum / numbers.len() as f64
        } else {
            sum
        })
        .into())
    }
}

/// Casts every argument to a float.
pub(super) fn numbers(
    function: &str,
    takes: &str,
    count: usize,
    arguments: &[DataType],
) -> Result<Vec<DataType>> {
    let number = |kind: &DataType| kind.is_numeric() || kind.is_null();
    if arguments.len() != count || !arguments.iter().all(number) {
        let given: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        return plan_err!("{function} takes {takes}: {}", given.join(", "));
    }
    Ok(vec![DataType::Float64; count])
}

/// The value of an argument that is the same in every row.
pub(super) fn constant(function: &str, argument: &ArrayRef) -> Result<f64> {
    let values = floats(argument);
    match values.first() {
        Some(&first)
            if argument.null_count() == 0 && values.iter().all(|value| *value == first) =>
        {
            Ok(first)
        }
        _ => exec_err!("{function} needs a constant as its last argument"),
    }
}

/// The values of a column of floats; where NULL, anything.
pub(super) fn floats(column: &ArrayRef) -> &[f64] {
    column.as_primitive::<Float64Type>().values()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_infinities_lies_nan_without_a_sign() {
        let infinities = vec![f64::NEG_INFINITY, f64::INFINITY];
        for share in [0.3, 0.5] {
            let found = percentile(infinities.clone(), share);
            assert_eq!(found.to_bits(), f64::NAN.to_bits());
        }
    }
}
