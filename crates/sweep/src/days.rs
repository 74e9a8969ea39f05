//! The distinct days on which an entity has rows.

use std::ops::Range;

use crate::calendar::day_of;
use crate::rank::Ranking;

/// The days of one entity's rows in order, each known by its rank.
#[derive(Default)]
pub(crate) struct Days {
    ranking: Ranking,
    days: Vec<i64>,
}

impl Days {
    /// Reads the days of some rows from their times in microseconds.
    pub(crate) fn read(&mut self, times: &[i64], rows: Range<usize>) {
        let times = &times[rows];
        self.ranking
            .rank(times.iter().map(|&time| Some(day_of(time))));
        self.days.clear();
        let representatives = (0..self.ranking.len()).map(|rank| self.ranking.representative(rank));
        self.days
            .extend(representatives.map(|row| day_of(times[row])));
    }

    /// The number of distinct days.
    pub(crate) fn len(&self) -> usize {
        self.days.len()
    }

    /// The rank of a row's day.
    pub(crate) fn rank_of(&self, row: usize) -> usize {
        self.ranking.rank_of(row)
    }

    /// The day of a rank, in days since 1970-01-01.
    pub(crate) fn day(&self, rank: usize) -> i64 {
        self.days[rank]
    }
}
