//! Views about events: each event as it was known at its time, and nothing later.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::Index;
use safra_features::{BackfillReport, CompiledView, audit, backfill, compute, oracle, read};
use safra_history::DAY;
use safra_lake::{Folder, Lake};
use safra_project::{Project, View};

use crate::comparison::{Tolerance, differences};
use crate::future::futures;
use crate::marketplace::{Item, Marketplace, Order};
use crate::strategies::{marketplaces, midnight};
use crate::support::{OLIST, OLIST_VIEWS, compile_all, computed, date, project_with, run};

/// The same entity with many events, of one time or of several.
const SELLER_APPROVALS: &str = "---
entity: order_items.seller_id
at: order_approved_at
---
SELECT
    COUNT(*) AS items,
    COUNT(*) FILTER (WHERE order_delivered_carrier_date <= reference_time) AS shipped,
    SUM(price) AS price,
    MAX(order_estimated_delivery_date) > reference_time AS has_time,
    hour(reference_time) AS hour,
    max_by(product_id, price) AS dearest
FROM order_items JOIN orders ON orders.order_id = order_items.order_id
";

/// What other tables knew by then, with and without a match, and a value that is settled later.
const ORDER_PAST: &str = "---
entity: orders.order_id
at: order_approved_at
---
SELECT
    COUNT(order_reviews.order_id) AS reviews,
    MAX(is_late) AS is_late,
    MAX(past.orders) AS orders_of_seller,
    MAX(past.late) AS late_of_seller,
    MEDIAN(price) AS median_price
FROM order_items
JOIN orders ON orders.order_id = order_items.order_id
LEFT JOIN order_reviews ON order_reviews.order_id = orders.order_id
LEFT JOIN (
    SELECT seller_id, COUNT(DISTINCT orders.order_id) AS orders, COUNT(*) FILTER (WHERE is_late) AS late
    FROM order_items JOIN orders ON orders.order_id = order_items.order_id
    WHERE order_delivered_carrier_date IS NOT NULL
    GROUP BY seller_id
) AS past ON past.seller_id = order_items.seller_id
WHERE price > 0
";

/// Events at a date column, which is its midnight.
const LEAD_CONTACT: &str = "---
entity: leads.mql_id
at: first_contact_date
---
SELECT COUNT(deals.mql_id) AS deals, MAX(origin) AS origin
FROM leads LEFT JOIN deals ON deals.mql_id = leads.mql_id
";

const VIEWS: &[(&str, &str)] = &[
    ("seller_approvals", SELLER_APPROVALS),
    ("order_past", ORDER_PAST),
    ("lead_contact", LEAD_CONTACT),
];

static EVENTS: LazyLock<Vec<CompiledView>> = LazyLock::new(|| {
    let shipped = OLIST_VIEWS
        .iter()
        .filter(|view| view.view.is_about_events());
    let mut views = compile_all(&project_with(VIEWS));
    views.extend(shipped.cloned());
    views
});

/// The days on which something may happen, the busiest first.
fn days(marketplace: &Marketplace) -> Vec<NaiveDate> {
    let approved = marketplace.orders.iter().filter_map(|order| order.approved);
    let contacted = marketplace
        .leads
        .iter()
        .map(|lead| i64::from(lead.contacted) * DAY);
    let day = |time: i64| NaiveDate::from_epoch_days(i32::try_from(time.div_euclid(DAY)).unwrap());
    let days: BTreeSet<NaiveDate> = approved.chain(contacted).filter_map(day).collect();
    days.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn events_equal_the_oracle(marketplace in marketplaces(30)) {
        let history = marketplace.history(&OLIST);
        for view in EVENTS.iter() {
            let all = days(&marketplace);
            let computed = computed(view, &history, &all);
            let mut found = Vec::new();
            for &day in &all {
                let expected = run(oracle(view, &history, day)).unwrap();
                found.extend(differences(view, &computed, &expected, day, Tolerance::Exact));
            }
            prop_assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
        }
    }

    #[test]
    fn what_became_known_after_an_event_changes_nothing(
        marketplace in marketplaces(40),
        future in futures(),
        from in any::<Index>(),
        first in any::<Index>(),
    ) {
        // The other future begins right after some event.
        let moments: Vec<i64> = marketplace.orders.iter().filter_map(|order| order.approved).collect();
        prop_assume!(!moments.is_empty());
        let moment = moments[from.index(moments.len())];
        let other = marketplace.with_future(moment + 1, &future, first.index(20));
        let (one, other) = (marketplace.history(&OLIST), other.history(&OLIST));
        for view in EVENTS.iter() {
            let (before, after) = (until(view, &one, &marketplace, moment), until(view, &other, &marketplace, moment));
            prop_assert_eq!(before, after, "{}", &view.view.name);
        }
    }
}

