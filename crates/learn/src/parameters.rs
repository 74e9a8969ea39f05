//! Parameters of learners: defaults, overrides by name, description.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::LearnError;

/// The default parameters with `overrides` put in their place.
///
/// # Errors
/// If a name is unknown or a value has the wrong type; the ranges of values are the learner's to check.
pub(crate) fn parse<P>(
    learner: &'static str,
    overrides: &BTreeMap<String, Value>,
) -> Result<P, LearnError>
where
    P: Default + Serialize + DeserializeOwned,
{
    let defaults = fields(&P::default());
    let mut values = defaults.clone();
    for (name, value) in overrides {
        if !defaults.contains_key(name) {
            return Err(LearnError::UnknownParameter {
                learner,
                name: name.clone(),
                known: defaults.keys().cloned().collect(),
            });
        }
        // One override at a time, because the message of serde does not name the field.
        let mut one = defaults.clone();
        one.insert(name.clone(), value.clone());
        serde_json::from_value::<P>(Value::Object(one))
            .map_err(|error| wrong_value(learner, name, value, &kind(&defaults[name], &error)))?;
        values.insert(name.clone(), value.clone());
    }
    serde_json::from_value(Value::Object(values)).map_err(|error| LearnError::ParameterValue {
        learner,
        name: overrides.keys().cloned().collect::<Vec<_>>().join(", "),
        value: error.to_string(),
        expected: "consistent".to_owned(),
    })
}

/// The parameters as text by name, for a log of the run.
pub(crate) fn describe<P: Serialize>(parameters: &P) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields(parameters)
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// Refuses the value of a parameter unless `holds`.
pub(crate) fn require(
    holds: bool,
    learner: &'static str,
    name: &str,
    value: impl ToString,
    expected: &str,
) -> Result<(), LearnError> {
    if holds {
        return Ok(());
    }
    Err(LearnError::ParameterValue {
        learner,
        name: name.to_owned(),
        value: value.to_string(),
        expected: expected.to_owned(),
    })
}

/// The fields of a struct of parameters.
pub(crate) fn fields<P: Serialize>(parameters: &P) -> Map<String, Value> {
    match serde_json::to_value(parameters) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn wrong_value(learner: &'static str, name: &str, value: &Value, expected: &str) -> LearnError {
    LearnError::ParameterValue {
        learner,
        name: name.to_owned(),
        value: value.to_string(),
        expected: expected.to_owned(),
    }
}

/// What a parameter must be, from its default, or from serde where the choice is among words.
fn kind(default: &Value, error: &serde_json::Error) -> String {
    match default {
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) if number.is_f64() => "a number".to_owned(),
        Value::Number(_) => "a whole number in range".to_owned(),
        _ => {
            let message = error.to_string();
            message
                .rsplit_once("expected ")
                .map_or(message.clone(), |(_, words)| words.to_owned())
        }
    }
}
