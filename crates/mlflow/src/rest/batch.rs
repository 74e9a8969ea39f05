//! What is logged in a run at once, cut to what a server takes in one request.

use serde_json::{Map, Value, json};

use super::message;
use crate::entity::Batch;

/// The most params, and the most tags, of a request (`mlflow/utils/validation.py`).
const MOST_PAIRS: usize = 100;
/// The most metrics of a request, and the most of everything.
const MOST_ENTRIES: usize = 1_000;
/// The most bytes of a request, with some left for what is around the entries.
const MOST_BYTES: usize = 900_000;

/// The documents of the requests that log a batch; none for an empty one.
pub(super) fn documents(run_id: &str, batch: &Batch) -> Vec<Value> {
    let params = batch
        .params
        .iter()
        .map(|(key, value)| message::pair(key, value));
    let metrics = batch.metrics.iter().map(message::metric);
    let tags = batch
        .tags
        .iter()
        .map(|(key, value)| message::pair(key, value));
    let entries = params
        .map(|entry| ("params", entry))
        .chain(metrics.map(|entry| ("metrics", entry)))
        .chain(tags.map(|entry| ("tags", entry)));
    let mut documents = Vec::new();
    let mut part = Part::default();
    for (field, entry) in entries {
        let bytes = entry.to_string().len() + 1;
        if !part.has_room(field, bytes) {
            documents.push(std::mem::take(&mut part).document(run_id));
        }
        part.add(field, entry, bytes);
    }
    if part.entries > 0 {
        documents.push(part.document(run_id));
    }
    documents
}

/// What goes into one request.
#[derive(Default)]
struct Part {
    fields: Map<String, Value>,
    entries: usize,
    bytes: usize,
}

impl Part {
    fn has_room(&self, field: &str, bytes: usize) -> bool {
        let most = if field == "metrics" {
            MOST_ENTRIES
        } else {
            MOST_PAIRS
        };
        let held = self
            .fields
            .get(field)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        held < most && self.entries < MOST_ENTRIES && self.bytes + bytes <= MOST_BYTES
    }

    fn add(&mut self, field: &str, entry: Value, bytes: usize) {
        let held = self.fields.entry(field).or_insert_with(|| json!([]));
        if let Value::Array(entries) = held {
            entries.push(entry);
        }
        self.entries += 1;
        self.bytes += bytes;
    }

    fn document(mut self, run_id: &str) -> Value {
        self.fields.insert("run_id".to_owned(), json!(run_id));
        Value::Object(self.fields)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::Metric;

    fn pairs(count: usize, length: usize) -> BTreeMap<String, String> {
        (0..count)
            .map(|key| (format!("key {key}"), "\"".repeat(length)))
            .collect()
    }

    fn field<'a>(document: &'a Value, field: &str) -> &'a [Value] {
        document
            .get(field)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_request_is_within_the_limits_and_nothing_is_lost(
            params in 0usize..350, metrics in 0usize..3_000, tags in 0usize..350, length in 0usize..6_000,
        ) {
            let batch = Batch {
                metrics: (0..metrics as i64).map(|step| Metric::new("auc", 0.5, 0, step)).collect(),
                params: pairs(params, length),
                tags: pairs(tags, length / 3),
            };
            let documents = documents("run", &batch);
            let all = |name: &str| documents.iter().flat_map(|part| field(part, name)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(all("params"), batch.params.iter().map(|(k, v)| message::pair(k, v)).collect::<Vec<_>>());
            prop_assert_eq!(all("tags"), batch.tags.iter().map(|(k, v)| message::pair(k, v)).collect::<Vec<_>>());
            prop_assert_eq!(all("metrics"), batch.metrics.iter().map(message::metric).collect::<Vec<_>>());
            for part in &documents {
                let [params, metrics, tags] = ["params", "metrics", "tags"].map(|name| field(part, name).len());
                prop_assert!(params <= 100 && tags <= 100 && (1..=1_000).contains(&(params + metrics + tags)));
                prop_assert!(part.to_string().len() <= 1_000_000);
                prop_assert_eq!(&part["run_id"], "run");
            }
        }
    }

    #[test]
    fn what_fits_is_one_request() {
        let batch = Batch {
            metrics: (0..800)
                .map(|step| Metric::new("auc", 0.5, 0, step))
                .collect(),
            params: pairs(100, 10),
            tags: pairs(100, 10),
        };
        assert_eq!(documents("run", &batch).len(), 1);
        assert_eq!(documents("run", &Batch::default()).len(), 0);
    }
}
