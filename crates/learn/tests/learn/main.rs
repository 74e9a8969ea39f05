//! Tests of the crate through its public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backtest;
mod blend;
mod bootstrap;
mod calibration;
mod categories;
mod drift;
mod durations;
mod learners;
mod metrics;
mod segments;
mod silence;
mod support;
mod tuning;
