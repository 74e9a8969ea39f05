//! Trees by LightGBM's engine, which the learners of trees share: growing, and the fitted model.

mod ensemble;
mod grow;
mod library;

pub(crate) use self::ensemble::{Ensemble, Scale};
pub(crate) use self::grow::{Growth, grow};
