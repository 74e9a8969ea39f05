//! The marketplace as a marketplace: its marginals lie around those of Olist, and what is to be
//! learnt can be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use safra_marketplace::{Parameters, Table};
use support::{Csv, churned, date, generated, marketplace, quantile, roc_auc, sale_days, time};
use tempfile::TempDir;

const SCALE: f64 = 0.2;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| marketplace(SCALE));

fn table(table: Table) -> Csv {
    Csv::read(FOLDER.path(), table)
}

#[track_caller]
fn assert_near(what: &str, found: f64, olist: f64, tolerance: f64) {
    let ratio = found / olist;
    assert!(
        ((1.0 - tolerance)..=(1.0 + tolerance)).contains(&ratio),
        "{what}: {found}, but {olist} at Olist"
    );
}

/// The month starts of Olist at which churn can be measured.
fn month_starts() -> Vec<NaiveDate> {
    date("2017-02-01")
        .iter_days()
        .take_while(|day| *day < date("2018-05-01"))
        .filter(|day| day.day() == 1)
        .collect()
}

#[test]
fn tables_are_as_large_as_olists() {
    for (of, rows, tolerance) in [
        (Table::Orders, 80_450.0, 0.12),
        (Table::OrderItems, 91_231.0, 0.12),
        (Table::OrderPayments, 84_242.0, 0.12),
        (Table::OrderReviews, 77_491.0, 0.12),
        (Table::Sellers, 2_559.0, 0.08),
        (Table::Products, 26_895.0, 0.15),
        (Table::Leads, 8_000.0, 0.01),
        (Table::Deals, 665.0, 0.25),
        (Table::Geolocation, 1_000_163.0, 0.1),
    ] {
        assert_near(
            &format!("{of:?}"),
            table(of).rows.len() as f64 / SCALE,
            rows,
            tolerance,
        );
    }
}

#[test]
fn orders_follow_olists_months() {
    let orders = table(Table::Orders);
    let mut months: BTreeMap<String, f64> = BTreeMap::new();
    for bought in orders.column("order_purchase_timestamp") {
        *months.entry(bought[..7].to_owned()).or_default() += 1.0 / SCALE;
    }
    for (month, olist) in [
        ("2017-02", 1780.0),
        ("2017-05", 3700.0),
        ("2017-08", 4331.0),
        ("2017-10", 4631.0),
        ("2017-11", 7544.0),
        ("2017-12", 5673.0),
        ("2018-01", 7269.0),
        ("2018-03", 7211.0),
        ("2018-05", 6873.0),
    ] {
        assert_near(month, months[month], olist, 0.2);
    }
    assert!(!months.contains_key("2016-11"), "a month without any order");
    let on = |day: &str| {
        orders
            .column("order_purchase_timestamp")
            .filter(|bought| bought.starts_with(day))
            .count()
    };
    assert!(on("2017-11-24") > 3 * on("2017-11-17"), "Black Friday");
}

#[test]
fn sellers_sell_as_unevenly_as_olists() {
    let sales = sale_days(FOLDER.path());
    let days: Vec<f64> = sales.values().map(|days| days.len() as f64).collect();
    let total: f64 = days.iter().sum();
    let largest = quantile(days.clone(), 0.95);
    let top: f64 = days.iter().filter(|days| **days >= largest).sum();
    assert!(
        (0.3..0.6).contains(&(top / total)),
        "the largest twentieth has {} of the days",
        top / total
    );
    let once = days.iter().filter(|days| **days <= 1.0).count() as f64 / days.len() as f64;
    assert!(
        (0.15..0.3).contains(&once),
        "{once} of the sellers sold on one day only"
    );
}

#[test]
fn shares_are_olists() {
    for (of, column, value, olist, tolerance) in [
        (Table::Sellers, "seller_state", "SP", 0.6, 0.1),
        (Table::Sellers, "seller_state", "PR", 0.115, 0.3),
        (Table::Customers, "customer_state", "SP", 0.409, 0.07),
        (Table::Customers, "customer_state", "RJ", 0.133, 0.1),
        (Table::Customers, "customer_state", "MG", 0.119, 0.1),
        (
            Table::OrderPayments,
            "payment_type",
            "credit_card",
            0.739,
            0.03,
        ),
        (Table::OrderPayments, "payment_type", "boleto", 0.194, 0.07),
        (Table::OrderPayments, "payment_type", "voucher", 0.058, 0.2),
        (
            Table::OrderPayments,
            "payment_type",
            "debit_card",
            0.01,
            0.3,
        ),
        (Table::OrderReviews, "review_score", "1", 0.122, 0.15),
        (Table::OrderReviews, "review_score", "2", 0.033, 0.25),
        (Table::OrderReviews, "review_score", "3", 0.085, 0.2),
        (Table::OrderReviews, "review_score", "4", 0.195, 0.1),
        (Table::OrderReviews, "review_score", "5", 0.566, 0.05),
        (Table::Orders, "order_status", "delivered", 0.938, 0.03),
        (Table::Orders, "order_status", "canceled", 0.0058, 0.4),
    ] {
        assert_near(
            &format!("{column} {value}"),
            table(of).shares(column)[value],
            olist,
            tolerance,
        );
    }
}