/// The events until a moment, that moment included, as text.
fn until(
    view: &CompiledView,
    history: &safra_history::History,
    marketplace: &Marketplace,
    moment: i64,
) -> Vec<String> {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMicrosecondType;
    let rows = computed(view, history, &days(marketplace));
    let times = rows.column_by_name("reference_time").unwrap();
    let times = times.as_primitive::<TimestampMicrosecondType>().values();
    let count = times.partition_point(|time| *time <= moment);
    let text = |row: usize| {
        let cells = rows.columns().iter();
        let cells =
            cells.map(|cell| arrow::util::display::array_value_to_string(cell, row).unwrap());
        cells.collect::<Vec<_>>().join(" | ")
    };
    (0..count).map(text).collect()
}

/// One order, approved at noon, with a carrier that comes when it is told to.
fn one_order(carrier: i64) -> Marketplace {
    let purchased = midnight(date("2017-06-30")) + DAY / 3;
    Marketplace {
        orders: vec![Order {
            id: "o".into(),
            person: "u".into(),
            state: Some("RJ".into()),
            status: "delivered".into(),
            purchased,
            approved: Some(noon()),
            carrier: Some(carrier),
            delivered: None,
            estimated: purchased + 20 * DAY,
            items: vec![Item {
                seller: "s1".into(),
                product: "p1".into(),
                price: 10.0,
                freight: 5.0,
                limit: None,
            }],
            payments: Vec::new(),
        }],
        ..Marketplace::default()
    }
}

fn noon() -> i64 {
    midnight(date("2017-06-30")) + DAY / 2
}

fn shipped(carrier: i64) -> String {
    let marketplace = one_order(carrier);
    let history = marketplace.history(&OLIST);
    let view = EVENTS
        .iter()
        .find(|view| view.view.name == "seller_approvals")
        .unwrap();
    until(view, &history, &marketplace, i64::MAX).join("\n")
}

#[test]
fn what_is_stamped_with_the_moment_of_the_event_is_known_and_no_later_thing() {
    let at = "2017-06-30T12:00:00";
    assert_eq!(
        shipped(noon()),
        format!("s1 | {at} | 1 | 1 | 10.0 | true | 12 | p1")
    );
    assert_eq!(
        shipped(noon() + 1),
        format!("s1 | {at} | 1 | 0 | 10.0 | true | 12 | p1")
    );
}

/// A lake with the marketplace of a strategy, and the store of the views above.
struct Store {
    _folder: tempfile::TempDir,
    lake: Lake,
    project: Project,
}

impl Store {
    fn holding(marketplace: &Marketplace, project: Project) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path());
        marketplace.write(&lake, &project, None);
        Self {
            _folder: folder,
            lake,
            project,
        }
    }

    fn fill(&self, view: &str, days: &[NaiveDate]) -> BackfillReport {
        let views: [&View; 1] = [self.project.view(view).unwrap()];
        let silent = Arc::new(|_: &str, _| {});
        run(backfill(&self.lake, &self.project, &views, days, silent))
            .unwrap()
            .remove(0)
    }

    fn version(&self, view: &str) -> u64 {
        let table = self.lake.table(Folder::Features, view);
        run(table.snapshot()).unwrap().unwrap().version()
    }

    /// Whether the store holds what the marketplace gives now.
    fn holds(&self, view: &str, marketplace: &Marketplace, days: &[NaiveDate]) -> bool {
        let stored = run(read(&self.lake, view, days)).unwrap();
        let stored = arrow::compute::concat_batches(&stored[0].schema(), &stored).unwrap();
        let views = compile_all(&self.project);
        let view = views
            .iter()
            .find(|compiled| compiled.view.name == view)
            .unwrap();
        let expected = run(compute(view, &marketplace.history(&self.project), days)).unwrap();
        let differs = |day: &NaiveDate| {
            !differences(view, &stored, &expected, *day, Tolerance::Exact).is_empty()
        };
        !days.iter().any(differs)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_store_replaces_the_days_that_changed(marketplace in marketplaces(40), other in marketplaces(40)) {
        let store = Store::holding(&marketplace, project_with(VIEWS));
        let both: BTreeSet<NaiveDate> = days(&marketplace).into_iter().chain(days(&other)).collect();
        let both: Vec<NaiveDate> = both.into_iter().collect();
        prop_assume!(!both.is_empty());
        for (view, _) in VIEWS {
            prop_assert_eq!(store.fill(view, &both).computed, both.len());
            prop_assert!(store.holds(view, &marketplace, &both));
            prop_assert_eq!((store.fill(view, &both).computed, store.version(view)), (0, 0));
        }
        other.write(&store.lake, &store.project, None);
        for (view, _) in VIEWS {
            store.fill(view, &both);
            prop_assert!(store.holds(view, &other, &both), "{}", view);
            let version = store.version(view);
            prop_assert_eq!((store.fill(view, &both).computed, store.version(view)), (0, version));
        }
    }
}

