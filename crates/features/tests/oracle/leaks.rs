//! What became known on or after a date changes no feature of that date, nor of any before it.

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use safra_features::{CompiledView, compute};
use safra_history::{DAY, History};
use safra_project::{Project, ProjectFiles};

use crate::comparison::{Tolerance, differences};
use crate::future::futures;
use crate::marketplace::{Item, Marketplace, Order};
use crate::strategies::{marketplaces, midnight, reference_dates};
use crate::support::{
    EXTRA, OLIST, OLIST_VIEWS, compile_all, date, olist_files, project_with, run,
};

/// Where the features until a date tell one history from another.
fn told_apart(
    views: &[CompiledView],
    one: &History,
    other: &History,
    until: NaiveDate,
) -> Vec<String> {
    let dates: Vec<NaiveDate> = reference_dates()
        .into_iter()
        .filter(|date| *date <= until)
        .collect();
    let mut found = Vec::new();
    for view in views {
        let one = run(compute(view, one, &dates)).unwrap();
        let other = run(compute(view, other, &dates)).unwrap();
        // The events of a day are known at its end.
        let comparable = |date: &&NaiveDate| !view.view.is_about_events() || **date < until;
        for &date in dates.iter().filter(comparable) {
            found.extend(differences(view, &other, &one, date, Tolerance::Exact));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_future_changes_no_feature(
        marketplace in marketplaces(50),
        future in futures(),
        until in select(reference_dates()),
        first in any::<Index>(),
    ) {
        let other = marketplace.with_future(midnight(until), &future, first.index(20));
        let (one, other) = (marketplace.history(&OLIST), other.history(&OLIST));
        let mut found = told_apart(&OLIST_VIEWS, &one, &other, until);
        found.extend(told_apart(&EXTRA, &one, &other, until));
        prop_assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    }
}

const DELIVERIES: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [all]
---
SELECT COUNT(order_delivered_customer_date) AS deliveries, COUNT(*) FILTER (WHERE is_late) AS late
FROM order_items JOIN orders USING (order_id)
";

/// Two histories that differ in a delivery on the reference date and after it.
fn two_deliveries(project: &Project) -> (History, History, NaiveDate) {
    let until = date("2017-07-01");
    let delivered = |time: Option<i64>| Marketplace {
        orders: vec![Order {
            id: "o".into(),
            person: "u".into(),
            state: None,
            status: "delivered".into(),
            purchased: midnight(until) - 20 * DAY,
            approved: None,
            carrier: None,
            delivered: time,
            estimated: midnight(until) + 20 * DAY,
            items: vec![Item {
                seller: "s1".into(),
                product: "p1".into(),
                price: 1.0,
                freight: 1.0,
                limit: None,
            }],
            payments: Vec::new(),
        }],
        ..Marketplace::default()
    };
    let one = delivered(Some(midnight(until))).history(project);
    (one, delivered(None).history(project), until)
}

#[test]
fn a_delivery_of_the_day_itself_is_not_seen() {
    let project = project_with(&[("deliveries", DELIVERIES)]);
    let (one, other, until) = two_deliveries(&project);
    assert_eq!(
        told_apart(&compile_all(&project), &one, &other, until),
        [""; 0]
    );
}

/// The check above is worth something only if it finds a leak where there is one: here, a delivery that
/// is declared to be known with its order.
#[test]
fn a_planted_leak_is_found() {
    let mut files = ProjectFiles::default();
    let honest = "{ type = \"timestamp\", known_at = \"order_delivered_customer_date\" }";
    for (path, text) in olist_files().iter() {
        if path == "sources.toml" {
            assert!(text.contains(honest));
            files.insert(path, text.replace(honest, "\"timestamp\""));
        } else if path == "safra.toml" {
            files.insert(path, text);
        }
    }
    files.insert("features/deliveries.sql", DELIVERIES);
    let leaky = Project::from_files(&files).unwrap();
    let (one, other, until) = two_deliveries(&leaky);
    let found = told_apart(&compile_all(&leaky), &one, &other, until);
    let at = |date: &str| format!("deliveries.deliveries_all of s1 at {date}: 0, expected 1");
    assert_eq!(found, [at("2017-06-30"), at("2017-07-01")]);
}
