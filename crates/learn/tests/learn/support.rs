//! Synthetic examples.

use std::collections::BTreeMap;

use safra_learn::{Categories, Column, Durations, Examples, LEARNERS, Learner, learner};
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

/// Rows whose label depends on the category `state` alone: four frequent ones, rare ones, and missing ones. `recency` says nothing.
pub fn categories(rows: usize, seed: u64) -> Examples {
    let mut noise = Noise::new(seed);
    let states = ["sp", "rj", "mg", "rs"];
    let rare: Vec<String> = (0..40).map(|number| format!("rare {number}")).collect();
    let (mut state, mut recency, mut label) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let drawn = noise.next();
        let (text, probability) = match (drawn * 8.0) as usize {
            place @ 0..4 => (Some(states[place]), [0.9, 0.1, 0.7, 0.3][place]),
            4 => (Some(&*rare[(noise.next() * 40.0) as usize]), 0.95),
            _ => (None, 0.05),
        };
        state.push(text);
        recency.push((noise.next() * 10.0).floor());
        label.push(Some(noise.next() < probability));
    }
    let columns: Vec<Column> = vec![Categories::from_texts(state).into(), recency.into()];
    Examples::with_columns(vec!["state".into(), "recency".into()], columns, label).unwrap()
}

/// Parameters from JSON.
pub fn parameters(values: Value) -> BTreeMap<String, Value> {
    values.as_object().unwrap().clone().into_iter().collect()
}

/// Rows that start evenly over `over` days and take `exp(2 + 0.5 x + state + noise / 4)` days, the noise of the logistic distribution: `state` adds
/// 0.4 in `far` and nothing in `near`. The label is whether a row takes longer than its `promise` of 5 to 20 days; all of it
/// is seen in the end. Row by row, the probability of that.
pub fn durations(rows: usize, over: f64, seed: u64) -> (Examples, Vec<f64>) {
    let mut noise = Noise::new(seed);
    let (mut x, mut promise, mut state) = (Vec::new(), Vec::new(), Vec::new());
    let (mut started, mut days, mut label, mut late) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let far = noise.next() < 0.4;
        x.push(noise.next() * 2.0 - 1.0);
        promise.push(5.0 + (noise.next() * 15.0).round());
        state.push(Some(if far { "far" } else { "near" }));
        let typical = 2.0 + 0.5 * x[row] + if far { 0.4 } else { 0.0 };
        let share = noise.next().clamp(1e-9, 1.0 - 1e-9);
        days.push((typical + (share / (1.0 - share)).ln() / 4.0).exp());
        label.push(Some(days[row] > promise[row]));
        late.push(1.0 / (1.0 + (4.0 * (promise[row].ln() - typical)).exp()));
        started.push(over * row as f64 / rows as f64);
    }
    let known = started.iter().zip(&days).map(|(a, b)| a + b).collect();
    let durations = Durations {
        started,
        days,
        known,
    };
    let names = ["x", "promise", "state"].map(str::to_owned).to_vec();
    let columns: Vec<Column> = vec![
        x.into(),
        promise.into(),
        Categories::from_texts(state).into(),
    ];
    let examples = Examples::with_columns(names, columns, label).unwrap();
    (examples.with_durations(durations).unwrap(), late)
}

/// The names of the learners that need nothing but labels, which are those of [`all_learners`].
pub fn of_labels() -> &'static [&'static str] {
    const ALL: &[&str] = &LEARNERS;
    ALL.strip_suffix(&["duration"]).unwrap()
}

/// All learners that need nothing but labels, with `recency` ranking by the feature of that name.
pub fn all_learners() -> Vec<Box<dyn Learner>> {
    let make = |name, values| learner(name, &parameters(values)).unwrap();
    vec![
        make("baseline", json!({})),
        make("recency", json!({"feature": "recency"})),
        make("logistic_regression", json!({})),
        make("decision_tree", json!({})),
        make("random_forest", json!({"num_iterations": 60})),
        make("lightgbm", json!({"num_iterations": 60})),
        make(
            "blend",
            json!({"members": {"logistic_regression": {}, "lightgbm": {"num_iterations": 60}}}),
        ),
    ]
}
