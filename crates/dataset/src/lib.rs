//! The training set of a problem: who was asked about and when, what happened to them and on which day that
//! was certain, and the features known before the reference date.
//!
//! - [`Dataset::labelled`] builds it for many dates, [`Dataset::unlabelled`] for dates that are to be scored,
//! - [`Split`] is a reference date with the rows that may train a model for it: those asked about before it
//!   *and* settled before it. That second condition is the embargo.
//!
//! Rows are asked about on the dates of a cadence, or each is an event at a time of its own; the cadence then divides events
//! into the periods that judge, and features of reference dates are looked up as of each event.
//!
//! A label that the data cannot know yet is missing, never false.

mod build;
mod cohort;
mod dataset;
mod durations;
mod error;
mod join;
mod keys;
mod label;
mod needed;
mod sources;
mod split;

pub use dataset::{DURATION, DURATION_KNOWN_AT, Dataset, FeatureColumn, LABEL, LABEL_KNOWN_AT};
pub use durations::Durations;
pub use error::DatasetError;
pub use needed::FeatureDates;
pub use split::Split;
