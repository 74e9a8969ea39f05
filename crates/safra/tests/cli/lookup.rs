//! Features as of arbitrary times, through the binary, beside what plain SQL on the feature table says.

use crate::support::Home;

const SPINE: &str = "SELECT order_id, seller_id, order_purchase_timestamp AS sold_at \
    FROM order_items JOIN orders USING (order_id) WHERE order_item_id = 1";

/// The same by a join of every row with every date: the latest date at or before the row's time that is not too old.
const BY_HAND: &str = "\
    WITH spine AS (SELECT order_id, seller_id, order_purchase_timestamp AS sold_at
        FROM order_items JOIN orders USING (order_id) WHERE order_item_id = 1),
    held AS (SELECT seller_id, reference_date, orders_7d FROM features.seller_sales),
    dates AS (SELECT spine.order_id, MAX(held.reference_date) AS latest
        FROM spine JOIN held ON spine.seller_id = held.seller_id
            AND CAST(held.reference_date AS TIMESTAMP) <= spine.sold_at
            AND CAST(spine.sold_at AS DATE) - held.reference_date <= 10
        GROUP BY spine.order_id)
    SELECT spine.order_id, held.orders_7d
    FROM spine LEFT JOIN dates ON spine.order_id = dates.order_id
        LEFT JOIN held ON held.seller_id = spine.seller_id AND held.reference_date = dates.latest
    ORDER BY spine.order_id";

/// A lake whose feature store has the sales of every Monday.
fn home() -> Home {
    let home = Home::new();
    home.ok(&[
        "generate", "--scale", "0.01", "--seed", "3", "--out", "data",
    ]);
    home.ok(&["ingest", "data"]);
    home.ok(&["features", "seller_sales", "--every", "week"]);
    home
}

#[test]
fn each_row_gets_the_latest_features_that_are_not_too_old() {
    let home = home();
    let lookup = [
        "lookup",
        "seller_sales",
        "--time",
        "sold_at",
        "--spine",
        SPINE,
    ];
    let aged = [&lookup[..], &["--max-age", "10", "--format", "csv"]].concat();
    let text = home.ok(&aged);
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(
        header[..4],
        ["order_id", "seller_id", "sold_at", "orders_7d"]
    );
    let mut found: Vec<String> = lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{}", cells[0], cells[3])
        })
        .collect();
    found.sort();
    let by_hand = home.ok(&["sql", BY_HAND, "--format", "csv"]);
    let expected: Vec<&str> = by_hand.lines().skip(1).collect();
    assert_eq!(found, expected);
    let known = found.iter().filter(|line| !line.ends_with(',')).count();
    assert!(
        known > 0 && known < found.len(),
        "{known} of {}",
        found.len()
    );
}

#[test]
fn rows_go_to_a_file_whole() {
    let home = home();
    let said = home.json(&[
        "lookup",
        "seller_sales",
        "--time",
        "sold_at",
        "--spine",
        SPINE,
        "--out",
        "orders.parquet",
    ]);
    let held = home.files(".");
    assert!(held.contains(&"orders.parquet".to_owned()), "{held:?}");
    assert!(
        !held.iter().any(|name| name.ends_with(".partial")),
        "{held:?}"
    );
    let rows = home.json(&[
        "sql",
        "SELECT COUNT(*) AS n FROM order_items WHERE order_item_id = 1",
    ]);
    assert_eq!(said["rows"], rows[0]["n"]);
}

#[test]
fn what_cannot_be_looked_up_is_said() {
    let home = home();
    let refused = |arguments: &[&str], expected: &[&str]| {
        let ran = home.safra(arguments);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        for part in expected {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
    };
    let spine =
        "SELECT seller_id, order_purchase_timestamp FROM order_items JOIN orders USING (order_id)";
    refused(
        &[
            "lookup",
            "seller_sales",
            "--time",
            "sold_at",
            "--spine",
            spine,
        ],
        &["no column sold_at, only seller_id, order_purchase_timestamp"],
    );
    refused(
        &["lookup", "nothing", "--time", "sold_at", "--spine", SPINE],
        &["nothing", "seller_sales"],
    );
    refused(
        &[
            "lookup",
            "seller_reviews",
            "--time",
            "sold_at",
            "--spine",
            SPINE,
        ],
        &[
            "features/seller_reviews",
            "`safra features` fills the feature store",
        ],
    );
    let twice = "SELECT seller_id, order_purchase_timestamp AS sold_at, 1 AS orders_7d FROM order_items JOIN orders USING (order_id)";
    refused(
        &[
            "lookup",
            "seller_sales",
            "--time",
            "sold_at",
            "--spine",
            twice,
        ],
        &["the column orders_7d is there already"],
    );
}
