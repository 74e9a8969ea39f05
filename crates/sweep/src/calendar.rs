//! Reference dates and window starts, searched by day.

use rayon::prelude::*;

use crate::window::calendar_day;
use crate::{SweepError, Window};

/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// The day of a time in microseconds, in days since 1970-01-01.
pub(crate) fn day_of(time: i64) -> i64 {
    time.div_euclid(DAY)
}

/// The reference dates, and where each window starts on each of them.
#[derive(Debug)]
pub(crate) struct Calendar {
    dates: Vec<i32>,
    windows: Vec<Window>,
    reference: DayIndex,
    starts: Vec<DayIndex>,
}

impl Calendar {
    /// Checks the dates and windows and prepares their search.
    pub(crate) fn new(dates: &[i32], windows: &[Window]) -> Result<Self, SweepError> {
        if let Some(pair) = dates.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(SweepError::UnsortedDates {
                previous: pair[0],
                date: pair[1],
            });
        }
        if let Some(&window) = windows.iter().find(|window| window.is_empty()) {
            return Err(SweepError::EmptyWindow { window });
        }
        let days = dates
            .iter()
            .map(|&date| calendar_day(date).ok_or(SweepError::DateOutOfRange { date }))
            .collect::<Result<Vec<_>, _>>()?;
        let starts = windows
            .par_iter()
            .map(|window| DayIndex::new(days.iter().map(|&day| window.first_day(day)).collect()))
            .collect();
        Ok(Self {
            dates: dates.to_vec(),
            windows: windows.to_vec(),
            reference: DayIndex::new(dates.iter().map(|&date| i64::from(date)).collect()),
            starts,
        })
    }

    /// The reference dates, in days since 1970-01-01.
    pub(crate) fn dates(&self) -> &[i32] {
        &self.dates
    }

    /// The windows, in the order asked for.
    pub(crate) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Index of the first date `D` with `D 00:00` after a time in microseconds.
    pub(crate) fn first_after(&self, time: i64) -> u32 {
        self.reference.count_through(day_of(time))
    }

    /// Index of the first date on which a window starts after a time on the given day.
    pub(crate) fn first_start_after(&self, window: usize, day: i64) -> u32 {
        self.starts[window].count_through(day)
    }
}

/// Non-decreasing days, and a table over their span that answers a search with one look.
#[derive(Debug)]
struct DayIndex {
    days: Vec<i64>,
    table: Vec<u32>,
}

/// Spans of more days than this are searched by bisection: a table would not stay in the cache.
const TABLE_DAYS: usize = 1 << 16;

impl DayIndex {
    fn new(days: Vec<i64>) -> Self {
        let span = match (days.first(), days.last()) {
            (Some(&first), Some(&last)) => usize::try_from(last.saturating_sub(first)).ok(),
            _ => None,
        };
        let mut table = Vec::new();
        if let Some(span) = span.filter(|&span| span < TABLE_DAYS) {
            let mut count = 0;
            for day in (days[0]..).take(span + 1) {
                count += days[count..]
                    .iter()
                    .take_while(|&&other| other == day)
                    .count();
                table.push(count as u32);
            }
        }
        Self { days, table }
    }

    /// How many of the days are at or before `day`.
    fn count_through(&self, day: i64) -> u32 {
        let Some(&first) = self.days.first().filter(|&&first| first <= day) else {
            return 0;
        };
        if self.table.is_empty() {
            return self.days.partition_point(|&other| other <= day) as u32;
        }
        let offset = usize::try_from(day.saturating_sub(first)).unwrap_or(usize::MAX);
        self.table
            .get(offset)
            .copied()
            .unwrap_or(self.days.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(days: &[i64], probe: i64) -> (u32, u32) {
        let expected = days.iter().filter(|&&day| day <= probe).count() as u32;
        (DayIndex::new(days.to_vec()).count_through(probe), expected)
    }

    #[test]
    fn table_and_bisection_count_the_same() {
        let dense = [3, 3, 4, 9, 20];
        let sparse = [i64::MIN, i64::MIN, -5, 0, 70_000, 90_000_000];
        for probe in [
            i64::MIN,
            -6,
            -5,
            0,
            2,
            3,
            4,
            5,
            19,
            20,
            21,
            70_000,
            i64::MAX,
        ] {
            for days in [&dense[..], &sparse[..], &[i64::MIN; 3][..], &[][..]] {
                let (found, expected) = counts(days, probe);
                assert_eq!(found, expected, "{days:?} {probe}");
            }
        }
    }
}
