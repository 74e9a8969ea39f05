//! Examples: rows of features with a label, selections of rows, and rows to train on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use crate::LearnError;

/// A table of examples, checked once: every column has one value a row, names are unique, no value is infinite.
///
/// Features are kept column by column; NaN is a missing value.
#[derive(Clone, Debug)]
pub struct Examples {
    feature_names: Vec<String>,
    columns: Vec<Vec<f64>>,
    label: Vec<Option<bool>>,
    positions: BTreeMap<String, usize>,
}

impl Examples {
    /// Takes `feature_names.len()` columns of `label.len()` values each. A label is `None` while it cannot be known yet.
    ///
    /// # Errors
    /// If the numbers of names, columns and rows disagree, a name is empty or not unique, or a value is infinite.
    pub fn new(
        feature_names: Vec<String>,
        columns: Vec<Vec<f64>>,
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
            check_column(name, column, label.len())?;
            if name.is_empty() || positions.insert(name.clone(), position).is_some() {
                return Err(LearnError::FeatureName(name.clone()));
            }
        }
        Ok(Self {
            feature_names,
            columns,
            label,
            positions,
        })
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
    pub fn column(&self, feature: &str) -> Option<&[f64]> {
        self.positions
            .get(feature)
            .map(|&position| self.columns[position].as_slice())
    }

    /// The labels of all rows.
    pub fn label(&self) -> &[Option<bool>] {
        &self.label
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

fn check_column(feature: &str, column: &[f64], rows: usize) -> Result<(), LearnError> {
    if column.len() != rows {
        return Err(LearnError::ColumnLength {
            feature: feature.to_owned(),
            found: column.len(),
            expected: rows,
        });
    }
    match column.iter().position(|value| value.is_infinite()) {
        Some(row) => Err(LearnError::InfiniteValue {
            feature: feature.to_owned(),
            row,
        }),
        None => Ok(()),
    }
}

/// A selection of rows, seen without their labels: what a model may look at when it scores.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    examples: &'a Examples,
    indices: Cow<'a, [usize]>,
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

    /// The selected values of the column at `position` (below `feature_names().len()`), NaN where missing.
    pub fn values(&self, position: usize) -> impl Iterator<Item = f64> + '_ {
        let column = &self.examples.columns[position];
        self.indices.iter().map(move |&row| column[row])
    }

    /// The selected rows in pieces of at most `size` rows.
    pub(crate) fn pieces(&self, size: usize) -> Vec<Rows<'_>> {
        let piece = |indices| Rows {
            examples: self.examples,
            indices: Cow::Borrowed(indices),
        };
        self.indices.chunks(size).map(piece).collect()
    }

    /// The selected values of the columns at `positions`, one column after the other, in one allocation.
    pub(crate) fn column_major(&self, positions: &[usize]) -> Vec<f64> {
        let mut values = Vec::with_capacity(positions.len() * self.len());
        for &position in positions {
            values.extend(self.values(position));
        }
        values
    }
}

/// Rows to train on, checked once: there are some, each has a label, and both classes occur.
#[derive(Clone, Debug)]
pub struct Training<'a> {
    rows: Rows<'a>,
    label: Vec<bool>,
    positives: usize,
}

impl<'a> Training<'a> {
    /// Trains on `rows`, with their labels.
    ///
    /// # Errors
    /// If there are no rows, a row has no label, or all rows have the same label.
    pub fn new(rows: Rows<'a>) -> Result<Self, LearnError> {
        let label = rows
            .indices
            .iter()
            .map(|&row| rows.examples.label[row].ok_or(LearnError::UnknownLabel { row }))
            .collect::<Result<Vec<bool>, _>>()?;
        let positives = label.iter().filter(|&&positive| positive).count();
        match label.first() {
            None => Err(LearnError::NoTrainingRows),
            Some(&first) if positives == 0 || positives == label.len() => {
                Err(LearnError::OneClass {
                    label: first,
                    rows: label.len(),
                })
            }
            Some(_) => Ok(Self {
                rows,
                label,
                positives,
            }),
        }
    }

    /// The label of each training row.
    pub fn label(&self) -> &[bool] {
        &self.label
    }

    /// Share of positive rows, strictly between 0 and 1.
    pub fn base_rate(&self) -> f64 {
        self.positives as f64 / self.label.len() as f64
    }
}

impl<'a> Deref for Training<'a> {
    type Target = Rows<'a>;

    fn deref(&self) -> &Rows<'a> {
        &self.rows
    }
}
