//! The feature store: what a backfill computes, what it leaves, and what can be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Date32Type;
use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use safra_features::{
    BackfillReport, FeatureError, REFERENCE_DATE, backfill, compute, oracle, read,
};
use safra_history::{DAY, Encoding, History};
use safra_lake::{Folder, Lake};
use safra_project::{Project, View};
use tempfile::TempDir;

use crate::comparison::{Tolerance, differences};
use crate::future::futures;
use crate::marketplace::Marketplace;
use crate::strategies::{marketplaces, midnight, reference_dates};
use crate::support::{OLIST, compile_all, date, dates, project_with, run};

const SALES: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [90d, all]
---
SELECT COUNT(*) AS items, SUM(price) AS price
FROM order_items JOIN orders USING (order_id)
";

// It reads one table only; the times of its rows are those of another.
const LIMITS: &str = "---
entity: seller_id
time: shipping_limit_date
windows: [all]
---
SELECT COUNT(*) AS limits FROM order_items
";

// Its rows come and go as orders move on.
const MOVING: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 6mo]
---
SELECT COUNT(*) AS items, COUNT(order_reviews.order_id) AS reviews, MEDIAN(price) AS price
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id
WHERE order_delivered_customer_date IS NULL
";

const VIEWS: &[(&str, &str)] = &[("sales", SALES), ("limits", LIMITS), ("moving", MOVING)];

/// A lake with a marketplace, and the views of these tests.
pub struct Store {
    _folder: TempDir,
    pub lake: Lake,
    project: Project,
    marketplace: Marketplace,
}

impl Store {
    pub fn new() -> Self {
        Self::holding(some_marketplace())
    }

    pub fn holding(marketplace: Marketplace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path());
        marketplace.write(&lake, &OLIST, None);
        Self {
            _folder: folder,
            lake,
            project: project_with(VIEWS),
            marketplace,
        }
    }

    pub fn backfill(&self, view: &str, dates: &[NaiveDate]) -> BackfillReport {
        let views: [&View; 1] = [self.project.view(view).unwrap()];
        let silent = Arc::new(|_: &str, _| {});
        let filled = backfill(&self.lake, &self.project, &views, dates, silent);
        run(filled).unwrap().remove(0)
    }

    /// Differences between the store and the oracle on the marketplace as it is now.
    fn wrong(&self, view: &str, dates: &[NaiveDate]) -> Vec<String> {
        let stored = run(read(&self.lake, view, dates)).unwrap();
        let stored = concat_batches(&stored[0].schema(), &stored).unwrap();
        let history = self.marketplace.history(&self.project);
        let views = compile_all(&self.project);
        let view = views
            .iter()
            .find(|compiled| compiled.view.name == view)
            .unwrap();
        let at = |date: &NaiveDate| {
            let expected = run(oracle(view, &history, *date)).unwrap();
            differences(view, &stored, &expected, *date, Tolerance::Relative(1e-9))
        };
        dates.iter().flat_map(at).collect()
    }

    /// The Delta version of a view's table, and the number of rows at each date that it has.
    fn version(&self, view: &str) -> u64 {
        let table = self.lake.table(Folder::Features, view);
        run(table.snapshot()).unwrap().unwrap().version()
    }

    fn rows_at(&self, view: &str, date: NaiveDate) -> usize {
        let table = self.lake.table(Folder::Features, view);
        let batches = run(table.snapshot()).unwrap().unwrap().read(None).unwrap();
        let rows = |batch: &RecordBatch| {
            let dates = batch.column_by_name(REFERENCE_DATE).unwrap();
            let days = dates.as_primitive::<Date32Type>().values().iter();
            days.filter(|day| **day == date.to_epoch_days()).count()
        };
        batches.iter().map(rows).sum()
    }
}

/// A marketplace of the usual kind, always the same.
fn some_marketplace() -> Marketplace {
    let mut runner = TestRunner::deterministic();
    loop {
        let marketplace = marketplaces(50).new_tree(&mut runner).unwrap().current();
        if marketplace.orders.len() > 30 {
            return marketplace;
        }
    }
}

