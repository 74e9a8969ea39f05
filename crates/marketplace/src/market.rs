//! The market as a whole, day by day: demand, and the speed of handling, transit and promises.

mod curve;

use chrono::{Datelike, NaiveDate, TimeDelta};

use curve::{Curve, DEMAND, HANDLING, PROMISE, SPECIAL_DAYS, TRANSIT, WEEKDAYS};

/// The first day of the marketplace, 2016-09-01.
pub(crate) const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2016, 9, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// Days from [`FIRST_DAY`] on which something may be sold: up to 2018-10-31.
pub(crate) const SELLING_DAYS: usize = 791;

/// Days of the curves: the last orders are still delivered after the last sale.
const CURVE_DAYS: usize = SELLING_DAYS + 400;

/// Factors of each day from [`FIRST_DAY`].
#[derive(Debug)]
pub(crate) struct Market {
    demand: Vec<f64>,
    handling: Vec<f64>,
    transit: Vec<f64>,
    promise: Vec<f64>,
}

impl Market {
    pub(crate) fn new() -> Self {
        let [demand, handling, transit, promise] =
            [DEMAND, HANDLING, TRANSIT, PROMISE].map(Curve::new);
        let days = |curve: &Curve| (0..CURVE_DAYS).map(|day| curve.at(date(day))).collect();
        Self {
            demand: (0..CURVE_DAYS)
                .map(|day| demand.at(date(day)) * calendar(date(day)))
                .collect(),
            handling: days(&handling),
            transit: days(&transit),
            promise: days(&promise),
        }
    }

    /// Orders of a seller on this day, relative to the seller's own rate.
    pub(crate) fn demand(&self, day: usize) -> f64 {
        self.demand.get(day).copied().unwrap_or(0.0)
    }

    /// Time to hand an order to the carrier, relative to an ordinary day.
    pub(crate) fn handling(&self, date: NaiveDate) -> f64 {
        factor(&self.handling, date)
    }

    /// Time of an order with the carrier, relative to an ordinary day.
    pub(crate) fn transit(&self, date: NaiveDate) -> f64 {
        factor(&self.transit, date)
    }

    /// Days promised to the customer, relative to an ordinary day.
    pub(crate) fn promise(&self, date: NaiveDate) -> f64 {
        factor(&self.promise, date)
    }
}

/// The date of a day counted from [`FIRST_DAY`].
pub(crate) fn date(day: usize) -> NaiveDate {
    FIRST_DAY + TimeDelta::days(day as i64)
}

/// The day of a date, counted from [`FIRST_DAY`]; earlier dates are day 0.
pub(crate) fn day(date: NaiveDate) -> usize {
    usize::try_from((date - FIRST_DAY).num_days()).unwrap_or(0)
}

fn factor(factors: &[f64], date: NaiveDate) -> f64 {
    factors
        .get(day(date))
        .or(factors.last())
        .copied()
        .unwrap_or(1.0)
}

/// Weekday and special days.
fn calendar(date: NaiveDate) -> f64 {
    let weekday = WEEKDAYS[date.weekday().num_days_from_monday() as usize];
    let special = SPECIAL_DAYS
        .iter()
        .find(|(from, to, _)| (*from..=*to).contains(&(date.year(), date.month(), date.day())));
    special.map_or(weekday, |(_, _, factor)| weekday * factor)
}
