//! The tables that no seller adds to: points of zip code prefixes, and names of categories.

use std::ops::Range;

use crate::categories::CATEGORIES;
use crate::geography::{STATES, Zip};
use crate::identity::{Kind, Seed};
use crate::random::{chance, log_normal, normal};
use crate::table::{Table, Tables};
use crate::world::World;

/// Points of the geolocation table at scale 1 and more.
const POINTS: f64 = 1_000_000.0;
/// Share of the prefixes that the geolocation table lacks.
const UNKNOWN: f64 = 0.004;
/// Standard deviation of the logarithm of the number of points of a prefix.
const POINTS_SIGMA: f64 = 0.9;
/// How much less the number of points varies than the number of customers.
const POINTS_BY_CUSTOMERS: f64 = 0.5;

/// Writes the points of these zip code prefixes.
pub(crate) fn write_points(world: &World, places: Range<usize>) -> Tables {
    let mut tables = Tables::default();
    for place in places {
        write_points_of(world, place, &mut tables);
    }
    tables
}

fn write_points_of(world: &World, place: usize, tables: &mut Tables) {
    // The country is the same for all marketplaces.
    let rng = &mut Seed(0).rng(Kind::Point, place as u64);
    let zips = world.geography.zips();
    let zip = &zips[place];
    if chance(rng, UNKNOWN) {
        return;
    }
    let mean = POINTS / zips.len() as f64 * world.detail * relative_size(zip);
    let points = log_normal(
        rng,
        mean * (-POINTS_SIGMA.powi(2) / 2.0).exp(),
        POINTS_SIGMA,
    )
    .max(1.0) as u64;
    for _ in 0..points {
        let (latitude, longitude) = (
            zip.latitude + 0.004 * normal(rng),
            zip.longitude + 0.004 * normal(rng),
        );
        let row = tables
            .add(Table::Geolocation)
            .row()
            .quoted(format_args!("{:05}", zip.prefix));
        let row = row.plain(latitude).plain(longitude);
        let row = match zip.city.strip_prefix("sao ") {
            Some(name) if chance(rng, 0.2) => row.plain(format_args!("são {name}")),
            _ => row.plain(&zip.city),
        };
        row.plain(STATES[zip.state].code);
    }
}

/// Points of a prefix relative to the mean prefix.
fn relative_size(zip: &Zip) -> f64 {
    let state = &STATES[zip.state];
    let prefixes: usize = STATES.iter().map(|state| state.used_prefixes).sum();
    let customers = zip.weight * state.customers / 100.0 * prefixes as f64;
    0.97 * customers.powf(POINTS_BY_CUSTOMERS)
}

/// Writes the English names of the categories, with the line breaks of the source and none at the
/// end.
pub(crate) fn write_translations() -> Tables {
    let names: Vec<String> = CATEGORIES
        .iter()
        .filter_map(|category| {
            category
                .english
                .map(|english| format!("{},{english}", category.name))
        })
        .collect();
    let mut tables = Tables::default();
    tables
        .add(Table::CategoryTranslation)
        .append(&names.join("\r\n"), names.len() as u64);
    tables
}
