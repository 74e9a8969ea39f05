//! `problems/*.toml`: who is asked about, what happened to them, and what to learn it from.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::files::parse_toml;
use crate::{Cadence, ProblemTranslation, ProjectError, ProjectFiles, segmentation};

/// Something to be predicted about an entity at a reference date.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Name on the command line and of the tables; the file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// Path of the file inside the project.
    #[serde(skip)]
    pub file: String,
    /// Heading for people.
    pub title: String,
    /// The question the model answers, as one sentence.
    pub question: String,
    /// What a positive label means, in a few words, such as "stops selling".
    pub positive: String,
    /// At which end of the ranking to act first.
    #[serde(default)]
    pub act_on: ActOn,
    /// What one row is called, such as "seller".
    pub row: String,
    /// What several rows are called, such as "sellers".
    pub rows: String,
    /// Whether the word for a row is feminine, for languages in which articles follow it.
    #[serde(default)]
    pub feminine: bool,
    /// Columns that identify one row, together with its time.
    pub entity: Vec<String>,
    /// What the time of a row is. Default: a reference date.
    #[serde(default)]
    pub time: RowTime,
    /// On which dates the question is asked; where rows are events, the dates on which a new period of them begins.
    pub cadence: Cadence,
    /// First reference date of the training set, if later than the project's `first_date`.
    pub first_date: Option<NaiveDate>,
    /// How many days before a date the rows begin that train a model for it. Default: all rows train.
    pub training_days: Option<u32>,
    /// The metric by which learners are ranked, such as `roc_auc`.
    pub metric: String,
    /// Who is asked about.
    pub cohort: Cohort,
    /// What happened to them.
    pub label: Label,
    /// What the model may look at.
    pub features: FeatureSelection,
    /// What the score is called in reasons, such as "risk" or "chance". Default "score".
    #[serde(default = "score_by_default")]
    pub score: String,
    /// How scores become probabilities. Default: whichever past dates prefer.
    #[serde(default)]
    pub calibration: CalibrationSpec,
    /// The learners to compare.
    pub learners: Vec<LearnerSpec>,
    /// Backtest defaults.
    pub backtest: BacktestSpec,
    /// When `safra monitor` says no.
    #[serde(default)]
    pub monitor: MonitorSpec,
    /// The words for people in other languages, by language tag such as `pt-BR`.
    #[serde(default)]
    pub translations: BTreeMap<String, ProblemTranslation>,
}

/// Who is asked about and what is known of them: what every kind of problem declares.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    /// Name of the problem.
    pub name: &'a String,
    /// Path of its file inside the project.
    pub file: &'a String,
    /// Columns that identify one row, together with its time.
    pub entity: &'a Vec<String>,
    /// What the time of a row is.
    pub time: RowTime,
    /// Who is asked about.
    pub cohort: &'a Cohort,
    /// Which features are known of them.
    pub features: &'a FeatureSelection,
}

/// What the time of a row is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowTime {
    /// A date of the cadence, on which everybody in the cohort is asked about.
    #[default]
    ReferenceDate,
    /// The time of an event, of which each row is one.
    ReferenceTime,
}

impl RowTime {
    /// Whether each row is an event at a time of its own.
    pub fn is_event(self) -> bool {
        self == Self::ReferenceTime
    }

    /// The column of the cohort that holds it.
    pub fn column(self) -> &'static str {
        match self {
            Self::ReferenceDate => "reference_date",
            Self::ReferenceTime => "reference_time",
        }
    }
}

/// At which end of the ranking to act first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActOn {
    /// On the highest probabilities: what is predicted is unwelcome.
    #[default]
    Highest,
    /// On the lowest: what is predicted is hoped for.
    Lowest,
}

/// Who is asked about: a query over the feature store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cohort {
    /// In words, for the report.
    pub description: String,
    /// Returns the entity, its time (`reference_date`, or `reference_time` of an event), and whatever the label and
    /// other views need. It sees feature views only, so it knows no more than what was known by then.
    pub sql: String,
}

/// What happened: a query over the full tables and `cohort`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// In words, for the report.
    pub description: String,
    /// Returns the entity, its time, `label` (boolean) and `label_known_at` (date): the day on which the label is
    /// certain whichever way it falls. Where rows are events, it may return `duration`, the days from the event to the
    /// outcome, and `duration_known_at`, the time at which that was seen; both NULL while there is none.
    pub sql: String,
}

