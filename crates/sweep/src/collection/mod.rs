//! Collections of the ranks that are active, with every operation in logarithmic time or better.

pub(crate) mod count_tree;
pub(crate) mod rank_set;
pub(crate) mod tournament;