#[test]
fn prices_and_freights_are_olists() {
    let items = table(Table::OrderItems);
    for (column, share, olist, tolerance) in [
        ("price", 0.25, 39.9, 0.15),
        ("price", 0.5, 74.9, 0.15),
        ("price", 0.75, 134.9, 0.15),
        ("price", 0.95, 349.9, 0.25),
        ("freight_value", 0.1, 8.91, 0.15),
        ("freight_value", 0.5, 16.11, 0.12),
        ("freight_value", 0.9, 32.1, 0.2),
        ("freight_value", 0.99, 81.5, 0.3),
    ] {
        let found = quantile(items.numbers(column), share);
        assert_near(&format!("{column} at {share}"), found, olist, tolerance);
    }
}

#[test]
fn lateness_swings_with_the_months() {
    let orders = table(Table::Orders);
    let mut late: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let times = orders.pairs(
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    );
    for ((delivered, promised), bought) in times.zip(orders.column("order_purchase_timestamp")) {
        if let Some(delivered) = time(delivered) {
            let is_late = delivered.date() > time(promised).unwrap().date();
            for key in [&bought[..7], "all"] {
                let (count, orders) = late.entry(key).or_default();
                *count += f64::from(u8::from(is_late));
                *orders += 1.0;
            }
        }
    }
    let rate = |month: &str| late[month].0 / late[month].1;
    assert_near("late", rate("all"), 0.071, 0.2);
    for bad in ["2017-11", "2018-02", "2018-03"] {
        assert!((0.1..0.25).contains(&rate(bad)), "{bad}: {}", rate(bad));
    }
    for good in ["2017-06", "2017-07", "2018-04"] {
        assert!(rate(good) < 0.07, "{good}: {}", rate(good));
    }
}

#[test]
fn late_orders_get_bad_reviews() {
    let orders = table(Table::Orders);
    let late: HashMap<&str, bool> = orders
        .pairs(
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        )
        .zip(orders.column("order_id"))
        .filter(|((delivered, _), _)| !delivered.is_empty())
        .map(|((delivered, promised), id)| (id, delivered[..10] > promised[..10]))
        .collect();
    let reviews = table(Table::OrderReviews);
    let mean = |wanted: bool| {
        let of_kind = reviews
            .pairs("order_id", "review_score")
            .filter(|(id, _)| late.get(id) == Some(&wanted));
        let scores: Vec<f64> = of_kind.map(|(_, score)| score.parse().unwrap()).collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    };
    assert!(
        (4.1..4.45).contains(&mean(false)),
        "in time: {}",
        mean(false)
    );
    assert!((1.8..2.8).contains(&mean(true)), "late: {}", mean(true));
}

#[test]
fn churn_is_olists_and_recency_tells_much_of_it() {
    let sales = sale_days(FOLDER.path());
    let (mut scored, mut recencies) = (Vec::new(), Vec::new());
    for reference in month_starts() {
        for (recency, lost) in sales.values().filter_map(|days| churned(days, reference)) {
            scored.push(f64::from(u8::from(lost)));
            recencies.push((recency as f64, lost));
        }
    }
    assert_near(
        "churn",
        scored.iter().sum::<f64>() / scored.len() as f64,
        0.32,
        0.12,
    );
    let auc = roc_auc(&recencies);
    assert!((0.78..0.88).contains(&auc), "recency has an AUC of {auc}");
}

#[test]
fn a_test_marketplace_has_a_churn_problem_too() {
    let folder = marketplace(0.02);
    let sales = sale_days(folder.path());
    let rows: Vec<(f64, bool)> = month_starts()
        .into_iter()
        .flat_map(|reference| {
            sales
                .values()
                .filter_map(move |days| churned(days, reference))
        })
        .map(|(recency, lost)| (recency as f64, lost))
        .collect();
    let lost = rows.iter().filter(|(_, lost)| *lost).count();
    assert!(
        rows.len() > 150 && lost > 30 && rows.len() - lost > 30,
        "{lost} of {}",
        rows.len()
    );
    assert!(
        roc_auc(&rows) > 0.7,
        "recency has an AUC of {}",
        roc_auc(&rows)
    );
}

