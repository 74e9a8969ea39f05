//! Challenger against champion, on the same rows of the same dates.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use safra_learn::{Comparison, EvaluationRows, Metric, Resampling, compare};
use safra_mlflow::{Artifact, ModelVersion, Store};
use safra_project::Problem;
use serde::Serialize;

use super::evaluation::{Evaluation, Fold, Judged};
use super::model::CHAMPION;
use super::prepared::metric;
use super::training::{LEARNER, stored_evaluation};
use crate::context::{Context, now_millis};
use crate::error::SafraError;

/// A challenger must be better in at least this share of the resamples.
const CONFIDENCE_TO_REPLACE: f64 = 0.95;

/// Path of the decision and its evidence among the artifacts of the challenger's run.
const EVIDENCE: &str = "promotion.json";

/// What came of a comparison.
#[derive(Debug, Serialize)]
pub struct Promotion {
    /// The registered model.
    pub model: String,
    /// The latest version.
    pub challenger: u32,
    /// The version in use before, if any.
    pub previous_champion: Option<u32>,
    /// Whether the challenger is champion now.
    pub promoted: bool,
    /// Whether it is so against the comparison, or without one.
    pub forced: bool,
    /// Why, in words.
    pub reason: String,
    /// The comparison on common rows, if there was a champion to compare with.
    pub comparison: Option<Comparison>,
}

/// Compares the latest version with the champion, and moves the alias if it is better by more than chance, or if it is forced.
pub fn promote(context: &Context, problem: &Problem, force: bool) -> Result<Promotion, SafraError> {
    let store = context.store()?;
    let model = context.model_name(problem);
    let versions = match store.get_registered_model(&model)? {
        Some(_) => store.list_model_versions(&model)?,
        None => Vec::new(),
    };
    let Some(challenger) = versions.into_iter().max_by_key(|version| version.version) else {
        return Err(SafraError::Usage(format!(
            "{model}: no version is registered\nhint: `safra train {}` trains one",
            problem.name
        )));
    };
    let mut promotion = match store.get_model_version_by_alias(&model, CHAMPION)? {
        None => first(&model, &challenger),
        Some(champion) if champion.version == challenger.version => same(&model, &challenger),
        Some(champion) => {
            let judged = judged(context, problem, store.as_ref(), &challenger, &champion);
            match judged {
                Err(SafraError::No(reason)) if force => forced(&challenger, &champion, reason),
                judged => judged?,
            }
        }
    };
    let stays = promotion.previous_champion != Some(promotion.challenger) && !promotion.promoted;
    if force && stays {
        promotion.promoted = true;
        promotion.forced = true;
        promotion.reason = format!("forced; {}", promotion.reason);
    }
    // The alias comes last: a promotion that was stopped before is simply done again, and no champion is without its evidence.
    record(store.as_ref(), &promotion, &challenger)?;
    if promotion.promoted {
        store.set_registered_model_alias(&model, CHAMPION, challenger.version, now_millis())?;
    }
    Ok(promotion)
}

fn first(model: &str, challenger: &ModelVersion) -> Promotion {
    Promotion {
        model: model.to_owned(),
        challenger: challenger.version,
        previous_champion: None,
        promoted: true,
        forced: false,
        reason: "there was no champion".to_owned(),
        comparison: None,
    }
}

fn same(model: &str, challenger: &ModelVersion) -> Promotion {
    Promotion {
        model: model.to_owned(),
        challenger: challenger.version,
        previous_champion: Some(challenger.version),
        promoted: false,
        forced: false,
        reason: "the latest version is the champion already".to_owned(),
        comparison: None,
    }
}

/// A comparison that was not possible.
fn forced(challenger: &ModelVersion, champion: &ModelVersion, reason: String) -> Promotion {
    Promotion {
        model: challenger.name.clone(),
        challenger: challenger.version,
        previous_champion: Some(champion.version),
        promoted: false,
        forced: false,
        reason,
        comparison: None,
    }
}

fn judged(
    context: &Context,
    problem: &Problem,
    store: &dyn Store,
    challenger: &ModelVersion,
    champion: &ModelVersion,
) -> Result<Promotion, SafraError> {
    let metric = metric(problem)?;
    let ours = stored_evaluation(store, challenger)?;
    let theirs = stored_evaluation(store, champion)?;
    let rows = Paired::of(&ours, learner(challenger), &theirs, learner(champion));
    if rows.labels.is_empty() {
        return Err(SafraError::No(format!(
            "{}: version {} and version {} were not judged on a common date, so they cannot be compared",
            challenger.name, challenger.version, champion.version
        )));
    }
    let resampling = Resampling {
        metric,
        seed: context.project.settings.seed,
        ..Resampling::default()
    };
    let comparison = compare(&rows.rows(), &rows.challenger, &rows.champion, &resampling)?;
    let promoted = comparison.probability_better >= CONFIDENCE_TO_REPLACE;
    let reason = format!(
        "mean {} {:.4} against {:.4} on the same rows, better in {:.0} % of resamples ({:.0} % are needed)",
        metric.name(),
        comparison.challenger,
        comparison.champion,
        100.0 * comparison.probability_better,
        100.0 * CONFIDENCE_TO_REPLACE
    );
    Ok(Promotion {
        model: challenger.name.clone(),
        challenger: challenger.version,
        previous_champion: Some(champion.version),
        promoted,
        forced: false,
        reason,
        comparison: Some(comparison),
    })
}

