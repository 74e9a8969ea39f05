//! Zip code prefixes, the cities they lie in, and the routes between states.

mod cities;
mod states;
mod towns;

use rand::{Rng, RngExt};

use cities::{CITIES, City};
pub(crate) use states::STATES;
use states::{SAO_PAULO, State};

use crate::identity::{Kind, Seed};
use crate::random::{Shares, chance, log_normal, normal};

/// Customers who buy from a seller of their own state because it is theirs.
const HOME_BIAS: f64 = 0.05;

/// The country is the same whatever the seed of the marketplace.
const COUNTRY: Seed = Seed(0);

/// A zip code prefix.
#[derive(Debug)]
pub(crate) struct Zip {
    /// Five digits, written with leading zeros.
    pub prefix: u32,
    /// Place in [`STATES`].
    pub state: usize,
    /// Lower case, without accents.
    pub city: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Share of the customers of its state, not normed.
    pub weight: f64,
}

/// What the way from one state to another costs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Route {
    /// Median days in transit.
    pub transit: f64,
    /// Standard deviation of the logarithm of the days in transit.
    pub transit_sigma: f64,
    /// Median days promised.
    pub promise: f64,
    /// Freight of a small parcel, in reais.
    pub freight: f64,
    /// Freight of a kilogram, in reais.
    pub freight_of_weight: f64,
}

/// All zip code prefixes and routes.
#[derive(Debug)]
pub(crate) struct Geography {
    zips: Vec<Zip>,
    states: Vec<StateZips>,
    customers: Shares,
    sellers: Shares,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct StateZips {
    first: usize,
    shares: Shares,
}

impl Geography {
    pub(crate) fn new() -> Self {
        let mut zips: Vec<Zip> = Vec::new();
        let mut states = Vec::new();
        for state in 0..STATES.len() {
            let first = zips.len();
            zips.extend(zips_of_state(state));
            states.push(StateZips {
                first,
                shares: Shares::new(zips[first..].iter().map(|zip| zip.weight)),
            });
        }
        let pairs = (0..STATES.len()).flat_map(|from| (0..STATES.len()).map(move |to| (from, to)));
        Self {
            zips,
            states,
            customers: Shares::new(STATES.iter().map(|state| state.customers)),
            sellers: Shares::new(STATES.iter().map(|state| state.sellers)),
            routes: pairs.map(|(from, to)| route(from, to)).collect(),
        }
    }

    pub(crate) fn zips(&self) -> &[Zip] {
        &self.zips
    }

    pub(crate) fn route(&self, seller: usize, customer: usize) -> Route {
        let (from, to) = (self.zips[seller].state, self.zips[customer].state);
        self.routes[from * STATES.len() + to]
    }

    /// Place in [`Geography::zips`] of a seller.
    pub(crate) fn seller(&self, rng: &mut impl Rng) -> usize {
        let state = self.sellers.draw(rng);
        self.inside(state, rng)
    }

    /// Place in [`Geography::zips`] of a customer of the seller at this place.
    pub(crate) fn customer(&self, seller: usize, rng: &mut impl Rng) -> usize {
        let state = if chance(rng, HOME_BIAS) {
            self.zips[seller].state
        } else {
            self.customers.draw(rng)
        };
        self.inside(state, rng)
    }

