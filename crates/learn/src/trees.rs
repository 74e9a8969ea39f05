//! Trees by LightGBM's engine, which the learners of trees share: growing, and the fitted model.

#[cfg(test)]
mod against_lightgbm;
mod ensemble;
mod forest;
mod grow;
mod grow_along;
mod library;
mod model_text;
mod quadrature;
mod ranks;
mod shapley;
mod sums;
mod tree;
mod vectors;

pub(crate) use self::ensemble::Ensemble;
pub(crate) use self::grow::{Growth, grow, grow_in_stages};
pub(crate) use self::grow_along::{Loss, grow_along, grow_along_in_stages};
