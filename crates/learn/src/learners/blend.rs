//! A blend: the weighted mean of other learners' log odds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::parameters::require;
use crate::probability::{logit, sigmoid};
use crate::{
    Contributions, FeatureImportance, LearnError, Learner, Model, Rows, SavedModel, Training,
    learner, load,
};

pub(crate) const NAME: &str = "blend";

const FILE: &str = "blend.json";

/// Scores of members are kept this far from 0 and 1, so that none decides alone.
const CLOSEST: f64 = 1e-6;

/// Parameters of the learner `blend`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BlendParameters {
    /// The learners to blend, at least two, with their parameters. Default `logistic_regression` and `lightgbm`.
    pub members: BTreeMap<String, BTreeMap<String, Value>>,
    /// The weight of each member, above 0; 1 where none is given. Default none.
    pub weights: BTreeMap<String, f64>,
}

impl Default for BlendParameters {
    fn default() -> Self {
        let names = ["logistic_regression", "lightgbm"].map(str::to_owned);
        Self {
            members: names.map(|name| (name, BTreeMap::new())).into(),
            weights: BTreeMap::new(),
        }
    }
}

/// The learner `blend`: the mean of its members' log odds, which is the geometric mean of the odds.
pub struct Blend {
    members: Vec<Box<dyn Learner>>,
    /// One a member; they add up to 1.
    weights: Vec<f64>,
}

