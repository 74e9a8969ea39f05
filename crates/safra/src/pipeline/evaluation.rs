//! How past dates would have been predicted: scores beside outcomes, and what follows from them.

use chrono::NaiveDate;
use safra_dataset::{Dataset, Split};
use safra_learn::{Backtest, Learner, Metric, Metrics, Scored, backtest};
use serde::{Deserialize, Serialize};

use super::prepared::Prepared;
use crate::context::Context;
use crate::error::SafraError;

/// A backtest: the rows of each date with the score of each learner and what happened.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// By date, then in the order of the learners.
    pub folds: Vec<Fold>,
    /// What could not be judged, in the same order. It is not stored.
    pub unjudged: Vec<Unjudged>,
}

/// A learner that could not be fitted or judged on a date.
#[derive(Debug, Clone, Serialize)]
pub struct Unjudged {
    /// The reference date.
    pub reference_date: NaiveDate,
    /// The learner.
    pub learner: String,
    /// Why, such as `all 12 training rows are negative`.
    pub reason: String,
}

/// One learner on one date.
#[derive(Debug, Clone)]
pub struct Fold {
    /// The reference date.
    pub date: NaiveDate,
    /// The learner.
    pub learner: String,
    /// Rows it was trained on.
    pub train_rows: usize,
    /// The rows that judge it.
    pub rows: Vec<Judged>,
}

/// A row that was scored, and what happened.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Whom it is about.
    pub entity: String,
    /// What happened.
    pub label: bool,
    /// Predicted probability of that.
    pub score: f64,
}

/// A line of a stored evaluation.
#[derive(Serialize, Deserialize)]
struct Line {
    reference_date: NaiveDate,
    learner: String,
    train_rows: usize,
    entity: String,
    label: bool,
    score: f64,
}

impl Evaluation {
    /// Backtests learners on splits, with a progress bar.
    pub fn run(
        context: &Context,
        prepared: &Prepared,
        splits: &[Split],
        learners: &[Box<dyn Learner>],
    ) -> Result<Self, SafraError> {
        let progress = context.progress(splits.len() * learners.len(), "backtest");
        let arrays: Vec<safra_learn::Split> = splits
            .iter()
            .map(|split| safra_learn::Split {
                date: split.date.to_string(),
                train: split.train.clone(),
                test: split.test.clone(),
            })
            .collect();
        let seed = context.project.settings.seed;
        let result = backtest(&prepared.examples, &arrays, learners, seed, &|| {
            progress.inc(1)
        })?;
        progress.finish_and_clear();
        Ok(Self::of(&result, splits, &prepared.dataset))
    }

    fn of(result: &Backtest, splits: &[Split], dataset: &Dataset) -> Self {
        let folds = result
            .predictions
            .iter()
            .filter_map(|made| {
                let split = splits
                    .iter()
                    .find(|split| split.date.to_string() == made.date)?;
                let rows = made.rows.iter().zip(&made.scores);
                Some(Fold {
                    date: split.date,
                    learner: made.learner.clone(),
                    train_rows: split.train.len(),
                    rows: rows
                        .filter_map(|(&row, &score)| {
                            let label = dataset.label(row)?;
                            Some(Judged {
                                entity: dataset.entity(row),
                                label,
                                score,
                            })
                        })
                        .collect(),
                })
            })
            .collect();
        let unjudged = result.rows.iter().filter_map(|row| {
            Some(Unjudged {
                reference_date: row.date.parse().ok()?,
                learner: row.learner.clone(),
                reason: row.reason.clone()?,
            })
        });
        Self {
            folds,
            unjudged: unjudged.collect(),
        }
    }

    /// The learners, in the order of the problem.
    pub fn learners(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for fold in &self.folds {
            if !names.contains(&fold.learner.as_str()) {
                names.push(&fold.learner);
            }
        }
        names
    }

    /// The folds of one learner, by date.
    pub fn folds_of<'a>(&'a self, learner: &'a str) -> impl Iterator<Item = &'a Fold> {
        self.folds
            .iter()
            .filter(move |fold| fold.learner == learner)
    }

    /// The mean of each metric over the dates on which it is defined.
    pub fn means(&self, learner: &str) -> Result<Metrics, SafraError> {
        let by_date = self
            .folds_of(learner)
            .map(Fold::metrics)
            .collect::<Result<Vec<Metrics>, _>>()?;
        Ok(Metrics::from_fn(|metric| {
            let values: Vec<f64> = by_date
                .iter()
                .filter_map(|metrics| metrics.get(metric))
                .collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        }))
    }

