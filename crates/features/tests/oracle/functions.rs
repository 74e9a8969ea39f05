//! Every aggregate that a view may name, held against the oracle.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};
use proptest::prelude::*;
use safra_features::{CompiledView, compute};

use crate::comparison::Tolerance;
use crate::marketplace::{Item, Marketplace, Order};
use crate::strategies::{marketplaces, midnight, reference_dates};
use crate::support::{FUNCTIONS, OLIST, against_oracle, compile, date, run, within};

/// The views of [`FUNCTIONS`], as (name, text of the file).
pub const FUNCTION_VIEWS: &[(&str, &str)] = &[
    ("picked", PICKED),
    ("numbers", NUMBERS),
    ("gaps", GAPS),
    ("specials", SPECIALS),
    ("nested", NESTED),
    ("decayed", DECAYED),
];

const PICKED: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, 6mo, all]
---
SELECT
    FIRST_VALUE(price)                                             AS first_price,
    LAST_VALUE(price)                                              AS last_price,
    FIRST(order_approved_at)                                       AS first_approval,
    LAST(is_late)                                                  AS last_late,
    LAST_VALUE(is_late) IGNORE NULLS                               AS last_known_late,
    FIRST_VALUE(is_late IGNORE NULLS)                              AS first_known_late,
    LAST_VALUE(is_late) FILTER (WHERE is_late IS NOT NULL)         AS last_filtered_late,
    FIRST_VALUE(price ORDER BY order_purchase_timestamp DESC)      AS last_price_again,
    min_by(product_id, order_purchase_timestamp)                   AS first_product,
    max_by(customer_state, order_purchase_timestamp) FILTER (WHERE price > 10) AS last_state,
    COALESCE(LAST_VALUE(order_item_id), -1)                        AS last_number,
    MODE(product_id)                                               AS mode_product,
    MODE(customer_state) FILTER (WHERE is_late)                    AS mode_late_state,
    MODE(order_item_id)                                            AS mode_number,
    MODE(is_late)                                                  AS mode_late,
    bool_or(is_late)                                               AS any_late,
    bool_and(is_late) FILTER (WHERE price < 500)                   AS all_late
FROM order_items
JOIN orders USING (order_id)
JOIN customers USING (customer_id)
";

const NUMBERS: &str = "---
entity: [seller_id, product_id]
time: order_purchase_timestamp
windows: [90d, all]
---
SELECT
    percentile(price, 0.9)                                         AS p90_price,
    percentile(price, 0.1) FILTER (WHERE is_late)                  AS p10_late_price,
    quantile(order_item_id, 1.0 / 3)                               AS third_number,
    percentile_cont(0.75) WITHIN GROUP (ORDER BY freight_value)    AS p75_freight,
    percentile(price, 0)                                           AS min_price,
    percentile(price, 1)                                           AS max_price,
    var_samp(price)                                                AS var_samp_price,
    variance(price) FILTER (WHERE freight_value > 10)              AS variance_price,
    var_pop(freight_value)                                         AS var_pop_freight,
    std(price)                                                     AS std_price,
    stddev_pop(price) FILTER (WHERE NOT is_late)                   AS stddev_pop_price,
    SUM(price - freight_value)                                     AS margin,
    AVG(price - freight_value)                                     AS avg_margin,
    SUM(price) FILTER (WHERE is_late) / SUM(price)                 AS late_share_of_price
FROM order_items
JOIN orders USING (order_id)
";

const GAPS: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [14d, 6mo, all]
---
SELECT
    avg_gap_days(order_purchase_timestamp)                                 AS avg_gap,
    max_gap_days(CAST(order_purchase_timestamp AS DATE))                   AS max_gap,
    percentile_gap_days(order_purchase_timestamp, 0.5)                     AS median_gap,
    percentile_gap_days(order_purchase_timestamp, 0.8) FILTER (WHERE is_late) AS p80_late_gap,
    max_gap_days(order_purchase_timestamp) FILTER (WHERE price > 100)      AS max_dear_gap
FROM order_items
JOIN orders USING (order_id)
";

const SPECIALS: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, all]
---
SELECT
    SUM(v) AS sum, AVG(v) AS avg, MIN(v) AS min, MAX(v) AS max, COUNT(v) AS n, COUNT(DISTINCT v) AS kinds,
    MEDIAN(v) AS median, percentile(v, 0.3) AS p30, VAR_POP(v) AS var_pop, STDDEV(v) AS stddev,
    MODE(v) AS mode, FIRST(v) AS first, LAST(v) AS last,
    SUM(v) FILTER (WHERE v < 100) AS small_sum, MAX(v) FILTER (WHERE is_late) AS late_max
