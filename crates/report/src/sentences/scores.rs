//! What the scores say.

use minijinja::context;

use crate::ReportError;
use crate::facts::{top_tenth, usable_scores};
use crate::input::ProblemReport;
use crate::printer::Printer;

/// How the scores are spread, and what they add up to.
pub(super) fn scores(printer: &Printer, problem: &ProblemReport) -> Result<String, ReportError> {
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

/// The same in one sentence or two.
pub(super) fn scores_in_short(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<String, ReportError> {
    let scores = usable_scores(&problem.scored.scores);
    match scores.len() {
        0 | 1 => self::scores(printer, problem),
        _ => expected(printer, problem, &scores),
    }
}

fn expected(
    printer: &Printer,
    problem: &ProblemReport,
    scores: &[f64],
) -> Result<String, ReportError> {
    let top = top_tenth(scores);
    let expected: f64 = scores.iter().sum();
    let values = context! {
        count => scores.len(),
        top_count => top.map(|top| top.count),
        probability => top.map(|top| top.probability),
        places => top.map(|top| top.places),
        expected,
        share => expected / scores.len() as f64,
        ..printer.names(problem)?
    };
    printer.say("card_scores_html", values)
}
