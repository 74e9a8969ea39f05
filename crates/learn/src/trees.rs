//! Trees by LightGBM's engine, which the learners of trees share: growing, and the fitted model.

mod ensemble;
mod grow;
mod grow_along;
mod library;

pub(crate) use self::ensemble::Ensemble;
pub(crate) use self::grow::{Growth, grow, grow_in_stages};
pub(crate) use self::grow_along::{Loss, grow_along, grow_along_in_stages};
