//! Orders, from the basket to the review.

use chrono::NaiveDateTime;
use rand::{Rng, RngExt};

use crate::fulfilment::{Promise, approve, misdate};
use crate::geography::Route;
use crate::identity::{Id, Kind};
use crate::payment::{Payment, cents, forgotten_total};
use crate::random::{Shares, chance, log_normal};
use crate::review::{Review, review};
use crate::seller::Seller;
use crate::world::World;

/// How an order ended, or where it got stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Created,
    Approved,
    Processing,
    Invoiced,
    Shipped,
    Delivered,
    Canceled,
    Unavailable,
}

impl Status {
    /// As in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Approved => "approved",
            Self::Processing => "processing",
            Self::Invoiced => "invoiced",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Canceled => "canceled",
            Self::Unavailable => "unavailable",
        }
    }
}

/// An item of an order.
#[derive(Debug)]
pub(crate) struct Item {
    /// Place in the catalogue.
    pub product: usize,
    /// Id of its seller.
    pub seller: Id,
    /// Until when the seller should hand it over.
    pub shipping_limit: NaiveDateTime,
    /// In reais.
    pub price: f64,
    /// In reais.
    pub freight: f64,
}

/// Who buys, in one order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    /// Number of the person, the same in all their orders.
    pub person: u64,
    /// Place among the zip code prefixes.
    pub zip: usize,
}

/// A purchase that becomes an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purchase {
    /// Unique in the marketplace.
    pub number: u64,
    pub customer: Customer,
    pub time: NaiveDateTime,
}

/// How far an order got.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub status: Status,
    pub approved: Option<NaiveDateTime>,
    /// By the carrier.
    pub collected: Option<NaiveDateTime>,
    pub delivered: Option<NaiveDateTime>,
}

/// An order with all that ever becomes known of it.
#[derive(Debug)]
pub(crate) struct Order {
    pub id: Id,
    pub customer_id: Id,
    pub customer: Customer,
    pub purchased: NaiveDateTime,
    pub progress: Progress,
    pub estimated: NaiveDateTime,
    pub items: Vec<Item>,
    pub payments: Vec<Payment>,
    pub reviews: Vec<Review>,
    /// Probability, at approval, not to be delivered by the end of the promised day; for orders
    /// with items, where asked for.
    pub late_probability: Option<f64>,
}

/// What one seller puts into an order: places in the catalogue with prices and freights.
#[derive(Debug)]
pub(crate) struct Parcel<'a> {
    pub seller: &'a Seller,
    pub route: Route,
    pub contents: Vec<(usize, f64, f64)>,
}

/// What is common to all orders.
#[derive(Debug)]
pub(crate) struct OrderModel {
    quantities: Shares,
}

/// Ends of orders with items, of 100,000; all others are delivered.
const ENDS: [(Status, f64); 7] = [
    (Status::Canceled, 460.0),
    (Status::Shipped, 1060.0),
    (Status::Invoiced, 330.0),
    (Status::Processing, 320.0),
    (Status::Unavailable, 8.0),
    (Status::Created, 4.0),
    (Status::Approved, 3.0),
];

/// A quirk of the source: orders without any payment, and orders with two reviews.
const UNPAID: f64 = 0.0001;
const REVIEWED_TWICE: f64 = 0.0055;

/// Baskets of 1,000 by the number of items, from 1.
const QUANTITIES: [f64; 8] = [908.0, 69.0, 11.5, 4.5, 2.0, 2.0, 0.4, 0.2];

impl OrderModel {
    pub(crate) fn new() -> Self {
        Self {
            quantities: Shares::new(QUANTITIES),
        }
    }

    /// Number of items that a customer takes from one seller.
    pub(crate) fn quantity(&self, rng: &mut impl Rng) -> usize {
        self.quantities.draw(rng) + 1
    }
}

/// Freight in reais for a weight in grams, now and then free.
pub(crate) fn freight(route: Route, weight: f64, rng: &mut impl Rng) -> f64 {
    if chance(rng, 0.004) {
        return 0.0;
    }
    let tariff = route.freight + route.freight_of_weight * (weight / 1000.0).powf(0.85);
    cents(log_normal(rng, tariff, 0.13).clamp(2.0, 410.0))
}

