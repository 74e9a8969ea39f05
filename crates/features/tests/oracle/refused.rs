//! What a feature view may not say, and in which words it is told.

use crate::support::compile;

const HEADER: &str =
    "---\nentity: seller_id\ntime: order_purchase_timestamp\nwindows: [30d]\n---\n";
const FROM: &str = "FROM order_items JOIN orders ON orders.order_id = order_items.order_id";

/// The error of a view with this SELECT list over items and their orders.
fn refused(select: &str) -> String {
    refused_sql(&format!("SELECT {select}\n{FROM}"))
}

fn refused_sql(sql: &str) -> String {
    match compile(&format!("{HEADER}{sql}\n")) {
        Ok(_) => panic!("was not refused: {sql}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn assert_in_file(error: &str, message: &str) {
    assert_eq!(error, format!("features/tested.sql: {message}"));
}

const NEVER: &str = "the view tested reads orders.order_status, which is never known before the end: \
    sources.toml says `known_at = \"never\"`\n\
    hint: only labels may read it; derive a column with a time of its own in sources.toml if there is one";

#[test]
fn a_column_that_is_never_known() {
    let canceled = "COUNT(*) FILTER (WHERE order_status = 'canceled') AS canceled";
    assert_in_file(&refused(canceled), NEVER);
    let aliased = "SELECT MAX(o.order_status) AS last
        FROM orders AS o JOIN order_items ON o.order_id = order_items.order_id";
    assert_in_file(&refused_sql(aliased), NEVER);
    let hidden = "SELECT COUNT(*) AS n FROM order_items JOIN (
        SELECT order_id, order_purchase_timestamp FROM orders WHERE order_status <> 'canceled'
    ) AS kept ON kept.order_id = order_items.order_id";
    assert_in_file(&refused_sql(hidden), NEVER);
    let joined = "SELECT COUNT(*) AS n FROM order_items
        JOIN orders ON orders.order_id = order_items.order_id AND order_status = 'delivered'";
    assert_in_file(&refused_sql(joined), NEVER);
    let distinct = "SELECT COUNT(*) AS n FROM order_items
        JOIN (SELECT DISTINCT * FROM orders) AS o ON o.order_id = order_items.order_id";
    assert_in_file(&refused_sql(distinct), NEVER);
}

#[test]
fn a_column_that_is_never_known_may_be_passed_by() {
    let unused = "SELECT COUNT(*) AS n FROM order_items
        JOIN (SELECT * FROM orders) AS o ON o.order_id = order_items.order_id";
    assert!(compile(&format!("{HEADER}{unused}")).is_ok());
}

#[test]
fn a_grouping_of_its_own() {
    let message = "a feature view has neither GROUP BY nor HAVING nor DISTINCT of its own: the entity of the header groups it";
    for sql in [
        format!("SELECT COUNT(*) AS n {FROM} GROUP BY seller_id"),
        format!("SELECT COUNT(*) AS n {FROM} HAVING COUNT(*) > 1"),
        format!("SELECT DISTINCT COUNT(*) AS n {FROM}"),
        format!("SELECT COUNT(*) AS n {FROM} GROUP BY ALL"),
    ] {
        assert_in_file(&refused_sql(&sql), message);
    }
}

#[test]
fn more_than_a_select() {
    let message = "a feature view is one SELECT, without WITH, UNION, ORDER BY or LIMIT";
    for sql in [
        format!("SELECT COUNT(*) AS n {FROM} ORDER BY 1"),
        format!("SELECT COUNT(*) AS n {FROM} LIMIT 1"),
        format!("WITH a AS (SELECT 1) SELECT COUNT(*) AS n {FROM}"),
        format!("SELECT COUNT(*) AS n {FROM} UNION ALL SELECT COUNT(*) AS n {FROM}"),
        "DROP TABLE orders".to_owned(),
    ] {
        assert_in_file(&refused_sql(&sql), message);
    }
    let two = format!("SELECT COUNT(*) AS n {FROM}; SELECT 1");
    assert_in_file(&refused_sql(&two), "a feature view is one SELECT");
    assert_in_file(&refused_sql(""), "a feature view is one SELECT");
}

#[test]
fn no_aggregates() {
    let message = "a feature view is a SELECT of aggregates, such as COUNT(*) or SUM(price)";
    assert_in_file(&refused("seller_id AS seller"), message);
    assert_in_file(&refused("1 AS one"), message);
}

#[test]
fn features_without_a_name() {
    for expression in [
        "COUNT(*)",
        "SUM(price)",
        "SUM(price) / COUNT(*)",
        "seller_id",
    ] {
        let message = format!("{expression}: name each feature with AS");
        assert_in_file(&refused(&format!("COUNT(*) AS n, {expression}")), &message);
    }
    assert_in_file(&refused("*"), "*: name each feature with AS");
    let twice = refused("COUNT(*) AS n, SUM(price) AS n");
    assert!(twice.starts_with("features/tested.sql: "), "{twice}");
    assert!(twice.contains('n'), "{twice}");
}

#[test]
fn names_that_do_not_exist() {
    let error = refused("SUM(prize) AS sum");
    assert!(error.starts_with("features/tested.sql: "), "{error}");
    assert!(error.contains("prize"), "{error}");
    let error = refused_sql("SELECT COUNT(*) AS n FROM sales");
    assert!(
        error.starts_with("features/tested.sql: ") && error.contains("sales"),
        "{error}"
    );
    let error = refused("frobnicate(COUNT(*)) AS n");
    assert!(
        error.starts_with("features/tested.sql: ") && error.contains("frobnicate"),
        "{error}"
    );
    let other_entity = compile(&format!("{HEADER}SELECT COUNT(*) AS n FROM orders"));
    let error = other_entity.unwrap_err().to_string();
    assert!(
        error.starts_with("features/tested.sql: ") && error.contains("seller_id"),
        "{error}"
    );
}

#[test]
fn a_syntax_error_is_placed_in_the_file() {
    let error = refused_sql("SELECT\n    COUNT(*) AS n,\n    SUM(price AS total\nFROM orders");
    assert!(
        error.starts_with("features/tested.sql: line 8, column 15: "),
        "{error}"
    );
    assert!(error.contains("AS"), "{error}");
}

#[test]
fn aggregates_that_the_sweep_does_not_know() {
    let reason = "not an aggregate that can be computed for many dates at once; the known ones are count, count distinct, sum, avg, min, max, median, stddev and var";
    for call in [
        "approx_distinct(price)",
        "array_agg(price)",
        "corr(price, freight_value)",
        "sum(DISTINCT price)",
    ] {
        let error = refused(&format!("{call} AS a"));
        assert!(error.starts_with("features/tested.sql: "), "{error}");
        assert!(error.ends_with(reason), "{error}");
    }
    let error = refused("COUNT(DISTINCT orders.order_id, product_id) AS n");
    assert!(error.starts_with("features/tested.sql: "), "{error}");
    let error = refused("first_value(price ORDER BY order_purchase_timestamp) AS first");
    assert!(
        error.ends_with("ORDER BY inside an aggregate is not supported"),
        "{error}"
    );
    let error = refused("COUNT(*) OVER () AS n");
    assert!(error.starts_with("features/tested.sql: "), "{error}");
}

const INSIDE: &str = "reference_date stands inside an aggregate; put it around it, or derive a column with a time of its own in sources.toml";
const BELOW: &str = "reference_date stands below the aggregates; put it around them, or derive a column with a time of its own in sources.toml";

#[test]
fn the_reference_date_below_or_inside_the_aggregates() {
    for select in [
        "MAX(datediff(reference_date, order_purchase_timestamp)) AS age",
        "COUNT(*) FILTER (WHERE order_estimated_delivery_date < reference_date) AS overdue",
    ] {
        let error = refused(select);
        assert!(error.starts_with("features/tested.sql: "), "{error}");
        assert!(error.ends_with(INSIDE), "{error}");
    }
    let dated = "SELECT COUNT(*) AS n FROM (
        SELECT seller_id, reference_date AS order_purchase_timestamp FROM order_items
    ) AS dated";
    let filtered = "WHERE order_estimated_delivery_date < reference_date";
    for sql in [
        format!("SELECT COUNT(*) AS n {FROM} {filtered}"),
        dated.to_owned(),
    ] {
        let error = refused_sql(&sql);
        assert!(error.starts_with("features/tested.sql: "), "{error}");
        assert!(error.ends_with(BELOW), "{error}");
    }
}

