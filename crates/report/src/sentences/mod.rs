//! The answer in a few sentences, and what speaks against it.

mod backtest;
mod cautions;
mod judged;
mod rule;
mod scores;
mod segments;

use minijinja::context;

use crate::ReportError;
use crate::input::ProblemReport;
use crate::printer::Printer;
pub(crate) use cautions::cautions;
use judged::Judged;
pub(crate) use segments::{segment_names, segmented_rows, segments_answer, segments_reason};

/// The answer to the problem's question, as sentences in HTML.
pub(crate) fn answer(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Vec<String>, ReportError> {
    let mut sentences = vec![scores::scores(printer, problem)?];
    let Some(judged) = Judged::of(problem) else {
        sentences.push(printer.say("answer_no_backtest_html", context! {})?);
        return Ok(sentences);
    };
    sentences.push(backtest::backtest(printer, problem, &judged)?);
    sentences.extend(rule::rule(printer, problem)?);
    if let Some(lift) = judged.lift {
        let names = printer.names(problem)?;
        sentences.push(printer.say("answer_lift_html", context! { lift, ..names })?);
    }
    Ok(sentences)
}

/// The answer on the start page: one sentence on the scores, one on how good they are.
pub(crate) fn card(printer: &Printer, problem: &ProblemReport) -> Result<Vec<String>, ReportError> {
    let mut sentences = vec![scores::scores_in_short(printer, problem)?];
    if let Some(judged) = Judged::of(problem) {
        let rule = problem.rule.as_ref().map(|rule| rule.learner.as_str());
        let rule = rule.filter(|rule| *rule != judged.learner);
        let values = context! {
            learner => judged.learner,
            value => judged.roc_auc,
            interval => printer.interval(judged.interval, 3)?,
            rule_value => rule.and_then(|rule| problem.mean_roc_auc(rule)),
            dates => backtest::counted_dates(printer, problem)?,
            ..printer.names(problem)?
        };
        sentences.push(printer.say("card_trust_html", values)?);
    }
    Ok(sentences)
}