/// An order of these parcels, none if there are none.
pub(crate) fn order(
    world: &World,
    purchase: Purchase,
    parcels: &[Parcel<'_>],
    rng: &mut impl Rng,
) -> Option<Order> {
    let &Parcel { seller, route, .. } = parcels.first()?;
    let goods = parcels.iter().flat_map(|parcel| &parcel.contents);
    let total = cents(goods.map(|(_, price, freight)| price + freight).sum());
    let (means, payments) = world.payments.pay(total, rng);
    let approved = approve(purchase.time, means, rng);
    let promise = Promise::new(purchase.time, approved, seller, route, &world.market, rng);
    let progress = progress(world, purchase.time, seller, &promise, rng);
    let late = || late_probability(world, &promise, seller.quality);
    Some(Order {
        items: items(parcels, promise.shipping_limit),
        payments: if chance(rng, UNPAID) {
            Vec::new()
        } else {
            payments
        },
        reviews: reviews(world, purchase, &progress, &promise, seller.quality, rng),
        late_probability: world.truth.then(late),
        ..Order::new(world, purchase, progress, &promise)
    })
}

/// An order of which no item is left in the data: the product turned out to be unavailable, or the
/// customer cancelled.
pub(crate) fn empty_order(
    world: &World,
    purchase: Purchase,
    seller: &Seller,
    rng: &mut impl Rng,
) -> Order {
    let (means, payments) = world.payments.pay(forgotten_total(rng), rng);
    let approved = approve(purchase.time, means, rng);
    let route = world.geography.route(seller.zip, purchase.customer.zip);
    let promise = Promise::new(purchase.time, approved, seller, route, &world.market, rng);
    let status = if chance(rng, 0.86) {
        Status::Unavailable
    } else {
        Status::Canceled
    };
    let undefined = status == Status::Canceled && chance(rng, 0.15);
    let is_approved = status == Status::Unavailable || (!undefined && chance(rng, 0.6));
    let approved = is_approved.then_some(approved);
    let progress = Progress {
        status,
        approved,
        collected: None,
        delivered: None,
    };
    Order {
        payments: if undefined {
            vec![Payment::undefined()]
        } else {
            payments
        },
        reviews: reviews(world, purchase, &progress, &promise, 0.0, rng),
        ..Order::new(world, purchase, progress, &promise)
    }
}

impl Order {
    /// An order without items, payments and reviews.
    fn new(world: &World, purchase: Purchase, progress: Progress, promise: &Promise) -> Self {
        Self {
            id: world.seed.id(Kind::Order, purchase.number),
            customer_id: world.seed.id(Kind::Customer, purchase.number),
            customer: purchase.customer,
            purchased: purchase.time,
            progress,
            estimated: promise.estimated.into(),
            items: Vec::new(),
            payments: Vec::new(),
            reviews: Vec::new(),
            late_probability: None,
        }
    }
}

/// How far an order of this seller gets.
fn progress(
    world: &World,
    purchased: NaiveDateTime,
    seller: &Seller,
    promise: &Promise,
    rng: &mut impl Rng,
) -> Progress {
    let status = end(seller.quality, rng);
    let mut delivery = promise.deliver(&world.market, &world.clock, rng);
    misdate(&mut delivery, purchased, promise.approved, rng);
    // A cancelled order may have got anywhere; when it was cancelled, the data do not say.
    let [is_approved, is_collected, is_delivered] = match status {
        Status::Delivered => [true; 3],
        Status::Shipped => [true, true, false],
        Status::Canceled => [0.9, 0.19, 0.08].map(|share| chance(rng, share)),
        Status::Created => [false; 3],
        _ => [true, false, false],
    };
    let is_collected = is_approved && is_collected;
    Progress {
        status,
        approved: is_approved.then_some(promise.approved),
        collected: is_collected.then_some(delivery.collected),
        delivered: (is_collected && is_delivered).then_some(delivery.delivered),
    }
}

fn end(quality: f64, rng: &mut impl Rng) -> Status {
    let mut place = rng.random::<f64>() * 100_000.0;
    for (status, share) in ENDS {
        place -= share * failure(status, quality);
        if place < 0.0 {
            return status;
        }
    }
    Status::Delivered
}

/// How much more often the orders of a seller of this quality end in this way.
fn failure(status: Status, quality: f64) -> f64 {
    if status == Status::Canceled {
        (-0.4 * quality - 0.08).exp()
    } else {
        1.0
    }
}

fn late_probability(world: &World, promise: &Promise, quality: f64) -> f64 {
    let stuck: f64 = ENDS
        .iter()
        .map(|(status, share)| share * failure(*status, quality))
        .sum::<f64>()
        / 100_000.0;
    stuck + (1.0 - stuck) * promise.late_probability(&world.market)
}

fn reviews(
    world: &World,
    purchase: Purchase,
    progress: &Progress,
    promise: &Promise,
    quality: f64,
    rng: &mut impl Rng,
) -> Vec<Review> {
    let wanted = 1 + u64::from(chance(rng, REVIEWED_TWICE));
    let delivered = progress.delivered.map(|time| time.date());
    let numbers = 2 * purchase.number..2 * purchase.number + wanted;
    numbers
        .filter_map(|number| {
            let id = world.seed.id(Kind::Review, number);
            review(id, delivered, promise.estimated, quality, rng)
        })
        .collect()
}

fn items(parcels: &[Parcel<'_>], shipping_limit: NaiveDateTime) -> Vec<Item> {
    let of_parcel = |parcel: &Parcel<'_>| {
        let seller = parcel.seller.id;
        let item = move |&(product, price, freight): &(usize, f64, f64)| Item {
            product,
            seller,
            shipping_limit,
            price,
            freight,
        };
        parcel.contents.iter().map(item).collect::<Vec<_>>()
    };
    parcels.iter().flat_map(of_parcel).collect()
}

/// A person's next orders often follow at once, and then one review may stand for both.
pub(crate) fn share_review(earlier: &mut Order, later: &Order) {
    if let (Some(own), Some(shared)) = (earlier.reviews.first_mut(), later.reviews.first())
        && shared.created > earlier.purchased.date()
    {
        *own = shared.clone();
    }
}
