//! Features hold against the naive oracle, cannot see the future, and stay in the store as computed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comparison;
mod dates;
mod events;
mod extra_views;
mod extract;
#[path = "../../../../tests/extracts.rs"]
mod extracts;
mod functions;
mod future;
mod leaks;
mod marketplace;
mod pieces;
mod random;
mod refused;
mod sequenced;
mod slow_store;
mod store;
mod strategies;
mod support;
