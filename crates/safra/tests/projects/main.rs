//! Projects other than the shipped one, and data that lacks something, through the binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod funnel;
mod gym;
mod rows;
mod support;