#[test]
fn the_clock_and_chance() {
    for call in [
        "now()",
        "current_date()",
        "current_timestamp",
        "random()",
        "uuid()",
    ] {
        for select in [
            format!("MAX({call}) AS n"),
            format!("COUNT(*) AS n, {call} AS m"),
            format!("COUNT(*) FILTER (WHERE {call} IS NULL) AS n"),
        ] {
            let error = refused(&select);
            assert!(error.starts_with("features/tested.sql: "), "{error}");
            assert!(
                error.ends_with("its value is not the same each time it is computed"),
                "{error}"
            );
        }
        let error = refused_sql(&format!(
            "SELECT COUNT(*) AS n {FROM} WHERE {call} IS NOT NULL"
        ));
        assert!(
            error.ends_with("its value is not the same each time it is computed"),
            "{error}"
        );
    }
}

#[test]
fn subqueries_in_expressions() {
    let reason = "a subquery inside an expression is not supported in a feature view; write a JOIN";
    for condition in [
        "orders.order_id IN (SELECT order_id FROM order_reviews)",
        "EXISTS (SELECT 1 FROM order_reviews WHERE order_reviews.order_id = orders.order_id)",
        "price > (SELECT AVG(price) FROM order_items)",
    ] {
        let error = refused_sql(&format!("SELECT COUNT(*) AS n {FROM} WHERE {condition}"));
        assert!(error.starts_with("features/tested.sql: "), "{error}");
        assert!(error.ends_with(reason), "{error}");
        let error = refused(&format!("COUNT(*) FILTER (WHERE {condition}) AS n"));
        assert!(error.ends_with(reason), "{error}");
    }
    let error = refused("COUNT(*) / (SELECT COUNT(*) FROM orders) AS share");
    assert!(error.ends_with(reason), "{error}");
}