FROM (
    SELECT seller_id, order_purchase_timestamp, is_late,
        CASE
            WHEN freight_value > 900 THEN CAST('NaN' AS DOUBLE)
            WHEN freight_value > 800 THEN CAST('Infinity' AS DOUBLE)
            WHEN freight_value > 700 THEN CAST('-Infinity' AS DOUBLE)
            WHEN freight_value > 600 THEN 1e308
            WHEN freight_value > 500 THEN -1e308
            WHEN freight_value > 400 THEN 5e-324
            WHEN freight_value > 300 THEN NULL
            ELSE price
        END AS v
    FROM order_items JOIN orders USING (order_id)
) AS items
";

// Groups whose rows come and go, with aggregates of every kind of state.
const NESTED: &str = "---
entity: customer_state
time: last_bought
windows: [90d, all]
---
SELECT
    COUNT(*) AS sellers, SUM(revenue) AS revenue, AVG(spread) AS avg_spread, MAX(median_price) AS max_median,
    MIN(mode_product) AS min_mode, SUM(products) AS products, MAX(first_price) AS max_first, SUM(open_orders) AS open_orders,
    AVG(avg_gap) AS avg_gap, MAX(last_state_late) AS any_last_late, MAX(latest_product) AS latest_product
FROM (
    SELECT
        seller_id, customer_state, MAX(order_purchase_timestamp) AS last_bought, SUM(price) AS revenue,
        STDDEV_POP(price) AS spread, MEDIAN(price) AS median_price, MODE(product_id) AS mode_product,
        COUNT(DISTINCT product_id) AS products, min_by(price, order_purchase_timestamp) AS first_price,
        COUNT(*) FILTER (WHERE order_delivered_customer_date IS NULL) AS open_orders,
        avg_gap_days(order_purchase_timestamp) AS avg_gap, bool_or(is_late) AS last_state_late,
        MAX(product_id) AS latest_product
    FROM order_items
    JOIN orders USING (order_id)
    JOIN customers USING (customer_id)
    GROUP BY seller_id, customer_state
) AS groups
";

const DECAYED: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, all]
---
SELECT
    decayed_count(30)                                                      AS recent_items,
    decayed_count(0.5) FILTER (WHERE is_late)                              AS recent_late_items,
    decayed_sum(price, 90)                                                 AS recent_revenue,
    decayed_sum(order_item_id, 7) FILTER (WHERE price > 10)                AS recent_numbers,
    decayed_count(30, order_purchase_timestamp, reference_date)            AS recent_items_again,
    decayed_sum(price, 30) / decayed_count(30)                             AS recent_avg_price
FROM order_items
JOIN orders USING (order_id)
";

/// The aggregates that round more than once, and so need not agree to the last bit.
fn is_rounded(view: &CompiledView) -> bool {
    view.view.name == "decayed"
}

/// Where the functions differ from the oracle.
pub fn functions_against_oracle(
    history: &safra_history::History,
    dates: &[chrono::NaiveDate],
) -> Vec<String> {
    let (rounded, exact): (Vec<_>, Vec<_>) = FUNCTIONS.iter().cloned().partition(is_rounded);
    let mut found = against_oracle(&exact, history, dates);
    found.extend(within(&rounded, history, dates, Tolerance::Relative(1e-9)));
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn functions_equal_the_oracle(marketplace in marketplaces(80)) {
        let history = marketplace.history(&OLIST);
        let found = functions_against_oracle(&history, &reference_dates());
        prop_assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    }
}

/// An order of items of one seller with these prices, bought on a day from 2017-06-01 on, at 12:00.
fn order(day: i64, prices: &[f64]) -> Order {
    let noon = midnight(date("2017-06-01")) + (2 * day + 1) * safra_history::DAY / 2;
    let item = |&price: &f64| Item {
        seller: "s1".into(),
        product: format!("p{price}"),
        price,
        freight: 0.0,
        limit: None,
    };
    Order {
        id: format!("o{day}-{}", prices.len()),
        person: "u1".into(),
        state: Some("SP".into()),
        status: "delivered".into(),
        purchased: noon,
        approved: (day % 2 == 0).then_some(noon),
        carrier: None,
        delivered: None,
        estimated: noon + 300 * safra_history::DAY,
        items: prices.iter().map(item).collect(),
        payments: Vec::new(),
    }
}