#[test]
fn a_second_backfill_computes_nothing() {
    let store = Store::new();
    let dates = dates(&["2017-03-01", "2017-06-30", "2017-07-01"]);
    let first = store.backfill("sales", &dates);
    assert_eq!((first.dates, first.computed), (3, 3));
    assert_eq!(first.features, 4);
    assert!(first.rows > 3, "{first:?}");
    let version = store.version("sales");
    let second = store.backfill("sales", &dates);
    assert_eq!(
        (second.dates, second.computed, second.rows),
        (3, 0, first.rows)
    );
    assert_eq!(store.version("sales"), version);
    assert_eq!(store.wrong("sales", &dates), [""; 0]);
}

#[test]
fn more_dates_compute_only_the_missing() {
    let store = Store::new();
    store.backfill("sales", &dates(&["2017-03-01", "2017-07-01"]));
    let kept = store.rows_at("sales", date("2017-07-01"));
    let more = dates(&["2017-03-01", "2017-06-30", "2017-07-01", "2017-08-31"]);
    let report = store.backfill("sales", &more);
    assert_eq!((report.dates, report.computed), (4, 2));
    assert_eq!(store.rows_at("sales", date("2017-07-01")), kept);
    assert_eq!(store.wrong("sales", &more), [""; 0]);
    let total: usize = more.iter().map(|date| store.rows_at("sales", *date)).sum();
    assert_eq!(report.rows, total);
}

#[test]
fn a_date_without_rows_is_done_as_well() {
    let store = Store::new();
    let early = dates(&["2016-01-01"]);
    let report = store.backfill("sales", &early);
    assert_eq!((report.computed, report.rows), (1, 0));
    assert_eq!(store.backfill("sales", &early).computed, 0);
    assert_eq!(store.wrong("sales", &early), [""; 0]);
}

#[test]
fn a_changed_view_is_computed_again() {
    let mut store = Store::new();
    let both = dates(&["2017-03-01", "2017-07-01"]);
    store.backfill("sales", &both);
    let cheap = SALES.replace("COUNT(*)", "COUNT(*) FILTER (WHERE price < 100)");
    store.project = project_with(&[("sales", &cheap)]);
    let report = store.backfill("sales", &both[1..]);
    assert_eq!(report.computed, 1);
    assert_eq!(store.wrong("sales", &both[1..]), [""; 0]);
    // Features of the old view are gone, and not mistaken for the new one's.
    assert_eq!(store.rows_at("sales", both[0]), 0);
    let error = run(read(&store.lake, "sales", &both)).unwrap_err();
    assert!(
        matches!(error, FeatureError::MissingDates { .. }),
        "{error}"
    );
}

#[test]
fn a_view_with_other_features_replaces_the_table() {
    let mut store = Store::new();
    let one = dates(&["2017-07-01"]);
    store.backfill("sales", &one);
    let more = SALES.replace(
        "SUM(price) AS price",
        "SUM(price) AS price, MIN(price) AS cheapest",
    );
    store.project = project_with(&[("sales", &more)]);
    assert_eq!(store.backfill("sales", &one).features, 6);
    assert_eq!(store.wrong("sales", &one), [""; 0]);
}

#[test]
fn changed_sources_are_computed_again() {
    let mut store = Store::new();
    let both = dates(&["2017-03-01", "2017-07-01"]);
    store.backfill("sales", &both);
    for order in &mut store.marketplace.orders {
        for item in &mut order.items {
            item.price += 1.0;
        }
    }
    store
        .marketplace
        .write(&store.lake, &OLIST, Some("order_items"));
    let report = store.backfill("sales", &both[1..]);
    assert_eq!(report.computed, 1);
    assert_eq!(store.wrong("sales", &both[1..]), [""; 0]);
    let error = run(read(&store.lake, "sales", &both)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 of 2 dates, the first is 2017-03-01"),
        "{error}"
    );
    assert_eq!(store.backfill("sales", &both).computed, 1);
    assert_eq!(store.wrong("sales", &both), [""; 0]);
}

#[test]
fn another_source_computes_nothing_again() {
    let store = Store::new();
    let one = dates(&["2017-07-01"]);
    store.backfill("sales", &one);
    store
        .marketplace
        .write(&store.lake, &OLIST, Some("order_reviews"));
    assert_eq!(store.backfill("sales", &one).computed, 0);
}

