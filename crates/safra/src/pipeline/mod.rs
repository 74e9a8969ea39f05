//! The steps that several commands share, from a problem's declaration to a scored cohort.

pub mod backtesting;
pub mod evaluation;
pub mod model;
pub mod monitoring;
pub mod prepared;
pub mod promotion;
pub mod provenance;
pub mod reporting;
mod run_log;
pub mod scoring;
pub mod segmentation;
pub mod training;
pub mod tuning;
