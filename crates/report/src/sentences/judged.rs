//! Which learner the answer is about, and which it is compared with.

use serde::Serialize;

use crate::facts::{finite, rate};
use crate::input::{Interval, ProblemReport};

/// How many other learners the answer compares with.
const MOST_OTHERS: usize = 3;

/// The learner that the answer is about: the champion's, or else the one with the highest mean.
pub(super) struct Judged<'a> {
    pub(super) learner: &'a str,
    pub(super) is_champion: bool,
    pub(super) roc_auc: f64,
    pub(super) interval: Option<Interval>,
    pub(super) lift: Option<f64>,
}

/// Another learner, to compare with.
#[derive(Serialize)]
pub(super) struct Other<'a> {
    pub(super) learner: &'a str,
    pub(super) value: f64,
}

impl<'a> Judged<'a> {
    pub(super) fn of(problem: &'a ProblemReport) -> Option<Self> {
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
            interval: mean.intervals.roc_auc.filter(Interval::is_usable),
            lift: finite(mean.metrics.lift_at_10),
        })
    }
}

/// The best of the other learners that rank at all.
pub(super) fn others<'a>(problem: &'a ProblemReport, judged: &Judged) -> Vec<Other<'a>> {
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
pub(super) fn places_that_differ(judged: &Judged, others: &[Other]) -> usize {
    let rounded = |value: f64| (value * 100.0).round() as i64;
    let looks_equal = |other: &Other| rounded(other.value) == rounded(judged.roc_auc);
    if others.iter().any(looks_equal) { 3 } else { 2 }
}
