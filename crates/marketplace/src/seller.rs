//! Sellers: when they arrive, and the traits that decide how they sell and when they leave.

use chrono::Datelike;
use rand::{Rng, RngExt};

use crate::categories::CATEGORIES;
use crate::geography::Geography;
use crate::identity::{Id, Kind, Seed};
use crate::market::{self, Market, SELLING_DAYS};
use crate::random::{Shares, chance, log_normal, normal, normal_quantile};

/// Sellers who come by themselves at scale 1; others are won by the sales funnel.
pub(crate) const SELLERS: f64 = 2715.0;

/// First sales of such sellers, by year and month.
const ARRIVALS: [((i32, u32), f64); 23] = [
    ((2016, 9), 3.0),
    ((2016, 10), 141.0),
    ((2016, 12), 1.0),
    ((2017, 1), 151.0),
    ((2017, 2), 228.0),
    ((2017, 3), 173.0),
    ((2017, 4), 116.0),
    ((2017, 5), 124.0),
    ((2017, 6), 76.0),
    ((2017, 7), 115.0),
    ((2017, 8), 129.0),
    ((2017, 9), 127.0),
    ((2017, 10), 147.0),
    ((2017, 11), 190.0),
    ((2017, 12), 90.0),
    ((2018, 1), 136.0),
    ((2018, 2), 95.0),
    ((2018, 3), 68.0),
    ((2018, 4), 140.0),
    ((2018, 5), 110.0),
    ((2018, 6), 120.0),
    ((2018, 7), 120.0),
    ((2018, 8), 115.0),
];

/// Orders a day of the median seller, established and at a demand of 1.
const MEDIAN_RATE: f64 = 0.04;
/// Standard deviation of the logarithm of that rate.
const RATE_SIGMA: f64 = 1.47;
/// Orders a day that no seller exceeds, established and at a demand of 1.
const LARGEST_RATE: f64 = 3.2;
/// Share of the median rate that a seller from the funnel reaches.
const FUNNEL_RATE: f64 = 1.2;
/// Chance a day that an average seller leaves for good.
const LEAVING: f64 = 1.0 / 1300.0;
/// Change of the logarithm of the rate in a year, and its standard deviation between sellers.
const TREND: f64 = -0.1;
const TREND_SIGMA: f64 = 0.7;
/// Chance a day that an average seller pauses, and that a paused one resumes.
const PAUSING: f64 = 1.0 / 180.0;
const RESUMING: f64 = 1.0 / 30.0;

/// A seller and its traits. Traits show in the data only through what the seller does.
#[derive(Debug, Clone)]
pub(crate) struct Seller {
    /// Unique in the marketplace.
    pub number: u64,
    /// As in the tables.
    pub id: Id,
    /// Place among the zip code prefixes.
    pub zip: usize,
    /// Day of the first sale.
    pub arrival: usize,
    /// Orders a day, established and at a demand of 1.
    pub rate: f64,
    /// Change of the logarithm of the rate in a year.
    pub trend: f64,
    /// Standard normal; the higher, the better the reviews.
    pub quality: f64,
    /// Standard normal; the higher, the longer it takes to hand over an order.
    pub slowness: f64,
    /// Chance a day to leave for good, for a seller who is no longer new.
    pub leaving: f64,
    /// Chance a day to pause.
    pub pausing: f64,
    /// Chance a day to resume.
    pub resuming: f64,
    /// The two categories sold, the main one first, as places in [`CATEGORIES`].
    pub categories: [usize; 2],
    /// Prices relative to the category's.
    pub price_level: f64,
    /// Days promised to the customer for handing over an order.
    pub handling_promise: f64,
}

/// What is common to all sellers.
#[derive(Debug)]
pub(crate) struct SellerModel {
    arrivals: Shares,
    categories: Shares,
    handling_promises: Shares,
}

impl SellerModel {
    pub(crate) fn new(market: &Market) -> Self {
        Self {
            arrivals: arrivals(market),
            categories: Shares::new(CATEGORIES.iter().map(|category| category.share)),
            handling_promises: Shares::new(HANDLING_PROMISES.map(|(_, share)| share)),
        }
    }

