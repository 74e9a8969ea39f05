//! The tables as tables: references hold, nothing is known too early, and the quirks of the source are there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use safra_marketplace::Table;
use support::{Csv, marketplace, time};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| marketplace(0.5));

fn table(table: Table) -> Csv {
    Csv::read(FOLDER.path(), table)
}

fn text(table: Table) -> String {
    fs::read_to_string(FOLDER.path().join(table.file_name())).unwrap()
}

#[test]
fn keys_are_unique() {
    for (of, key) in [
        (Table::Orders, &["order_id"][..]),
        (Table::Customers, &["customer_id"]),
        (Table::OrderItems, &["order_id", "order_item_id"]),
        (Table::OrderPayments, &["order_id", "payment_sequential"]),
        (Table::OrderReviews, &["review_id", "order_id"]),
        (Table::Sellers, &["seller_id"]),
        (Table::Products, &["product_id"]),
        (Table::CategoryTranslation, &["product_category_name"]),
        (Table::Leads, &["mql_id"]),
        (Table::Deals, &["mql_id"]),
    ] {
        let csv = table(of);
        let mut keys = vec![Vec::new(); csv.rows.len()];
        for column in key {
            keys.iter_mut()
                .zip(csv.column(column))
                .for_each(|(key, value)| key.push(value));
        }
        assert_eq!(
            keys.iter().collect::<HashSet<_>>().len(),
            csv.rows.len(),
            "{of:?}"
        );
    }
}

#[test]
fn references_hold() {
    for (from, column, to) in [
        (Table::OrderItems, "order_id", Table::Orders),
        (Table::OrderItems, "seller_id", Table::Sellers),
        (Table::OrderItems, "product_id", Table::Products),
        (Table::OrderPayments, "order_id", Table::Orders),
        (Table::OrderReviews, "order_id", Table::Orders),
        (Table::Customers, "customer_id", Table::Orders),
        (Table::Orders, "customer_id", Table::Customers),
        (Table::Sellers, "seller_id", Table::OrderItems),
        (Table::Products, "product_id", Table::OrderItems),
        (Table::Deals, "mql_id", Table::Leads),
    ] {
        let (from_csv, to_csv) = (table(from), table(to));
        let keys: HashSet<&str> = to_csv.column(column).collect();
        let lost = from_csv
            .column(column)
            .filter(|value| !keys.contains(value))
            .count();
        assert_eq!(lost, 0, "{column} of {from:?} that {to:?} lacks");
    }
}

#[test]
fn ids_are_32_hexadecimal_digits() {
    for (of, column) in [
        (Table::Orders, "order_id"),
        (Table::Customers, "customer_unique_id"),
        (Table::OrderReviews, "review_id"),
        (Table::Leads, "landing_page_id"),
        (Table::Deals, "sdr_id"),
    ] {
        let hexadecimal = |id: &str| {
            id.len() == 32
                && id
                    .bytes()
                    .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        };
        assert!(table(of).column(column).all(hexadecimal), "{of:?}.{column}");
    }
}

#[test]
fn nothing_is_dated_on_the_last_morning_or_later() {
    for (of, column) in [
        (Table::Orders, "order_purchase_timestamp"),
        (Table::Orders, "order_approved_at"),
        (Table::Orders, "order_delivered_carrier_date"),
        (Table::Orders, "order_delivered_customer_date"),
        (Table::OrderReviews, "review_creation_date"),
        (Table::OrderReviews, "review_answer_timestamp"),
        (Table::Leads, "first_contact_date"),
        (Table::Deals, "won_date"),
    ] {
        let last = table(of).column(column).max().unwrap().to_owned();
        assert!(
            ("2018-05-30".."2018-06-01").contains(&last.as_str()),
            "{of:?}.{column}: {last}"
        );
    }
}

#[test]
fn times_of_an_order_rise_but_for_a_few() {
    let orders = table(Table::Orders);
    let columns = [
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
    ];
    let mut falls = [0; 3];
    for (place, pair) in columns.windows(2).enumerate() {
        for (earlier, later) in orders.pairs(pair[0], pair[1]) {
            if let (Some(earlier), Some(later)) = (time(earlier), time(later)) {
                falls[place] += usize::from(later < earlier);
            }
        }
    }
    let few = 1..orders.rows.len() / 100;
    assert_eq!(falls[0], 0, "approved before bought");
    assert!(
        few.contains(&falls[1]),
        "{} collected before approved",
        falls[1]
    );
    assert!(
        few.contains(&falls[2]),
        "{} delivered before collected",
        falls[2]
    );
    let bought = orders.pairs("order_purchase_timestamp", "order_delivered_carrier_date");
    let early = bought
        .filter(|(bought, carrier)| !carrier.is_empty() && carrier < bought)
        .count();
    assert!(
        (1..orders.rows.len() / 500).contains(&early),
        "{early} collected before bought"
    );
}

