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

/// The place in the file of a text of the SQL, from its first letter.
fn place_of(sql: &str, text: &str) -> String {
    let before = &sql[..sql.find(text).unwrap()];
    let line = 6 + before.matches('\n').count();
    let column = 1 + before.len() - before.rfind('\n').map_or(0, |end| end + 1);
    format!("line {line}, column {column}: ")
}

#[track_caller]
fn assert_at(sql: &str, text: &str, message: &str) {
    assert_in_file(
        &refused_sql(sql),
        &format!("{}{message}", place_of(sql, text)),
    );
}

const NEVER: &str = "the view tested reads orders.order_status, which is never known before the end: \
    sources.toml says `known_at = \"never\"`\n\
    hint: only labels may read it; derive a column with a time of its own in sources.toml if there is one";

#[test]
fn a_column_that_is_never_known() {
    let canceled = "COUNT(*) FILTER (WHERE order_status = 'canceled') AS canceled";
    assert_at(&format!("SELECT {canceled}\n{FROM}"), "order_status", NEVER);
    let aliased = "SELECT MAX(o.order_status) AS last
        FROM orders AS o JOIN order_items ON o.order_id = order_items.order_id";
    assert_at(aliased, "order_status", NEVER);
    let hidden = "SELECT COUNT(*) AS n FROM order_items JOIN (
        SELECT order_id, order_purchase_timestamp FROM orders WHERE order_status <> 'canceled'
    ) AS kept ON kept.order_id = order_items.order_id";
    assert_at(hidden, "order_status", NEVER);
    let joined = "SELECT COUNT(*) AS n FROM order_items
        JOIN orders ON orders.order_id = order_items.order_id AND order_status = 'delivered'";
    assert_at(joined, "order_status", NEVER);
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
        let sql = format!("SELECT COUNT(*) AS n,\n    {expression}\n{FROM}");
        let message = format!("line 7, column 5: {expression}: name each feature with AS");
        assert_in_file(&refused_sql(&sql), &message);
    }
    assert_in_file(
        &refused("*"),
        "line 6, column 8: *: name each feature with AS",
    );
    let twice = refused("COUNT(*) AS n, SUM(price) AS n");
    assert!(twice.starts_with("features/tested.sql: "), "{twice}");
    assert!(twice.contains('n'), "{twice}");
}

#[test]
fn names_that_do_not_exist() {
    let sum = format!("SELECT\n    COUNT(*) AS n,\n    SUM(prize) AS sum\n{FROM}");
    assert_at(
        &sum,
        "prize",
        "no column named prize\nhint: did you mean price?",
    );
    let qualified = format!("SELECT SUM(order_items.freight) AS sum {FROM}");
    assert_at(
        &qualified,
        "order_items.freight",
        "no column named order_items.freight",
    );
    let below = "SELECT COUNT(*) AS n FROM (SELECT seler_id FROM order_items) AS sold";
    assert_at(
        below,
        "seler_id",
        "no column named seler_id\nhint: did you mean seller_id?",
    );
    let table = "SELECT COUNT(*) AS n\nFROM order_item";
    assert_at(
        table,
        "order_item",
        "no table named order_item\nhint: did you mean order_items?",
    );
    assert_at("SELECT COUNT(*) AS n FROM xyz", "xyz", "no table named xyz");
    let function = format!(
        "SELECT COUNT(*) AS n,\n  dat_diff(reference_date, MAX(order_purchase_timestamp)) AS m {FROM}"
    );
    assert_at(
        &function,
        "dat_diff",
        "no function named dat_diff\nhint: did you mean date_diff?",
    );
    let ambiguous = format!("SELECT COUNT(order_id) AS n {FROM}");
    let message = "order_id is a column of several tables\nhint: write table.order_id";
    assert_at(&ambiguous, "order_id", message);
}

#[test]
fn names_of_the_header_that_do_not_exist() {
    let no_entity = compile(&format!("{HEADER}SELECT COUNT(*) AS n FROM orders"));
    assert_in_file(
        &no_entity.unwrap_err().to_string(),
        "line 2, entity: no column named seller_id",
    );
    let no_time = compile(&format!("{HEADER}SELECT COUNT(*) AS n FROM order_items"));
    let message = "line 3, time: no column named order_purchase_timestamp";
    assert_in_file(&no_time.unwrap_err().to_string(), message);
}

#[test]
fn arguments_of_the_wrong_type() {
    let added = format!("SELECT\n    date_add(MAX(price), 1) AS later {FROM}");
    assert_at(
        &added,
        "date_add",
        "date_add takes a date and an integer: Float64, Int64",
    );
    let words = "avg_gap_days takes a time";
    assert_at(
        &format!("SELECT avg_gap_days(price) AS gap {FROM}"),
        "avg_gap_days",
        words,
    );
    let share = refused("percentile(price, 1.5) AS p");
    assert!(share.starts_with("features/tested.sql: "), "{share}");
    assert!(
        share.ends_with("needs a probability from 0 to 1: 1.5"),
        "{share}"
    );
}

#[test]
fn a_template_is_named_by_the_line_that_was_rendered() {
    let sql = "SELECT\n{% for state in ['SP', 'RJ'] %}\n    COUNT(*) FILTER (WHERE custmer_state = '{{ state }}') AS n_{{ state }},\n{% endfor %}\n    SUM(prize) AS p\nFROM order_items JOIN orders USING (order_id) JOIN customers USING (customer_id)";
    let message = "line 8, rendered as `COUNT(*) FILTER (WHERE custmer_state = 'SP') AS n_SP,`: no column named custmer_state\nhint: did you mean customer_state?";
    assert_in_file(&refused_sql(sql), message);
    let right = sql.replace("custmer_state", "customer_state");
    let message = "line 10, column 9: no column named prize\nhint: did you mean price?";
    assert_in_file(&refused_sql(&right), message);
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
fn a_time_that_is_none_and_columns_outside_aggregates() {
    let text = format!("{HEADER}SELECT COUNT(*) AS n {FROM}")
        .replace("time: order_purchase_timestamp", "time: price");
    let error = compile(&text).unwrap_err().to_string();
    assert_in_file(
        &error,
        "line 3, time: price is Float64, not a timestamp or a date",
    );
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
