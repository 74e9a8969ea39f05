//! From evaluations, scores and tables to what the report draws.

mod backtest;
mod figures;
mod scores;
mod tables;
mod words;

use safra_project::Problem;
use safra_report::{Language, ProblemReport};

use super::evaluation::Evaluation;
use super::scoring::Scored;
use crate::context::Context;
use crate::error::SafraError;

pub use backtest::backtest_part;
pub use figures::figures;
pub use tables::tables;

/// Everything that the report says of a problem with a champion: the backtest it came from, and the scores of
/// the latest date.
pub fn problem_report(
    context: &Context,
    problem: &Problem,
    language: Language,
    evaluation: &Evaluation,
    scored: &Scored,
) -> Result<ProblemReport, SafraError> {
    let words = words::Words {
        project: &context.project,
        problem,
        language: language.tag(),
    };
    let learner = scores::learner(scored);
    let mut report = backtest_part(problem, evaluation, &learner)?;
    words.name(&mut report);
    backtest::add_intervals(context, &mut report, evaluation)?;
    report.rule = backtest::rule(context, &words, evaluation, &learner)?;
    scores::add(&mut report, &words, scored)?;
    Ok(report)
}
