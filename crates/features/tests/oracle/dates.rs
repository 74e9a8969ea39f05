//! Views that are computed by one query a date: what they are told, and that they equal views that are not.

use proptest::prelude::*;
use safra_features::{CompiledView, compute};

use crate::comparison::{Tolerance, differences};
use crate::strategies::{marketplaces, reference_dates};
use crate::support::{EXTRA, OLIST, OLIST_VIEWS, compile, run};

const HEADER: &str =
    "---\nentity: seller_id\ntime: order_purchase_timestamp\nwindows: [30d, all]\n---\n";
const FROM: &str = "FROM order_items JOIN orders ON orders.order_id = order_items.order_id";

fn view(sql: &str) -> CompiledView {
    compile(&format!("{HEADER}{sql}")).unwrap_or_else(|e| panic!("{sql}: {e}"))
}

fn obstacles(sql: &str) -> Vec<String> {
    let view = view(sql);
    view.obstacles().iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_that_is_shipped_needs_a_query_a_date() {
    for view in OLIST_VIEWS.iter().chain(EXTRA.iter()) {
        assert!(
            view.obstacles().is_empty(),
            "{}: {:?}",
            view.view.name,
            view.obstacles()
        );
    }
}

const UNKNOWN: &str = "not among the aggregates that are computed for all dates at once";
const OTHER_TIME: &str = "computed for all dates at once only by the time of the view";
const INSIDE: &str = "reference_date stands inside an aggregate; put it around it, or derive a column with a time of its own in sources.toml";
const BELOW: &str = "reference_date stands below the aggregates; put it around them, or derive a column with a time of its own in sources.toml";
const SUBQUERY: &str = "a subquery inside an expression is computed date by date; write a JOIN";
const NO_FORM: &str = "has no form over row versions";

#[test]
fn aggregates_that_the_sweep_does_not_know() {
    for (call, name, reason) in [
        (
            "corr(price, freight_value)",
            "corr(order_items.price,order_items.freight_value)",
            UNKNOWN,
        ),
        (
            "sum(DISTINCT price)",
            "sum(DISTINCT order_items.price)",
            UNKNOWN,
        ),
        (
            "min_by(price, freight_value)",
            "min_by(order_items.price,order_items.freight_value)",
            OTHER_TIME,
        ),
        (
            "avg_gap_days(order_approved_at)",
            "avg_gap_days(orders.order_approved_at)",
            OTHER_TIME,
        ),
    ] {
        assert_eq!(
            obstacles(&format!("SELECT {call} AS a, COUNT(*) AS n {FROM}")),
            [format!("{name}: {reason}")]
        );
    }
    for call in [
        "string_agg(product_id, ',')",
        "approx_distinct(price)",
        "array_agg(price)",
    ] {
        let found = obstacles(&format!("SELECT {call} AS a {FROM}"));
        assert!(found.len() == 1 && found[0].ends_with(UNKNOWN), "{found:?}");
    }
}

#[test]
fn the_reference_date_below_or_inside_the_aggregates() {
    let inside = "MAX(datediff(reference_date, order_purchase_timestamp)) AS age";
    let found = obstacles(&format!("SELECT {inside} {FROM}"));
    assert_eq!(
        found,
        [format!(
            "max(datediff(reference_date(),orders.order_purchase_timestamp)): {INSIDE}"
        )]
    );
    let below =
        format!("SELECT COUNT(*) AS n {FROM} WHERE order_estimated_delivery_date < reference_date");
    assert_eq!(obstacles(&below), [format!("reference_date: {BELOW}")]);
}

#[test]
fn subqueries_in_expressions() {
    for (condition, name) in [
        (
            "orders.order_id IN (SELECT order_id FROM order_reviews)",
            "IN",
        ),
        (
            "EXISTS (SELECT 1 FROM order_reviews WHERE order_reviews.order_id = orders.order_id)",
            "EXISTS",
        ),
        ("price > (SELECT AVG(price) FROM order_items)", "a subquery"),
    ] {
        let found = obstacles(&format!("SELECT COUNT(*) AS n {FROM} WHERE {condition}"));
        assert_eq!(found, [format!("{name}: {SUBQUERY}")]);
    }
    let share = format!("SELECT COUNT(*) / (SELECT COUNT(*) FROM orders) AS share {FROM}");
    assert_eq!(obstacles(&share), [format!("a subquery: {SUBQUERY}")]);
}

#[test]
fn operators_without_a_form_over_row_versions() {
    let from = |from: &str| obstacles(&format!("SELECT COUNT(*) AS n FROM {from}"));
    let on = "ON o.order_id = order_items.order_id";
    for (relation, name) in [
        (format!("order_items RIGHT JOIN orders AS o {on}"), "RIGHT JOIN"),
        (format!("order_items FULL JOIN orders AS o {on}"), "FULL JOIN"),
        (format!("order_items JOIN (SELECT * FROM orders LIMIT 3) AS o {on}"), "LIMIT"),
        (
            format!("order_items JOIN (SELECT order_id, order_purchase_timestamp, ROW_NUMBER() OVER (ORDER BY order_id) AS r FROM orders) AS o {on} AND o.r = 1"),
            "a window function",
        ),
        (
            format!("order_items JOIN orders AS o {on} CROSS JOIN (SELECT AVG(price) AS mean FROM order_items) AS m WHERE price > mean"),
            "an aggregate without GROUP BY",
        ),
        (
            "(SELECT seller_id, MAX(shipping_limit_date) AS order_purchase_timestamp FROM order_items GROUP BY ROLLUP (seller_id)) AS r".to_owned(),
            "GROUPING SETS, CUBE or ROLLUP",
        ),
        (
            "(SELECT seller_id, MAX(shipping_limit_date) AS order_purchase_timestamp, array_agg(price) AS prices FROM order_items GROUP BY seller_id) AS r WHERE prices IS NOT NULL".to_owned(),
            "array_agg(order_items.price) in a subquery",
        ),
    ] {
        assert_eq!(from(&relation), [format!("{name}: {NO_FORM}")]);
    }
}

#[test]
fn a_column_that_is_never_known_is_refused_all_the_same() {
    let refused = |sql: &str| compile(&format!("{HEADER}{sql}")).unwrap_err().to_string();
    for sql in [
        format!(
            "SELECT corr(price, freight_value) FILTER (WHERE order_status = 'canceled') AS c {FROM}"
        ),
        format!(
            "SELECT COUNT(*) AS n {FROM} WHERE orders.order_id IN (SELECT order_id FROM orders WHERE order_status = 'x')"
        ),
        format!("SELECT COUNT(*) / (SELECT COUNT(order_status) FROM orders) AS n {FROM}"),
    ] {
        let error = refused(&sql);
        assert!(
            error.contains("the view tested reads orders.order_status, which is never known"),
            "{error}"
        );
    }
    let unused = format!(
        "SELECT COUNT(*) AS n {FROM} WHERE orders.order_id IN (SELECT order_id FROM (SELECT * FROM orders) AS o)"
    );
    assert_eq!(view(&unused).obstacles().len(), 1);
}

#[test]
fn what_not_even_one_query_a_date_can_say_is_refused() {
    let sql = format!(
        "SELECT COUNT(*) FILTER (WHERE price IN (SELECT price FROM order_items)) AS n {FROM}"
    );
    let error = compile(&format!("{HEADER}{sql}")).unwrap_err().to_string();
    assert!(error.starts_with("features/tested.sql: "), "{error}");
    let error = compile(&format!(
        "{HEADER}SELECT corr(price, freight_value) AS a, random() AS r {FROM}"
    ));
    let error = error.unwrap_err().to_string();
    assert!(
        error.ends_with("random(): its value is not the same each time it is computed"),
        "{error}"
    );
}

/// A view that takes a query a date, and one with the same features that does not.
const PAIRS: &[(&str, &str)] = &[
    (
        "SELECT COUNT(*) AS n, SUM(price) AS p FROM order_items JOIN orders USING (order_id) WHERE order_items.order_id IN (SELECT order_id FROM order_reviews)",
        "SELECT COUNT(*) AS n, SUM(price) AS p FROM order_items JOIN orders USING (order_id) JOIN (SELECT DISTINCT order_id FROM order_reviews) AS r USING (order_id)",
    ),
    (
        "SELECT CAST(MAX(datediff(reference_date, order_purchase_timestamp)) AS INT) AS age, COUNT(*) FILTER (WHERE order_purchase_timestamp >= reference_date) AS later FROM order_items JOIN orders USING (order_id)",
        "SELECT datediff(reference_date, MIN(order_purchase_timestamp)) AS age, COUNT(*) FILTER (WHERE price < 0) AS later FROM order_items JOIN orders USING (order_id)",
    ),
    (
        "SELECT COUNT(*) AS n, AVG(price) AS p FROM orders RIGHT JOIN order_items ON orders.order_id = order_items.order_id",
        "SELECT COUNT(*) AS n, AVG(price) AS p FROM order_items LEFT JOIN orders ON orders.order_id = order_items.order_id",
    ),
    (
        "SELECT COUNT(*) AS n FROM (SELECT seller_id, order_id, order_item_id, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY order_item_id) AS r FROM order_items) AS i JOIN orders USING (order_id) WHERE r = 1",
        "SELECT COUNT(*) AS n FROM order_items JOIN orders USING (order_id) WHERE order_item_id = 1",
    ),
    (
        "SELECT min_by(order_item_id, order_item_id) AS a, COUNT(is_late) AS b FROM order_items JOIN orders USING (order_id)",
        "SELECT MIN(order_item_id) AS a, COUNT(is_late) AS b FROM order_items JOIN orders USING (order_id)",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn a_query_a_date_gives_what_one_pass_does(marketplace in marketplaces(60)) {
        let history = marketplace.history(&OLIST);
        let dates = reference_dates();
        for (slow, fast) in PAIRS {
            let (slow, fast) = (view(slow), view(fast));
            prop_assert!(!slow.obstacles().is_empty() && fast.obstacles().is_empty());
            let found = run(compute(&slow, &history, &dates)).unwrap();
            let expected = run(compute(&fast, &history, &dates)).unwrap();
            for date in &dates {
                let wrong = differences(&fast, &found, &expected, *date, Tolerance::Exact);
                prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            }
        }
    }
}
