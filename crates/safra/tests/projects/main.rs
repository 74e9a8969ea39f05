//! Projects other than the shipped one, and data that lacks something, through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod event_refusals;
mod event_store;
mod funnel;
mod gym;
mod library;
mod numbers;
mod rows;
mod support;
