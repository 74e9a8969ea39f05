//! Examples: rows of features with a label, and selections of rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::{Column, Durations, FeatureValue, LearnError};

/// A table of examples, checked once: every column has one value a row, names are unique, no value is infinite.
///
/// Features are kept column by column; each is numbers or categories, and any value may be missing.
#[derive(Clone, Debug)]
pub struct Examples {
    feature_names: Vec<String>,
    columns: Vec<Column>,
    label: Vec<Option<bool>>,
    positions: BTreeMap<String, usize>,
    durations: Option<Durations>,
}

impl Examples {
    /// Takes `feature_names.len()` columns of `label.len()` numbers each, NaN where missing. A label is `None` while it cannot be
    /// known yet.
    ///
    /// # Errors
    /// As [`Examples::with_columns`].
    pub fn new(
        feature_names: Vec<String>,
        columns: Vec<Vec<f64>>,
        label: Vec<Option<bool>>,
    ) -> Result<Self, LearnError> {
        let columns = columns.into_iter().map(Column::from).collect();
        Self::with_columns(feature_names, columns, label)
    }

    /// As [`Examples::new`], of columns of numbers or categories.
    ///
    /// # Errors
    /// If the numbers of names, columns and rows disagree, a name is empty or not unique, or a value is infinite.
    pub fn with_columns(
        feature_names: Vec<String>,
        columns: Vec<Column>,
        label: Vec<Option<bool>>,
    ) -> Result<Self, LearnError> {
        if feature_names.len() != columns.len() {
            return Err(LearnError::ColumnCount {
                names: feature_names.len(),
                columns: columns.len(),
            });
        }
        let mut positions = BTreeMap::new();
        for (position, (name, column)) in feature_names.iter().zip(&columns).enumerate() {
            column.check(name, label.len())?;
            if name.is_empty() || positions.insert(name.clone(), position).is_some() {
                return Err(LearnError::FeatureName(name.clone()));
            }
        }
        Ok(Self {
            feature_names,
            columns,
            label,
            positions,
            durations: None,
        })
    }

    /// The same examples, with the time that each row took to its outcome.
    ///
    /// # Errors
    /// If there is not one duration a row, a row has no start, or an outcome has no moment at which it was seen.
    pub fn with_durations(mut self, durations: Durations) -> Result<Self, LearnError> {
        durations.check(self.len())?;
        self.durations = Some(durations);
        Ok(self)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.label.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.label.is_empty()
    }

    /// Names of the features, in column order.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The values of one feature for all rows, or `None` if there is no such feature.
    pub fn feature(&self, feature: &str) -> Option<&Column> {
        self.positions
            .get(feature)
            .map(|&position| &self.columns[position])
    }

    /// The numbers of one feature for all rows, or `None` if there is no such feature or it is not numbers.
    pub fn column(&self, feature: &str) -> Option<&[f64]> {
        match self.feature(feature) {
            Some(Column::Numbers(values)) => Some(values),
            _ => None,
        }
    }

    /// The labels of all rows.
    pub fn label(&self) -> &[Option<bool>] {
        &self.label
    }

    /// The time that each row took to its outcome, if that is known of these examples.
    pub fn durations(&self) -> Option<&Durations> {
        self.durations.as_ref()
    }

    /// All rows, in order.
    pub fn all(&self) -> Rows<'_> {
        Rows {
            examples: self,
            indices: Cow::Owned((0..self.len()).collect()),
        }
    }

    /// The rows at `indices`, in that order; an index may occur more than once.
    ///
    /// # Errors
    /// If an index lies beyond the last row.
    pub fn rows<'a>(&'a self, indices: &'a [usize]) -> Result<Rows<'a>, LearnError> {
        match indices.iter().find(|&&row| row >= self.len()) {
            Some(&row) => Err(LearnError::RowOutOfRange {
                row,
                rows: self.len(),
            }),
            None => Ok(Rows {
                examples: self,
                indices: Cow::Borrowed(indices),
            }),
        }
    }
}

