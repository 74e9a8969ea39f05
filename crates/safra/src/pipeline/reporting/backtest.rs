//! Backtests: metrics, curves, calibration, how certain they are, and the simple rule beside the champion.

use std::collections::BTreeMap;

use safra_learn::{Metric, Metrics, Resampling, calibration_bins, compare, roc_curve};
use safra_project::Problem;
use safra_report::{
    BaseRate, CalibrationBin, Estimate, Interval, Intervals, LearnerMean, MetricRow, ProblemReport,
    RocCurve, RocPoint, Rule,
};

use super::words::Words;
use crate::context::Context;
use crate::error::SafraError;
use crate::pipeline::evaluation::{Evaluation, Fold};
use crate::pipeline::promotion::Paired;

/// Name of the learner that sorts by one feature alone.
const RULE: &str = "recency";
/// Enough for the second digit of an interval's ends, and quick.
const RESAMPLES: usize = 500;
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
        events: problem.time.is_event(),
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
                    ..LearnerMean::default()
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

/// Adds 95 % intervals of the metrics, by date and over all dates.
pub fn add_intervals(
    context: &Context,
    report: &mut ProblemReport,
    evaluation: &Evaluation,
) -> Result<(), SafraError> {
    let seed = context.project.settings.seed;
    for mean in &mut report.means {
        let found = evaluation.intervals(&mean.learner, seed)?;
        mean.intervals = plain_intervals(&found.mean);
        let rows = report.metrics.iter_mut();
        let of_learner = rows.filter(|row| row.learner == mean.learner);
        for (row, intervals) in of_learner.zip(&found.by_date) {
            row.intervals = plain_intervals(intervals);
        }
    }
    Ok(())
}

/// The simple rule that the problem declares, beside the champion on the same rows.
pub fn rule(
    context: &Context,
    words: &Words<'_>,
    evaluation: &Evaluation,
    champion: &str,
) -> Result<Option<Rule>, SafraError> {
    let declared = words
        .problem
        .learners
        .iter()
        .find(|learner| learner.name == RULE);
    let feature = declared.and_then(|rule| rule.parameters.get("feature")?.as_str());
    let Some(feature) = feature.filter(|_| evaluation.learners().contains(&RULE)) else {
        return Ok(None);
    };
    let paired = Paired::of(evaluation, champion, evaluation, RULE);
    let difference = match champion == RULE || !has_both_labels(&paired.labels) {
        true => None,
        false => {
            let resampling = resampling(context);
            let rows = paired.rows();
            let made = compare(&rows, &paired.challenger, &paired.champion, &resampling)?;
            Some(Estimate {
                value: made.difference.estimate,
                interval: Some(ends(&made.difference)),
            })
        }
    };
    Ok(Some(Rule {
        learner: RULE.to_owned(),
        feature: words.feature(feature),
        difference,
    }))
}

fn has_both_labels(labels: &[bool]) -> bool {
    labels.contains(&true) && labels.contains(&false)
}

fn resampling(context: &Context) -> Resampling {
    Resampling {
        metric: Metric::RocAuc,
        resamples: RESAMPLES,
        seed: context.project.settings.seed,
        ..Resampling::default()
    }
}

/// Intervals without width, as those of a constant score have, say nothing.
fn plain_intervals(found: &BTreeMap<Metric, safra_learn::Interval>) -> Intervals {
    let get = |metric| {
        let interval = found.get(&metric)?;
        (interval.lower < interval.upper).then(|| ends(interval))
    };
    Intervals {
        roc_auc: get(Metric::RocAuc),
        average_precision: get(Metric::AveragePrecision),
        log_loss: get(Metric::LogLoss),
        brier: get(Metric::Brier),
        ece: get(Metric::Ece),
        lift_at_10: get(Metric::LiftAt10),
    }
}

fn ends(interval: &safra_learn::Interval) -> Interval {
    Interval {
        low: interval.lower,
        high: interval.upper,
    }
}

fn metric_row(fold: &Fold) -> Result<MetricRow, SafraError> {
    Ok(MetricRow {
        reference_date: fold.date.to_string(),
        learner: fold.learner.clone(),
        train_rows: fold.train_rows as u64,
        rows: fold.rows.len() as u64,
        positives: fold.positives() as u64,
        metrics: plain(&fold.metrics()?),
        ..MetricRow::default()
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
