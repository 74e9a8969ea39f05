//! The learners, one a file, each with its preprocessing inside.

pub(crate) mod baseline;
pub(crate) mod lightgbm;
pub(crate) mod logistic;
pub(crate) mod recency;