    /// The learner with the best mean; the first of equals.
    pub fn best(&self, metric: Metric) -> Result<Option<String>, SafraError> {
        let mut best: Option<(f64, &str)> = None;
        for learner in self.learners() {
            let Some(value) = self.means(learner)?.get(metric) else {
                continue;
            };
            let value = if metric.higher_is_better() {
                value
            } else {
                -value
            };
            if best.is_none_or(|(held, _)| value > held) {
                best = Some((value, learner));
            }
        }
        Ok(best.map(|(_, learner)| learner.to_owned()))
    }

    /// All rows of a learner together, over the dates.
    pub fn pooled(&self, learner: &str) -> Result<Scored, SafraError> {
        let rows: Vec<&Judged> = self.folds_of(learner).flat_map(|fold| &fold.rows).collect();
        scored(rows.into_iter())
    }

    /// The evaluation as CSV, for the tracking store. Scores are written so that they read back as they were.
    pub fn to_csv(&self) -> Result<Vec<u8>, SafraError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for fold in &self.folds {
            for row in &fold.rows {
                let line = Line {
                    reference_date: fold.date,
                    learner: fold.learner.clone(),
                    train_rows: fold.train_rows,
                    entity: row.entity.clone(),
                    label: row.label,
                    score: row.score,
                };
                writer.serialize(line).map_err(csv_error)?;
            }
        }
        writer
            .into_inner()
            .map_err(|error| csv_error(error.into_error().into()))
    }

    /// Reads what [`Evaluation::to_csv`] wrote.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, SafraError> {
        let mut folds: Vec<Fold> = Vec::new();
        for line in csv::Reader::from_reader(bytes).deserialize() {
            let Line {
                reference_date,
                learner,
                train_rows,
                entity,
                label,
                score,
            } = line.map_err(csv_error)?;
            let same = |fold: &Fold| fold.date == reference_date && fold.learner == learner;
            if !folds.last().is_some_and(same) {
                folds.push(Fold {
                    date: reference_date,
                    learner,
                    train_rows,
                    rows: Vec::new(),
                });
            }
            if let Some(fold) = folds.last_mut() {
                fold.rows.push(Judged {
                    entity,
                    label,
                    score,
                });
            }
        }
        Ok(Self {
            folds,
            unjudged: Vec::new(),
        })
    }
}

impl Fold {
    /// The metrics of this learner on this date.
    pub fn metrics(&self) -> Result<Metrics, SafraError> {
        Ok(Metrics::of(&scored(self.rows.iter())?))
    }

    /// How many rows turned out positive.
    pub fn positives(&self) -> usize {
        self.rows.iter().filter(|row| row.label).count()
    }
}

fn scored<'a>(rows: impl Iterator<Item = &'a Judged>) -> Result<Scored, SafraError> {
    let (labels, scores): (Vec<bool>, Vec<f64>) = rows.map(|row| (row.label, row.score)).unzip();
    Ok(Scored::new(&labels, &scores)?)
}

fn csv_error(error: csv::Error) -> SafraError {
    SafraError::Io {
        path: "backtest/predictions.csv".into(),
        source: std::io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn evaluation() -> Evaluation {
        let fold = |date: &str, learner: &str, scores: [f64; 3]| Fold {
            date: date.parse().unwrap(),
            learner: learner.to_owned(),
            train_rows: 7,
            rows: scores
                .iter()
                .enumerate()
                .map(|(i, &score)| Judged {
                    entity: format!("s{i}"),
                    label: i == 0,
                    score,
                })
                .collect(),
        };
        Evaluation {
            folds: vec![
                fold("2018-01-01", "good", [0.9, 0.1, 0.2]),
                fold("2018-01-01", "bad", [0.1, 0.9, 1.0 / 3.0]),
                fold("2018-02-01", "good", [0.3, 0.1, 0.4]),
                fold("2018-02-01", "bad", [0.3, 0.1, 0.4]),
            ],
            unjudged: Vec::new(),
        }
    }

    #[test]
    fn csv_reads_back_as_it_was_written() {
        let first = evaluation().to_csv().unwrap();
        let again = Evaluation::from_csv(&first).unwrap();
        assert_eq!(again.to_csv().unwrap(), first);
        assert_eq!(again.folds.len(), 4);
        assert_eq!(
            again.folds[1].rows[2].score.to_bits(),
            (1.0_f64 / 3.0).to_bits()
        );
    }

    #[test]
    fn the_best_learner_has_the_best_mean() {
        let evaluation = evaluation();
        assert_eq!(evaluation.means("good").unwrap().roc_auc, Some(0.75));
        assert_eq!(
            evaluation.best(Metric::RocAuc).unwrap().as_deref(),
            Some("good")
        );
        assert_eq!(
            evaluation.best(Metric::LogLoss).unwrap().as_deref(),
            Some("good")
        );
    }
}
