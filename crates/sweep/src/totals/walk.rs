//! From what changes to what holds: the steps of each window of an entity, and the values in them.

use std::ops::Range;

use super::cells::Cells;
use super::terms::{Part, Term};
use crate::Function;
use crate::accumulate::Failure;
use crate::exact::wide::Wide;
use crate::exact::{BUCKET_BITS, Specials};
use crate::output::Writer;
use crate::plan::Output;
use crate::timeline::Entity;

/// What holds in the windows of an entity; its memory is used again for the next.
pub(super) struct Walk {
    /// What the slots of all windows hold now.
    held: Vec<i128>,
    /// The dates on which a window holds a row, as indexes: first, and past the last.
    pub(super) spans: Vec<(u32, u32)>,
    pub(super) windows: Vec<WindowSteps>,
}

/// The steps of a window.
#[derive(Default)]
pub(super) struct WindowSteps {
    /// The first output row of each, counted inside the entity.
    pub(super) starts: Vec<u32>,
    /// What the slots hold in each.
    slots: Vec<i128>,
    /// Whether something has changed since the last step.
    changed: bool,
}

impl Walk {
    pub(super) fn new(windows: usize) -> Self {
        Self {
            held: Vec::new(),
            spans: Vec::new(),
            windows: std::iter::repeat_with(WindowSteps::default)
                .take(windows)
                .collect(),
        }
    }

    /// Walks an entity up to the last of some dates; what came before the first of them is in what holds then.
    pub(super) fn entity(&mut self, cells: &Cells, entity: usize, dates: Range<usize>) {
        let width = cells.width();
        self.held.clear();
        self.held.resize(self.windows.len() * width, 0);
        self.spans.clear();
        for window in &mut self.windows {
            window.starts.clear();
            window.slots.clear();
        }
        let mut position = 0;
        for (date, gained) in cells.dates_of(entity).take(dates.end).enumerate() {
            let gained = gained.chunks(width);
            let windows = self.windows.iter_mut().zip(self.held.chunks_mut(width));
            for ((window, held), gained) in windows.zip(gained) {
                for (held, gained) in held.iter_mut().zip(gained) {
                    window.changed |= *gained != 0;
                    *held += gained;
                }
            }
            // The first slot counts all rows.
            let is_active = self.held.chunks(width).any(|held| held[0] > 0);
            if date < dates.start || !is_active {
                continue;
            }
            let windows = self.windows.iter_mut().zip(self.held.chunks(width));
            for (window, held) in windows {
                window.reach(position, held);
            }
            match self.spans.last_mut() {
                Some((_, end)) if *end as usize == date => *end += 1,
                _ => self.spans.push((date as u32, date as u32 + 1)),
            }
            position += 1;
        }
    }
}

impl WindowSteps {
    /// The next output row, at which the slots hold this.
    fn reach(&mut self, position: u32, held: &[i128]) {
        if position == 0 || self.changed {
            self.starts.push(position);
            self.slots.extend_from_slice(held);
            self.changed = false;
        }
    }
}

/// Writes the aggregates of a term.
#[derive(Default)]
pub(super) struct TermWriter {
    sum: Wide,
    magnitude: Vec<u64>,
}

impl TermWriter {
    /// Writes the values of all steps of a window, one writer for each output.
    pub(super) fn write(
        &mut self,
        term: &Term,
        (window, steps): (usize, &WindowSteps),
        entity: &Entity,
        writers: &mut [Writer],
    ) -> Result<(), Failure> {
        for writer in &mut *writers {
            writer.grow(steps.starts.len());
        }
        let width = steps.slots.len() / steps.starts.len().max(1);
        for (step, slots) in steps.slots.chunks(width.max(1)).enumerate() {
            let count = slots[term.count];
            if count == 0 {
                continue;
            }
            for (output, writer) in term.outputs.iter().zip(&mut *writers) {
                let written = self.write_one(term, output, slots, step, writer);
                written.map_err(|Overflow| Failure {
                    index: output.index,
                    window,
                    cell: entity.output.start + steps.starts[step] as usize,
                })?;
            }
        }
        Ok(())
    }

    fn write_one(
        &mut self,
        term: &Term,
        output: &Output,
        slots: &[i128],
        step: usize,
        writer: &mut Writer,
    ) -> Result<(), Overflow> {
        let (cells, count) = (step..step + 1, slots[term.count]);
        let integers = term.parts.iter().find(|(part, _)| *part == Part::Integers);
        match (output.aggregate.function, integers) {
            (Function::Sum, Some(&(_, slot))) => {
                writer.integer(cells, i64::try_from(slots[slot]).map_err(|_| Overflow)?);
            }
            (Function::Average, Some(&(_, slot))) => {
                writer.float(cells, slots[slot] as f64 / count as f64);
            }
            (Function::Sum, None) => writer.float(cells, self.float_sum(term, slots)),
            (Function::Average, None) => {
                writer.float(cells, self.float_sum(term, slots) / count as f64);
            }
            _ => writer.integer(cells, count as i64),
        }
        Ok(())
    }

    /// The exact sum of the floats, rounded once.
    fn float_sum(&mut self, term: &Term, slots: &[i128]) -> f64 {
        let mut specials = Specials::default();
        let (mut lowest, mut highest) = (i64::MAX, i64::MIN);
        for &(part, slot) in &term.parts {
            match part {
                Part::Special(class) => specials.add(class, slots[slot]),
                Part::Bucket(bucket) if slots[slot] != 0 => {
                    (lowest, highest) = (lowest.min(bucket), highest.max(bucket));
                }
                Part::Bucket(_) | Part::Integers => {}
            }
        }
        if let Some(sum) = specials.sum() {
            return sum;
        }
        if lowest > highest {
            return 0.0;
        }
        let reach = |bucket: i64| (bucket - lowest) as u32 * BUCKET_BITS;
        self.sum.begin(reach(highest) + i128::BITS + u8::BITS);
        for &(part, slot) in &term.parts {
            if let Part::Bucket(bucket) = part
                && slots[slot] != 0
            {
                let amount = slots[slot];
                self.sum
                    .add(amount.unsigned_abs(), reach(bucket), amount < 0);
            }
        }
        let unit = lowest * i64::from(BUCKET_BITS);
        self.sum.in_units_of(unit, &mut self.magnitude)
    }
}

/// A sum that does not fit 64 bits.
struct Overflow;
