//! Trees by LightGBM's engine, which the learners of trees share: growing, and the fitted model.

mod ensemble;
mod grow;
mod library;

pub(crate) use self::ensemble::Ensemble;
pub(crate) use self::grow::{Growth, grow, grow_in_stages};
