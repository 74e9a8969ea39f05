//! What was known when.
//!
//! A fact is *known at* reference date `D` if its time is strictly before `D` 00:00. Before that, a row
//! is absent and a column is NULL. This crate turns the tables of a lake into that form:
//!
//! - [`Dated`] is a source whose rows and late columns each carry the time at which they become known,
//! - [`Dated::versions`] expands it into row versions, each with its interval `(valid_from, valid_to]`,
//! - [`Dated::cut`] is the table as it stood at one reference date: the naive way, which checks the other.
//!
//! The relation "as of `D`" over versions is `valid_from < D <= valid_to`, and equals the cut at `D`.
//! All times are naive local times in microseconds since 1970-01-01 00:00.

mod audit;
mod codes;
mod columns;
pub mod counting_sort;
mod cut;
mod data_end;
mod dated;
mod dialect;
mod dictionary;
mod error;
mod history;
mod own_times;
mod pieces;
mod read;
mod versions;

pub use codes::{Encoding, Identity};
pub use columns::Columns;
pub use data_end::data_end;
pub use dated::{Dated, known_schema};
pub use dialect::session;
pub use error::HistoryError;
pub use history::History;
pub use pieces::{Link, Pieces};
pub use versions::{Form, Moments, spans_midnight};

/// Name of the column with the time after which a version holds.
pub const VALID_FROM: &str = "__valid_from";
/// Name of the column with the last time at which a version holds.
pub const VALID_TO: &str = "__valid_to";
/// The `valid_from` of what was always known.
pub const ALWAYS: i64 = i64::MIN;
/// The `valid_to` of what still holds.
pub const OPEN: i64 = i64::MAX;
/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;
