//! Counts and sums of rows that come in any order: what each row changes is added up by date, and only that is kept.

mod cells;
mod terms;
mod walk;

use std::ops::Range;

use arrow::datatypes::DataType;
use rayon::prelude::*;

use crate::activity::look_up;
use crate::calendar::Calendar;
use crate::output::{self, ChunkOutput, Writer};
use crate::pass::add_ends;
use crate::plan::Plan;
use crate::timeline::Chunk;
use crate::{Aggregate, Rows, Steps, SweepError, Window};

use cells::Cells;
use terms::{Batch, Changes, Term, terms_of};
use walk::{TermWriter, Walk};

/// Counts, sums and averages of rows that come batch by batch, whose entities are in any order. As [`sweep_steps`](crate::sweep_steps) it
/// follows the rows that enter and leave the windows, and gives the same values to the last bit; it keeps no row, but what
/// entities gain and lose from date to date (a difference array). So its memory grows with entities and dates, not with
/// rows.
pub struct Totals {
    calendar: Calendar,
    aggregates: Vec<Aggregate>,
    terms: Vec<Term>,
    /// Slots in use.
    slots: usize,
    cells: Cells,
}

/// Slots of a sum, mostly: values of a column rarely differ by so much that it takes more.
const PARTS_OF_A_SUM: usize = 2;

/// Entities that are put out together. Fixed, so that nothing depends on the number of threads.
const CHUNK_ENTITIES: usize = 16;

impl Totals {
    /// Totals of nothing yet, over columns of these types. `None` where one of the aggregates needs more than counts and sums: then rows
    /// have to be held together.
    ///
    /// # Errors
    /// As [`sweep`](crate::sweep), for what is wrong with windows, aggregates or dates by themselves.
    pub fn new(
        columns: &[DataType],
        windows: &[Window],
        aggregates: &[Aggregate],
        dates: &[i32],
    ) -> Result<Option<Self>, SweepError> {
        let calendar = Calendar::new(dates, windows)?;
        let Some(terms) = terms_of(columns, aggregates)? else {
            return Ok(None);
        };
        let slots = terms.len();
        Ok(Some(Self {
            cells: Cells::new(dates.len(), windows.len(), slots),
            calendar,
            aggregates: aggregates.to_vec(),
            terms,
            slots,
        }))
    }

    /// Adds rows. Entities are numbers that leave out as few as can be; unlike those of a sweep they need not be sorted.
    ///
    /// # Errors
    /// If the rows differ in length, or a value has no place among 64-bit integers.
    pub fn add(&mut self, rows: &Rows) -> Result<(), SweepError> {
        crate::check_lengths(rows)?;
        let batch = Batch::read(&self.terms, rows)?;
        let entities = rows
            .entity
            .iter()
            .max()
            .map_or(0, |&last| last as usize + 1);
        self.cells.grow(entities, self.slots);
        let mut leave = vec![0; self.calendar.windows().len()];
        let mut changes = Changes::new();
        for (row, &entity) in rows.entity.iter().enumerate() {
            let valid = (rows.valid_from[row], rows.valid_to[row]);
            let enter = look_up(rows.time[row], valid, &self.calendar, &mut leave);
            if leave.iter().all(|&leave| leave <= enter) {
                continue;
            }
            batch.changes(&mut self.terms, row, &mut self.slots, &mut changes);
            self.cells.grow(entities, self.slots);
            self.change(entity as usize, enter, &leave, &changes);
        }
        Ok(())
    }

    /// A row adds something at the date on which it enters each window, which is gone at that on which it leaves.
    fn change(&mut self, entity: usize, enter: u32, leave: &[u32], changes: &Changes) {
        for (window, &leave) in leave.iter().enumerate() {
            if leave <= enter {
                continue;
            }
            let cells = self.cells.at(entity, enter as usize, window);
            for &(slot, amount) in changes {
                cells[slot] += amount;
            }
            if (leave as usize) < self.calendar.dates().len() {
                let cells = self.cells.at(entity, leave as usize, window);
                for &(slot, amount) in changes {
                    cells[slot] -= amount;
                }
            }
        }
    }

