//! Times of day: when people buy, carriers collect and parcels arrive.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use rand::{Rng, RngExt};

use crate::random::Shares;

/// Share of each hour of the day.
#[derive(Debug)]
pub(crate) struct Clock {
    purchases: Shares,
    collections: Shares,
    deliveries: Shares,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            purchases: Shares::new(PURCHASES),
            collections: Shares::new(COLLECTIONS),
            deliveries: Shares::new(DELIVERIES),
        }
    }

    /// A time of purchase on this day.
    pub(crate) fn purchase(&self, date: NaiveDate, rng: &mut impl Rng) -> NaiveDateTime {
        time_in(date, self.purchases.draw(rng), rng)
    }

    /// A time at which a carrier collects on this day.
    pub(crate) fn collection(&self, date: NaiveDate, rng: &mut impl Rng) -> NaiveDateTime {
        time_in(date, self.collections.draw(rng), rng)
    }

    /// A time of delivery on this day.
    pub(crate) fn delivery(&self, date: NaiveDate, rng: &mut impl Rng) -> NaiveDateTime {
        time_in(date, self.deliveries.draw(rng), rng)
    }
}

/// Share of the day that is over when carriers collect, on average.
pub(crate) const MEAN_COLLECTION: f64 = 0.70;

/// Days, as fractions, after a time; whole seconds.
pub(crate) fn after(time: NaiveDateTime, days: f64) -> NaiveDateTime {
    time + TimeDelta::seconds((days * 86_400.0) as i64)
}

/// This day, or Monday after a weekend.
pub(crate) fn workday(date: NaiveDate) -> NaiveDate {
    match date.weekday() {
        Weekday::Sat => date + TimeDelta::days(2),
        Weekday::Sun => date + TimeDelta::days(1),
        _ => date,
    }
}

fn time_in(date: NaiveDate, hour: usize, rng: &mut impl Rng) -> NaiveDateTime {
    let seconds = hour as u32 * 3600 + rng.random_range(0..3600);
    date.and_time(NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or_default())
}

const PURCHASES: [f64; 24] = [
    24.0, 12.0, 5.0, 3.0, 2.0, 2.0, 5.0, 12.0, 29.0, 48.0, 62.0, 66.0, 59.0, 66.0, 66.0, 65.0,
    67.0, 62.0, 58.0, 60.0, 62.0, 62.0, 59.0, 43.0,
];
const COLLECTIONS: [f64; 24] = [
    24.0, 14.0, 6.0, 3.0, 2.0, 2.0, 4.0, 7.0, 13.0, 18.0, 22.0, 27.0, 32.0, 44.0, 57.0, 59.0, 50.0,
    53.0, 67.0, 74.0, 67.0, 55.0, 47.0, 37.0,
];
const DELIVERIES: [f64; 24] = [
    21.0, 11.0, 5.0, 2.0, 1.0, 2.0, 2.0, 4.0, 7.0, 11.0, 16.0, 22.0, 30.0, 37.0, 44.0, 52.0, 60.0,
    67.0, 73.0, 73.0, 72.0, 59.0, 48.0, 33.0,
];
