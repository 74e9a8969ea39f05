//! What no real marketplace could tell: the probabilities behind what happened.

use chrono::{Datelike, NaiveDate};

use crate::life::{CHURN_DAYS, Life};
use crate::market::{self, FIRST_DAY, SELLING_DAYS};
use crate::order::{Order, Progress};
use crate::rows::Rows;
use crate::seller::Seller;
use crate::world::World;

/// The probability that an approved order is late.
pub(super) fn write_order(order: &Order, known: &Progress, rows: &mut Rows) {
    if let Some(probability) = order.late_probability.filter(|_| known.approved.is_some()) {
        rows.row()
            .plain(order.id)
            .plain(format_args!("{probability:.6}"));
    }
}

/// The probability that a seller is lost, for each month start up to this day at which its last
/// sale is recent enough.
pub(super) fn write_seller(
    world: &World,
    seller: &Seller,
    life: &Life,
    until: NaiveDate,
    rows: &mut Rows,
) {
    let days = FIRST_DAY
        .iter_days()
        .take(SELLING_DAYS)
        .take_while(|date| *date <= until);
    for date in days.filter(|date| date.day() == 1) {
        let day = market::day(date);
        let Some(recency) = life.recency(day).filter(|recency| *recency <= CHURN_DAYS) else {
            continue;
        };
        let probability = life.churn_probability(seller, &world.market, day, recency);
        let row = rows.row().plain(seller.id).plain(date).plain(recency);
        row.plain(format_args!("{:.6}", seller.leaving_on(day)))
            .plain(format_args!("{probability:.6}"));
    }
}