#[test]
fn features_do_not_depend_on_how_texts_are_held() {
    let store = Store::new();
    let dates = dates(&["2017-06-30", "2017-07-01"]);
    for view in compile_all(&store.project) {
        let (lake, project) = (&store.lake, &store.project);
        let texts = [("order_items", "seller_id"), ("orders", "customer_id")];
        let texts = texts.map(|(table, column)| (table.to_owned(), [column.to_owned()].into()));
        let encoding = Encoding {
            identities: view.identities().to_vec(),
            texts: Some(texts.into()),
        };
        assert!(!encoding.identities.is_empty(), "{}", view.view.name);
        let (reads, opened) = (&view.reads, BTreeMap::new());
        let encoded = run(History::load_encoded(
            lake, project, reads, &opened, encoding,
        ));
        let encoded = encoded.unwrap();
        assert!(encoded.encodes(view.identities()) && !encoded.keeps_texts());
        let plain = run(History::load_columns(lake, project, reads)).unwrap();
        let [one, other] =
            [&encoded, &plain].map(|history| run(compute(&view, history, &dates)).unwrap());
        assert_eq!(one, other, "{}", view.view.name);
    }
}

#[test]
fn a_source_that_only_dates_another_counts_as_read() {
    let mut store = Store::new();
    let one = dates(&["2017-07-01"]);
    store.backfill("limits", &one);
    for order in &mut store.marketplace.orders {
        order.purchased += 200 * DAY;
    }
    store.marketplace.write(&store.lake, &OLIST, Some("orders"));
    assert_eq!(store.backfill("limits", &one).computed, 1);
    assert_eq!(store.wrong("limits", &one), [""; 0]);
}

#[test]
fn missing_dates_are_named_with_the_command_that_computes_them() {
    let store = Store::new();
    store.backfill("sales", &dates(&["2017-03-01"]));
    let wanted = dates(&["2017-03-01", "2017-06-30", "2017-07-01"]);
    let error = run(read(&store.lake, "sales", &wanted)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "features/sales: no features for 2 of 3 dates, the first is 2017-06-30\n\
         hint: `safra features sales --from 2017-06-30 --to 2017-07-01` computes them"
    );
    let error = run(read(&store.lake, "limits", &wanted))
        .unwrap_err()
        .to_string();
    assert!(error.contains("features/limits"), "{error}");
    assert!(error.contains("safra features"), "{error}");
}

#[test]
fn only_the_dates_asked_for_are_read() {
    let store = Store::new();
    let all = dates(&["2017-03-01", "2017-06-30", "2017-07-01"]);
    store.backfill("sales", &all);
    let batches = run(read(&store.lake, "sales", &all[1..2])).unwrap();
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    assert_eq!(rows, store.rows_at("sales", all[1]));
    assert!(rows > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn another_future_makes_no_date_before_it_stale(
        marketplace in marketplaces(40),
        future in futures(),
        until in select(reference_dates()),
        first in any::<Index>(),
    ) {
        let mut store = Store::holding(marketplace);
        let dates = reference_dates();
        for (view, _) in VIEWS {
            store.backfill(view, &dates);
        }
        store.marketplace = store.marketplace.with_future(midnight(until), &future, first.index(20));
        store.marketplace.write(&store.lake, &OLIST, None);
        let later = dates.iter().filter(|date| **date > until).count();
        for (view, _) in VIEWS {
            let report = store.backfill(view, &dates);
            prop_assert!(report.computed <= later, "{report:?}, {later} dates after {until}");
            let wrong = store.wrong(view, &dates);
            prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
    }

    #[test]
    fn other_sources_make_all_dates_stale_that_they_change(
        marketplace in marketplaces(40),
        other in marketplaces(40),
    ) {
        let mut store = Store::holding(marketplace);
        let dates = reference_dates();
        for (view, _) in VIEWS {
            store.backfill(view, &dates);
        }
        store.marketplace = other;
        store.marketplace.write(&store.lake, &OLIST, None);
        for (view, _) in VIEWS {
            store.backfill(view, &dates);
            let wrong = store.wrong(view, &dates);
            prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        }
    }
}
