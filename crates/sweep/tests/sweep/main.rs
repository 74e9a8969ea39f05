//! Tests of the sweep from outside: against an oracle, at its boundaries, and against itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod against_oracle;
mod boundaries;
mod cases;
mod column_types;
mod determinism;
mod errors;
mod oracle;
mod totals;
mod values;
