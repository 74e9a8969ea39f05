//! Metrics: numbers measured during a run.

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The name of the metric.
    pub key: String,
    /// The value. NaN and infinities are kept, but MLflow's own page of a run fails on an infinity.
    pub value: f64,
    /// When it was measured, in milliseconds since the Unix epoch; not negative.
    pub timestamp: i64,
    /// The step of the training, or any other order; 0 where there is none.
    pub step: i64,
    /// The logged model that was measured, which then has the metric too.
    pub model_id: Option<String>,
}

impl Metric {
    /// A metric of the run itself, of no logged model.
    #[must_use]
    pub fn new(key: &str, value: f64, timestamp: i64, step: i64) -> Self {
        Self {
            key: key.to_owned(),
            value,
            timestamp,
            step,
            model_id: None,
        }
    }

    /// The same value, measured on the logged model `model_id`.
    #[must_use]
    pub fn of_model(mut self, model_id: &str) -> Self {
        self.model_id = Some(model_id.to_owned());
        self
    }
}
