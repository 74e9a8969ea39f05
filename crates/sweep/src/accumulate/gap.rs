//! Gaps between consecutive distinct days.

use std::ops::Range;

use super::quantile::{interpolate, position};
use super::{Accumulator, Overflow};
use crate::Function;
use crate::collection::rank_set::RankSet;
use crate::days::Days;
use crate::output::Writer;
use crate::plan::Output;

/// The active days, and the gaps between them where the outputs need each.
pub(super) struct Gaps<'a> {
    outputs: &'a [Output],
    rows: Vec<u32>,
    days: RankSet,
    distinct: u32,
    lengths: Option<Lengths>,
}

impl<'a> Gaps<'a> {
    pub(super) fn new(outputs: &'a [Output]) -> Self {
        let lengths = outputs
            .iter()
            .any(|output| output.aggregate.function != Function::MeanGap);
        Self {
            outputs,
            rows: Vec::new(),
            days: RankSet::default(),
            distinct: 0,
            lengths: lengths.then(Lengths::default),
        }
    }

    /// The gaps on both sides of a day, and the one that they replace or that replaces them.
    fn change(&mut self, input: &Days, rank: usize, inserts: bool) {
        let Some(lengths) = &mut self.lengths else {
            return;
        };
        let day = input.day(rank);
        let before = self.days.before(rank).map(|rank| input.day(rank));
        let after = self.days.after(rank).map(|rank| input.day(rank));
        for gap in [
            before.map(|before| day - before),
            after.map(|after| after - day),
        ]
        .into_iter()
        .flatten()
        {
            lengths.change(gap, inserts);
        }
        if let (Some(before), Some(after)) = (before, after) {
            lengths.change(after - before, !inserts);
        }
    }

    fn value(&self, input: &Days, function: Function) -> Option<f64> {
        let gaps = self.distinct.checked_sub(1).filter(|&gaps| gaps > 0)?;
        match function {
            Function::MeanGap => {
                let span = input.day(self.days.last()?) - input.day(self.days.first()?);
                Some(span as f64 / f64::from(gaps))
            }
            Function::QuantileGap(probability) => {
                let (below, fraction) = position(probability, gaps);
                let lengths = self.lengths.as_ref()?;
                Some(interpolate(
                    lengths.select(below)?,
                    lengths.select((below + 1).min(gaps - 1))?,
                    fraction,
                ))
            }
            _ => self.lengths.as_ref()?.select(gaps - 1),
        }
    }
}

impl Accumulator<Days> for Gaps<'_> {
    fn begin(&mut self, input: &Days) {
        self.rows.clear();
        self.rows.resize(input.len(), 0);
        self.days.begin(input.len());
        self.distinct = 0;
        self.lengths
            .iter_mut()
            .for_each(|lengths| lengths.counts.clear());
    }

    fn enter(&mut self, input: &Days, row: usize) {
        let rank = input.rank_of(row);
        self.rows[rank] += 1;
        if self.rows[rank] == 1 {
            self.change(input, rank, true);
            self.days.insert(rank);
            self.distinct += 1;
        }
    }

    fn leave(&mut self, input: &Days, row: usize) {
        let rank = input.rank_of(row);
        self.rows[rank] -= 1;
        if self.rows[rank] == 0 {
            self.days.remove(rank);
            self.change(input, rank, false);
            self.distinct -= 1;
        }
    }

    fn write(
        &mut self,
        input: &Days,
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow> {
        for (output, writer) in self.outputs.iter().zip(writers) {
            if let Some(value) = self.value(input, output.aggregate.function) {
                writer.float(cells.clone(), value);
            }
        }
        Ok(())
    }
}

/// How often each length of a gap occurs, by length. Lengths add up to the time between the first and the
/// last day, so there are few different ones: at most 37 in two years.
#[derive(Default)]
struct Lengths {
    counts: Vec<(i64, u32)>,
}

impl Lengths {
    fn change(&mut self, length: i64, inserts: bool) {
        match self
            .counts
            .binary_search_by_key(&length, |&(length, _)| length)
        {
            Ok(index) if inserts => self.counts[index].1 += 1,
            Ok(index) if self.counts[index].1 > 1 => self.counts[index].1 -= 1,
            Ok(index) => drop(self.counts.remove(index)),
            Err(index) => self.counts.insert(index, (length, 1)),
        }
    }

    /// The length with so many gaps before it when they are sorted.
    fn select(&self, position: u32) -> Option<f64> {
        let mut through = 0;
        let found = self.counts.iter().find(|&&(_, count)| {
            through += count;
            position < through
        });
        found.map(|&(length, _)| length as f64)
    }
}
