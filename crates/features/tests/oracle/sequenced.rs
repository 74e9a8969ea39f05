//! Joins and groups whose rows come and go: what holds from when to when, in plain numbers.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use chrono::NaiveDate;
use safra_features::compute;
use safra_history::DAY;

use crate::marketplace::{Item, Marketplace, Order, Review};
use crate::strategies::midnight;
use crate::support::{OLIST, against_oracle, compile, date, run};

/// 2017-01-01; the days of these tests are counted from it.
fn day(number: i64) -> i64 {
    midnight(date("2017-01-01")) + number * DAY
}

fn order(id: &str, bought: i64, delivered: Option<i64>) -> Order {
    Order {
        id: id.into(),
        person: "u1".into(),
        state: Some("SP".into()),
        status: "delivered".into(),
        purchased: day(bought),
        approved: None,
        carrier: None,
        delivered: delivered.map(day),
        estimated: day(bought + 300),
        items: vec![item()],
        payments: Vec::new(),
    }
}

fn item() -> Item {
    Item {
        seller: "s1".into(),
        product: "p1".into(),
        price: 1.0,
        freight: 0.0,
        limit: None,
    }
}

/// The first feature of the only entity on the days 1 to 9, `None` where there is no row.
fn feature(marketplace: &Marketplace, sql: &str) -> Vec<Option<i64>> {
    let header = "---\nentity: []\ntime: bought\nwindows: [all]\n---\n";
    let view = compile(&format!("{header}{sql}")).unwrap();
    let history = marketplace.history(&OLIST);
    let first = date("2017-01-01");
    let dates: Vec<NaiveDate> = first.iter_days().skip(1).take(9).collect();
    assert_eq!(
        against_oracle(std::slice::from_ref(&view), &history, &dates),
        [""; 0]
    );
    let computed = run(compute(&view, &history, &dates)).unwrap();
    let days = computed
        .column(0)
        .as_primitive::<arrow::datatypes::Date32Type>();
    let values = computed.column(1).as_primitive::<Int64Type>();
    let at = |date: &NaiveDate| {
        let row = days
            .values()
            .iter()
            .position(|day| *day == date.to_epoch_days())?;
        values.is_valid(row).then(|| values.value(row))
    };
    dates.iter().map(at).collect()
}

fn orders(orders: Vec<Order>) -> Marketplace {
    Marketplace {
        orders,
        ..Marketplace::default()
    }
}

const NONE: Option<i64> = None;

#[test]
fn a_left_row_stands_alone_again_when_its_match_ends() {
    let marketplace = orders(vec![order("a", 1, Some(5))]);
    let sql = "SELECT COUNT(*) FILTER (WHERE moving.order_id IS NULL) AS alone
        FROM (SELECT order_id, order_purchase_timestamp AS bought FROM orders) AS placed
        LEFT JOIN (SELECT order_id FROM orders WHERE order_delivered_customer_date IS NULL) AS moving
        ON moving.order_id = placed.order_id";
    let expected = [
        NONE,
        Some(0),
        Some(0),
        Some(0),
        Some(0),
        Some(1),
        Some(1),
        Some(1),
        Some(1),
    ];
    assert_eq!(feature(&marketplace, sql), expected);
}

#[test]
fn a_left_row_stands_alone_between_two_matches_and_once_in_all() {
    // The first match is open on the days 3 and 4, the second on 7 and 8, and both together on none.
    let mut first = order("a", 2, Some(4));
    let mut second = order("b", 6, Some(8));
    (first.person, second.person) = ("x".into(), "x".into());
    let mut placed = order("p", 0, None);
    placed.person = "x".into();
    placed.state = None;
    let marketplace = orders(vec![placed, first, second]);
    let sql = "SELECT COUNT(*) FILTER (WHERE open_orders.person IS NULL) AS alone
        FROM (
            SELECT customer_unique_id AS person, order_purchase_timestamp AS bought
            FROM orders JOIN customers ON customers.customer_id = orders.customer_id WHERE customer_state IS NULL
        ) AS placed
        LEFT JOIN (
            SELECT customer_unique_id AS person
            FROM orders JOIN customers ON customers.customer_id = orders.customer_id
            WHERE order_delivered_customer_date IS NULL AND customer_state = 'SP'
        ) AS open_orders ON open_orders.person = placed.person";
    let alone = [1, 1, 0, 0, 1, 1, 0, 0, 1].map(Some);
    assert_eq!(feature(&marketplace, sql), alone);
}

