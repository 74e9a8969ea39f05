//! The way of an order: approval, handling, transit, and the day promised to the customer.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use rand::{Rng, RngExt};

use crate::clock::{Clock, MEAN_COLLECTION, after, workday};
use crate::geography::Route;
use crate::market::Market;
use crate::payment::Means;
use crate::random::{chance, log_normal, normal, normal_cdf, normal_quantile};
use crate::seller::Seller;

/// Median days from approval until the carrier collects, before weekends.
const HANDLING: f64 = 1.33;
/// Standard deviation of the logarithm: between sellers, and between the orders of one.
const HANDLING_BETWEEN: f64 = 0.66;
const HANDLING_WITHIN: f64 = 0.76;
/// Days in transit relative to the route's median, before weekends.
const TRANSIT: f64 = 0.86;
/// Share of the parcels that get lost on the way for a while, and how much longer they take.
const STRAY: f64 = 0.02;
const STRAY_FACTOR: f64 = 3.5;
/// Standard deviation of the logarithm of the days promised.
const PROMISE_SIGMA: f64 = 0.19;
/// Points of the handling time over which the probability to be late is averaged.
const QUADRATURE: u32 = 24;

/// What is known of the way of an order when it is approved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise {
    /// Time of approval.
    pub approved: NaiveDateTime,
    /// Days from approval within which the seller means to hand the order over.
    pub shipping_limit: NaiveDateTime,
    /// The day promised to the customer, from Monday to Friday.
    pub estimated: NaiveDate,
    handling: f64,
    transit: f64,
    transit_sigma: f64,
}

/// When the carrier collected and when the customer received an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    pub collected: NaiveDateTime,
    pub delivered: NaiveDateTime,
}

/// Hours until an order is approved: at once for most cards, by the next bank day for a boleto.
pub(crate) fn approve(purchased: NaiveDateTime, means: Means, rng: &mut impl Rng) -> NaiveDateTime {
    let (at_once, median, sigma) = match means {
        Means::CreditCard => (0.81, 15.0, 0.9),
        Means::Boleto => (0.02, 28.0, 0.72),
        Means::Voucher => (0.68, 18.0, 0.8),
        Means::DebitCard => (0.55, 9.0, 1.2),
    };
    let hours = if chance(rng, at_once) {
        log_normal(rng, 0.25, 0.4)
    } else {
        log_normal(rng, median, sigma)
    };
    after(purchased, hours.min(24.0 * 30.0) / 24.0)
}

impl Promise {
    /// The promise for an order of this seller that goes this way.
    pub(crate) fn new(
        purchased: NaiveDateTime,
        approved: NaiveDateTime,
        seller: &Seller,
        route: Route,
        market: &Market,
        rng: &mut impl Rng,
    ) -> Self {
        let promised = route.promise * market.promise(purchased.date())
            + 0.6 * (seller.handling_promise - 5.5)
            - 0.9;
        let days = log_normal(rng, promised.max(4.0), PROMISE_SIGMA).clamp(2.0, 150.0);
        let handling = HANDLING
            * (HANDLING_BETWEEN * seller.slowness).exp()
            * market.handling(approved.date());
        Self {
            approved,
            shipping_limit: after(
                approved,
                seller.handling_promise.round() + f64::from(rng.random_range(0..2u8)),
            ),
            estimated: workday(after(purchased, days).date()),
            handling,
            transit: TRANSIT * route.transit,
            transit_sigma: route.transit_sigma,
        }
    }

    /// The time until which delivery is in time.
    fn deadline(&self) -> NaiveDateTime {
        (self.estimated + TimeDelta::days(1)).and_time(NaiveTime::MIN)
    }

    /// Goes the way.
    pub(crate) fn deliver(&self, market: &Market, clock: &Clock, rng: &mut impl Rng) -> Delivery {
        let collected = self.collect(clock, rng);
        let stray = if chance(rng, STRAY) {
            STRAY_FACTOR
        } else {
            1.0
        };
        let median = self.transit * market.transit(collected.date()) * stray;
        let arrival = after(collected, log_normal(rng, median, self.transit_sigma)).date();
        let open = workday(arrival);
        let day = if open != arrival && chance(rng, 0.3) {
            arrival
        } else {
            open
        };
        let delivered = clock.delivery(day, rng);
        let delivered = if delivered <= collected {
            after(collected, 0.9)
        } else {
            delivered
        };
        Delivery {
            collected,
            delivered,
        }
    }

    fn collect(&self, clock: &Clock, rng: &mut impl Rng) -> NaiveDateTime {
        let handed_over = after(
            self.approved,
            log_normal(rng, self.handling, HANDLING_WITHIN),
        );
        let day = workday(handed_over.date());
        if day == self.approved.date() {
            return handed_over;
        }
        clock.collection(day, rng)
    }

    /// The probability that an order which is handed over arrives after the promised day. Weekends
    /// do not matter for the last leg: the promised day is no weekend, and a delivery put off to
    /// Monday was late already or still is in time.
    pub(crate) fn late_probability(&self, market: &Market) -> f64 {
        let sum: f64 = (0..QUADRATURE)
            .map(|point| {
                let share = (f64::from(point) + 0.5) / f64::from(QUADRATURE);
                let handling = self.handling * (HANDLING_WITHIN * normal_quantile(share)).exp();
                self.late_after(after(self.approved, handling), market)
            })
            .sum();
        sum / f64::from(QUADRATURE)
    }

    fn late_after(&self, handed_over: NaiveDateTime, market: &Market) -> f64 {
        let day = workday(handed_over.date());
        let collected = if day == self.approved.date() {
            handed_over
        } else {
            after(day.and_time(NaiveTime::MIN), MEAN_COLLECTION)
        };
        let left = (self.deadline() - collected).num_seconds() as f64 / 86_400.0;
        if left <= 0.0 {
            return 1.0;
        }
        let median = self.transit * market.transit(day);
        let late = |median: f64| normal_cdf((median / left).ln() / self.transit_sigma);
        STRAY * late(median * STRAY_FACTOR) + (1.0 - STRAY) * late(median)
    }
}

/// A quirk of the source: a few orders are collected before they are approved, and very few before
/// they are bought or after they are delivered.
pub(crate) fn misdate(
    delivery: &mut Delivery,
    purchased: NaiveDateTime,
    approved: NaiveDateTime,
    rng: &mut impl Rng,
) {
    let days = 0.1 + normal(rng).abs();
    delivery.collected = match rng.random::<f64>() {
        ..0.0005 => after(purchased, -days),
        0.0005..0.0008 => after(delivery.delivered, days),
        0.0008..0.007 => after(approved, -0.3 * days).max(purchased),
        _ => delivery.collected,
    };
}
