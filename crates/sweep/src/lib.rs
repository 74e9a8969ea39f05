//! Windowed aggregates over versioned rows, for many reference dates in one pass.
//!
//! The rows of each entity are walked once over the dates on which they count: a row enters a window at the
//! first date on which it is active and leaves it after the last. The cost follows rows in and rows out,
//! never rows times dates; [`sweep_steps`] puts each value out once while it lasts. Arrays in, arrays out: no SQL
//! and no files.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, AsArray, Float64Array};
//! use arrow::datatypes::Float64Type;
//! use safra_sweep::{Aggregate, Function, Rows, Window, sweep};
//!
//! const DAY: i64 = 86_400_000_000;
//! let price: ArrayRef = Arc::new(Float64Array::from(vec![10.0, 20.0, 5.0]));
//! let rows = Rows {
//!     entity: &[0, 0, 7],
//!     time: &[0, 40 * DAY, 41 * DAY],
//!     valid_from: &[i64::MIN; 3],
//!     valid_to: &[i64::MAX; 3],
//!     columns: &[price],
//! };
//! let sum = Aggregate { function: Function::Sum, column: Some(0), filter: None };
//! let swept = sweep(&rows, &[Window::Days(30), Window::All], &[sum], &[1, 41, 71])?;
//!
//! assert_eq!(swept.entity, [0, 0, 0, 7]);
//! assert_eq!(swept.date, [1, 41, 71, 71]);
//! let last_30_days: Vec<_> = swept.values[0][0].as_primitive::<Float64Type>().iter().collect();
//! assert_eq!(last_30_days, [Some(10.0), Some(20.0), None, Some(5.0)]);
//! let all: Vec<_> = swept.values[1][0].as_primitive::<Float64Type>().iter().collect();
//! assert_eq!(all, [Some(10.0), Some(30.0), Some(30.0), Some(5.0)]);
//! # Ok::<(), safra_sweep::SweepError>(())
//! ```
//!
//! # Time
//!
//! Times are microseconds since 1970-01-01 00:00, naive local time. Reference dates are days since
//! 1970-01-01; `D 00:00` is the start of day `D`.
//!
//! # Active rows
//!
//! A row version counts on date `D` in a window `w` if and only if
//!
//! - it is what was known: `valid_from < D 00:00 <= valid_to`, where `i64::MIN` is "always" and `i64::MAX`
//!   "until now", and
//! - the window holds it: `start(w, D) <= time < D 00:00`, where the start is that of [`Window`].
//!
//! The versions of one fact have intervals that do not overlap: a value that becomes known late replaces
//! the NULL before it. A row that was never valid is never active.
//!
//! # Values
//!
//! - **NULL** values are left out. A filter that is NULL is false.
//! - **Empty**: where a window holds no value of an aggregate, counts (decayed ones too) are 0 and
//!   everything else is NULL.
//! - **NaN** equals itself and orders above all numbers, as in SQL engines: it is one distinct value, and a
//!   maximum. A sum, average, variance or decayed sum is NaN while a NaN is active, and finite again when
//!   it has left.
//! - **Infinities** are sums of their own: infinite while one sign is active, NaN while both are. A variance
//!   is NaN while one is.
//! - **-0.0** equals 0.0 and is put out as 0.0.
//! - **Strings** order by their bytes, booleans `false` first.
//! - **Ties in time**: the first value is the smallest of the earliest, the last value the largest of the
//!   latest. First and last skip NULL. Of values that are equally frequent, the mode is the smallest.
//! - **Decimals** are counted, ordered and put out as they are; what computes with them reads them as
//!   64-bit floats.
//!
//! # Exactness
//!
//! Every output is a function of the multiset of active rows and the date alone, to the last bit. It does
//! not depend on the order of rows, on the other dates or windows asked for, on rows that are not active, or
//! on the number of threads. So a recomputation of one date on its own can be compared byte by byte.
//!
//! - A **sum** of floats is the exact sum of the active values, rounded once to the nearest float: an
//!   integer in a unit that all values of the entity are multiples of, 128 bits wide or as wide as it must
//!   be. Sums of integers are exact, and an error where they do not fit 64 bits.
//! - A **variance** comes from the exact sums of values and squares, and is never negative.
//! - A **decayed** weight `2^(-(D - t) / h)` is split into a factor of the row, `2^(t / h)`, rounded once,
//!   and one of the date. The weighted values are summed exactly and multiplied by the factor of the date
//!   last. The result is within 1e-9 of the true value, relative to the sum of absolute weighted values.

