//! Random marketplaces: all dates at once equal the oracle at each.

use proptest::prelude::*;

use crate::strategies::{marketplaces, reference_dates};
use crate::support::{EXTRA, OLIST, OLIST_VIEWS, against_oracle};

proptest! {
    // A query costs the same over few rows as over many: few large marketplaces find as much as many small ones.
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn shipped_views_equal_the_oracle(marketplace in marketplaces(120)) {
        let history = marketplace.history(&OLIST);
        let found = against_oracle(&OLIST_VIEWS, &history, &reference_dates());
        prop_assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    }

    #[test]
    fn other_views_equal_the_oracle(marketplace in marketplaces(120)) {
        let history = marketplace.history(&OLIST);
        let found = against_oracle(&EXTRA, &history, &reference_dates());
        prop_assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    }
}

#[test]
fn an_empty_marketplace_has_no_features() {
    let history = crate::marketplace::Marketplace::default().history(&OLIST);
    let found = against_oracle(&OLIST_VIEWS, &history, &reference_dates());
    assert!(found.is_empty(), "{}", found.join("\n"));
    let found = against_oracle(&EXTRA, &history, &reference_dates());
    assert!(found.is_empty(), "{}", found.join("\n"));
}