#[test]
fn promised_days_are_workdays() {
    use chrono::{Datelike, Weekday};
    let orders = table(Table::Orders);
    for day in orders.column("order_estimated_delivery_date") {
        let weekday = time(day).unwrap().weekday();
        assert!(!matches!(weekday, Weekday::Sat | Weekday::Sun), "{day}");
    }
}

#[test]
fn payments_add_up_to_the_items() {
    let mut paid: BTreeMap<String, f64> = BTreeMap::new();
    for (order, value) in table(Table::OrderPayments).pairs("order_id", "payment_value") {
        *paid.entry(order.to_owned()).or_default() += value.parse::<f64>().unwrap();
    }
    let items = table(Table::OrderItems);
    let mut due: BTreeMap<&str, f64> = BTreeMap::new();
    for ((order, price), freight) in items
        .pairs("order_id", "price")
        .zip(items.column("freight_value"))
    {
        *due.entry(order).or_default() +=
            price.parse::<f64>().unwrap() + freight.parse::<f64>().unwrap();
    }
    let with_payment = due.iter().filter(|(order, _)| paid.contains_key(**order));
    let differ = with_payment
        .filter(|(order, due)| (paid[**order] - **due).abs() > 0.02)
        .count();
    assert!(
        (1..due.len() / 100).contains(&differ),
        "{differ} of {} orders differ",
        due.len()
    );
}

#[test]
fn orders_have_the_quirks_of_the_source() {
    let (orders, items, payments) = (
        table(Table::Orders),
        table(Table::OrderItems),
        table(Table::OrderPayments),
    );
    let with_items: HashSet<&str> = items.column("order_id").collect();
    let mut empty: BTreeMap<&str, usize> = BTreeMap::new();
    for (order, status) in orders.pairs("order_id", "order_status") {
        if !with_items.contains(order) {
            *empty.entry(status).or_default() += 1;
        }
    }
    assert!(empty["unavailable"] > empty["canceled"], "{empty:?}");
    let paid: HashSet<&str> = payments.column("order_id").collect();
    let unpaid = orders
        .column("order_id")
        .filter(|order| !paid.contains(order))
        .count();
    assert!((1..20).contains(&unpaid), "{unpaid} orders without payment");
    let undefined = payments
        .column("payment_type")
        .filter(|kind| *kind == "not_defined")
        .count();
    assert!(
        (1..20).contains(&undefined),
        "{undefined} payments of type not_defined"
    );
    let statuses: BTreeSet<&str> = orders.column("order_status").collect();
    for status in [
        "canceled",
        "created",
        "delivered",
        "invoiced",
        "processing",
        "shipped",
        "unavailable",
    ] {
        assert!(statuses.contains(status), "{status}");
    }
}

#[test]
fn some_orders_have_several_sellers_and_some_people_several_orders() {
    let items = table(Table::OrderItems);
    let mut sellers: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (order, seller) in items.pairs("order_id", "seller_id") {
        sellers.entry(order).or_default().insert(seller);
    }
    let several = sellers.values().filter(|sellers| sellers.len() > 1).count() as f64;
    let share = several / sellers.len() as f64;
    assert!(
        (0.005..0.025).contains(&share),
        "{share} of the orders have several sellers"
    );
    let customers = table(Table::Customers);
    let people: HashSet<&str> = customers.column("customer_unique_id").collect();
    let share = people.len() as f64 / customers.rows.len() as f64;
    assert!((0.95..0.98).contains(&share), "{share} people an order");
}

#[test]
fn reviews_have_the_quirks_of_the_source() {
    let reviews = table(Table::OrderReviews);
    let mut orders: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (review, order) in reviews.pairs("review_id", "order_id") {
        orders.entry(review).or_default().insert(order);
    }
    assert!(
        orders.values().any(|orders| orders.len() > 1),
        "no review stands for several orders"
    );
    for mark in [',', '"', '\n'] {
        let with = reviews
            .column("review_comment_message")
            .filter(|text| text.contains(mark))
            .count();
        assert!(with > 10, "{with} messages with {mark:?}");
    }
    let distinct: HashSet<&str> = reviews.column("order_id").collect();
    assert!(
        distinct.len() < reviews.rows.len(),
        "no order has two reviews"
    );
    assert!(
        reviews
            .column("review_creation_date")
            .all(|day| day.ends_with(" 00:00:00"))
    );
}

