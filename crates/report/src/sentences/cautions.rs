//! What a reader should know before relying on the answer.

use minijinja::context;

use super::backtest::counted_dates;
use super::judged::{Judged, others};
use super::rule::{Verdict, rule_difference};
use crate::ReportError;
use crate::facts::{calibration_gap, usable_bins, usable_scores};
use crate::input::{BaseRate, Interval, ProblemReport};
use crate::printer::Printer;

/// With fewer dates than this, a backtest is an anecdote.
const ENOUGH_DATES: usize = 3;
/// A mean distance between predicted and observed rates that a reader must know of.
const LARGE_CALIBRATION_GAP: f64 = 0.05;
/// The ROC AUC of an order by chance.
const CHANCE: f64 = 0.5;
/// A 95 % interval of the ROC AUC that is wider than this says little.
const WIDE_INTERVAL: f64 = 0.1;
/// How far the mean score may lie beyond the base rates of the past, as a part of them.
const USUAL_DRIFT: f64 = 0.25;

/// What a reader should know before relying on the answer, as plain sentences.
pub(crate) fn cautions(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Vec<String>, ReportError> {
    let found = [
        few_dates(printer, problem)?,
        perhaps_chance(printer, problem)?,
        wide_interval(printer, problem)?,
        not_better_than_rule(printer, problem)?,
        better_learner(printer, problem)?,
        poor_calibration(printer, problem)?,
        drift(printer, problem)?,
    ];
    Ok(found.into_iter().flatten().collect())
}

fn few_dates(printer: &Printer, problem: &ProblemReport) -> Result<Option<String>, ReportError> {
    let dates = problem.backtest_dates();
    if !(1..ENOUGH_DATES).contains(&dates.len()) {
        return Ok(None);
    }
    let values = context! { dates => counted_dates(printer, problem)?, count => dates.len() };
    printer.say("caution_few_dates", values).map(Some)
}

/// The interval of the ROC AUC, if the order may be no better than chance.
fn interval_at_chance(problem: &ProblemReport) -> Option<Interval> {
    let interval = Judged::of(problem)?.interval?;
    (interval.low <= CHANCE).then_some(interval)
}

fn perhaps_chance(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Option<String>, ReportError> {
    let Some(Interval { low, high }) = interval_at_chance(problem) else {
        return Ok(None);
    };
    let values = context! { low, high };
    printer.say("caution_chance", values).map(Some)
}

fn wide_interval(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Option<String>, ReportError> {
    match Judged::of(problem).and_then(|judged| judged.interval) {
        Some(Interval { low, high }) if low > CHANCE && high - low > WIDE_INTERVAL => {
            let names = printer.names(problem)?;
            printer
                .say("caution_wide", context! { low, high, ..names })
                .map(Some)
        }
        _ => Ok(None),
    }
}

fn not_better_than_rule(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Option<String>, ReportError> {
    match rule_difference(problem).map(|difference| Verdict::of(&difference)) {
        None | Some(Verdict::Better) => Ok(None),
        Some(_) => printer.say("caution_rule", context! {}).map(Some),
    }
}

fn better_learner(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Option<String>, ReportError> {
    let Some(judged) = Judged::of(problem).filter(|judged| judged.is_champion) else {
        return Ok(None);
    };
    match others(problem, &judged).first() {
        Some(other) if other.value > judged.roc_auc => printer
            .say(
                "caution_better_learner",
                context! { learner => other.learner, value => other.value, champion_value => judged.roc_auc },
            )
            .map(Some),
        _ => Ok(None),
    }
}

fn poor_calibration(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Option<String>, ReportError> {
    let gap = calibration_gap(&usable_bins(&problem.calibration));
    match gap.map(|gap| gap.mean_distance) {
        Some(distance) if distance > LARGE_CALIBRATION_GAP => {
            let names = printer.names(problem)?;
            let order_is_known = interval_at_chance(problem).is_none();
            let values = context! { distance, order_is_known, ..names };
            printer.say("caution_calibration", values).map(Some)
        }
        _ => Ok(None),
    }
}

fn drift(printer: &Printer, problem: &ProblemReport) -> Result<Option<String>, ReportError> {
    let scores = usable_scores(&problem.scored.scores);
    let rates: Vec<f64> = problem
        .base_rates
        .iter()
        .filter_map(BaseRate::share)
        .collect();
    if scores.is_empty() || rates.len() < ENOUGH_DATES {
        return Ok(None);
    }
    let predicted = scores.iter().sum::<f64>() / scores.len() as f64;
    let low = rates.iter().copied().fold(f64::MAX, f64::min);
    let high = rates.iter().copied().fold(f64::MIN, f64::max);
    let usual = low * (1.0 - USUAL_DRIFT)..=high * (1.0 + USUAL_DRIFT);
    if usual.contains(&predicted) {
        return Ok(None);
    }
    printer
        .say("caution_drift", context! { predicted, low, high })
        .map(Some)
}