    /// Adds other totals of the same windows, aggregates and dates, whose entities have these numbers here.
    pub fn merge(&mut self, other: Self, entities: &[u32]) {
        let mut slots = vec![0; other.slots];
        for (own, term) in self.terms.iter_mut().zip(&other.terms) {
            slots[term.count] = own.count;
            for &(part, slot) in &term.parts {
                slots[slot] = own.slot(part, &mut self.slots);
            }
        }
        let count = entities.iter().max().map_or(0, |&last| last as usize + 1);
        self.cells.grow(count, self.slots);
        self.cells.merge(other.cells, entities, &slots);
    }

    /// Bytes that an entity takes, about.
    pub fn entity_bytes(&self) -> usize {
        let sums = self.terms.iter().filter(|term| term.adds_values());
        let slots = self
            .slots
            .max(self.terms.len() + PARTS_OF_A_SUM * sums.count());
        let (dates, windows) = (self.calendar.dates().len(), self.calendar.windows().len());
        dates * windows * slots * size_of::<i128>()
    }

    /// The number of entities, those of which no window holds a row on any date among them.
    pub fn entity_count(&self) -> usize {
        self.cells.entity_count()
    }

    /// Numbers the entities anew: the first one is then `order[0]`, and so on. All have to be in it, each once.
    pub fn arrange(&mut self, order: &[u32]) {
        self.cells.arrange(order);
    }

    /// The aggregates of some entities at some of the dates, which are given by index.
    ///
    /// # Errors
    /// If a sum of integers overflows, or there would be more than 2^31 - 1 output rows.
    pub fn steps(&self, entities: Range<u32>, dates: Range<usize>) -> Result<Steps, SweepError> {
        let numbers: Vec<u32> = entities.collect();
        let mut chunks: Vec<&[u32]> = numbers.chunks(CHUNK_ENTITIES).collect();
        if chunks.is_empty() {
            // No output has types, too.
            chunks.push(&[]);
        }
        let chunks = chunks.into_par_iter();
        let chunks = chunks.map(|entities| self.chunk(entities, dates.clone()));
        let chunks: Vec<_> = chunks.collect();
        // One by one, so that of several errors the first in the order of entities is reported.
        let chunks = chunks.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (chunks, outputs): (Vec<_>, Vec<_>) = chunks.into_iter().unzip();
        crate::check_output(&chunks)?;
        let (windows, days) = (self.calendar.windows().len(), self.calendar.dates());
        output::finish(&self.plan(), windows, &chunks, days, &outputs)
    }

    /// What the output has to know of the aggregates.
    fn plan(&self) -> Plan {
        Plan {
            groups: self.terms.iter().map(Term::group).collect(),
            ..Plan::default()
        }
    }

    fn chunk(
        &self,
        entities: &[u32],
        dates: Range<usize>,
    ) -> Result<(Chunk, ChunkOutput), SweepError> {
        let windows = self.calendar.windows().len();
        let mut chunk = Chunk::default();
        let mut walk = Walk::new(windows);
        let mut ends = vec![Vec::new(); windows];
        let mut writers: Vec<Vec<Writer>> =
            self.terms.iter().map(|term| self.writers(term)).collect();
        let mut term_writer = TermWriter::default();
        for &number in entities {
            walk.entity(&self.cells, number as usize, dates.clone());
            if walk.spans.is_empty() {
                continue;
            }
            chunk.push(number, 0..0, &mut walk.spans);
            let Some(entity) = chunk.entities.last() else {
                continue;
            };
            for (ends, window) in ends.iter_mut().zip(&walk.windows) {
                add_ends(ends, &window.starts, entity);
            }
            for (term, writers) in self.terms.iter().zip(&mut writers) {
                let of_windows = writers.chunks_mut(term.outputs.len().max(1));
                for (window, writers) in walk.windows.iter().enumerate().zip(of_windows) {
                    let written = term_writer.write(term, window, entity, writers);
                    written.map_err(|failure| {
                        failure.error(&chunk, &self.calendar, &self.aggregates)
                    })?;
                }
            }
        }
        let writers = writers.into_iter().flatten().collect();
        Ok((chunk, ChunkOutput { writers, ends }))
    }

    /// For each window a writer for each output of a term.
    fn writers(&self, term: &Term) -> Vec<Writer> {
        let windows = self.calendar.windows().iter();
        windows
            .flat_map(|_| {
                term.outputs
                    .iter()
                    .map(|output| Writer::new(output, &[], 0))
            })
            .collect()
    }
}
