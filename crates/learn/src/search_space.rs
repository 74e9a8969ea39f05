//! Which parameters a search tries: ranges and choices by name, and candidates drawn from them in a fixed order.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::LearnError;
use crate::random::SplitMix64;

/// The values to try of each parameter of one learner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchSpace {
    parameters: BTreeMap<String, Values>,
}

/// The values to try of one parameter.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// One of these.
    Choice(Vec<Value>),
    /// Between two numbers, both included.
    Range {
        from: f64,
        to: f64,
        /// Whether the logarithm is uniform, and not the number.
        log: bool,
        /// Whether only whole numbers are.
        whole: bool,
    },
}

impl SearchSpace {
    /// The space in which a learner is tuned unless another is declared; empty for one without parameters to tune.
    pub fn default_of(learner: &str) -> Self {
        let whole = |from: f64, to: f64| range(from, to, true, true);
        let log = |from: f64, to: f64| range(from, to, true, false);
        let share = |from: f64, to: f64| range(from, to, false, false);
        let parameters = match learner {
            "logistic_regression" => vec![("l2", log(1.0, 1_000.0))],
            "decision_tree" => vec![
                ("num_leaves", whole(4.0, 64.0)),
                ("min_data_in_leaf", whole(20.0, 200.0)),
            ],
            "random_forest" => vec![
                ("num_leaves", whole(31.0, 255.0)),
                ("min_data_in_leaf", whole(5.0, 50.0)),
                ("feature_fraction_bynode", share(0.05, 0.5)),
            ],
            "lightgbm" => vec![
                ("num_iterations", Values::Choice(vec![json!(1_000)])),
                ("learning_rate", log(0.01, 0.1)),
                ("num_leaves", whole(4.0, 31.0)),
                ("min_data_in_leaf", whole(20.0, 200.0)),
                ("feature_fraction", share(0.2, 1.0)),
                ("bagging_fraction", share(0.5, 1.0)),
                ("lambda_l2", log(0.1, 100.0)),
            ],
            "duration" => vec![
                ("num_iterations", Values::Choice(vec![json!(600)])),
                ("learning_rate", log(0.03, 0.2)),
                ("num_leaves", whole(7.0, 31.0)),
                ("min_data_in_leaf", whole(20.0, 200.0)),
                ("feature_fraction", share(0.2, 0.8)),
                ("bagging_fraction", share(0.5, 1.0)),
                ("lambda_l2", log(1.0, 100.0)),
            ],
            _ => Vec::new(),
        };
        Self {
            parameters: parameters
                .into_iter()
                .map(|(name, values)| (name.to_owned(), values))
                .collect(),
        }
    }

    /// A space as it is declared: for each parameter either a list of values, or `{ from, to }` with an optional
    /// `scale = "log"`. Between whole numbers, only whole numbers are tried.
    ///
    /// # Errors
    /// [`LearnError::SearchSpace`] names a parameter that is declared in another way.
    pub fn parse(learner: &str, declared: &BTreeMap<String, Value>) -> Result<Self, LearnError> {
        let parse = |(name, value): (&String, &Value)| match values(value) {
            Some(values) => Ok((name.clone(), values)),
            None => Err(LearnError::SearchSpace {
                learner: learner.to_owned(),
                name: name.clone(),
                value: value.to_string(),
            }),
        };
        Ok(Self {
            parameters: declared.iter().map(parse).collect::<Result<_, _>>()?,
        })
    }

    /// Whether there is nothing to try.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Candidate `number` of `seed`. Number 0 overrides nothing; every other one is drawn from all ranges.
    pub fn candidate(&self, seed: u64, number: usize) -> BTreeMap<String, Value> {
        if number == 0 {
            return BTreeMap::new();
        }
        let mut random = SplitMix64::stream(seed, number as u64);
        let draw = |(name, values): (&String, &Values)| (name.clone(), values.draw(&mut random));
        self.parameters.iter().map(draw).collect()
    }
}

impl Values {
    fn draw(&self, random: &mut SplitMix64) -> Value {
        match self {
            Self::Choice(values) => values[random.below(values.len() as u64) as usize].clone(),
            Self::Range {
                from,
                to,
                log,
                whole,
            } => {
                let share = random.uniform();
                let value = match log {
                    true => from * (to / from).powf(share),
                    false => from + (to - from) * share,
                };
                match whole {
                    true => json!(value.round() as i64),
                    false => json!(three_digits(value)),
                }
            }
        }
    }
}

/// Three significant digits are enough for a parameter, and can be read.
fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

fn range(from: f64, to: f64, log: bool, whole: bool) -> Values {
    Values::Range {
        from,
        to,
        log,
        whole,
    }
}

fn values(declared: &Value) -> Option<Values> {
    match declared {
        Value::Array(values) if !values.is_empty() => Some(Values::Choice(values.clone())),
        Value::Object(fields) => {
            let known = ["from", "to", "scale"];
            if fields.keys().any(|name| !known.contains(&name.as_str())) {
                return None;
            }
            let (from, to) = (fields.get("from")?, fields.get("to")?);
            let log = match fields.get("scale") {
                None => false,
                Some(scale) => scale.as_str()? == "log",
            };
            let whole = from.is_i64() && to.is_i64();
            let (from, to) = (from.as_f64()?, to.as_f64()?);
            (from <= to && (!log || from > 0.0)).then(|| range(from, to, log, whole))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn space(declared: Value) -> Result<SearchSpace, LearnError> {
        let declared = declared.as_object().unwrap().clone().into_iter().collect();
        SearchSpace::parse("lightgbm", &declared)
    }

    #[test]
    fn candidates_lie_in_their_ranges_and_depend_on_seed_and_number_alone() {
        let space = space(json!({
            "num_leaves": {"from": 4, "to": 31, "scale": "log"},
            "learning_rate": {"from": 0.01, "to": 0.1},
            "extra_trees": [false, true],
        }))
        .unwrap();
        assert!(space.candidate(1, 0).is_empty());
        let drawn: Vec<_> = (1..200).map(|number| space.candidate(1, number)).collect();
        for candidate in &drawn {
            assert!((4..=31).contains(&candidate["num_leaves"].as_i64().unwrap()));
            let rate = candidate["learning_rate"].as_f64().unwrap();
            assert!((0.01..=0.1).contains(&rate), "{rate}");
        }
        for leaves in [4, 31] {
            assert!(
                drawn
                    .iter()
                    .any(|candidate| candidate["num_leaves"] == leaves)
            );
        }
        assert_eq!(space.candidate(1, 7), drawn[6]);
        assert_ne!(space.candidate(2, 7), drawn[6]);
    }

    #[test]
    fn spaces_that_make_no_sense_are_refused_by_name() {
        for wrong in [
            json!([]),
            json!(7),
            json!({"from": 1}),
            json!({"from": 2, "to": 1}),
            json!({"from": 0, "to": 1, "scale": "log"}),
            json!({"from": 0, "to": 1, "step": 1}),
        ] {
            let error = space(json!({"num_leaves": wrong})).unwrap_err().to_string();
            assert!(
                error.contains("`num_leaves`") && error.contains("hint: "),
                "{error}"
            );
        }
    }

    #[test]
    fn default_spaces_are_of_parameters_that_exist() {
        for name in crate::LEARNERS {
            let space = SearchSpace::default_of(name);
            for number in 1..20 {
                let mut candidate = space.candidate(3, number);
                if name == "duration" {
                    candidate.insert("promise".into(), json!("days"));
                }
                if name == "recency" {
                    candidate.insert("feature".into(), json!("days"));
                }
                crate::learner(name, &candidate).unwrap();
            }
        }
    }
}
