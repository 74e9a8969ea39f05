//! How well past dates would have been predicted.

use minijinja::context;
use minijinja::value::Serde;

use super::judged::{Judged, others, places_that_differ};
use crate::ReportError;
use crate::facts::Cadence;
use crate::input::ProblemReport;
use crate::printer::Printer;

/// The learner that is judged, beside the best of the others.
pub(super) fn backtest(
    printer: &Printer,
    problem: &ProblemReport,
    judged: &Judged,
) -> Result<String, ReportError> {
    let dates = problem.backtest_dates();
    let counted = counted_dates(printer, problem)?;
    let period = match (dates.first().copied(), dates.last().copied()) {
        (Some(first), Some(last)) => {
            let name = |day| printer.words.locale.period(day, problem.events);
            printer.say(
                "period",
                context! { first => name(first), last => name(last) },
            )?
        }
        _ => String::new(),
    };
    let others = others(problem, judged);
    let places = places_that_differ(judged, &others);
    let values = context! {
        dates => counted,
        period,
        is_champion => judged.is_champion,
        learner => judged.learner,
        value => judged.roc_auc,
        places,
        interval => printer.interval(judged.interval, places)?,
        others => Serde(others),
        ..printer.names(problem)?
    };
    printer.say("answer_backtest_html", values)
}

/// How many dates, or periods, the backtest covers, in words.
pub(super) fn counted_dates(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<String, ReportError> {
    let dates = problem.backtest_dates();
    let count = dates.len();
    let key = Cadence::of(dates.into_iter()).key(problem.events);
    printer.say(key, context! { count })
}
