//! From evaluations and scores to what the report draws.

use safra_lake::{Folder, Lake};
use safra_learn::{Metric, Metrics, calibration_bins, roc_curve};
use safra_project::Problem;
use safra_report::{
    BaseRate, CalibrationBin, Cell, Champion, Direction, Importance, LearnerMean, MetricRow,
    ProblemReport, Reason, RocCurve, RocPoint, Scored as ScoredPart, ScoredRow, TableSummary,
};

use super::evaluation::{Evaluation, Fold};
use super::scoring::Scored;
use super::training::{LEARNER, TRAIN_ROWS, TRAINED_AT};
use crate::error::SafraError;

/// Rows of the list to act on.
const TOP_ROWS: usize = 25;
/// Bins of the calibration chart.
const CALIBRATION_BINS: usize = 10;

/// The part of a problem's report that follows from its backtest.
pub fn backtest_part(
    problem: &Problem,
    evaluation: &Evaluation,
    best: &str,
) -> Result<ProblemReport, SafraError> {
    let calibration = calibration_bins(&evaluation.pooled(best)?, CALIBRATION_BINS);
    let learners = evaluation.learners();
    Ok(ProblemReport {
        name: problem.name.clone(),
        title: problem.title.clone(),
        question: problem.question.clone(),
        entity: problem.row.clone(),
        rows: problem.rows.clone(),
        positive: problem.positive.clone(),
        cohort: problem.cohort.description.clone(),
        label: problem.label.description.clone(),
        metrics: evaluation
            .folds
            .iter()
            .map(metric_row)
            .collect::<Result<_, _>>()?,
        means: learners
            .iter()
            .map(|learner| {
                let metrics = plain(&evaluation.means(learner)?);
                Ok(LearnerMean {
                    learner: (*learner).to_owned(),
                    metrics,
                })
            })
            .collect::<Result<_, SafraError>>()?,
        roc_curves: learners
            .iter()
            .map(|learner| curve(evaluation, learner))
            .collect::<Result<_, _>>()?,
        calibration: calibration
            .iter()
            .map(|bin| CalibrationBin {
                mean_predicted: bin.mean_predicted,
                observed_rate: bin.observed_rate,
                count: bin.rows as u64,
            })
            .collect(),
        base_rates: evaluation
            .folds_of(best)
            .map(|fold| BaseRate {
                reference_date: fold.date.to_string(),
                rows: fold.rows.len() as u64,
                positives: fold.positives() as u64,
            })
            .collect(),
        ..ProblemReport::default()
    })
}

/// Adds the champion, its features and its scores.
pub fn add_scores(
    report: &mut ProblemReport,
    problem: &Problem,
    scored: &Scored,
) -> Result<(), SafraError> {
    let shown = &problem.features.show;
    for name in shown {
        if scored.prepared.examples.column(name).is_none() {
            return Err(SafraError::Usage(format!(
                "{}: features.show: no such feature: {name}",
                problem.file
            )));
        }
    }
    let tag = |name: &str| scored.version.tags.get(name).cloned().unwrap_or_default();
    report.champion = Some(Champion {
        learner: tag(LEARNER),
        version: scored.version.version.to_string(),
        train_rows: tag(TRAIN_ROWS).parse().unwrap_or_default(),
        features: scored.model.features().len() as u64,
        trained_until: tag(TRAINED_AT),
    });
    let importance = scored.model.importance()?;
    let total: f64 = importance.iter().map(|feature| feature.importance).sum();
    report.importances = importance
        .into_iter()
        .filter(|feature| feature.importance > 0.0)
        .map(|feature| Importance {
            share: feature.importance / total,
            feature: feature.feature,
            meaning: String::new(),
        })
        .collect();
    let ranking = scored.ranking();
    report.scored = ScoredPart {
        reference_date: scored.date.to_string(),
        scores: scored.scores.clone(),
        extra_columns: shown.clone(),
        top: ranking
            .iter()
            .take(TOP_ROWS)
            .map(|&row| scored_row(scored, shown, row))
            .collect(),
    };
    Ok(())
}

/// The tables of a lake, folder by folder.
pub async fn tables(lake: &Lake) -> Result<Vec<TableSummary>, SafraError> {
    let mut summaries = Vec::new();
    for folder in Folder::ALL
        .into_iter()
        .filter(|folder| *folder != Folder::Rejected)
    {
        for name in lake.table_names(folder)? {
            let table = lake.table(folder, &name);
            let Some(snapshot) = table.snapshot().await? else {
                continue;
            };
            let rejected = match folder {
                Folder::Sources => rejected_rows(lake, &name).await?,
                _ => 0,
            };
            summaries.push(TableSummary {
                name: table.name().to_owned(),
                rows: snapshot.row_count()? as u64,
                rejected,
                path: table.path().display().to_string(),
            });
        }
    }
    Ok(summaries)
}

async fn rejected_rows(lake: &Lake, name: &str) -> Result<u64, SafraError> {
    Ok(match lake.table(Folder::Rejected, name).snapshot().await? {
        Some(snapshot) => snapshot.row_count()? as u64,
        None => 0,
    })
}

fn metric_row(fold: &Fold) -> Result<MetricRow, SafraError> {
    Ok(MetricRow {
        reference_date: fold.date.to_string(),
        learner: fold.learner.clone(),
        train_rows: fold.train_rows as u64,
        rows: fold.rows.len() as u64,
        positives: fold.positives() as u64,
        metrics: plain(&fold.metrics()?),
    })
}

fn plain(metrics: &Metrics) -> safra_report::Metrics {
    safra_report::Metrics {
        roc_auc: metrics.get(Metric::RocAuc),
        average_precision: metrics.get(Metric::AveragePrecision),
        log_loss: metrics.get(Metric::LogLoss),
        brier: metrics.get(Metric::Brier),
        ece: metrics.get(Metric::Ece),
        lift_at_10: metrics.get(Metric::LiftAt10),
    }
}

fn curve(evaluation: &Evaluation, learner: &str) -> Result<RocCurve, SafraError> {
    let points = roc_curve(&evaluation.pooled(learner)?);
    Ok(RocCurve {
        learner: learner.to_owned(),
        points: points
            .iter()
            .map(|point| RocPoint {
                false_positive_rate: point.false_positive_rate,
                true_positive_rate: point.true_positive_rate,
            })
            .collect(),
    })
}

fn scored_row(scored: &Scored, shown: &[String], row: usize) -> ScoredRow {
    ScoredRow {
        entity_id: scored.prepared.dataset.entity(row),
        score: scored.scores[row],
        reasons: scored
            .reasons(row)
            .into_iter()
            .map(|reason| Reason {
                feature: reason.feature,
                meaning: String::new(),
                value: reason.value,
                direction: if reason.raises {
                    Direction::Raises
                } else {
                    Direction::Lowers
                },
            })
            .collect(),
        extra: shown.iter().map(|name| cell(scored, name, row)).collect(),
    }
}

fn cell(scored: &Scored, feature: &str, row: usize) -> Cell {
    let value = scored
        .prepared
        .examples
        .column(feature)
        .map(|column| column[row]);
    value
        .filter(|value| value.is_finite())
        .map_or(Cell::Missing, Cell::Number)
}