#[test]
fn overlapping_matches_leave_no_gap_and_repeated_left_rows_stay_repeated() {
    let mut placed = order("p", 0, None);
    placed.items = vec![item(), item()];
    let marketplace = orders(vec![placed, order("a", 1, Some(4)), order("b", 2, Some(6))]);
    let sql = "SELECT COUNT(*) FILTER (WHERE moving.seller IS NULL) AS alone
        FROM (
            SELECT seller_id, order_purchase_timestamp AS bought FROM order_items
            JOIN orders ON orders.order_id = order_items.order_id WHERE order_items.order_id = 'p'
        ) AS sold
        LEFT JOIN (
            SELECT seller_id AS seller FROM order_items JOIN orders ON orders.order_id = order_items.order_id
            WHERE order_delivered_customer_date IS NULL AND order_items.order_id <> 'p'
        ) AS moving ON moving.seller = sold.seller_id";
    let alone = [2, 0, 0, 0, 0, 0, 2, 2, 2].map(Some);
    assert_eq!(feature(&marketplace, sql), alone);
}

#[test]
fn a_condition_between_sides_ends_a_match() {
    // The review is early until the delivery shows that it is not.
    let marketplace = Marketplace {
        orders: vec![order("a", 0, Some(6))],
        reviews: vec![Review {
            id: "r".into(),
            order: "a".into(),
            score: 5,
            created: None,
            answered: day(3),
        }],
        ..Marketplace::default()
    };
    let sql = "SELECT COUNT(*) FILTER (WHERE order_reviews.order_id IS NULL) AS alone
        FROM (SELECT order_id, order_purchase_timestamp AS bought, order_delivered_customer_date FROM orders) AS placed
        LEFT JOIN order_reviews ON order_reviews.order_id = placed.order_id
        AND (order_delivered_customer_date IS NULL OR review_answer_timestamp > order_delivered_customer_date)";
    let alone = [1, 1, 1, 0, 0, 0, 1, 1, 1].map(Some);
    assert_eq!(feature(&marketplace, sql), alone);
}

#[test]
fn what_was_always_known_matches_from_the_start() {
    let marketplace = orders(vec![order("a", 0, None)]);
    let sql = "SELECT COUNT(sellers.seller_id) AS matched
        FROM (
            SELECT seller_id, order_purchase_timestamp AS bought FROM order_items
            JOIN orders ON orders.order_id = order_items.order_id
        ) AS sold
        LEFT JOIN sellers ON sellers.seller_id = sold.seller_id";
    assert_eq!(feature(&marketplace, sql), [Some(1); 9]);
}

#[test]
fn distinct_rows_hold_while_any_of_their_sources_does() {
    let marketplace = orders(vec![
        order("a", 1, Some(3)),
        order("b", 2, Some(5)),
        order("c", 6, Some(7)),
    ]);
    let sql = "SELECT COUNT(*) AS sellers
        FROM (
            SELECT DISTINCT seller_id, CAST('2016-12-01' AS TIMESTAMP) AS bought
            FROM order_items JOIN orders ON orders.order_id = order_items.order_id
            WHERE order_delivered_customer_date IS NULL
        ) AS moving";
    let sellers = [
        NONE,
        Some(1),
        Some(1),
        Some(1),
        Some(1),
        NONE,
        Some(1),
        NONE,
        NONE,
    ];
    assert_eq!(feature(&marketplace, sql), sellers);
}

#[test]
fn groups_change_with_their_rows() {
    let marketplace = orders(vec![
        order("a", 1, Some(3)),
        order("b", 2, Some(5)),
        order("c", 6, Some(7)),
    ]);
    let sql = "SELECT SUM(moving) AS moving
        FROM (
            SELECT seller_id, COUNT(*) AS moving, MIN(order_purchase_timestamp) AS bought
            FROM order_items JOIN orders ON orders.order_id = order_items.order_id
            WHERE order_delivered_customer_date IS NULL
            GROUP BY seller_id
        ) AS moving";
    let moving = [
        NONE,
        Some(1),
        Some(2),
        Some(1),
        Some(1),
        NONE,
        Some(1),
        NONE,
        NONE,
    ];
    assert_eq!(feature(&marketplace, sql), moving);
}

/// Every order of the group is a moment at which it changes.
#[test]
fn a_large_group_equals_the_oracle() {
    let delivered = |number: i64| (number % 3 == 0).then_some(number % 9 + 1);
    let many = (0..2_000).map(|number| {
        let mut order = order(&format!("o{number:04}"), number % 8, delivered(number));
        order.purchased += number;
        order.items[0].price = number as f64 / 7.0;
        order
    });
    let marketplace = orders(many.collect());
    let growing = "SELECT MAX(sold) AS sold, SUM(value) AS value, MAX(dearest) AS dearest
        FROM (
            SELECT seller_id, MAX(order_purchase_timestamp) AS bought, COUNT(*) AS sold, SUM(price) AS value, MAX(price) AS dearest
            FROM order_items JOIN orders ON orders.order_id = order_items.order_id
            GROUP BY seller_id
        ) AS sold";
    assert_eq!(feature(&marketplace, growing)[8], Some(2_000));
    let changing = growing.replace(
        "GROUP BY",
        "WHERE order_delivered_customer_date IS NULL GROUP BY",
    );
    assert_eq!(feature(&marketplace, &changing)[8], Some(1_333));
}