fn learner(version: &ModelVersion) -> &str {
    version.tags.get(LEARNER).map_or("", String::as_str)
}

/// The decision and its evidence: tags of the version and of its run, and the whole comparison as an artifact of the run.
fn record(
    store: &dyn Store,
    promotion: &Promotion,
    challenger: &ModelVersion,
) -> Result<(), SafraError> {
    if promotion.previous_champion == Some(promotion.challenger) {
        return Ok(());
    }
    let decision = match (promotion.promoted, promotion.forced) {
        (true, true) => "forced",
        (true, false) => "promoted",
        (false, _) => "kept",
    };
    let mut tags = BTreeMap::from([
        ("safra.promotion".to_owned(), decision.to_owned()),
        (
            "safra.promotion.reason".to_owned(),
            promotion.reason.clone(),
        ),
    ]);
    if let Some(champion) = promotion.previous_champion {
        tags.insert("safra.promotion.against".to_owned(), champion.to_string());
    }
    if let Some(comparison) = &promotion.comparison {
        let difference = &comparison.difference;
        let text = format!(
            "{:.5} [{:.5}, {:.5}]",
            difference.estimate, difference.lower, difference.upper
        );
        tags.insert("safra.promotion.difference".to_owned(), text);
    }
    let (name, version) = (&promotion.model, promotion.challenger);
    store.set_model_version_tags(name, version, &tags, now_millis())?;
    if let Some(run) = &challenger.run_id {
        store.set_tags(run, &tags)?;
        let json = serde_json::to_vec_pretty(promotion).map_err(|error| SafraError::Io {
            path: EVIDENCE.to_owned(),
            source: error.into(),
        })?;
        store.log_artifact(run, EVIDENCE, Artifact::Bytes(&json))?;
    }
    Ok(())
}

/// Rows that both were judged on.
#[derive(Default)]
pub(super) struct Paired {
    /// What happened.
    pub(super) labels: Vec<bool>,
    dates: Vec<u64>,
    groups: Vec<u64>,
    /// The scores of the first.
    pub(super) challenger: Vec<f64>,
    /// The scores of the second.
    pub(super) champion: Vec<f64>,
}

impl Paired {
    /// The rows, as the bootstrap takes them.
    pub(super) fn rows(&self) -> EvaluationRows<'_> {
        EvaluationRows {
            labels: &self.labels,
            dates: &self.dates,
            groups: &self.groups,
        }
    }

    /// Pairs one learner's folds with another's, by date and entity, and event where rows are events.
    pub(super) fn of(
        ours: &Evaluation,
        our_learner: &str,
        theirs: &Evaluation,
        their_learner: &str,
    ) -> Self {
        let held: HashMap<Key<'_>, &Judged> = theirs
            .folds_of(their_learner)
            .flat_map(|fold| fold.rows.iter().map(|row| (key(fold, row), row)))
            .collect();
        let mut paired = Self::default();
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for (date, fold) in (0..).zip(ours.folds_of(our_learner)) {
            for row in &fold.rows {
                let Some(other) = held.get(&key(fold, row)) else {
                    continue;
                };
                let next = numbers.len() as u64;
                paired.labels.push(row.label);
                paired.dates.push(date);
                paired
                    .groups
                    .push(*numbers.entry(&row.entity).or_insert(next));
                paired.challenger.push(row.score);
                paired.champion.push(other.score);
            }
        }
        paired
    }
}

/// What tells a judged row from all others: date, entity, and time of the event.
type Key<'a> = (NaiveDate, &'a str, Option<&'a str>);

fn key<'a>(fold: &'a Fold, row: &'a Judged) -> Key<'a> {
    (fold.date, &row.entity, row.event_time.as_deref())
}

/// The metric by which a comparison was made, for tables.
pub fn difference(comparison: &Comparison) -> String {
    let Comparison {
        metric, difference, ..
    } = comparison;
    let name = Metric::name(*metric);
    format!(
        "{name} {:+.4} [{:+.4}, {:+.4}]",
        difference.estimate, difference.lower, difference.upper
    )
}
