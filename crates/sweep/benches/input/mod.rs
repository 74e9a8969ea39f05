//! Row versions that look like those of a marketplace, for the benchmarks.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use safra_sweep::{Aggregate, Function, Rows, Window};

const DAY: i64 = 86_400_000_000;
const DAYS: i64 = 640;

/// The windows that are asked for.
pub const WINDOWS: [Window; 5] = [
    Window::Days(30),
    Window::Days(90),
    Window::Months(6),
    Window::Months(12),
    Window::All,
];

/// 2,500 entities with 40 rows on average, most with few and some with hundreds.
pub fn many_entities() -> Vec<u32> {
    let sizes = (0..2_500_u32).flat_map(|entity| {
        let size = match entity % 25 {
            0 => 760,
            _ => 1 + entity % 18,
        };
        std::iter::repeat_n(entity, size as usize)
    });
    sizes.collect()
}

/// So many reference dates, evenly spread.
pub fn dates(count: i64) -> Vec<i32> {
    let date = |index| ((index + 1) * DAYS / count) as i32;
    (0..count).map(date).collect()
}

/// Row versions, owned.
pub struct Input {
    pub entity: Vec<u32>,
    pub time: Vec<i64>,
    pub valid_from: Vec<i64>,
    pub valid_to: Vec<i64>,
    pub columns: Vec<ArrayRef>,
}

impl Input {
    /// Rows at random times, in the order of time inside an entity. A sixth of them are valid for two
    /// weeks only, another sixth from two weeks on.
    pub fn new(entity: Vec<u32>) -> Self {
        let mut random = Random(42);
        let seconds = DAYS as u64 * 86_400;
        let key = |entity| (entity, random.below(seconds) as i64 * 1_000_000);
        let mut keys: Vec<_> = entity.into_iter().map(key).collect();
        keys.sort_unstable();
        let (entity, time): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        let kinds = random.numbers(time.len(), 6);
        let late = |kind: u64, otherwise: i64| {
            let is_late = kinds.iter().map(move |&other| other == kind);
            let late = time.iter().zip(is_late);
            late.map(|(&time, is_late)| if is_late { time + 14 * DAY } else { otherwise })
                .collect()
        };
        let (valid_to, valid_from) = (late(0, i64::MAX), late(1, i64::MIN));
        Self {
            entity,
            valid_from,
            valid_to,
            columns: columns(&mut random, &kinds),
            time,
        }
    }

    pub fn rows(&self) -> Rows<'_> {
        Rows {
            entity: &self.entity,
            time: &self.time,
            valid_from: &self.valid_from,
            valid_to: &self.valid_to,
            columns: &self.columns,
        }
    }
}

/// A price, a score that is sometimes NULL, a state, and three filters.
fn columns(random: &mut Random, kinds: &[u64]) -> Vec<ArrayRef> {
    let cents = random.numbers(kinds.len(), 50_000);
    let scores = random.numbers(kinds.len(), 5);
    let states = random.numbers(kinds.len(), 27);
    let price = |&cents: &u64| cents as f64 / 100.0;
    let score = |(&kind, &score): (&u64, &u64)| (kind != 0).then_some(score as i64);
    let state = |state: &u64| Some(format!("state {state}"));
    let is_third = |&state: &u64| Some(state == 3);
    let is_even = |&state: &u64| Some(state % 2 == 0);
    let is_expensive = |&cents: &u64| Some(cents > 10_000);
    vec![
        Arc::new(cents.iter().map(price).collect::<Float64Array>()),
        Arc::new(kinds.iter().zip(&scores).map(score).collect::<Int64Array>()),
        Arc::new(states.iter().map(state).collect::<StringArray>()),
        Arc::new(states.iter().map(is_third).collect::<BooleanArray>()),
        Arc::new(states.iter().map(is_even).collect::<BooleanArray>()),
        Arc::new(cents.iter().map(is_expensive).collect::<BooleanArray>()),
    ]
}

/// Twenty aggregates of three columns, with no filter or one of three.
pub fn aggregates() -> Vec<Aggregate> {
    use Function::*;
    let of = |function, column, filter| Aggregate {
        function,
        column,
        filter,
    };
    vec![
        of(CountRows, None, None),
        of(CountRows, None, Some(3)),
        of(CountRows, None, Some(4)),
        of(CountDistinct, Some(2), None),
        of(Sum, Some(0), None),
        of(Average, Some(0), None),
        of(Minimum, Some(0), None),
        of(Maximum, Some(0), None),
        of(Quantile(0.5), Some(0), None),
        of(StandardDeviation { sample: true }, Some(0), None),
        of(Sum, Some(0), Some(3)),
        of(Sum, Some(0), Some(4)),
        of(Average, Some(0), Some(5)),
        of(Average, Some(1), None),
        of(Quantile(0.5), Some(1), None),
        of(Minimum, Some(1), Some(5)),
        of(Last, Some(0), None),
        of(Mode, Some(2), None),
        of(MeanGap, None, None),
        of(
            DecayedSum {
                half_life_days: 30.0,
            },
            Some(0),
            None,
        ),
    ]
}

/// Numbers that look random (Marsaglia 2003, "Xorshift RNGs").
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn numbers(&mut self, length: usize, bound: u64) -> Vec<u64> {
        (0..length).map(|_| self.below(bound)).collect()
    }
}
