//! The parts that the messages of MLflow's REST API have in common.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Metric;
use crate::entity::LifecycleStage;

/// A key with its value: a param or a tag.
#[derive(Deserialize)]
pub(super) struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

/// Params or tags by key.
pub(super) fn map(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|pair| (pair.key, pair.value))
        .collect()
}

/// Params or tags as a message holds them.
pub(super) fn pairs(entries: &BTreeMap<String, String>) -> Vec<Value> {
    entries
        .iter()
        .map(|(key, value)| pair(key, value))
        .collect()
}

pub(super) fn pair(key: &str, value: &str) -> Value {
    json!({"key": key, "value": value})
}

/// A text that may be left out, which MLflow also writes as an empty one.
pub(super) fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// An integer, which JSON written from Protocol Buffers may hold as a text.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(try_from = "IntegerOrText")]
pub(super) struct Integer(pub(super) i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum IntegerOrText {
    Integer(i64),
    Text(String),
}

impl TryFrom<IntegerOrText> for Integer {
    type Error = std::num::ParseIntError;

    fn try_from(value: IntegerOrText) -> Result<Self, Self::Error> {
        match value {
            IntegerOrText::Integer(integer) => Ok(Self(integer)),
            IntegerOrText::Text(text) => text.parse().map(Self),
        }
    }
}

/// A number; JSON written from Protocol Buffers holds NaN and infinities as texts.
#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "NumberOrText")]
pub(super) struct Number(pub(super) f64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

impl TryFrom<NumberOrText> for Number {
    type Error = std::num::ParseFloatError;

    fn try_from(value: NumberOrText) -> Result<Self, Self::Error> {
        match value {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self),
        }
    }
}

/// A value of a metric.
#[derive(Deserialize)]
pub(super) struct MetricMessage {
    key: String,
    value: Number,
    #[serde(default)]
    timestamp: Integer,
    #[serde(default)]
    step: Integer,
}

impl From<MetricMessage> for Metric {
    fn from(message: MetricMessage) -> Self {
        Self::new(
            &message.key,
            message.value.0,
            message.timestamp.0,
            message.step.0,
        )
    }
}

/// A value of a metric as a message holds it.
pub(super) fn metric(metric: &Metric) -> Value {
    let value = match metric.value {
        value if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        value => json!(value),
    };
    let mut message = json!({
        "key": metric.key, "value": value, "timestamp": metric.timestamp, "step": metric.step,
    });
    if let Some(model_id) = &metric.model_id {
        message["model_id"] = json!(model_id);
    }
    message
}

/// The latest value of each metric: that of the highest step, then of the latest time.
pub(super) fn latest(messages: Vec<MetricMessage>) -> BTreeMap<String, Metric> {
    let mut latest: BTreeMap<String, Metric> = BTreeMap::new();
    for metric in messages.into_iter().map(Metric::from) {
        let order = |metric: &Metric| (metric.step, metric.timestamp);
        match latest.get(&metric.key) {
            Some(held) if order(held) > order(&metric) => {}
            _ => {
                latest.insert(metric.key.clone(), metric);
            }
        }
    }
    latest
}

/// The stage of an experiment or run; active if the server does not say.
pub(super) fn lifecycle_stage(text: &str) -> LifecycleStage {
    if text == LifecycleStage::Deleted.as_str() {
        LifecycleStage::Deleted
    } else {
        LifecycleStage::Active
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn there_and_back(metric_: &Metric) -> Metric {
        let text = metric(metric_).to_string();
        serde_json::from_str::<MetricMessage>(&text).unwrap().into()
    }

    #[test]
    fn every_number_comes_back() {
        for value in [
            0.1 + 0.2,
            5e-324,
            1e300,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            let read = there_and_back(&Metric::new("a", value, 1_700_000_000_123, -3));
            assert_eq!(read.value.to_bits(), value.to_bits());
            assert_eq!((read.timestamp, read.step), (1_700_000_000_123, -3));
        }
    }

    #[test]
    fn integers_may_be_texts() {
        let text = r#"{"key": "a", "value": 1, "timestamp": "1700000000123"}"#;
        let read = Metric::from(serde_json::from_str::<MetricMessage>(text).unwrap());
        assert_eq!(read, Metric::new("a", 1.0, 1_700_000_000_123, 0));
    }

    #[test]
    fn the_latest_value_has_the_highest_step_then_the_latest_time() {
        let message = |value, timestamp, step| MetricMessage {
            key: "a".into(),
            value: Number(value),
            timestamp: Integer(timestamp),
            step: Integer(step),
        };
        let latest = latest(vec![
            message(1.0, 5, 2),
            message(2.0, 7, 2),
            message(3.0, 9, 1),
        ]);
        assert_eq!(latest["a"].value, 2.0);
    }
}