/// A selection of rows, seen without their labels: what a model may look at when it scores.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    pub(crate) examples: &'a Examples,
    pub(crate) indices: Cow<'a, [usize]>,
}

impl Rows<'_> {
    /// Number of selected rows.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether no row is selected.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Names of the features, in column order.
    pub fn feature_names(&self) -> &[String] {
        &self.examples.feature_names
    }

    /// The columns of `features`, to be read with [`Rows::values`].
    ///
    /// # Errors
    /// If one of `features` is not there; the error speaks for `learner` and lists all that are missing.
    pub fn positions(
        &self,
        features: &[String],
        learner: &'static str,
    ) -> Result<Vec<usize>, LearnError> {
        let found: Vec<Option<usize>> = features
            .iter()
            .map(|feature| self.examples.positions.get(feature).copied())
            .collect();
        if found.iter().any(Option::is_none) {
            let missing = features
                .iter()
                .zip(&found)
                .filter(|(_, position)| position.is_none());
            return Err(LearnError::MissingFeatures {
                learner,
                missing: missing.map(|(feature, _)| feature.clone()).collect(),
            });
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// The selected numbers of the column at `position` (below `feature_names().len()`), NaN where missing.
    ///
    /// A column of categories has no numbers: all its values are NaN here.
    pub fn values(&self, position: usize) -> impl Iterator<Item = f64> + '_ {
        self.mapped(position, |number| number, |_| f64::NAN)
    }

    /// The column at `position`, of all rows that these are selected from.
    pub(crate) fn column(&self, position: usize) -> &Column {
        &self.examples.columns[position]
    }

    /// The places of the selected rows among all.
    pub(crate) fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Whether the column at `position` holds categories.
    pub fn is_categories(&self, position: usize) -> bool {
        matches!(self.examples.columns[position], Column::Categories(_))
    }

    /// The selected texts of the column at `position`; `None` where missing, and everywhere if it is not categories.
    pub fn texts(&self, position: usize) -> impl Iterator<Item = Option<&str>> + Clone + '_ {
        let categories = match &self.examples.columns[position] {
            Column::Categories(categories) => Some(categories),
            Column::Numbers(_) => None,
        };
        self.indices
            .iter()
            .map(move |&row| categories.and_then(|categories| categories.text(row)))
    }

    /// The selected values of the column at `position`.
    pub fn feature_values(&self, position: usize) -> impl Iterator<Item = FeatureValue<'_>> + '_ {
        let column = &self.examples.columns[position];
        self.indices.iter().map(move |&row| column.value(row))
    }

    /// Whether the column at `position` has more than one value, a missing one included.
    pub(crate) fn varies(&self, position: usize) -> bool {
        let column = &self.examples.columns[position];
        let Some((&first, others)) = self.indices.split_first() else {
            return false;
        };
        let first = column.value(first);
        others.iter().any(|&row| column.value(row) != first)
    }

    /// What `number` makes of each selected number (NaN where missing) of the column at `position`, or `category` of each
    /// selected text. `category` is asked once for each text of the column's dictionary, and once for a missing one.
    pub(crate) fn mapped<'r>(
        &'r self,
        position: usize,
        number: impl Fn(f64) -> f64 + 'r,
        category: impl Fn(Option<&str>) -> f64,
    ) -> impl Iterator<Item = f64> + 'r {
        let column = &self.examples.columns[position];
        let table: Vec<f64> = match column {
            Column::Numbers(_) => Vec::new(),
            Column::Categories(categories) => {
                let texts = categories.dictionary().iter().map(|text| Some(&**text));
                texts.chain([None]).map(category).collect()
            }
        };
        self.indices.iter().map(move |&row| match column {
            Column::Numbers(values) => number(values[row]),
            Column::Categories(categories) => table[categories.place(row)],
        })
    }
}
