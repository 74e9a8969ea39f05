//! A view that takes a query a date, in the feature store.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use safra_features::{backfill, find_stale, read};
use safra_lake::Lake;
use safra_project::Project;

use crate::future::futures;
use crate::marketplace::Marketplace;
use crate::strategies::{marketplaces, midnight, reference_dates};
use crate::support::{project_with, run};

const CORRELATED: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [60d, all]
---
SELECT corr(price, freight_value) AS correlation, COUNT(*) FILTER (WHERE is_late) AS late
FROM order_items JOIN orders USING (order_id)
WHERE order_items.order_id IN (SELECT order_id FROM order_reviews)
";

/// How many dates a backfill computes.
fn computed(lake: &Lake, project: &Project) -> usize {
    let view = project.view("correlated").unwrap();
    let dates = reference_dates();
    let reports = run(backfill(
        lake,
        project,
        &[view],
        &dates,
        Arc::new(|_, _| {}),
    ))
    .unwrap();
    reports[0].computed
}

fn stored(lake: &Lake) -> String {
    let batches = run(read(lake, "correlated", &reference_dates())).unwrap();
    arrow::util::pretty::pretty_format_batches(&batches)
        .unwrap()
        .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 50, ..ProptestConfig::default() })]

    /// Only dates whose sources differ are stale, and what is stored in the end is what a new store holds.
    #[test]
    fn another_future_makes_only_later_dates_stale(
        marketplace in marketplaces(40),
        future in futures(),
        first in any::<Index>(),
    ) {
        let project = project_with(&[("correlated", CORRELATED)]);
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (lake, fresh) = (Lake::new(folder.path()), Lake::new(other.path()));
        let dates = reference_dates();
        marketplace.write(&lake, &project, None);
        prop_assert_eq!(computed(&lake, &project), dates.len());
        prop_assert_eq!(computed(&lake, &project), 0);

        let until = dates[2];
        let later: Marketplace = marketplace.with_future(midnight(until), &future, first.index(20));
        later.write(&lake, &project, None);
        let stale = run(find_stale(&lake, &project)).unwrap();
        let stale: Vec<_> = stale.into_iter().flat_map(|view| view.dates).collect();
        prop_assert!(stale.iter().all(|date| *date > until), "{stale:?}");
        prop_assert_eq!(computed(&lake, &project), stale.len());

        later.write(&fresh, &project, None);
        computed(&fresh, &project);
        prop_assert_eq!(stored(&lake), stored(&fresh));
    }
}