#[test]
fn the_truth_about_sellers_is_true() {
    let folder = generated(&Parameters {
        scale: 1.0,
        seed: 4,
        truth: true,
        ..Parameters::default()
    });
    let sales = sale_days(folder.path());
    let truth = Csv::read(folder.path(), Table::TruthSellers);
    let mut scored = Vec::new();
    for row in truth.rows.iter().filter(|row| row[1] < *"2018-04-15") {
        let (recency, lost) =
            churned(&sales[&row[0]], date(&row[1])).expect("a sale in the 45 days before");
        assert_eq!(recency.to_string(), row[2]);
        assert!((0.0..=0.5).contains(&row[3].parse::<f64>().unwrap()));
        scored.push((row[4].parse::<f64>().unwrap(), lost));
    }
    let some: Vec<(f64, bool)> = scored.iter().copied().step_by(4).collect();
    assert!(
        (0.89..0.97).contains(&roc_auc(&some)),
        "the truth has an AUC of {}",
        roc_auc(&some)
    );
    assert_calibrated(scored);
}

#[test]
fn the_truth_about_orders_is_true() {
    let until = date("2018-12-01");
    let folder = generated(&Parameters {
        scale: 1.0,
        seed: 4,
        truth: true,
        until,
    });
    let orders = Csv::read(folder.path(), Table::Orders);
    let late: HashMap<&str, bool> = orders
        .pairs(
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        )
        .zip(orders.column("order_id"))
        .map(|((delivered, promised), id)| {
            (id, delivered.is_empty() || delivered[..10] > promised[..10])
        })
        .collect();
    let truth = Csv::read(folder.path(), Table::TruthOrders);
    let scored: Vec<(f64, bool)> = truth
        .pairs("order_id", "late_probability")
        .map(|(id, p)| (p.parse().unwrap(), late[id]))
        .collect();
    assert!(scored.len() as f64 > 0.97 * orders.rows.len() as f64);
    assert_calibrated(scored);
}

/// As many rows come true as their probabilities say, in all and in each tenth of the rows by probability,
/// up to chance: four standard deviations in all, five in a tenth.
#[track_caller]
fn assert_calibrated(mut scored: Vec<(f64, bool)>) {
    let excess = |rows: &[(f64, bool)]| {
        let expected: f64 = rows.iter().map(|(p, _)| p).sum();
        let variance: f64 = rows.iter().map(|(p, _)| p * (1.0 - p)).sum();
        let found = rows.iter().filter(|(_, came_true)| *came_true).count() as f64;
        (found - expected) / variance.max(1.0).sqrt()
    };
    scored.sort_by(|one, other| one.0.total_cmp(&other.0));
    let tenths: Vec<f64> = scored
        .chunks(scored.len().div_ceil(10))
        .map(excess)
        .collect();
    assert!(
        excess(&scored).abs() < 4.0,
        "{} standard deviations in all",
        excess(&scored)
    );
    assert!(
        tenths.iter().all(|excess| excess.abs() < 5.0),
        "standard deviations: {tenths:?}"
    );
}

#[test]
fn the_funnel_is_olists() {
    let deals = table(Table::Deals);
    let sales = sale_days(FOLDER.path());
    let waits: Vec<f64> = deals
        .pairs("seller_id", "won_date")
        .filter_map(|(seller, won)| {
            Some((sales.get(seller)?[0] - time(won).unwrap().date()).num_days() as f64)
        })
        .collect();
    let share = waits.len() as f64 / deals.rows.len() as f64;
    assert!(
        (0.2..0.45).contains(&share),
        "{share} of the deals have sold"
    );
    assert!(
        (15.0..45.0).contains(&quantile(waits.clone(), 0.5)),
        "{} days",
        quantile(waits, 0.5)
    );
}

#[test]
fn traits_of_a_deal_tell_whether_it_sells() {
    let folder = marketplace(1.0);
    let sales = sale_days(folder.path());
    let deals = Csv::read(folder.path(), Table::Deals);
    let share = |kind: &str| {
        let of_kind: Vec<bool> = deals
            .pairs("seller_id", "lead_type")
            .filter(|(_, lead_type)| *lead_type == kind)
            .map(|(seller, _)| sales.contains_key(seller))
            .collect();
        of_kind.iter().filter(|sold| **sold).count() as f64 / of_kind.len() as f64
    };
    assert!(
        share("online_big") > share("offline") + 0.1,
        "{} {}",
        share("online_big"),
        share("offline")
    );
}
