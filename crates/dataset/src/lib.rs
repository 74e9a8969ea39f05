//! The training set of a problem: who was asked about and when, what happened to them and on which day that
//! was certain, and the features known before the reference date.
//!
//! - [`Dataset::labelled`] builds it for many dates, [`Dataset::unlabelled`] for dates that are to be scored,
//! - [`Split`] is a reference date with the rows that may train a model for it: those asked about before it
//!   *and* settled before it. That second condition is the embargo.
//!
//! A label that the data cannot know yet is missing, never false.

mod cohort;
mod dataset;
mod error;
mod join;
mod keys;
mod label;
mod sources;
mod split;

pub use dataset::{Dataset, FeatureColumn, LABEL, LABEL_KNOWN_AT};
pub use error::DatasetError;
pub use split::Split;
