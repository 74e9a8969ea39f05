//! The values of one feature: numbers, or categories.

use std::collections::{BTreeMap, BTreeSet};

use crate::LearnError;

/// The code of a missing category.
const MISSING: u32 = u32::MAX;

/// The values of one feature for all rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN is a missing value, and no value is infinite.
    Numbers(Vec<f64>),
    /// Texts from a set, without order.
    Categories(Categories),
}

/// One value of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FeatureValue<'a> {
    /// There is none.
    Missing,
    /// A number, not NaN.
    Number(f64),
    /// A category.
    Category(&'a str),
}

/// Texts kept as codes into a dictionary.
#[derive(Clone, Debug, PartialEq)]
pub struct Categories {
    codes: Vec<u32>,
    /// Sorted, each text once, so that it does not depend on the order of rows.
    dictionary: Vec<String>,
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Categories(categories) => categories.codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of row `row`, which is below [`len`](Self::len).
    pub fn value(&self, row: usize) -> FeatureValue<'_> {
        match self {
            Self::Numbers(values) if values[row].is_nan() => FeatureValue::Missing,
            Self::Numbers(values) => FeatureValue::Number(values[row]),
            Self::Categories(categories) => categories
                .text(row)
                .map_or(FeatureValue::Missing, FeatureValue::Category),
        }
    }

    /// Refuses a column of another length than `rows`, or with an infinite number.
    pub(crate) fn check(&self, feature: &str, rows: usize) -> Result<(), LearnError> {
        if self.len() != rows {
            return Err(LearnError::ColumnLength {
                feature: feature.to_owned(),
                found: self.len(),
                expected: rows,
            });
        }
        let Self::Numbers(values) = self else {
            return Ok(());
        };
        match values.iter().position(|value| value.is_infinite()) {
            Some(row) => Err(LearnError::InfiniteValue {
                feature: feature.to_owned(),
                row,
            }),
            None => Ok(()),
        }
    }
}

impl From<Vec<f64>> for Column {
    fn from(values: Vec<f64>) -> Self {
        Self::Numbers(values)
    }
}

impl From<Categories> for Column {
    fn from(categories: Categories) -> Self {
        Self::Categories(categories)
    }
}

impl Categories {
    /// The categories of rows with these texts; `None` is missing.
    pub fn from_texts<'a, I>(texts: I) -> Self
    where
        I: IntoIterator<Item = Option<&'a str>>,
        I::IntoIter: Clone,
    {
        let texts = texts.into_iter();
        let distinct: BTreeSet<&str> = texts.clone().flatten().collect();
        let codes: BTreeMap<&str, u32> = distinct.iter().copied().zip(0..).collect();
        Self {
            codes: texts
                .map(|text| text.map_or(MISSING, |text| codes[text]))
                .collect(),
            dictionary: distinct.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The texts that occur, sorted.
    pub fn dictionary(&self) -> &[String] {
        &self.dictionary
    }

    /// The text of row `row`, or `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.dictionary
            .get(self.codes[row] as usize)
            .map(String::as_str)
    }

    /// The place of row `row` in the dictionary, or the length of the dictionary if it is missing.
    pub(crate) fn place(&self, row: usize) -> usize {
        (self.codes[row] as usize).min(self.dictionary.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_sorted_and_texts_read_back() {
        let texts = [Some("sp"), None, Some("rj"), Some("sp")];
        let categories = Categories::from_texts(texts);
        assert_eq!(categories.dictionary(), ["rj", "sp"]);
        let read: Vec<_> = (0..4).map(|row| categories.text(row)).collect();
        assert_eq!(read, texts);
        assert_eq!(categories.place(1), 2);
    }
}
