//! Runs feature views: SQL over the sources, without dates, becomes features for any number of reference dates.
//!
//! A view's query is split in three. What comes before the aggregates runs once on DataFusion, over row
//! versions ([`safra_history`]), as the same query in which every row carries the interval in which it
//! holds. The aggregates run in [`safra_sweep`], for all windows and dates in one pass. What is around
//! the aggregates runs once on the result. A view with a part that cannot be computed so is computed by one
//! query a date instead, with a warning ([`CompiledView::obstacles`]).
//!
//! - [`CompiledView`] is a view that has been parsed, checked and split,
//! - [`compute`] gives its features for many dates,
//! - [`oracle`] gives them for one date the naive way, on tables cut at that date, [`event_oracle`] for the events
//!   of one moment: tests hold the two against each other,
//! - [`audit()`] computes past dates again from sources cut at each, and names what differs,
//! - [`backfill`], [`read`] and [`find_stale`] are the feature store.
//!
//! A row whose entity is NULL belongs to nobody and is left out. An entity has a row for a date when at
//! least one of the view's windows holds at least one row of it; counts are 0 in its other windows, and
//! everything else is NULL there.
//!
//! A view may be about events in place of reference dates: one row an entity and event, with what was known at
//! the time of the event. Its rows are those versions that held at that very time, aggregated by entity and time.

mod aggregates;
mod audit;
mod backfill;
mod blocks;
mod buckets;
mod check;
mod collect;
mod compile;
mod compute;
mod division;
mod encodable;
mod entities;
mod error;
mod event_oracle;
mod event_store;
mod events;
mod explain;
mod extremes;
mod gathered;
mod groups;
mod keys;
mod left_join;
mod links;
mod lookup;
mod obstacle;
mod oracle;
mod parts;
mod pieces;
mod place;
mod project_features;
mod projection;
mod pushdown;
mod query;
mod reads;
mod row_batch;
mod rows;
mod sequenced;
mod sources;
mod split;
mod staged;
mod stages;
mod stale;
mod store;
mod stretches;
mod swept;
mod timeline;
mod totals;

pub use audit::{Leak, ViewAudit, audit};
pub use backfill::{BackfillReport, Progress, backfill, backfill_from};
pub use compile::CompiledView;
pub use compute::compute;
pub use error::FeatureError;
pub use event_oracle::event_oracle;
pub use explain::{ColumnRead, Explanation};
pub use lookup::{Lookup, lookup};
pub use obstacle::Obstacle;
pub use oracle::oracle;
pub use place::Place;
pub use store::{REFERENCE_DATE, REFERENCE_TIME, StaleDates, find_stale, read, stored_dates};
