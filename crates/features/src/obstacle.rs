//! What keeps a view from being computed for all dates at once.

use std::fmt;

use serde::Serialize;

/// A part of a view that is computed by one query a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The expression or operator.
    pub expression: String,
    /// Why it cannot be computed for all dates at once, and what to write instead where there is something.
    pub reason: String,
}

impl Obstacle {
    pub(crate) fn new(expression: impl fmt::Display, reason: &str) -> Self {
        Self {
            expression: expression.to_string(),
            reason: reason.to_owned(),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.expression, self.reason)
    }
}
