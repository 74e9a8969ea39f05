//! How past dates would have been predicted: scores beside outcomes, and what follows from them.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use safra_dataset::{Dataset, Split};
use safra_learn::{
    Backtest, CalibratedBacktest, CalibrationMethod, EvaluationRows, Intervals, Metric, Metrics,
    Resampling, Scored, intervals,
};
use serde::{Deserialize, Serialize};

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
    /// How its scores were calibrated.
    pub calibration: CalibrationMethod,
    /// The rows that judge it.
    pub rows: Vec<Judged>,
}

/// A row that was scored, and what happened.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Whom it is about.
    pub entity: String,
    /// When it happened, where rows are events.
    pub event_time: Option<String>,
    /// What happened.
    pub label: bool,
    /// Predicted probability of that.
    pub score: f64,
    /// The same before calibration.
    pub uncalibrated: f64,
}

/// Resamples behind each interval.
const RESAMPLES: usize = 500;

/// A line of a stored evaluation.
#[derive(Serialize, Deserialize)]
struct Line {
    reference_date: NaiveDate,
    learner: String,
    train_rows: usize,
    entity: String,
    /// The column is there where rows are events.
    #[serde(
        default,
        rename = "reference_time",
        skip_serializing_if = "Option::is_none"
    )]
    event_time: Option<String>,
    label: bool,
    score: f64,
    uncalibrated: f64,
    calibration: CalibrationMethod,
}

impl Evaluation {
    /// The dates of `splits` from a backtest, with the scores before calibration from `raw`.
    pub fn of(
        calibrated: &CalibratedBacktest,
        raw: &Backtest,
        splits: &[Split],
        dataset: &Dataset,
    ) -> Self {
        let made = calibrated.backtest.predictions.iter();
        let made = made.zip(&raw.predictions).zip(&calibrated.methods);
        let folds = made.filter_map(|((made, raw), &calibration)| {
            let split = splits
                .iter()
                .find(|split| split.date.to_string() == made.date)?;
            let judged = |place: usize| {
                let row = made.rows[place];
                Some(Judged {
                    entity: dataset.entity(row),
                    event_time: dataset.event_time(row),
                    label: dataset.label(row)?,
                    score: made.scores[place],
                    uncalibrated: raw.scores[place],
                })
            };
            Some(Fold {
                date: split.date,
                learner: made.learner.clone(),
                train_rows: split.train.len(),
                calibration,
                rows: (0..made.rows.len()).filter_map(judged).collect(),
            })
        });
        let unjudged = calibrated.backtest.rows.iter().filter_map(|row| {
            let date = row.date.parse().ok()?;
            splits.iter().find(|split| split.date == date)?;
            Some(Unjudged {
                reference_date: date,
                learner: row.learner.clone(),
                reason: row.reason.clone()?,
            })
        });
        Self {
            folds: folds.collect(),
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
        self.mean_of(learner, Fold::metrics)
    }

    /// The same of the scores before calibration.
    pub fn uncalibrated_means(&self, learner: &str) -> Result<Metrics, SafraError> {
        self.mean_of(learner, Fold::uncalibrated_metrics)
    }

    fn mean_of(
        &self,
        learner: &str,
        metrics: impl Fn(&Fold) -> Result<Metrics, SafraError>,
    ) -> Result<Metrics, SafraError> {
        let by_date = self
            .folds_of(learner)
            .map(metrics)
            .collect::<Result<Vec<Metrics>, _>>()?;
        Ok(Metrics::from_fn(|metric| {
            let values: Vec<f64> = by_date
                .iter()
                .filter_map(|metrics| metrics.get(metric))
                .collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        }))
    }

    /// The 95 % intervals of a learner's metrics, by date (in the order of its folds) and on the mean, by bootstrap over entities.
    pub fn intervals(&self, learner: &str, seed: u64) -> Result<Intervals, SafraError> {
        let (mut labels, mut scores) = (Vec::new(), Vec::new());
        let (mut dates, mut groups) = (Vec::new(), Vec::new());
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for (date, fold) in (0..).zip(self.folds_of(learner)) {
            for row in &fold.rows {
                let next = numbers.len() as u64;
                labels.push(row.label);
                scores.push(row.score);
                dates.push(date);
                groups.push(*numbers.entry(&row.entity).or_insert(next));
            }
        }
        let rows = EvaluationRows {
            labels: &labels,
            dates: &dates,
            groups: &groups,
        };
        let resampling = Resampling {
            resamples: RESAMPLES,
            seed,
            ..Resampling::default()
        };
        let mut found = intervals(&rows, &scores, &resampling)?;
        // A fold without rows has no interval, but a place.
        let mut judged = found.by_date.into_iter();
        found.by_date = self
            .folds_of(learner)
            .map(|fold| match fold.rows.is_empty() {
                true => BTreeMap::new(),
                false => judged.next().unwrap_or_default(),
            })
            .collect();
        Ok(found)
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
        scored(rows.into_iter().map(|row| (row.label, row.score)))
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
                    event_time: row.event_time.clone(),
                    label: row.label,
                    score: row.score,
                    uncalibrated: row.uncalibrated,
                    calibration: fold.calibration,
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
                event_time,
                label,
                score,
                uncalibrated,
                calibration,
            } = line.map_err(csv_error)?;
            let same = |fold: &Fold| fold.date == reference_date && fold.learner == learner;
            if !folds.last().is_some_and(same) {
                folds.push(Fold {
                    date: reference_date,
                    learner,
                    train_rows,
                    calibration,
                    rows: Vec::new(),
                });
            }
            if let Some(fold) = folds.last_mut() {
                fold.rows.push(Judged {
                    entity,
                    event_time,
                    label,
                    score,
                    uncalibrated,
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
        let rows = self.rows.iter().map(|row| (row.label, row.score));
        Ok(Metrics::of(&scored(rows)?))
    }

    /// The same of the scores before calibration.
    pub fn uncalibrated_metrics(&self) -> Result<Metrics, SafraError> {
        let rows = self.rows.iter().map(|row| (row.label, row.uncalibrated));
        Ok(Metrics::of(&scored(rows)?))
    }

    /// How many rows turned out positive.
    pub fn positives(&self) -> usize {
        self.rows.iter().filter(|row| row.label).count()
    }
}

fn scored(rows: impl Iterator<Item = (bool, f64)>) -> Result<Scored, SafraError> {
    let (labels, scores): (Vec<bool>, Vec<f64>) = rows.unzip();
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
            calibration: CalibrationMethod::Platt,
            rows: scores
                .iter()
                .enumerate()
                .map(|(i, &score)| Judged {
                    entity: format!("s{i}"),
                    event_time: None,
                    label: i == 0,
                    score,
                    uncalibrated: score / 2.0,
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
        assert_eq!(again.folds[1].calibration, CalibrationMethod::Platt);
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
