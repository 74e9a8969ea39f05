//! From parameters to files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use chrono::NaiveDate;
use rayon::prelude::*;

use crate::MarketplaceError;
use crate::chunk::{Chunk, chunks};
use crate::market::FIRST_DAY;
use crate::output::Output;
use crate::reference::{write_points, write_translations};
use crate::table::{Table, Tables};
use crate::world::World;
use crate::write::write;

/// The largest scale.
const LARGEST_SCALE: f64 = 100_000.0;

/// Zip code prefixes written by one job.
const PREFIXES: usize = 500;

/// What marketplace to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Size, above 0: at 1 about 99,000 orders of 3,100 sellers in all. The number of sellers and
    /// leads, and with them that of all rows, grows in proportion; only the geolocation table stays
    /// as it is from 1 on.
    pub scale: f64,
    /// Everything random follows from it.
    pub seed: u64,
    /// The morning on which the data are taken: later facts are absent or blank. After 2016-09-01;
    /// the last order is from October 2018.
    pub until: NaiveDate,
    /// Whether to write [`Table::TruthSellers`] and [`Table::TruthOrders`] too.
    pub truth: bool,
}

impl Default for Parameters {
    /// Scale 1, seed 0, the morning of 2018-06-01, no truth.
    fn default() -> Self {
        let until = NaiveDate::from_ymd_opt(2018, 6, 1).unwrap_or(NaiveDate::MAX);
        Self {
            scale: 1.0,
            seed: 0,
            until,
            truth: false,
        }
    }
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Number of rows of each table that was written.
    pub rows: BTreeMap<Table, u64>,
}

/// Generates a marketplace into this folder, which is made if need be; files of an earlier
/// marketplace are replaced.
///
/// `progress` is called with the pieces of work done and their total, first with none done.
///
/// # Errors
///
/// If a parameter is out of range, before anything is written, or if a file cannot be written. Files
/// get their names once all of them are whole, so that none is ever there in part.
pub fn generate(
    parameters: &Parameters,
    out: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Generated, MarketplaceError> {
    check(parameters)?;
    let tables = || {
        Table::ALL
            .into_iter()
            .filter(|table| parameters.truth || !table.is_truth())
    };
    let mut output = Output::create(out, tables())?;
    let mut rows: BTreeMap<Table, u64> = tables().map(|table| (table, 0)).collect();
    let world = World::new(parameters.seed, parameters.scale, parameters.truth);
    let jobs = Job::count(&world);
    progress(0, jobs);
    // A few jobs a thread in flight, whatever the size of the marketplace.
    let batch = 4 * rayon::current_num_threads() as u64;
    for first in (0..jobs).step_by(batch as usize) {
        let last = (first + batch).min(jobs);
        let written: Vec<Tables> = (first..last)
            .into_par_iter()
            .map(|number| Job::new(&world, number).run(&world, parameters.until))
            .collect();
        for tables in &written {
            output.append(tables)?;
            rows.iter_mut()
                .for_each(|(table, count)| *count += tables.of(*table).count());
        }
        progress(last, jobs);
    }
    output.finish()?;
    Ok(Generated { rows })
}

fn check(parameters: &Parameters) -> Result<(), MarketplaceError> {
    let &Parameters { scale, until, .. } = parameters;
    if scale.is_nan() || scale <= 0.0 {
        return Err(MarketplaceError::Scale(scale));
    }
    if scale > LARGEST_SCALE {
        return Err(MarketplaceError::ScaleTooLarge {
            scale,
            limit: LARGEST_SCALE,
        });
    }
    if until <= FIRST_DAY {
        return Err(MarketplaceError::Until {
            until,
            first: FIRST_DAY,
        });
    }
    Ok(())
}

/// A piece of work, numbered in the order of the rows it writes.
enum Job {
    Translations,
    Points(Range<usize>),
    Chunk(u64),
}

impl Job {
    fn count(world: &World) -> u64 {
        1 + world.geography.zips().len().div_ceil(PREFIXES) as u64 + chunks(world)
    }

    fn new(world: &World, number: u64) -> Self {
        let prefixes = world.geography.zips().len();
        let pieces = prefixes.div_ceil(PREFIXES) as u64;
        match number.checked_sub(1) {
            None => Self::Translations,
            Some(piece) if piece < pieces => {
                let first = piece as usize * PREFIXES;
                Self::Points(first..(first + PREFIXES).min(prefixes))
            }
            Some(piece) => Self::Chunk(piece - pieces),
        }
    }

    fn run(self, world: &World, until: NaiveDate) -> Tables {
        match self {
            Self::Translations => write_translations(),
            Self::Points(places) => write_points(world, places),
            Self::Chunk(number) => write(world, Chunk::new(world, number), until),
        }
    }
}
