//! Training sets: the rules, and the problems of the Olist project on the public data.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod activation;
mod churn;
mod delay;
#[path = "../../../../tests/extracts.rs"]
mod extracts;
mod rules;