impl Blend {
    /// The learner with these parameters.
    ///
    /// # Errors
    /// If there are fewer than two members, one is unknown or a blend itself, or a weight is not above 0 or not a member's.
    pub fn new(parameters: BlendParameters) -> Result<Self, LearnError> {
        let BlendParameters { members, weights } = parameters;
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        let sound = names.len() > 1 && !names.contains(&NAME);
        require(
            sound,
            NAME,
            "members",
            names.join(", "),
            "two or more learners, none of them a blend",
        )?;
        for (name, weight) in &weights {
            let sound = members.contains_key(name) && *weight > 0.0 && weight.is_finite();
            let value = format!("{name} = {weight}");
            require(sound, NAME, "weights", value, "above 0, each of a member")?;
        }
        let weight = |name: &str| weights.get(name).copied().unwrap_or(1.0);
        let total: f64 = names.iter().map(|name| weight(name)).sum();
        Ok(Self {
            weights: names.iter().map(|name| weight(name) / total).collect(),
            members: members
                .iter()
                .map(|(name, parameters)| learner(name, parameters))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The learners that are blended.
    pub fn members(&self) -> &[Box<dyn Learner>] {
        &self.members
    }

    /// The blend of these models, one of each of its members, in their order.
    pub(crate) fn of(&self, members: Vec<Box<dyn Model>>) -> Box<dyn Model> {
        Box::new(BlendModel::new(members, self.weights.clone()))
    }

    /// The scores of the blend, from those of each member for the same rows, in the order of [`members`](Self::members).
    pub(crate) fn combine(&self, scores: &[&[f64]]) -> Vec<f64> {
        combine(&self.weights, scores)
    }
}

/// The sigmoid of the weighted log odds, row by row.
fn combine(weights: &[f64], scores: &[&[f64]]) -> Vec<f64> {
    let rows = scores.first().map_or(0, |scores| scores.len());
    let mut log_odds = vec![0.0; rows];
    for (weight, scores) in weights.iter().zip(scores) {
        let terms = scores.iter().map(|score| weight * member_log_odds(*score));
        log_odds
            .iter_mut()
            .zip(terms)
            .for_each(|(sum, term)| *sum += term);
    }
    log_odds.into_iter().map(sigmoid).collect()
}

fn member_log_odds(score: f64) -> f64 {
    logit(score.clamp(CLOSEST, 1.0 - CLOSEST))
}

impl Learner for Blend {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The weight of each member, and its parameters under its name, such as `lightgbm.num_leaves`.
    fn parameters(&self) -> BTreeMap<String, String> {
        let mut parameters = BTreeMap::new();
        for (member, weight) in self.members.iter().zip(&self.weights) {
            let name = member.name();
            parameters.insert(format!("{name}.weight"), weight.to_string());
            let own = member.parameters().into_iter();
            parameters.extend(own.map(|(key, value)| (format!("{name}.{key}"), value)));
        }
        parameters
    }

    fn fit(&self, training: &Training<'_>, seed: u64) -> Result<Box<dyn Model>, LearnError> {
        let members = self.members.iter().map(|member| member.fit(training, seed));
        Ok(self.of(members.collect::<Result<_, _>>()?))
    }

    fn as_blend(&self) -> Option<&Blend> {
        Some(self)
    }
}

/// Fitted members with their weights.
pub(crate) struct BlendModel {
    members: Vec<Box<dyn Model>>,
    weights: Vec<f64>,
    /// Those of all members, in the order in which they first occur.
    features: Vec<String>,
}

/// What is stored of the blend itself.
#[derive(Deserialize, Serialize)]
struct Description {
    members: Vec<String>,
    weights: Vec<f64>,
}

impl BlendModel {
    fn new(members: Vec<Box<dyn Model>>, weights: Vec<f64>) -> Self {
        let mut known = BTreeSet::new();
        let all = members.iter().flat_map(|member| member.features());
        let features = all.filter(|feature| known.insert(*feature)).cloned();
        Self {
            features: features.collect(),
            members,
            weights,
        }
    }

    /// The model that was saved.
    pub(crate) fn load(saved: &SavedModel) -> Result<Self, LearnError> {
        let Description { members, weights } = saved.parse(FILE)?;
        let sound = weights.iter().all(|weight| *weight > 0.0);
        if members.is_empty() || members.len() != weights.len() || !sound {
            return Err(saved.unreadable(FILE, "does not have one weight a member"));
        }
        let member = |name: &String| {
            if name == NAME {
                return Err(saved.unreadable(FILE, "names a blend as a member"));
            }
            load(&saved.inside(name)).map_err(|error| inside(name, error))
        };
        let members = members.iter().map(member).collect::<Result<_, _>>()?;
        Ok(Self::new(members, weights))
    }

    /// The places of the features of a member among those of the blend.
    fn places(&self, member: &dyn Model) -> Vec<usize> {
        let places: BTreeMap<&String, usize> = self.features.iter().zip(0..).collect();
        member.features().iter().map(|name| places[name]).collect()
    }
}

/// An error of a member's file, as that of the file it is in the blend.
fn inside(member: &str, error: LearnError) -> LearnError {
    match error {
        LearnError::SavedModel { file, reason, .. } => LearnError::SavedModel {
            learner: NAME.to_owned(),
            file: format!("{member}.{file}"),
            reason,
        },
        error => error,
    }
}

impl Model for BlendModel {
    fn learner(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn predict(&self, rows: &Rows<'_>) -> Result<Vec<f64>, LearnError> {
        rows.positions(&self.features, NAME)?;
        let scores = self.members.iter().map(|member| member.predict(rows));
        let scores = scores.collect::<Result<Vec<_>, _>>()?;
        let scores: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
        Ok(combine(&self.weights, &scores))
    }

    /// The weighted sum of the members' contributions.
    fn contributions(&self, rows: &Rows<'_>) -> Result<Contributions, LearnError> {
        rows.positions(&self.features, NAME)?;
        let width = self.features.len() + 1;
        let mut values = vec![0.0; rows.len() * width];
        for (member, weight) in self.members.iter().zip(&self.weights) {
            let places = self.places(member.as_ref());
            let contributions = member.contributions(rows)?;
            for (row, sum) in values.chunks_exact_mut(width).enumerate() {
                for (place, value) in places.iter().zip(contributions.row(row)) {
                    sum[*place] += weight * value;
                }
                sum[width - 1] += weight * contributions.bias(row);
            }
        }
        Ok(Contributions::from_row_major(self.features.clone(), values))
    }

    /// The weighted sum of the members' shares of importance.
    fn importance(&self) -> Result<Vec<FeatureImportance>, LearnError> {
        let mut shares = vec![0.0; self.features.len()];
        for (member, weight) in self.members.iter().zip(&self.weights) {
            let importance = member.importance()?;
            let total: f64 = importance.iter().map(|feature| feature.importance).sum();
            if total > 0.0 {
                for (place, feature) in self.places(member.as_ref()).iter().zip(&importance) {
                    shares[*place] += weight * feature.importance / total;
                }
            }
        }
        let named = self.features.iter().cloned().zip(shares);
        Ok(named
            .map(|(feature, importance)| FeatureImportance {
                feature,
                importance,
            })
            .collect())
    }

    fn save(&self) -> Result<SavedModel, LearnError> {
        let names = self
            .members
            .iter()
            .map(|member| member.learner().to_owned());
        let description = Description {
            members: names.collect(),
            weights: self.weights.clone(),
        };
        let mut saved = SavedModel::json(NAME, FILE, &description)?;
        for member in &self.members {
            saved.include(&member.save()?);
        }
        Ok(saved)
    }
}
