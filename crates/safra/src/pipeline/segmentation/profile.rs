//! What there is to say about each segment, in numbers.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use safra_learn::{Assignment, Examples, SegmentModel};
use safra_project::{ProfileColumn, Segmentation, Statistic};
use serde::Serialize;

use crate::error::SafraError;

/// The profile of all segments.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// The declared columns, beside size.
    pub columns: Vec<Heading>,
    /// One row a segment, in order.
    pub segments: Vec<SegmentProfile>,
    /// The same numbers for the whole cohort.
    pub all: Vec<Option<f64>>,
}

/// The heading of a column of the profile.
#[derive(Debug, Clone, Serialize)]
pub struct Heading {
    /// What is told.
    pub label: String,
    /// Its unit. A number in `%` is a fraction.
    pub unit: Option<String>,
    /// For an outcome: the date whose cohort it is about.
    pub of_date: Option<String>,
}

/// One segment in numbers.
#[derive(Debug, Clone, Serialize)]
pub struct SegmentProfile {
    /// Number of the segment, from 1.
    pub segment: usize,
    /// Its name.
    pub name: String,
    /// Entities in it.
    pub entities: usize,
    /// Their share of the cohort, from 0 to 1.
    pub share: f64,
    /// The declared numbers, in the order of the columns; `None` where nothing is known.
    pub values: Vec<Option<f64>>,
    /// How far each feature it was clustered on lies from the mean of the cohort the model was fitted to, in robust standard deviations.
    pub z_scores: Vec<Option<f64>>,
}

/// How often the label of a problem was positive, by segment.
pub struct Outcome {
    date: NaiveDate,
    /// Rows with a label, and the positive ones, by segment.
    counts: Vec<(usize, usize)>,
}

impl Outcome {
    /// Counts labels by segment.
    pub fn count(
        date: NaiveDate,
        segments: usize,
        labels: impl Iterator<Item = (usize, bool)>,
    ) -> Self {
        let mut counts = vec![(0, 0); segments];
        for (segment, label) in labels {
            counts[segment].0 += 1;
            counts[segment].1 += usize::from(label);
        }
        Self { date, counts }
    }
}

impl Profile {
    /// Computes the profile of a cohort that was divided. `outcomes` holds what is known of the problems that it names.
    pub fn of(
        segmentation: &Segmentation,
        model: &SegmentModel,
        examples: &Examples,
        assignments: &[Assignment],
        outcomes: &BTreeMap<String, Outcome>,
    ) -> Result<Self, SafraError> {
        let segments = model.segments().len();
        let columns = segmentation
            .profile
            .iter()
            .map(|column| {
                Numbers::of(
                    segmentation,
                    column,
                    segments,
                    examples,
                    assignments,
                    outcomes,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let z_scores = model.z_scores(&examples.all(), assignments)?;
        let rows = model
            .segments()
            .zip(z_scores)
            .enumerate()
            .map(|(segment, (name, z_scores))| {
                let entities = assignments
                    .iter()
                    .filter(|row| row.segment == segment)
                    .count();
                SegmentProfile {
                    segment: segment + 1,
                    name: name.to_owned(),
                    entities,
                    share: entities as f64 / assignments.len() as f64,
                    values: columns
                        .iter()
                        .map(|column| column.by_segment[segment])
                        .collect(),
                    z_scores,
                }
            });
        let headings = segmentation.profile.iter().map(|column| Heading {
            label: column.label.clone(),
            unit: unit(column),
            of_date: column
                .outcome
                .as_ref()
                .and_then(|name| Some(outcomes.get(name)?.date.to_string())),
        });
        Ok(Self {
            columns: headings.collect(),
            segments: rows.collect(),
            all: columns.iter().map(|column| column.all).collect(),
        })
    }
}

/// The numbers of one column.
struct Numbers {
    by_segment: Vec<Option<f64>>,
    all: Option<f64>,
}

impl Numbers {
    fn of(
        segmentation: &Segmentation,
        column: &ProfileColumn,
        segments: usize,
        examples: &Examples,
        assignments: &[Assignment],
        outcomes: &BTreeMap<String, Outcome>,
    ) -> Result<Self, SafraError> {
        let Some(feature) = &column.feature else {
            let outcome = column.outcome.as_ref().and_then(|name| outcomes.get(name));
            return Ok(Self::of_outcome(outcome, segments));
        };
        let values = examples.column(feature).ok_or_else(|| {
            SafraError::Usage(format!(
                "{}: profile.{}: no such feature: {feature}\nhint: features.views must name the view that has it",
                segmentation.file, column.label
            ))
        })?;
        let mut held = vec![Vec::new(); segments];
        for (assignment, &value) in assignments
            .iter()
            .zip(values)
            .filter(|(_, value)| !value.is_nan())
        {
            held[assignment.segment].push(value);
        }
        let known: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect();
        let total: f64 = known.iter().sum();
        let number = |values: Vec<f64>| statistic(column.statistic, values, total);
        Ok(Self {
            by_segment: held.into_iter().map(number).collect(),
            all: number(known),
        })
    }

    fn of_outcome(outcome: Option<&Outcome>, segments: usize) -> Self {
        let Some(Outcome { counts, .. }) = outcome else {
            return Self {
                by_segment: vec![None; segments],
                all: None,
            };
        };
        let rate =
            |(rows, positives): (usize, usize)| (rows > 0).then(|| positives as f64 / rows as f64);
        let all = counts
            .iter()
            .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        Self {
            by_segment: counts.iter().copied().map(rate).collect(),
            all: rate(all),
        }
    }
}

fn statistic(statistic: Statistic, mut values: Vec<f64>, total: f64) -> Option<f64> {
    if values.is_empty() {
        return matches!(statistic, Statistic::Sum | Statistic::Share).then_some(0.0);
    }
    let sum: f64 = values.iter().sum();
    match statistic {
        Statistic::Sum => Some(sum),
        Statistic::Share => (total != 0.0).then(|| sum / total),
        Statistic::Mean => Some(sum / values.len() as f64),
        Statistic::Median => {
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            let is_even = values.len().is_multiple_of(2);
            Some(if is_even {
                f64::midpoint(values[middle - 1], values[middle])
            } else {
                values[middle]
            })
        }
    }
}

/// The declared unit; rates and shares are percentages without saying so.
fn unit(column: &ProfileColumn) -> Option<String> {
    let is_fraction = column.outcome.is_some() || column.statistic == Statistic::Share;
    column
        .unit
        .clone()
        .or_else(|| is_fraction.then(|| "%".to_owned()))
}