    fn inside(&self, state: usize, rng: &mut impl Rng) -> usize {
        let zips = &self.states[state];
        zips.first + zips.shares.draw(rng)
    }
}

/// The prefixes of the cities of a state, then those of its towns, in rising order each.
fn zips_of_state(state: usize) -> Vec<Zip> {
    let mut rng = COUNTRY.rng(Kind::Town, state as u64);
    let of_state = |city: &&City| city.state == STATES[state].code;
    let cities: Vec<&City> = CITIES.iter().filter(of_state).collect();
    let mut zips = Vec::new();
    for city in &cities {
        zips.extend(zips_of_city(state, city, &mut rng));
    }
    let urban: f64 = cities.iter().map(|city| city.share).sum();
    let rural: Vec<u32> = STATES[state]
        .prefixes
        .iter()
        .flat_map(|&(first, last)| first..=last)
        .filter(|prefix| {
            !cities
                .iter()
                .any(|city| (city.first..=city.last).contains(prefix))
        })
        .collect();
    let wanted = STATES[state]
        .used_prefixes
        .saturating_sub(zips.len())
        .max(1)
        .min(rural.len());
    for place in 0..wanted {
        let prefix = rural[place * rural.len() / wanted];
        zips.push(town(state, prefix, (1.0 - urban) / wanted as f64, &mut rng));
    }
    zips
}

fn zips_of_city(state: usize, city: &City, rng: &mut impl Rng) -> Vec<Zip> {
    let range = (city.last - city.first + 1) as usize;
    let used = (STATES[state].used_prefixes as f64 * city.share * 1.2) as usize;
    let used = used.clamp(2, range);
    (0..used)
        .map(|place| Zip {
            prefix: city.first + (place * range / used) as u32,
            state,
            city: city.name.to_owned(),
            latitude: city.latitude + 0.05 * normal(rng),
            longitude: city.longitude + 0.05 * normal(rng),
            weight: log_normal(rng, city.share / used as f64, 0.7),
        })
        .collect()
}

fn town(state: usize, prefix: u32, weight: f64, rng: &mut impl Rng) -> Zip {
    let State {
        latitude,
        longitude,
        scatter,
        ..
    } = &STATES[state];
    Zip {
        prefix,
        state,
        city: towns::name(rng.random()),
        latitude: latitude + scatter * normal(rng),
        longitude: longitude + scatter * normal(rng),
        weight: log_normal(rng, weight, 0.9),
    }
}

/// Days in transit vary more on the short ways inside a state.
const LOCAL_SIGMA: f64 = 0.62;
const SIGMA: f64 = 0.46;

fn route(from: usize, to: usize) -> Route {
    let (seller, customer) = (&STATES[from], &STATES[to]);
    if from == to {
        return local_route(from);
    }
    let distance = kilometres(seller, customer);
    let (transit, promise, freight) = if to == SAO_PAULO {
        let stretch = distance / 450.0;
        (
            7.0 * stretch.powf(0.12),
            23.8 * stretch.powf(0.1),
            15.4 * stretch.powf(0.08),
        )
    } else {
        let detour = distance / kilometres(&STATES[SAO_PAULO], customer);
        let State {
            transit,
            promise,
            freight,
            ..
        } = customer;
        (
            transit * detour.powf(0.2),
            promise * detour.powf(0.12),
            freight * detour.powf(0.12),
        )
    };
    Route {
        transit,
        transit_sigma: SIGMA,
        promise,
        freight: freight - USUAL_WEIGHT_SURCHARGE,
        freight_of_weight: 3.7 * (1.0 + distance / 2500.0),
    }
}

/// What the weight of a usual parcel adds to the freight between states, in reais.
const USUAL_WEIGHT_SURCHARGE: f64 = 3.2;

fn local_route(state: usize) -> Route {
    const DENSE_STATES: usize = 2;
    let transit = STATES[state].local_transit;
    Route {
        transit,
        transit_sigma: LOCAL_SIGMA,
        promise: 16.9 + 0.6 * (transit - 3.9).max(0.0),
        freight: if state < DENSE_STATES { 7.6 } else { 9.3 },
        freight_of_weight: 2.6,
    }
}

/// Between the middles of two states, by the haversine formula.
fn kilometres(from: &State, to: &State) -> f64 {
    let radians = |state: &State| (state.latitude.to_radians(), state.longitude.to_radians());
    let ((from_latitude, from_longitude), (to_latitude, to_longitude)) =
        (radians(from), radians(to));
    let chord = ((to_latitude - from_latitude) / 2.0).sin().powi(2)
        + from_latitude.cos()
            * to_latitude.cos()
            * ((to_longitude - from_longitude) / 2.0).sin().powi(2);
    2.0 * 6371.0 * chord.sqrt().asin()
}