#[test]
fn products_have_the_quirks_of_the_source() {
    let products = table(Table::Products);
    let blank = |column: &str| {
        products
            .column(column)
            .filter(|value| value.is_empty())
            .count()
    };
    let undescribed = blank("product_category_name");
    assert!((0.01..0.03).contains(&(undescribed as f64 / products.rows.len() as f64)));
    assert_eq!(undescribed, blank("product_name_lenght"));
    assert_eq!(undescribed, blank("product_photos_qty"));
    assert!((1..100).contains(&blank("product_weight_g")));
    let translation = table(Table::CategoryTranslation);
    let known: HashSet<&str> = translation.column("product_category_name").collect();
    let names = products
        .column("product_category_name")
        .filter(|name| !name.is_empty());
    let untranslated: BTreeSet<&str> = names.filter(|name| !known.contains(name)).collect();
    let both = BTreeSet::from(["pc_gamer", "portateis_cozinha_e_preparadores_de_alimentos"]);
    assert!(untranslated.is_subset(&both), "{untranslated:?}");
    assert_eq!(translation.rows.len(), 71);
    assert!(both.iter().all(|name| !known.contains(name)));
}

#[test]
fn fields_are_quoted_as_in_the_source() {
    for of in [
        Table::Orders,
        Table::Customers,
        Table::Sellers,
        Table::Products,
    ] {
        let text = text(of);
        let mut rows = text.lines().skip(1);
        let quoted_if_digit = |row: &str| match row.strip_prefix('"') {
            Some(id) => id.starts_with(|first: char| first.is_ascii_digit()),
            None => row.starts_with(|first: char| first.is_ascii_lowercase()),
        };
        assert!(rows.all(quoted_if_digit), "{of:?}");
    }
    let customers = text(Table::Customers);
    let zip = |row: &str| row.split(',').nth(2).map(str::to_owned).unwrap();
    let is_quoted = |zip: &str| zip.len() == 7 && zip.starts_with('"') && zip.ends_with('"');
    assert!(customers.lines().skip(1).all(|row| is_quoted(&zip(row))));
    assert!(
        customers.lines().any(|row| zip(row).starts_with("\"0")),
        "leading zeros"
    );
    let translation = text(Table::CategoryTranslation);
    assert!(translation.starts_with("\u{feff}product_category_name,"));
    assert_eq!(translation.matches("\r\n").count(), 71);
    assert!(!translation.ends_with('\n'));
}

#[test]
fn most_places_are_on_the_map() {
    let geolocation = table(Table::Geolocation);
    let known: HashSet<&str> = geolocation.column("geolocation_zip_code_prefix").collect();
    let customers = table(Table::Customers);
    let lost = customers
        .column("customer_zip_code_prefix")
        .filter(|zip| !known.contains(zip))
        .count();
    assert!(
        (1..customers.rows.len() / 50).contains(&lost),
        "{lost} customers off the map"
    );
    for (of, prefix) in [(Table::Customers, "customer"), (Table::Sellers, "seller")] {
        let csv = table(of);
        let (zip, state) = (
            format!("{prefix}_zip_code_prefix"),
            format!("{prefix}_state"),
        );
        let sao_paulo = |zip: &str| zip < "20000";
        assert!(
            csv.pairs(&zip, &state)
                .all(|(zip, state)| sao_paulo(zip) == (state == "SP")),
            "{of:?}"
        );
    }
}

#[test]
fn sellers_of_deals_sell_after_they_signed() {
    let deals = table(Table::Deals);
    let won: HashMap<&str, &str> = deals.pairs("seller_id", "won_date").collect();
    let sales = support::sale_days(Path::new(FOLDER.path()));
    let first_sales: Vec<_> = sales
        .iter()
        .filter(|(seller, _)| won.contains_key(seller.as_str()))
        .collect();
    assert!(
        first_sales.len() > 20,
        "{} deals ever sell",
        first_sales.len()
    );
    for (seller, days) in first_sales {
        assert!(
            days[0] > time(won[seller.as_str()]).unwrap().date(),
            "{seller}"
        );
    }
    let leads = table(Table::Leads);
    let contacted: HashMap<&str, &str> = leads.pairs("mql_id", "first_contact_date").collect();
    assert!(
        deals
            .pairs("mql_id", "won_date")
            .all(|(lead, won)| contacted[lead] <= won)
    );
}
