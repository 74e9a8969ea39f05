//! Raw features as the numbers that trees take: categories become codes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Categories, Column, LearnError, Rows};

/// The features of a model in training order and, for those that are categories, their texts in the order of their codes. A missing
/// text that occurred in training has a code too: it may say something that rare texts do not.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Encoding {
    features: Vec<String>,
    categories: BTreeMap<String, Vec<Option<String>>>,
}

/// A feature as trees take it, for all rows that a selection is made from.
pub(crate) enum EncodedColumn<'r> {
    /// Numbers, NaN where missing.
    Numbers(&'r [f64]),
    /// Categories, with the code of each place in their dictionary.
    Codes(&'r Categories, Vec<f64>),
}

impl Encoding {
    /// The encoding of the features of `rows`: the more frequent a text is in them, the lower is its code; of equally
    /// frequent texts the one that sorts first.
    pub(crate) fn fit(rows: &Rows<'_>) -> Self {
        let features = rows.feature_names().to_vec();
        let categories = (0..features.len())
            .filter(|&position| rows.is_categories(position))
            .map(|position| (features[position].clone(), by_frequency(rows, position)))
            .collect();
        Self {
            features,
            categories,
        }
    }

    /// The features, in training order.
    pub(crate) fn features(&self) -> &[String] {
        &self.features
    }

    /// The places of the features that are categories, ascending.
    pub(crate) fn categorical(&self) -> impl Iterator<Item = usize> + '_ {
        let is_categories = |&place: &usize| self.categories.contains_key(&self.features[place]);
        (0..self.features.len()).filter(is_categories)
    }

    /// Whether the feature at `place` is categories.
    pub(crate) fn is_categories(&self, place: usize) -> bool {
        self.categories.contains_key(&self.features[place])
    }

    /// The columns of the features that `rows` are a selection of.
    ///
    /// # Errors
    /// If a feature is not there, or is categories where it was numbers in training, or the other way round.
    pub(crate) fn columns<'r>(
        &self,
        rows: &'r Rows<'_>,
        learner: &'static str,
    ) -> Result<Vec<EncodedColumn<'r>>, LearnError> {
        let positions = rows.positions(&self.features, learner)?;
        let columns = self.features.iter().zip(positions);
        let column = |(feature, position): (&String, usize)| match (
            self.categories.get(feature),
            rows.column(position),
        ) {
            (None, Column::Numbers(values)) => Ok(EncodedColumn::Numbers(values)),
            (Some(texts), Column::Categories(categories)) => Ok(EncodedColumn::Codes(
                categories,
                codes_of_dictionary(texts, categories),
            )),
            (texts, _) => Err(LearnError::FeatureKind {
                learner,
                feature: feature.clone(),
                categories: texts.is_some(),
            }),
        };
        columns.map(column).collect()
    }

    /// The features of `rows` as numbers, one column after the other.
    ///
    /// # Errors
    /// As [`columns`](Self::columns).
    pub(crate) fn apply(
        &self,
        rows: &Rows<'_>,
        learner: &'static str,
    ) -> Result<Vec<f64>, LearnError> {
        let columns = self.columns(rows, learner)?;
        let mut values = Vec::with_capacity(columns.len() * rows.len());
        for column in &columns {
            let indices = rows.indices().iter();
            match column {
                EncodedColumn::Numbers(numbers) => values.extend(indices.map(|&row| numbers[row])),
                EncodedColumn::Codes(categories, codes) => {
                    values.extend(indices.map(|&row| codes[categories.place(row)]));
                }
            }
        }
        Ok(values)
    }
}

/// The code of each text of a dictionary, and at last that of a missing one. A category that did not occur in training is NaN, which
/// LightGBM keeps together with the rarest ones.
fn codes_of_dictionary(texts: &[Option<String>], categories: &Categories) -> Vec<f64> {
    let codes: BTreeMap<Option<&str>, f64> = texts
        .iter()
        .zip(0_u32..)
        .map(|(text, code)| (text.as_deref(), f64::from(code)))
        .collect();
    let dictionary = categories.dictionary().iter();
    dictionary
        .map(|text| Some(text.as_str()))
        .chain([None])
        .map(|text| codes.get(&text).copied().unwrap_or(f64::NAN))
        .collect()
}

/// The texts of a column in `rows`, a missing one included, the most frequent first.
fn by_frequency(rows: &Rows<'_>, position: usize) -> Vec<Option<String>> {
    let counted = counted(rows, position).into_iter();
    counted.map(|(text, _)| text.map(str::to_owned)).collect()
}

/// The texts of a column in `rows`, a missing one included, with their number of rows: the most frequent first; of equally
/// frequent ones the one that sorts first.
pub(crate) fn counted<'r>(rows: &'r Rows<'_>, position: usize) -> Vec<(Option<&'r str>, usize)> {
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for text in rows.texts(position) {
        *counts.entry(text).or_default() += 1;
    }
    let mut counted: Vec<(Option<&str>, usize)> = counts.into_iter().collect();
    counted.sort_by_key(|&(_, count)| Reverse(count));
    counted
}