mod accumulate;
mod activity;
mod aggregate;
mod calendar;
mod collection;
mod column;
mod days;
mod error;
mod events;
mod exact;
mod output;
mod pass;
mod plan;
mod prepare;
mod rank;
mod reach;
mod timeline;
mod totals;
mod weights;
mod window;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;
use rayon::prelude::*;

pub use aggregate::{Aggregate, Function};
pub use error::SweepError;
pub use reach::Reach;
pub use totals::Totals;
pub use window::Window;

use activity::Activity;
use calendar::Calendar;
use plan::Plan;
use prepare::Context;

/// Row versions: slices and columns of one length, sorted by entity. Inside an entity the order is free;
/// rows in the order of time are the fastest.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The entity of each row, a dense number, in non-decreasing order.
    pub entity: &'a [u32],
    /// When the row happened, in microseconds since 1970-01-01 00:00: which windows hold it.
    pub time: &'a [i64],
    /// When the version became known, in microseconds since 1970-01-01 00:00, exclusive; `i64::MIN` if it
    /// always was.
    pub valid_from: &'a [i64],
    /// When another version replaced it, in microseconds since 1970-01-01 00:00, inclusive; `i64::MAX` if
    /// none did.
    pub valid_to: &'a [i64],
    /// The columns and filters that aggregates name by index.
    pub columns: &'a [ArrayRef],
}

/// The aggregates of every entity on every date on which at least one window holds a row of it, sorted by
/// entity, then date.
#[derive(Debug, Clone)]
pub struct Swept {
    /// The entity of each output row.
    pub entity: Vec<u32>,
    /// The reference date of each output row, in days since 1970-01-01.
    pub date: Vec<i32>,
    /// The outputs by window and aggregate, in the order asked for: `values[window][aggregate]` has one
    /// value for each output row, of type [`Aggregate::output_type`].
    pub values: Vec<Vec<ArrayRef>>,
}

/// As [`Swept`], with each value once for all consecutive rows of an entity that share it because nothing enters or
/// leaves the window between them. On dense dates there are far fewer steps than rows.
#[derive(Debug, Clone)]
pub struct Steps {
    /// The entity of each output row.
    pub entity: Vec<u32>,
    /// The reference date of each output row, in days since 1970-01-01.
    pub date: Vec<i32>,
    /// The steps of each window, in the order asked for.
    pub windows: Vec<WindowSteps>,
}

/// The steps of a window. An entity's first row begins a step.
#[derive(Debug, Clone)]
pub struct WindowSteps {
    /// The number of output rows up to the end of each step: those of a run-end encoded array.
    pub ends: ScalarBuffer<i32>,
    /// The outputs by aggregate, in the order asked for, of type [`Aggregate::output_type`].
    pub values: Vec<Values>,
}

/// The values of an aggregate in a window.
#[derive(Debug, Clone)]
pub enum Values {
    /// One for each step.
    Steps(ArrayRef),
    /// One for each output row: what decays changes from date to date by itself.
    Rows(ArrayRef),
}

/// Computes all aggregates in all windows for all reference dates, in days since 1970-01-01 and strictly
/// increasing. Runs on the current rayon thread pool; the result is the same for any number of threads.
///
/// # Errors
/// If the rows differ in length or are not sorted by entity; if the dates are not strictly increasing or
/// outside the calendar; if a window is empty; if an aggregate is wrong by itself
/// ([`Aggregate::output_type`]); if a sum of integers overflows; or if there would be more than 2^31 - 1 output
/// rows. See [`SweepError`].
pub fn sweep(
    rows: &Rows,
    windows: &[Window],
    aggregates: &[Aggregate],
    dates: &[i32],
) -> Result<Swept, SweepError> {
    sweep_steps(rows, windows, aggregates, dates)?.expand(aggregates)
}

