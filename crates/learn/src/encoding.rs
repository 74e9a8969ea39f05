//! Raw features as the numbers that trees take: categories become codes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{LearnError, Rows};

/// The features of a model in training order and, for those that are categories, their texts in the order of their codes. A missing
/// text that occurred in training has a code too: it may say something that rare texts do not.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Encoding {
    features: Vec<String>,
    categories: BTreeMap<String, Vec<Option<String>>>,
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

    /// The features of `rows` as numbers, one column after the other. A category that did not occur in training is NaN, which
    /// LightGBM keeps together with the rarest ones.
    ///
    /// # Errors
    /// If a feature is not there, or is categories where it was numbers in training, or the other way round.
    pub(crate) fn apply(
        &self,
        rows: &Rows<'_>,
        learner: &'static str,
    ) -> Result<Vec<f64>, LearnError> {
        let positions = rows.positions(&self.features, learner)?;
        let mut values = Vec::with_capacity(positions.len() * rows.len());
        for (feature, position) in self.features.iter().zip(positions) {
            let texts = self.categories.get(feature);
            if texts.is_some() != rows.is_categories(position) {
                return Err(LearnError::FeatureKind {
                    learner,
                    feature: feature.clone(),
                    categories: texts.is_some(),
                });
            }
            let texts = texts.map(Vec::as_slice).unwrap_or_default();
            let codes: BTreeMap<Option<&str>, f64> = texts
                .iter()
                .zip(0_u32..)
                .map(|(text, code)| (text.as_deref(), f64::from(code)))
                .collect();
            let code = |text: Option<&str>| codes.get(&text).copied().unwrap_or(f64::NAN);
            values.extend(rows.mapped(position, |number| number, code));
        }
        Ok(values)
    }
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
