//! Queries on the lake: what is read of a table does not show.

use serde_json::Value;

use crate::support::Home;

/// Conditions that a table is read by, and the same ones said so that it cannot be.
const SAME: [(&str, &str); 6] = [
    (
        "reference_date = DATE '2018-01-01'",
        "CAST(reference_date AS VARCHAR) = '2018-01-01'",
    ),
    (
        "'2018-01-08' = reference_date",
        "CAST(reference_date AS VARCHAR) = '2018-01-08'",
    ),
    (
        "reference_date IN ('2018-01-01', '2018-01-15', '1999-01-01')",
        "CAST(reference_date AS VARCHAR) IN ('2018-01-01', '2018-01-15', '1999-01-01')",
    ),
    (
        "reference_date NOT IN ('2018-01-01', '2018-01-15')",
        "CAST(reference_date AS VARCHAR) NOT IN ('2018-01-01', '2018-01-15')",
    ),
    (
        "reference_date = '2018-01-01' AND orders_30d > 1 OR reference_date = '2018-01-08'",
        "CAST(reference_date AS VARCHAR) = '2018-01-01' AND orders_30d > 1 \
            OR CAST(reference_date AS VARCHAR) = '2018-01-08'",
    ),
    (
        "reference_date = '1999-01-01'",
        "CAST(reference_date AS VARCHAR) = '1999-01-01'",
    ),
];

#[test]
fn conditions_on_dates_give_the_rows_that_meet_them() {
    let home = Home::new();
    home.ok(&[
        "generate", "--scale", "0.01", "--seed", "3", "--out", "data",
    ]);
    home.ok(&["ingest", "data"]);
    let span = [
        "--from",
        "2018-01-01",
        "--to",
        "2018-02-01",
        "--every",
        "week",
    ];
    home.ok(&[&["features", "seller_sales"][..], &span].concat());
    let asked = |columns: &str, condition: &str| {
        let query =
            format!("SELECT {columns} FROM features.seller_sales WHERE {condition} ORDER BY 1, 2");
        home.json(&["sql", &query])
    };
    for (read_by, not_read_by) in SAME {
        for columns in [
            "seller_id, reference_date, revenue_all",
            "COUNT(*), MAX(orders_30d)",
        ] {
            assert_eq!(
                asked(columns, read_by),
                asked(columns, not_read_by),
                "{read_by}"
            );
        }
    }
    let one = asked("seller_id, reference_date", SAME[0].0);
    let all = home.json(&["sql", "SELECT COUNT(*) AS n FROM features.seller_sales"]);
    let rows = |rows: &Value| rows.as_array().unwrap().len() as u64;
    assert!(0 < rows(&one) && rows(&one) < all[0]["n"].as_u64().unwrap());
}
