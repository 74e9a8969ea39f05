//! What depends on the order of values: distinct counts, extremes, quantiles and modes; and, of values
//! ranked by time, the first and the last.

use std::ops::Range;

use super::quantile::{interpolate, position};
use super::{Accumulator, Overflow};
use crate::Function;
use crate::collection::count_tree::CountTree;
use crate::collection::rank_set::RankSet;
use crate::collection::tournament::Tournament;
use crate::column::Column;
use crate::output::Writer;
use crate::plan::Output;
use crate::rank::Ranking;

/// The active values by rank, in the collections that the outputs need.
pub(super) struct Order<'a> {
    outputs: &'a [Output],
    values: u32,
    distinct: u32,
    counts: Vec<u32>,
    extremes: Option<RankSet>,
    quantiles: Option<CountTree>,
    modes: Option<Tournament>,
}

/// The ranked values of an entity.
pub(super) struct Ordered<'e> {
    pub(super) ranking: &'e Ranking,
    pub(super) column: &'e Column,
    /// The entity's first row in the input.
    pub(super) first_row: usize,
}

impl<'a> Order<'a> {
    pub(super) fn new(outputs: &'a [Output]) -> Self {
        use Function::*;
        let needs = |function: fn(Function) -> bool| {
            outputs
                .iter()
                .any(|output| function(output.aggregate.function))
        };
        Self {
            outputs,
            values: 0,
            distinct: 0,
            counts: Vec::new(),
            extremes: needs(|function| matches!(function, Minimum | Maximum | First | Last))
                .then(RankSet::default),
            quantiles: needs(|function| matches!(function, Quantile(_))).then(CountTree::default),
            modes: needs(|function| matches!(function, Mode)).then(Tournament::default),
        }
    }

    fn quantile(&self, input: &Ordered, probability: f64) -> Option<f64> {
        let values = self.quantiles.as_ref()?;
        let numbers = input.column.numbers()?;
        let number = |rank| numbers.float(input.first_row + input.ranking.representative(rank));
        let (below, fraction) = position(probability, self.values);
        let (rank, after) = values.select(below);
        let is_same = fraction == 0.0 || after > 0;
        let next = if is_same {
            rank
        } else {
            values.select(below + 1).0
        };
        Some(interpolate(number(rank), number(next), fraction))
    }

    fn rank(&self, function: Function) -> Option<usize> {
        match function {
            Function::Minimum | Function::First => self.extremes.as_ref()?.first(),
            Function::Maximum | Function::Last => self.extremes.as_ref()?.last(),
            Function::Mode => self.modes.as_ref().map(Tournament::mode),
            _ => None,
        }
    }
}

impl Accumulator<Ordered<'_>> for Order<'_> {
    fn begin(&mut self, input: &Ordered) {
        let size = input.ranking.len();
        (self.values, self.distinct) = (0, 0);
        self.counts.clear();
        self.counts.resize(size, 0);
        self.extremes
            .iter_mut()
            .for_each(|extremes| extremes.begin(size));
        self.quantiles
            .iter_mut()
            .for_each(|quantiles| quantiles.begin(size));
        self.modes.iter_mut().for_each(|modes| modes.begin(size));
    }

    fn enter(&mut self, input: &Ordered, row: usize) {
        let rank = input.ranking.rank_of(row);
        self.values += 1;
        self.counts[rank] += 1;
        if self.counts[rank] == 1 {
            self.distinct += 1;
            self.extremes
                .iter_mut()
                .for_each(|extremes| extremes.insert(rank));
        }
        self.quantiles
            .iter_mut()
            .for_each(|quantiles| quantiles.insert(rank));
        self.modes.iter_mut().for_each(|modes| modes.insert(rank));
    }

    fn leave(&mut self, input: &Ordered, row: usize) {
        let rank = input.ranking.rank_of(row);
        self.values -= 1;
        self.counts[rank] -= 1;
        if self.counts[rank] == 0 {
            self.distinct -= 1;
            self.extremes
                .iter_mut()
                .for_each(|extremes| extremes.remove(rank));
        }
        self.quantiles
            .iter_mut()
            .for_each(|quantiles| quantiles.remove(rank));
        self.modes.iter_mut().for_each(|modes| modes.remove(rank));
    }

    fn write(
        &mut self,
        input: &Ordered,
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow> {
        if self.values == 0 {
            return Ok(());
        }
        for (output, writer) in self.outputs.iter().zip(writers) {
            let cells = cells.clone();
            match output.aggregate.function {
                Function::CountDistinct => writer.integer(cells, i64::from(self.distinct)),
                Function::Quantile(probability) => {
                    if let Some(quantile) = self.quantile(input, probability) {
                        writer.float(cells, quantile);
                    }
                }
                function => {
                    if let Some(rank) = self.rank(function) {
                        let row = input.first_row + input.ranking.representative(rank);
                        writer.value(cells, input.column, row);
                    }
                }
            }
        }
        Ok(())
    }
}
