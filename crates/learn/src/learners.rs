//! The learners, one a file, each with its preprocessing inside.

pub(crate) mod baseline;
pub(crate) mod blend;
pub(crate) mod decision_tree;
pub(crate) mod duration;
pub(crate) mod lightgbm;
pub(crate) mod logistic;
pub(crate) mod random_forest;
pub(crate) mod recency;
mod trees_alone;
