//! Random marketplaces whose times are out to hurt: ties, exact midnights, the edges of windows, deliveries
//! before their carrier, values that are missing.

use chrono::{Days, Months, NaiveDate};
use proptest::prelude::*;
use proptest::sample::select;
use safra_history::DAY;

use crate::marketplace::{Deal, Item, Lead, Marketplace, Order, Payment, Product, Review};
use crate::support::dates;

/// Dates for which features are asked in random marketplaces; August has a day that February lacks.
pub fn reference_dates() -> Vec<NaiveDate> {
    dates(&[
        "2017-03-01",
        "2017-06-30",
        "2017-07-01",
        "2017-08-31",
        "2018-01-15",
    ])
}

pub fn midnight(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * DAY
}

/// A time between autumn 2016 and spring 2018; one in three is next to the edge of a window.
pub fn any_time() -> impl Strategy<Value = i64> {
    let edges: Vec<i64> = reference_dates().into_iter().flat_map(edges_of).collect();
    let edge = (select(edges), -1..=1_i64).prop_map(|(edge, off)| edge + off);
    let first = i64::from(
        NaiveDate::from_ymd_opt(2016, 10, 1)
            .unwrap()
            .to_epoch_days(),
    );
    let moment = prop_oneof![Just(0), Just(DAY / 2), 0..DAY];
    let anywhere = (0..550_i64, moment).prop_map(move |(day, moment)| (first + day) * DAY + moment);
    prop_oneof![1 => edge, 2 => anywhere]
}

fn edges_of(date: NaiveDate) -> Vec<i64> {
    let before = |days| date.checked_sub_days(Days::new(days)).unwrap();
    let mut edges: Vec<NaiveDate> = [0, 1, 7, 14, 30, 60, 90].map(before).to_vec();
    edges.extend([1, 6].map(|months| date.checked_sub_months(Months::new(months)).unwrap()));
    edges.into_iter().map(midnight).collect()
}

/// When something happens to an order: never, some days after its purchase, or at any time at all.
#[derive(Debug, Clone)]
enum Later {
    Never,
    After(i64),
    At(i64),
}

impl Later {
    fn than(&self, time: i64) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::After(days) => Some(time + days * DAY),
            Self::At(time) => Some(*time),
        }
    }
}

fn later() -> impl Strategy<Value = Later> {
    prop_oneof![
        1 => Just(Later::Never),
        3 => (0..60_i64).prop_map(Later::After),
        1 => any_time().prop_map(Later::At),
    ]
}

pub fn any_late_time() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.8, any_time())
}

fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(19.9),
        (1..100_000_i64).prop_map(|cents| cents as f64 / 100.0)
    ]
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

fn item() -> impl Strategy<Value = Item> {
    let seller = name(&["s1", "s2", "s3"]);
    let product = name(&["p1", "p2", "p3", "p4", "p5", "unknown"]);
    let limit = any_late_time();
    (seller, product, amount(), amount(), limit).prop_map(
        |(seller, product, price, freight, limit)| Item {
            seller,
            product,
            price,
            freight,
            limit,
        },
    )
}

fn payment() -> impl Strategy<Value = Payment> {
    let kind = name(&[
        "boleto",
        "credit_card",
        "voucher",
        "debit_card",
        "not_defined",
    ]);
    let kind = prop::option::weighted(0.9, kind);
    (kind, prop::option::of(0..12_i64), amount()).prop_map(|(kind, installments, value)| Payment {
        kind,
        installments,
        value,
    })
}

prop_compose! {
    fn order()(
        person in name(&["u1", "u2", "u3", "u4"]),
        state in prop::option::weighted(0.9, name(&["SP", "RJ", "TO"])),
        status in status(),
        purchased in any_time(),
        (approved, carrier, delivered) in (later(), later(), later()),
        promised in 0..50_i64,
        items in prop::collection::vec(item(), 0..4),
        payments in prop::collection::vec(payment(), 0..3),
    ) -> Order {
        Order {
            id: String::new(),
            person,
            state,
            status,
            purchased,
            approved: approved.than(purchased),
            carrier: carrier.than(purchased),
            delivered: delivered.than(purchased),
            // Promises are days in the data, but the rule has to hold for any time.
            estimated: if promised % 3 == 0 { purchased } else { purchased.div_euclid(DAY) * DAY } + promised * DAY,
            items,
            payments,
        }
    }
}

pub fn status() -> impl Strategy<Value = String> {
    name(&["delivered", "canceled", "shipped", "unavailable"])
}

/// Orders that are called `prefix` and a number.
pub fn orders(prefix: &'static str, most: usize) -> impl Strategy<Value = Vec<Order>> {
    prop::collection::vec(order(), 0..most).prop_map(move |mut orders| {
        for (number, order) in orders.iter_mut().enumerate() {
            order.id = format!("{prefix}{number:03}");
        }
        orders
    })
}

/// Reviews that are called `prefix` and a number, of orders that may not be there.
pub fn reviews(prefix: &'static str, most: usize) -> impl Strategy<Value = Vec<Review>> {
    let review = (0..most + 3, 1..=5_i64, any_late_time(), any_time());
    prop::collection::vec(review, 0..most).prop_map(move |reviews| {
        let numbered = reviews.into_iter().enumerate();
        let review = |(number, (order, score, created, answered))| Review {
            id: format!("{prefix}{number:03}"),
            order: format!("o{order:03}"),
            score,
            created,
            answered,
        };
        numbered.map(review).collect()
    })
}

fn products() -> impl Strategy<Value = Vec<Product>> {
    let category = prop::option::weighted(0.8, name(&["cama_mesa_banho", "bebes", "other"]));
    let size = prop::option::weighted(0.8, (1.0..90.0, 1.0..90.0, 1.0..90.0));
    let photos = prop::option::of(0..5_i64);
    let product = (category, photos, prop::option::of(1.0..900.0), size);
    prop::collection::vec(product, 5).prop_map(|products| {
        let numbered = products.into_iter().enumerate();
        let product = |(number, (category, photos, weight, size))| Product {
            id: format!("p{}", number + 1),
            category,
            photos,
            weight,
            size,
        };
        numbered.map(product).collect()
    })
}

pub fn leads(prefix: &'static str) -> impl Strategy<Value = Vec<Lead>> {
    let origin = prop::option::weighted(0.8, name(&["social", "email"]));
    prop::collection::vec((any_time(), origin), 0..6).prop_map(move |leads| {
        let numbered = leads.into_iter().enumerate();
        let lead = |(number, (contacted, origin)): (usize, (i64, _))| Lead {
            id: format!("{prefix}{number}"),
            contacted: contacted.div_euclid(DAY) as i32,
            origin,
        };
        numbered.map(lead).collect()
    })
}

/// Deals of the leads `l0` to `l5`, whether they are there or not.
pub fn deals() -> impl Strategy<Value = Vec<Deal>> {
    let deal = (0..6, name(&["s1", "s2", "s3"]), any_time()).prop_map(|(lead, seller, won)| Deal {
        lead: format!("l{lead}"),
        seller,
        won,
    });
    prop::collection::vec(deal, 0..4)
}

pub fn marketplaces(most_orders: usize) -> impl Strategy<Value = Marketplace> {
    let orders = orders("o", most_orders);
    let reviews = reviews("r", most_orders);
    (orders, reviews, products(), leads("l"), deals()).prop_map(
        |(orders, reviews, products, leads, deals)| Marketplace {
            orders,
            reviews,
            products,
            leads,
            deals,
        },
    )
}