    /// The seller of this number among `sellers`, who came by itself. Arrivals and rates are spread
    /// evenly over their distributions, so that small marketplaces resemble large ones.
    pub(crate) fn of_market(
        &self,
        seed: Seed,
        number: u64,
        sellers: u64,
        geography: &Geography,
    ) -> Seller {
        let mut rng = seed.rng(Kind::Seller, number);
        let place = (number as f64 + rng.random::<f64>()) / sellers as f64;
        let day = self.arrivals.quantile(place);
        let standing = normal_quantile(evenly_spread(seed, number, sellers));
        let arrival = Arrival {
            number,
            day,
            standing,
            category: None,
        };
        self.seller(seed, arrival, geography, &mut rng)
    }

    /// A seller won by the sales funnel, with its first sale on this day.
    pub(crate) fn of_funnel(
        &self,
        seed: Seed,
        number: u64,
        day: usize,
        category: Option<usize>,
        geography: &Geography,
    ) -> Seller {
        let mut rng = seed.rng(Kind::Seller, number);
        let standing = normal(&mut rng) + FUNNEL_RATE.ln() / RATE_SIGMA;
        let arrival = Arrival {
            number,
            day,
            standing,
            category,
        };
        self.seller(seed, arrival, geography, &mut rng)
    }

    fn seller(
        &self,
        seed: Seed,
        arrival: Arrival,
        geography: &Geography,
        rng: &mut impl Rng,
    ) -> Seller {
        let Arrival {
            number,
            day,
            standing,
            category,
        } = arrival;
        let quality = normal(rng);
        let slowness = normal(rng);
        let main = category.unwrap_or_else(|| self.categories.draw(rng));
        let other = if chance(rng, 0.5) {
            main
        } else {
            self.categories.draw(rng)
        };
        let leaves = (-0.55 * standing - 0.45 * quality + 0.4 * slowness).exp();
        let (handling_promise, _) = HANDLING_PROMISES[self.handling_promises.draw(rng)];
        Seller {
            number,
            id: seed.id(Kind::Seller, number),
            zip: geography.seller(rng),
            arrival: day,
            rate: (MEDIAN_RATE * (RATE_SIGMA * standing).exp()).min(LARGEST_RATE),
            trend: TREND + TREND_SIGMA * normal(rng),
            quality,
            slowness,
            leaving: (LEAVING * leaves).min(0.2),
            pausing: (PAUSING * (-0.6 * standing).exp()).min(0.1),
            resuming: RESUMING * (0.3 * standing).exp().clamp(0.3, 3.0),
            categories: [main, other],
            price_level: log_normal(rng, 1.0, 0.36),
            handling_promise: handling_promise + 0.4 * slowness.max(0.0),
        }
    }
}

/// How a seller enters the marketplace.
struct Arrival {
    number: u64,
    /// Of the first sale.
    day: usize,
    /// Standard normal; the higher, the larger the seller.
    standing: f64,
    /// The main category, where it is known.
    category: Option<usize>,
}

/// Days, and the share of sellers who promise them.
const HANDLING_PROMISES: [(f64, f64); 9] = [
    (2.0, 0.02),
    (3.0, 0.04),
    (4.0, 0.15),
    (5.0, 0.35),
    (6.0, 0.25),
    (7.0, 0.08),
    (9.0, 0.06),
    (11.0, 0.03),
    (15.0, 0.02),
];

/// Shares of the days on which sellers arrive: within a month, by demand.
fn arrivals(market: &Market) -> Shares {
    let month_of = |day: usize| {
        let date = market::date(day);
        (date.year(), date.month())
    };
    let demand_of = |month| -> f64 {
        (0..SELLING_DAYS)
            .filter(|&day| month_of(day) == month)
            .map(|day| market.demand(day))
            .sum()
    };
    let mut weights = vec![0.0; SELLING_DAYS];
    for (month, sellers) in ARRIVALS {
        let demand = demand_of(month).max(f64::MIN_POSITIVE);
        for day in (0..SELLING_DAYS).filter(|&day| month_of(day) == month) {
            weights[day] = sellers * market.demand(day) / demand;
        }
    }
    Shares::new(weights)
}

/// A number in (0, 1): those of neighbouring sellers lie far apart, and all of them fill the
/// interval evenly.
fn evenly_spread(seed: Seed, number: u64, sellers: u64) -> f64 {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;
    let offset: f64 = seed.rng(Kind::Chunk, u64::MAX).random();
    let inset = 0.25 / sellers as f64;
    (offset + number as f64 * GOLDEN_RATIO)
        .fract()
        .clamp(inset, 1.0 - inset)
}
