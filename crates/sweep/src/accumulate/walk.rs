//! The walk of an accumulator along the events of an entity.

use std::ops::Range;

use crate::calendar::Calendar;
use crate::events::{Event, WindowEvents};
use crate::output::Writer;
use crate::plan::Output;
use crate::timeline::Chunk;
use crate::{Aggregate, SweepError};

/// An accumulator of the active rows of one window. `I` is what it needs to know of the entity.
pub(super) trait Accumulator<I: ?Sized> {
    /// Becomes empty, for an entity.
    fn begin(&mut self, input: &I);
    /// Takes a row in, counted inside the entity.
    fn enter(&mut self, input: &I, row: usize);
    /// Removes a row that has entered.
    fn leave(&mut self, input: &I, row: usize);
    /// Writes its values, one a writer, into cells of the entity; nothing where there is no value.
    fn write(
        &mut self,
        input: &I,
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow>;
}

/// A value that does not fit its output, by the number of the output in the group.
pub(super) struct Overflow {
    pub(super) output: usize,
}

/// Where a value did not fit its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// Index of the aggregate among those asked for.
    pub(crate) index: usize,
    pub(crate) window: usize,
    /// Output row in the chunk.
    pub(crate) cell: usize,
}

impl Failure {
    /// The failure in words.
    pub(crate) fn error(
        self,
        chunk: &Chunk,
        calendar: &Calendar,
        aggregates: &[Aggregate],
    ) -> SweepError {
        let entity = &chunk.entities[chunk
            .entities
            .partition_point(|entity| entity.output.end <= self.cell)];
        let mut dates = chunk
            .segments(entity)
            .iter()
            .flat_map(|segment| segment.first..segment.end);
        let date = dates
            .nth(self.cell - entity.output.start)
            .unwrap_or_default();
        SweepError::Overflow {
            index: self.index,
            aggregate: aggregates[self.index],
            window: calendar.windows()[self.window],
            entity: entity.entity,
            date: calendar.dates()[date as usize],
        }
    }
}

/// What a walk over the windows of an entity follows, and where it writes to.
pub(super) struct Walk<'e> {
    pub(super) events: &'e [WindowEvents],
    /// Which rows of the entity the accumulator takes.
    pub(super) members: &'e [bool],
    /// The entity's output rows in the chunk.
    pub(super) rows: Range<usize>,
    pub(super) outputs: &'e [Output],
    /// Whether values change from one output row to the next by themselves: then each has a cell, and not each step.
    pub(super) of_rows: bool,
    /// One for each output, window after window.
    pub(super) writers: &'e mut [Writer],
}

impl Walk<'_> {
    /// Walks all windows, one after the other.
    pub(super) fn run<I: ?Sized>(
        self,
        accumulator: &mut impl Accumulator<I>,
        input: &I,
    ) -> Result<(), Failure> {
        let writers = self.writers.chunks_mut(self.outputs.len());
        for (window, (events, writers)) in self.events.iter().zip(writers).enumerate() {
            let steps = events.steps();
            let track = Track {
                events: events.events(),
                members: self.members,
                steps: self.of_rows.then_some(steps),
                cells: cells(self.of_rows, self.rows.len(), events),
                writers,
            };
            let failure = |(overflow, cell): (Overflow, usize)| Failure {
                index: self.outputs[overflow.output].index,
                window,
                cell: self.rows.start
                    + if self.of_rows {
                        cell
                    } else {
                        steps[cell] as usize
                    },
            };
            track.run(accumulator, input).map_err(failure)?;
        }
        Ok(())
    }
}

/// The cells of an entity in a window: its output rows, or its steps.
pub(super) fn cells(of_rows: bool, rows: usize, events: &WindowEvents) -> usize {
    if of_rows { rows } else { events.steps().len() }
}

/// A walk over one window.
struct Track<'e> {
    events: &'e [Event],
    members: &'e [bool],
    /// The first cell of each step, if that is another one than the step itself.
    steps: Option<&'e [u32]>,
    cells: usize,
    writers: &'e mut [Writer],
}

impl Track<'_> {
    /// Between two events nothing changes: what holds since the last event is written when the next one
    /// comes, into all cells at once.
    fn run<I: ?Sized>(
        self,
        accumulator: &mut impl Accumulator<I>,
        input: &I,
    ) -> Result<(), (Overflow, usize)> {
        if self.events.is_empty() {
            return Ok(());
        }
        accumulator.begin(input);
        let mut since = 0;
        for event in self.events {
            let row = event.row();
            if !self.members[row] {
                continue;
            }
            let cell = match self.steps {
                Some(steps) => steps[event.step()] as usize,
                None => event.step(),
            };
            if cell > since {
                let written = accumulator.write(input, since..cell, self.writers);
                written.map_err(|overflow| (overflow, since))?;
                since = cell;
            }
            if event.leaves() {
                accumulator.leave(input, row);
            } else {
                accumulator.enter(input, row);
            }
        }
        let written = accumulator.write(input, since..self.cells, self.writers);
        written.map_err(|overflow| (overflow, since))
    }
}
