//! What the inputs say, in numbers: the findings that titles and sentences are made of.

mod base_rates;
mod cadence;
mod curves;
mod interval;
mod metrics;
mod ranking;
mod scores;

pub(crate) use cadence::Cadence;
pub(crate) use curves::{
    area_under, calibration_gap, true_positive_rate_at, usable_bins, usable_points,
};
pub(crate) use metrics::{METRICS, Metric, finite, rate};
pub(crate) use scores::{TopTenth, top_tenth, usable_scores};