#[test]
fn a_leak_within_the_day_is_seen_by_the_audit() {
    let leaky = |files: &str| {
        files.replace(
        "order_delivered_carrier_date = { type = \"timestamp\", known_at = \"order_delivered_carrier_date\" }",
        "order_delivered_carrier_date = { type = \"timestamp\", known_at = \"order_purchase_timestamp\" }",
    )
    };
    let view = SELLER_APPROVALS.replace(
        "order_delivered_carrier_date <= reference_time",
        "order_delivered_carrier_date IS NOT NULL",
    );
    let honest = project_with(&[("seller_approvals", &view)]);
    let mut files = safra_project::ProjectFiles::default();
    for (path, text) in crate::support::olist_files().iter() {
        match path {
            "sources.toml" => {
                assert_ne!(leaky(text), text);
                files.insert(path, leaky(text));
            }
            "safra.toml" => files.insert(path, text),
            _ => {}
        }
    }
    files.insert("features/seller_approvals.sql", view.as_str());
    let leaky = Project::from_files(&files).unwrap();
    let marketplace = one_order(noon() + 60_000_000);
    for (project, expected) in [(honest, 0), (leaky, 1)] {
        let store = Store::holding(&marketplace, project);
        store.fill("seller_approvals", &[date("2017-06-30")]);
        let views: [&View; 1] = [store.project.view("seller_approvals").unwrap()];
        let audits = run(audit(
            &store.lake,
            &store.project,
            &views,
            &[date("2017-07-01")],
            &|_| {},
        ));
        let audit = audits.unwrap().remove(0);
        assert!(audit.cells > 0);
        assert_eq!(audit.leaks.len(), expected, "{:?}", audit.leaks);
        if let Some(leak) = audit.leaks.first() {
            assert_eq!(
                (
                    leak.column.as_str(),
                    leak.stored.as_str(),
                    leak.known.as_str()
                ),
                ("shipped", "1", "0")
            );
            assert_eq!(leak.entity, "s1/2017-06-30T12:00:00");
        }
    }
}

fn refused(body: &str) -> String {
    let text =
        format!("---\nentity: orders.order_id\nat: order_approved_at\n---\n{body} FROM orders");
    crate::support::compile(&text).unwrap_err().to_string()
}

#[test]
fn what_a_view_about_events_may_not_say() {
    let said = refused("SELECT datediff(reference_date, MAX(order_approved_at)) AS x");
    assert_eq!(
        said,
        "features/tested.sql: line 5, column 17: reference_date: a view about events has no reference date; reference_time is the time of the event"
    );
    let text = "---\nentity: order_id\nat: customer_id\n---\nSELECT COUNT(*) AS n FROM orders";
    let said = crate::support::compile(text).unwrap_err().to_string();
    assert_eq!(
        said,
        "features/tested.sql: line 3, at: customer_id is Utf8, not a timestamp or a date"
    );
    let said = refused("SELECT array_agg(order_id) AS x");
    assert!(said.contains("depends on the order of rows"), "{said}");
    let said = refused("SELECT MAX(order_status) AS x");
    assert!(
        said.contains("reads orders.order_status, which is never known"),
        "{said}"
    );
    let said = refused("SELECT order_purchase_timestamp AS x, COUNT(*) AS n");
    assert!(said.contains("order_purchase_timestamp"), "{said}");
    let said = refused(
        "SELECT COUNT(*) FILTER (WHERE order_id IN (SELECT order_id FROM order_items)) AS x",
    );
    assert!(
        said.contains(
            "hint: a view about events is computed for all of them at once, or not at all"
        ),
        "{said}"
    );
}