/// What the model may look at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSelection {
    /// Feature views whose features are joined.
    pub views: Vec<String>,
    /// Features to leave out, by their name in the store; a trailing `*` matches any rest.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Features shown beside each score in the report, for those who act on it.
    #[serde(default)]
    pub show: Vec<String>,
    /// Where rows are events, at which reference dates the views about reference dates are computed. Default: every day.
    pub every: Option<Cadence>,
    /// Where rows are events, how many days old the latest features of such a view may be. Default: as old as
    /// they get between two of these dates.
    pub max_age: Option<u32>,
}

/// How scores become probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CalibrationSpec {
    /// Platt scaling or isotonic regression, whichever past dates prefer, or neither if neither helps.
    #[default]
    Auto,
    /// Scores stay as the learner gives them.
    None,
    /// Platt scaling, where it helps.
    Platt,
    /// Isotonic regression, where it helps.
    Isotonic,
}

/// A learner and its parameters, as far as they differ from its defaults.
#[derive(Debug, Clone, Deserialize)]
pub struct LearnerSpec {
    /// Name of the learner, such as `lightgbm`.
    pub name: String,
    /// The values to try of each parameter when the learner is tuned, in place of the learner's own search space: a list, or a
    /// range `{ from, to, scale }`.
    #[serde(default)]
    pub tune: BTreeMap<String, toml::Value>,
    /// Its parameters.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, toml::Value>,
}

/// Which past dates judge the learners, unless the command line says otherwise.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestSpec {
    /// Number of the last dates with settled labels.
    pub dates: usize,
    /// Number of the dates before these that judge candidates when learners are tuned. Default 4.
    #[serde(default = "tuning_dates_by_default")]
    pub tuning_dates: usize,
}

fn score_by_default() -> String {
    "score".to_owned()
}

fn tuning_dates_by_default() -> usize {
    4
}

/// How far things may move before `safra monitor` says no.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorSpec {
    /// Largest population stability index of the scores, and of each of the most important features. Default 0.25, above
    /// which a population is held to have shifted (Siddiqi, "Credit Risk Scorecards", 2006).
    pub psi: f64,
    /// How many of the most important features count. Default 10.
    pub features: usize,
    /// How much worse than promised the problem's metric may turn out, in its own unit. Default 0.05.
    pub drop: f64,
}

impl Default for MonitorSpec {
    fn default() -> Self {
        Self {
            psi: 0.25,
            features: 10,
            drop: 0.05,
        }
    }
}

impl Problem {
    /// Who is asked about, and what is known of them.
    pub fn population(&self) -> Population<'_> {
        Population {
            name: &self.name,
            file: &self.file,
            entity: &self.entity,
            time: self.time,
            cohort: &self.cohort,
            features: &self.features,
        }
    }
}

impl FeatureSelection {
    /// At which reference dates the views about reference dates are computed for events.
    pub fn every(&self) -> Cadence {
        self.every.unwrap_or(Cadence::Day)
    }

    /// How many days old the latest features of such a view may be when an event happens.
    pub fn max_age(&self) -> u32 {
        self.max_age.unwrap_or(match self.every() {
            Cadence::Day => 0,
            Cadence::Week => 6,
            Cadence::Month => 30,
        })
    }

    /// Whether a feature is left out.
    pub fn excludes(&self, feature: &str) -> bool {
        self.exclude
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => feature.starts_with(start),
                None => feature == pattern,
            })
    }
}

pub(crate) fn read_all(files: &ProjectFiles) -> Result<IndexMap<String, Problem>, ProjectError> {
    files
        .in_folder("problems")
        .filter_map(|(file, name, text)| match segmentation::kind(file, text) {
            Ok(None) => Some(Ok((file, name, text))),
            Ok(Some(_)) => None,
            Err(error) => Some(Err(error)),
        })
        .map(|declared| {
            let (file, name, text) = declared?;
            let problem: Problem = parse_toml(file, text)?;
            let problem = Problem {
                name: name.to_owned(),
                file: file.to_owned(),
                ..problem
            };
            Ok((name.to_owned(), problem))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn exclusions_match_names_and_beginnings() {
        let selection = FeatureSelection {
            views: vec![],
            exclude: vec!["orders_all".into(), "share_*".into()],
            show: vec![],
            every: None,
            max_age: None,
        };
        assert!(selection.excludes("orders_all") && selection.excludes("share_sp_6mo"));
        assert!(!selection.excludes("orders_all_6mo") && !selection.excludes("orders_30d"));
    }
}
