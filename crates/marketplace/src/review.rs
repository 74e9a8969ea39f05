//! What customers think of an order, and when they say so.

mod comment;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use rand::{Rng, RngExt};

use crate::clock::after;
use crate::identity::Id;
use crate::random::{chance, log_normal, normal};

/// The answer to a questionnaire.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    /// As in the tables; a review may stand for several orders of one person.
    pub id: Id,
    /// 1 to 5.
    pub score: u8,
    /// Most have none.
    pub title: Option<&'static str>,
    /// May hold commas, quotes and line breaks.
    pub message: Option<String>,
    /// The day on which the questionnaire was sent.
    pub created: NaiveDate,
    /// When it was answered.
    pub answered: NaiveDateTime,
}

/// Upper limits of satisfaction for the scores 1 to 4, for orders in time.
const LIMITS: [f64; 4] = [-1.58, -1.36, -0.99, -0.31];
/// What a step of the seller's quality adds to satisfaction.
const QUALITY: f64 = 0.34;
/// Satisfaction lost where the questionnaire came before the parcel, or the parcel never.
const NOT_RECEIVED: f64 = 2.15;
/// Satisfaction lost for each day of delay, and at most.
const DAY_LATE: f64 = 0.8;
/// Share of the delivered orders without a review.
const SILENT: f64 = 0.012;

/// The review of an order, if there is one. The questionnaire is sent the day after delivery, and
/// two days after the promised day to those who still wait.
pub(crate) fn review(
    id: Id,
    delivered: Option<NaiveDate>,
    estimated: NaiveDate,
    quality: f64,
    rng: &mut impl Rng,
) -> Option<Review> {
    if chance(rng, SILENT) {
        return None;
    }
    let reminder = estimated + TimeDelta::days(2 + i64::from(chance(rng, 0.15)));
    let after_delivery = delivered.map(|day| day + TimeDelta::days(days_after_delivery(rng)));
    let created = after_delivery
        .filter(|day| *day <= reminder || chance(rng, 0.1))
        .unwrap_or(reminder);
    let score = score(delivered, estimated, quality, rng);
    let days = log_normal(rng, 1.75, 0.8).max(0.1);
    let days = if chance(rng, 0.01) { days * 10.0 } else { days };
    let (title, message) = comment::comment(score, rng);
    Some(Review {
        id,
        score,
        title,
        message,
        created,
        answered: after(created.and_time(NaiveTime::MIN), days),
    })
}

fn days_after_delivery(rng: &mut impl Rng) -> i64 {
    match rng.random_range(0..20) {
        0 | 1 => 0,
        2 => 2,
        3 => 3,
        _ => 1,
    }
}

fn score(
    delivered: Option<NaiveDate>,
    estimated: NaiveDate,
    quality: f64,
    rng: &mut impl Rng,
) -> u8 {
    let late = delivered.map_or(i64::MAX, |day| (day - estimated).num_days());
    let loss = match late {
        ..=0 => 0.0,
        1..=3 => (DAY_LATE * late as f64).min(NOT_RECEIVED),
        _ => NOT_RECEIVED,
    };
    let satisfaction = QUALITY * quality + normal(rng) - loss;
    1 + LIMITS.iter().filter(|limit| satisfaction > **limit).count() as u8
}
