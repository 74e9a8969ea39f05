//! Scores next to what happened, in order of score: what every metric is computed from.

use crate::LearnError;

/// Scored rows with their labels, checked once: one probability a label. Sorted by score, highest first.
///
/// Metrics look at rows through groups of equal scores only, so none depends on the order of rows.
#[derive(Clone, Debug)]
pub struct Scored {
    scores: Vec<f64>,
    labels: Vec<bool>,
    /// The row each position held before sorting.
    rows: Vec<usize>,
    /// Where each group of equal scores ends, exclusive.
    tie_ends: Vec<usize>,
}

/// A group of rows with one score, by the weight of its rows in each class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tie {
    pub(crate) score: f64,
    pub(crate) positive: f64,
    pub(crate) negative: f64,
}

impl Tie {
    /// The weight of the group.
    pub(crate) fn weight(&self) -> f64 {
        self.positive + self.negative
    }
}

impl Scored {
    /// Takes one label and one score a row.
    ///
    /// # Errors
    /// If there are not as many scores as labels, or a score is not between 0 and 1.
    pub fn new(labels: &[bool], scores: &[f64]) -> Result<Self, LearnError> {
        if labels.len() != scores.len() {
            return Err(LearnError::LengthMismatch {
                what: "scores",
                found: scores.len(),
                expected: labels.len(),
            });
        }
        if let Some(row) = scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
            return Err(LearnError::NotAProbability {
                row,
                value: scores[row],
            });
        }
        let mut rows: Vec<usize> = (0..scores.len()).collect();
        rows.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let sorted: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
        let boundary = |&end: &usize| end == sorted.len() || sorted[end] != sorted[end - 1];
        let tie_ends = (1..=sorted.len()).filter(boundary).collect();
        let labels = rows.iter().map(|&row| labels[row]).collect();
        Ok(Self {
            scores: sorted,
            labels,
            rows,
            tie_ends,
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of positive rows.
    pub fn positives(&self) -> usize {
        self.labels.iter().filter(|&&positive| positive).count()
    }

    /// The rows as they were given, highest score first.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Groups of equal scores, highest first. The row at position `p` of the order by score counts `weight(p)` times;
    /// groups without weight are left out.
    pub(crate) fn ties<W>(&self, weight: W) -> impl Iterator<Item = Tie> + Clone
    where
        W: Fn(usize) -> f64 + Copy,
    {
        let mut start = 0;
        let groups = self.tie_ends.iter().map(move |&end| {
            let mut tie = Tie {
                score: self.scores[start],
                positive: 0.0,
                negative: 0.0,
            };
            for position in start..end {
                let class = if self.labels[position] {
                    &mut tie.positive
                } else {
                    &mut tie.negative
                };
                *class += weight(position);
            }
            start = end;
            tie
        });
        groups.filter(|tie| tie.weight() > 0.0)
    }
}
