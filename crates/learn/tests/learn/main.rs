//! Tests of the crate through its public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backtest;
mod bootstrap;
mod categories;
mod drift;
mod learners;
mod metrics;
mod segments;
mod silence;
mod support;