#[test]
fn operators_without_a_sequenced_form() {
    let inner = |from: &str| format!("SELECT COUNT(*) AS n FROM {from}");
    for (sql, message) in [
        (
            inner("order_items RIGHT JOIN orders ON orders.order_id = order_items.order_id"),
            "RIGHT JOIN: not supported in a feature view; write INNER or LEFT JOIN",
        ),
        (
            inner("order_items FULL JOIN orders ON orders.order_id = order_items.order_id"),
            "FULL JOIN: not supported in a feature view; write INNER or LEFT JOIN",
        ),
        (
            inner(
                "order_items JOIN (SELECT * FROM orders LIMIT 3) AS o ON o.order_id = order_items.order_id",
            ),
            "LIMIT: not supported in a feature view",
        ),
        (
            inner(
                "order_items JOIN (SELECT order_id, order_purchase_timestamp, ROW_NUMBER() OVER (ORDER BY order_id) AS r FROM orders) AS o ON o.order_id = order_items.order_id AND o.r = 1",
            ),
            "a window function: not supported in a feature view",
        ),
        (
            inner(
                "order_items JOIN orders ON orders.order_id = order_items.order_id CROSS JOIN (SELECT AVG(price) AS mean FROM order_items) AS m WHERE price > mean",
            ),
            "an aggregate without GROUP BY: not supported in a feature view",
        ),
        (
            inner(
                "(SELECT seller_id, MAX(shipping_limit_date) AS order_purchase_timestamp FROM order_items GROUP BY ROLLUP (seller_id)) AS r",
            ),
            "GROUPING SETS, CUBE or ROLLUP: not supported in a feature view",
        ),
    ] {
        assert_in_file(&refused_sql(&sql), message);
    }
}

#[test]
fn a_time_that_is_none_and_columns_outside_aggregates() {
    let text = format!("{HEADER}SELECT COUNT(*) AS n {FROM}")
        .replace("time: order_purchase_timestamp", "time: price");
    let error = compile(&text).unwrap_err().to_string();
    assert_in_file(&error, "time: price is Float64, not a timestamp or a date");
    let message =
        "orders.order_purchase_timestamp: neither inside an aggregate nor part of the entity";
    assert_in_file(
        &refused("COUNT(*) AS n, order_purchase_timestamp AS bought"),
        message,
    );
    let error = refused("COUNT(*) AS n, price AS price");
    assert!(
        error.starts_with("features/tested.sql: ") && error.contains("price"),
        "{error}"
    );
}