/// The only feature of the only seller on 2017-07-01, as floats, window by window.
fn value(orders: Vec<Order>, windows: &str, feature: &str) -> Vec<Option<f64>> {
    let text = format!(
        "---\nentity: seller_id\ntime: order_purchase_timestamp\nwindows: {windows}\n---\n\
        SELECT {feature} AS f FROM order_items JOIN orders USING (order_id)"
    );
    let view = compile(&text).unwrap();
    assert!(view.obstacles().is_empty(), "{:?}", view.obstacles());
    let marketplace = Marketplace {
        orders,
        ..Marketplace::default()
    };
    let computed = run(compute(
        &view,
        &marketplace.history(&OLIST),
        &[date("2017-07-01")],
    ))
    .unwrap();
    let columns = computed.columns()[2..].iter();
    let float = |column: &arrow::array::ArrayRef| match column.as_primitive_opt::<Float64Type>() {
        Some(floats) => floats.iter().next().flatten(),
        None => column
            .as_primitive::<Int64Type>()
            .iter()
            .next()
            .flatten()
            .map(|n| n as f64),
    };
    columns.map(float).collect()
}

#[test]
fn first_and_last_are_by_time_and_ties_by_value() {
    let orders = || {
        vec![
            order(3, &[5.0, 1.0]),
            order(20, &[7.0, 9.0]),
            order(9, &[100.0]),
        ]
    };
    assert_eq!(value(orders(), "[all]", "FIRST_VALUE(price)"), [Some(1.0)]);
    assert_eq!(value(orders(), "[all]", "LAST_VALUE(price)"), [Some(9.0)]);
    assert_eq!(
        value(orders(), "[22d, 30d]", "FIRST_VALUE(price)"),
        [Some(100.0), Some(1.0)]
    );
    assert_eq!(
        value(orders(), "[5d, all]", "LAST_VALUE(price)"),
        [None, Some(9.0)]
    );
}

#[test]
fn a_value_that_is_null_is_first_or_last_as_any_other() {
    let price_if = |condition: &str| format!("CASE WHEN {condition} THEN price END");
    let orders = || {
        vec![
            order(3, &[5.0, 1.0]),
            order(20, &[7.0, 9.0]),
            order(9, &[100.0]),
        ]
    };
    let last = |condition: &str| {
        value(
            orders(),
            "[all]",
            &format!("LAST_VALUE({})", price_if(condition)),
        )
    };
    assert_eq!(last("price > 50"), [None]);
    assert_eq!(last("price < 9"), [Some(7.0)]);
    let first = |condition: &str| {
        value(
            orders(),
            "[all]",
            &format!("FIRST_VALUE({})", price_if(condition)),
        )
    };
    assert_eq!(first("price > 50"), [None]);
    assert_eq!(first("price > 1"), [Some(5.0)]);
    let skipped = format!("LAST_VALUE({}) IGNORE NULLS", price_if("price > 50"));
    assert_eq!(value(orders(), "[all]", &skipped), [Some(100.0)]);
}

#[test]
fn gaps_and_weights_in_plain_numbers() {
    let orders = || vec![order(0, &[1.0]), order(10, &[1.0, 2.0]), order(24, &[4.0])];
    assert_eq!(
        value(orders(), "[all]", "avg_gap_days(order_purchase_timestamp)"),
        [Some(12.0)]
    );
    assert_eq!(
        value(
            orders(),
            "[all]",
            "percentile_gap_days(order_purchase_timestamp, 0.25)"
        ),
        [Some(11.0)]
    );
    assert_eq!(
        value(
            orders(),
            "[10d, 25d]",
            "max_gap_days(order_purchase_timestamp)"
        ),
        [None, Some(14.0)]
    );
    // Half a half-life from noon to midnight, thirteen half-lives from the day to the reference date.
    let weight = |days: f64| (-days / 2.0).exp2();
    let close = |found: Vec<Option<f64>>, expected: f64| {
        let found = found[0].unwrap();
        assert!(
            (found / expected - 1.0).abs() < 1e-12,
            "{found}, expected {expected}"
        );
    };
    let expected = weight(29.5) + 2.0 * weight(19.5) + weight(5.5);
    close(value(orders(), "[all]", "decayed_count(2)"), expected);
    close(
        value(orders(), "[all]", "decayed_sum(price, 2)"),
        weight(29.5) + 3.0 * weight(19.5) + 4.0 * weight(5.5),
    );
    assert_eq!(
        value(
            orders(),
            "[2d, all]",
            "decayed_count(2) FILTER (WHERE price > 9)"
        ),
        [Some(0.0), Some(0.0)]
    );
    assert_eq!(
        value(
            orders(),
            "[all]",
            "decayed_sum(price, 2) FILTER (WHERE price > 9)"
        ),
        [None]
    );
}
