//! The answer in a few sentences, and what speaks against it.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use crate::ReportError;
use crate::facts::{Cadence, calibration_gap, finite, rate, top_tenth, usable_bins, usable_scores};
use crate::input::{BaseRate, ProblemReport};
use crate::printer::Printer;

/// How many other learners the answer compares with.
const MOST_OTHERS: usize = 3;
/// With fewer dates than this, a backtest is an anecdote.
const ENOUGH_DATES: usize = 3;
/// A mean distance between predicted and observed rates that a reader must know of.
const LARGE_CALIBRATION_GAP: f64 = 0.05;

/// How far the mean score may lie beyond the base rates of the past, as a part of them.
const USUAL_DRIFT: f64 = 0.25;

/// The answer to the problem's question, as sentences in HTML.
pub(crate) fn answer(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Vec<String>, ReportError> {
    let mut sentences = vec![scores(printer, problem)?];
    let Some(judged) = Judged::of(problem) else {
        sentences.push(printer.say("answer_no_backtest_html", context! {})?);
        return Ok(sentences);
    };
    sentences.push(backtest(printer, problem, &judged)?);
    if let Some(lift) = judged.lift {
        let names = printer.names(problem)?;
        sentences.push(printer.say("answer_lift_html", context! { lift, ..names })?);
    }
    Ok(sentences)
}

/// What a reader should know before relying on the answer, as plain sentences.
pub(crate) fn cautions(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Vec<String>, ReportError> {
    let found = [
        few_dates(printer, problem)?,
        better_learner(printer, problem)?,
        poor_calibration(printer, problem)?,
        drift(printer, problem)?,
    ];
    Ok(found.into_iter().flatten().collect())
}

/// The learner that the answer is about: the champion's, or else the one with the highest mean.
struct Judged<'a> {
    learner: &'a str,
    is_champion: bool,
    roc_auc: f64,
    lift: Option<f64>,
}

/// Another learner, to compare with.
#[derive(Serialize)]
struct Other<'a> {
    learner: &'a str,
    value: f64,
}

impl<'a> Judged<'a> {
    fn of(problem: &'a ProblemReport) -> Option<Self> {
        let champion = problem.champion_learner();
        let measured = problem
            .means
            .iter()
            .filter_map(|mean| Some((mean, rate(mean.metrics.roc_auc)?)));
        let (mean, roc_auc) = measured.max_by(|a, b| {
            let champion_last = (a.0.learner == champion).cmp(&(b.0.learner == champion));
            champion_last.then(a.1.total_cmp(&b.1))
        })?;
        Some(Self {
            learner: &mean.learner,
            is_champion: mean.learner == champion,
            roc_auc,
            lift: finite(mean.metrics.lift_at_10),
        })
    }
}

fn scores(printer: &Printer, problem: &ProblemReport) -> Result<String, ReportError> {
    let names = printer.names(problem)?;
    let scores = usable_scores(&problem.scored.scores);
    if scores.is_empty() {
        let values = context! { has_champion => problem.champion.is_some(), ..names };
        return printer.say("answer_no_scores_html", values);
    }
    let top = top_tenth(&scores);
    let expected: f64 = scores.iter().sum();
    let values = context! {
        count => scores.len(),
        date => problem.scored.reference_date.as_str(),
        top_count => top.map(|top| top.count),
        probability => top.map(|top| top.probability),
        places => top.map(|top| top.places),
        expected,
        share => expected / scores.len() as f64,
        ..names
    };
    let key = match scores.len() {
        1 => "answer_one_score_html",
        _ => "answer_scores_html",
    };
    printer.say(key, values)
}

fn backtest(
    printer: &Printer,
    problem: &ProblemReport,
    judged: &Judged,
) -> Result<String, ReportError> {
    let dates = problem.backtest_dates();
    let counted = printer.say(
        Cadence::of(dates.iter().copied()).key(),
        context! { count => dates.len() },
    )?;
    let period = match (dates.first().copied(), dates.last().copied()) {
        (Some(first), Some(last)) => printer.say("period", context! { first, last })?,
        _ => String::new(),
    };
    let others = others(problem, judged);
    let values = context! {
        dates => counted,
        period,
        is_champion => judged.is_champion,
        learner => judged.learner,
        value => judged.roc_auc,
        places => places_that_differ(judged, &others),
        others => Serde(others),
        ..printer.names(problem)?
    };
    printer.say("answer_backtest_html", values)
}

/// The best of the other learners that rank at all.
fn others<'a>(problem: &'a ProblemReport, judged: &Judged) -> Vec<Other<'a>> {
    let mut others: Vec<Other> = problem
        .means
        .iter()
        .filter(|mean| mean.learner != judged.learner)
        .filter_map(|mean| {
            Some(Other {
                learner: &mean.learner,
                value: rate(mean.metrics.roc_auc).filter(|value| (value - 0.5).abs() > 1e-9)?,
            })
        })
        .collect();
    others.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.learner.cmp(b.learner)));
    others.truncate(MOST_OTHERS);
    others
}

/// Two decimals, or three if two would make learners look equal.
fn places_that_differ(judged: &Judged, others: &[Other]) -> usize {
    let rounded = |value: f64| (value * 100.0).round() as i64;
    let looks_equal = |other: &Other| rounded(other.value) == rounded(judged.roc_auc);
    if others.iter().any(looks_equal) { 3 } else { 2 }
}

fn few_dates(printer: &Printer, problem: &ProblemReport) -> Result<Option<String>, ReportError> {
    let dates = problem.backtest_dates();
    if !(1..ENOUGH_DATES).contains(&dates.len()) {
        return Ok(None);
    }
    let count = dates.len();
    let counted = printer.say(Cadence::of(dates.into_iter()).key(), context! { count })?;
    let values = context! { dates => counted, count };
    printer.say("caution_few_dates", values).map(Some)
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
            let values = context! { distance, ..names };
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
