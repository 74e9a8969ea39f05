//! The aggregates of the dialect: functions of the values of a group, never of the order of its rows.

mod exact;
mod extreme;
mod numbers;
mod order;
mod sum;
mod time;
mod total;
mod totals;
mod whole;

use datafusion::logical_expr::{AggregateUDF, AggregateUDFImpl};

use numbers::{Median, Percentile, Spread};
use order::{By, Mode};
use sum::ExactTotal;
use time::{Decayed, Gaps};
use whole::{Whole, WholeFunction};

/// Every aggregate that DataFusion lacks, or that is not the same for every order of the rows there.
pub(super) fn functions() -> Vec<AggregateUDF> {
    let mut functions = vec![
        whole(Percentile::new()),
        whole(Median),
        whole(Mode),
        whole(By { largest: false }),
        whole(By { largest: true }),
        whole(Decayed::Count),
        whole(Decayed::Sum),
    ];
    functions.extend(ExactTotal::all().map(udaf));
    functions.extend(Spread::all().map(whole));
    functions.extend([Gaps::Mean, Gaps::Percentile, Gaps::Longest].map(whole));
    functions
}

fn whole(function: impl Whole) -> AggregateUDF {
    udaf(WholeFunction::new(function))
}

fn udaf(function: impl AggregateUDFImpl) -> AggregateUDF {
    AggregateUDF::new_from_impl(function)
}
