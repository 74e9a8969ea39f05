//! The binary, as its users run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod champion;
mod documents;
#[path = "../../../../tests/extracts.rs"]
mod extracts;
mod faults;
mod fetch;
mod init;
mod lookup;
mod marketplace;
mod monitor;
mod month;
mod queries;
mod refusals;
mod report;
mod run;
mod segments;
#[path = "../../../fetch/tests/server/mod.rs"]
mod server;
mod slow_view;
mod streams;
mod support;
mod terminal;
mod training;
