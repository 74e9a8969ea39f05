//! The pages of the documentation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod commands;
mod links;
