//! The champion beside the simple rule.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use crate::ReportError;
use crate::input::{Estimate, Interval, ProblemReport};
use crate::printer::Printer;

/// How the champion compares with the simple rule on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Better,
    Worse,
    Unclear,
}

impl Verdict {
    /// Clear is only what the whole interval says.
    pub(super) fn of(difference: &Estimate) -> Self {
        let value = difference.value;
        let interval = difference.interval.filter(Interval::is_usable);
        let Interval { low, high } = interval.unwrap_or(Interval {
            low: value,
            high: value,
        });
        match (low > 0.0, high < 0.0) {
            (true, _) => Self::Better,
            (_, true) => Self::Worse,
            _ => Self::Unclear,
        }
    }
}

/// ROC AUC of the champion minus that of the rule, if it is known.
pub(super) fn rule_difference(problem: &ProblemReport) -> Option<Estimate> {
    let difference = problem.rule.as_ref()?.difference?;
    difference.value.is_finite().then_some(difference)
}

/// Whether the champion ranks better, and by how much.
pub(super) fn rule(
    printer: &Printer,
    problem: &ProblemReport,
) -> Result<Option<String>, ReportError> {
    let (Some(rule), Some(difference)) = (&problem.rule, rule_difference(problem)) else {
        return Ok(None);
    };
    let feature = match rule.feature.name.as_str() {
        "" => String::new(),
        _ => printer.feature_name(&rule.feature)?,
    };
    let values = context! {
        feature,
        verdict => Serde(Verdict::of(&difference)),
        difference => difference.value,
        interval => printer.interval(difference.interval, 3)?,
        ..printer.names(problem)?
    };
    printer.say("answer_rule_html", values).map(Some)
}