/// As [`sweep`], and each value only once while it lasts.
///
/// # Errors
/// As [`sweep`].
pub fn sweep_steps(
    rows: &Rows,
    windows: &[Window],
    aggregates: &[Aggregate],
    dates: &[i32],
) -> Result<Steps, SweepError> {
    check_lengths(rows)?;
    let entity_rows = timeline::entity_rows(rows)?;
    let calendar = Calendar::new(dates, windows)?;
    let plan = Plan::new(rows, aggregates, &calendar)?;
    let activity = Activity::new(rows, &calendar);
    let chunks = timeline::lay_out(rows, &entity_rows, &activity);
    check_output(&chunks)?;
    let context = Context {
        rows,
        calendar: &calendar,
        activity: &activity,
        plan: &plan,
        aggregates,
    };
    let chunks_out = chunks.par_iter().map(|chunk| pass::run(context, chunk));
    let chunks_out: Vec<_> = chunks_out.collect();
    // Collected one by one, so that of several errors the first in the order of entities is reported.
    let chunks_out = chunks_out.into_iter().collect::<Result<Vec<_>, _>>()?;
    output::finish(&plan, windows.len(), &chunks, dates, &chunks_out)
}

impl Steps {
    /// One value of each of the aggregates that were asked for, for each output row.
    ///
    /// # Errors
    /// If the values do not fit an array of their type.
    pub fn expand(self, aggregates: &[Aggregate]) -> Result<Swept, SweepError> {
        let values = self.windows.par_iter();
        let values = values.map(|window| window.expand(aggregates));
        Ok(Swept {
            values: values.collect::<Result<_, _>>()?,
            entity: self.entity,
            date: self.date,
        })
    }
}

impl WindowSteps {
    /// One value for each output row.
    fn expand(&self, aggregates: &[Aggregate]) -> Result<Vec<ArrayRef>, SweepError> {
        let steps = UInt32Array::from(self.step_of_row());
        let expand = |(values, &aggregate): (&Values, &Aggregate)| match values {
            Values::Rows(values) => Ok(ArrayRef::clone(values)),
            Values::Steps(values) => take(values, &steps, None)
                .map_err(|source| SweepError::Output { aggregate, source }),
        };
        self.values.iter().zip(aggregates).map(expand).collect()
    }

    /// The step of each output row.
    pub fn step_of_row(&self) -> Vec<u32> {
        let mut rows = Vec::with_capacity(self.ends.last().map_or(0, |&end| end as usize));
        for (step, &end) in self.ends.iter().enumerate() {
            rows.resize(end as usize, step as u32);
        }
        rows
    }
}

/// Output rows are numbered as run-end encoded arrays of Arrow number them.
fn check_output(chunks: &[timeline::Chunk]) -> Result<(), SweepError> {
    let rows: usize = chunks.iter().map(timeline::Chunk::output_rows).sum();
    match i32::try_from(rows) {
        Ok(_) => Ok(()),
        Err(_) => Err(SweepError::TooManyOutputRows { rows }),
    }
}

fn check_lengths(rows: &Rows) -> Result<(), SweepError> {
    let expected = rows.entity.len();
    if expected > events::MAXIMUM_ROWS {
        return Err(SweepError::TooManyRows {
            rows: expected,
            limit: events::MAXIMUM_ROWS,
        });
    }
    let slices = [
        ("time", rows.time),
        ("valid_from", rows.valid_from),
        ("valid_to", rows.valid_to),
    ];
    let slices = slices.map(|(name, slice)| (name.to_owned(), slice.len()));
    let columns = rows
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| (format!("column {index}"), column.len()));
    match slices
        .into_iter()
        .chain(columns)
        .find(|&(_, found)| found != expected)
    {
        Some((name, found)) => Err(SweepError::Length {
            name,
            expected,
            found,
        }),
        None => Ok(()),
    }
}
