//! Synthetic examples.

use std::collections::BTreeMap;

use safra_learn::{Examples, Learner, learner};
use serde_json::{Value, json};

/// Numbers between 0 and 1 that look random.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2_654_435_769).wrapping_add(1))
    }

    pub fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Rows whose label depends on `recency` (rising) and on whether `sales` is small, with a missing value here and there, and
/// three columns that say nothing: `noise`, `never`, which is always missing, and `constant`.
pub fn signal(rows: usize, seed: u64) -> Examples {
    let mut noise = Noise::new(seed);
    let names = ["recency", "sales", "noise", "never", "constant"]
        .map(str::to_owned)
        .to_vec();
    let mut columns = vec![Vec::new(); names.len()];
    let mut label = Vec::new();
    for _ in 0..rows {
        let recency = (noise.next() * 45.0).floor();
        let sales = (noise.next() * 6.0).exp();
        let log_odds = 0.15 * (recency - 25.0) + 3.0 * f64::from(u8::from(sales < 20.0)) - 1.5;
        label.push(Some(noise.next() < 1.0 / (1.0 + (-log_odds).exp())));
        columns[0].push(if noise.next() < 0.05 {
            f64::NAN
        } else {
            recency
        });
        columns[1].push(if noise.next() < 0.1 { f64::NAN } else { sales });
        columns[2].push(noise.next());
        columns[3].push(f64::NAN);
        columns[4].push(3.5);
    }
    Examples::new(names, columns, label).unwrap()
}

/// Parameters from JSON.
pub fn parameters(values: Value) -> BTreeMap<String, Value> {
    values.as_object().unwrap().clone().into_iter().collect()
}

/// All learners, with `recency` ranking by the feature of that name.
pub fn all_learners() -> Vec<Box<dyn Learner>> {
    let make = |name, values| learner(name, &parameters(values)).unwrap();
    vec![
        make("baseline", json!({})),
        make("recency", json!({"feature": "recency"})),
        make("logistic_regression", json!({})),
        make("lightgbm", json!({"num_iterations": 60})),
    ]
}
