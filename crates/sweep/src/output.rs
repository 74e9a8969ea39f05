//! The output of the chunks, written cell by cell, and put together into arrays.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBufferBuilder, Float64Array, Int64Array, UInt32Array, make_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::error::ArrowError;
use rayon::prelude::*;

use crate::column::{Column, canonical};
use crate::plan::{Cells, Group, Output, Plan};
use crate::timeline::Chunk;
use crate::{Steps, SweepError, Values, WindowSteps};

/// One chunk's part of an output array, of one aggregate in one window. What is not written stays 0 in a count
/// and NULL elsewhere.
pub(crate) struct Writer {
    cells: Part,
    /// The bits of the cells that have been written, where they tell NULL from a value.
    valid: Option<Vec<u64>>,
    /// The first cell of the entity that is being written.
    first: usize,
}

enum Part {
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    /// Rows of a column whose values are put out.
    Rows(Vec<u32>),
}

/// What a chunk puts out.
pub(crate) struct ChunkOutput {
    /// In the order of groups, then windows, then the outputs of the group.
    pub(crate) writers: Vec<Writer>,
    /// For each window where each step ends, in output rows of the chunk.
    pub(crate) ends: Vec<Vec<i32>>,
}

impl Writer {
    /// Without cells, and with room for so many.
    pub(crate) fn new(output: &Output, columns: &[Column], room: usize) -> Self {
        let column = match output.cells {
            Cells::Values { column } => Some(&columns[column]),
            _ => None,
        };
        let is_float = column.is_some_and(|column| column.floats().is_some());
        let is_integer = column.is_some_and(|column| column.integers().is_some());
        let cells = match output.cells {
            Cells::Count | Cells::Integer => Part::Integers(Vec::with_capacity(room)),
            Cells::Float | Cells::DecayedCount => Part::Floats(Vec::with_capacity(room)),
            Cells::Values { .. } if is_float => Part::Floats(Vec::with_capacity(room)),
            Cells::Values { .. } if is_integer => Part::Integers(Vec::with_capacity(room)),
            Cells::Values { .. } => Part::Rows(Vec::with_capacity(room)),
        };
        let always_valid = matches!(output.cells, Cells::Count | Cells::DecayedCount);
        Self {
            cells,
            valid: (!always_valid).then(|| Vec::with_capacity(room.div_ceil(64))),
            first: 0,
        }
    }

    /// Adds the cells of the next entity, to which it writes from now on.
    pub(crate) fn grow(&mut self, cells: usize) {
        self.first = self.len();
        let length = self.first + cells;
        match &mut self.cells {
            Part::Integers(values) => values.resize(length, 0),
            Part::Floats(values) => values.resize(length, 0.0),
            Part::Rows(rows) => rows.resize(length, 0),
        }
        if let Some(valid) = &mut self.valid {
            valid.resize(length.div_ceil(64), 0);
        }
    }

    fn len(&self) -> usize {
        match &self.cells {
            Part::Integers(values) => values.len(),
            Part::Floats(values) => values.len(),
            Part::Rows(rows) => rows.len(),
        }
    }

    /// Writes an integer into some cells of the entity.
    pub(crate) fn integer(&mut self, cells: Range<usize>, value: i64) {
        let cells = self.placed(cells);
        if let Part::Integers(values) = &mut self.cells {
            values[cells.clone()].fill(value);
            self.mark(cells);
        }
    }

    /// Writes a float into some cells of the entity, in its canonical form: a small negative number may have
    /// been rounded to -0.0, and the sign of a computed NaN is the machine's.
    pub(crate) fn float(&mut self, cells: Range<usize>, value: f64) {
        let cells = self.placed(cells);
        if let Part::Floats(values) = &mut self.cells {
            values[cells.clone()].fill(canonical(value));
            self.mark(cells);
        }
    }

    /// Writes the value that a column has in a row of the input into some cells of the entity.
    pub(crate) fn value(&mut self, cells: Range<usize>, column: &Column, row: usize) {
        let cells = self.placed(cells);
        match (&mut self.cells, column.floats(), column.integers()) {
            (Part::Floats(values), Some(floats), _) => values[cells.clone()].fill(floats[row]),
            (Part::Integers(values), _, Some(integers)) => {
                values[cells.clone()].fill(integers[row])
            }
            (Part::Rows(rows), _, _) => rows[cells.clone()].fill(row as u32),
            _ => return,
        }
        self.mark(cells);
    }

    fn placed(&self, cells: Range<usize>) -> Range<usize> {
        self.first + cells.start..self.first + cells.end
    }

    fn mark(&mut self, cells: Range<usize>) {
        if let Some(valid) = &mut self.valid {
            set_bits(valid, cells);
        }
    }
}

fn set_bits(words: &mut [u64], bits: Range<usize>) {
    if bits.is_empty() {
        return;
    }
    let (first, last) = (bits.start / 64, (bits.end - 1) / 64);
    let head = u64::MAX << (bits.start % 64);
    let tail = u64::MAX >> (63 - (bits.end - 1) % 64);
    if first == last {
        words[first] |= head & tail;
    } else {
        words[first] |= head;
        words[first + 1..last].fill(u64::MAX);
        words[last] |= tail;
    }
}

/// The group and output of each array, and its window.
fn slots(plan: &Plan, windows: usize) -> impl Iterator<Item = (&Group, &Output, usize)> {
    plan.groups.iter().flat_map(move |group| {
        let of_window = move |window| {
            group
                .outputs
                .iter()
                .map(move |output| (group, output, window))
        };
        (0..windows).flat_map(of_window)
    })
}

/// Puts what the chunks have put out together.
pub(crate) fn finish(
    plan: &Plan,
    windows: usize,
    chunks: &[Chunk],
    dates: &[i32],
    outputs: &[ChunkOutput],
) -> Result<Steps, SweepError> {
    let slots: Vec<_> = slots(plan, windows).collect();
    let arrays: Vec<_> = slots
        .par_iter()
        .enumerate()
        .map(|(slot, (_, output, _))| {
            let writers: Vec<_> = outputs.iter().map(|chunk| &chunk.writers[slot]).collect();
            let array = array(&writers, output.cells, &plan.columns);
            array.map_err(|source| SweepError::Output {
                aggregate: output.aggregate,
                source,
            })
        })
        .collect();
    let mut placed: Vec<Vec<_>> = (0..windows).map(|_| Vec::new()).collect();
    for (array, (group, output, window)) in arrays.into_iter().zip(slots) {
        let values = match group.kind.is_of_rows() {
            true => Values::Rows(array?),
            false => Values::Steps(array?),
        };
        placed[window].push((output.index, values));
    }
    let of_window = |(window, mut values): (usize, Vec<(usize, Values)>)| {
        values.sort_by_key(|(index, _)| *index);
        WindowSteps {
            ends: ends(chunks, outputs, window).into(),
            values: values.into_iter().map(|(_, values)| values).collect(),
        }
    };
    let (entity, date) = keys(chunks, dates);
    Ok(Steps {
        entity,
        date,
        windows: placed.into_iter().enumerate().map(of_window).collect(),
    })
}

/// The parts of all chunks as one array.
fn array(writers: &[&Writer], cells: Cells, columns: &[Column]) -> Result<ArrayRef, ArrowError> {
    let length = writers.iter().map(|writer| writer.len()).sum();
    let (mut integers, mut floats, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for writer in writers {
        match &writer.cells {
            Part::Integers(values) => append(&mut integers, values, length),
            Part::Floats(values) => append(&mut floats, values, length),
            Part::Rows(values) => append(&mut rows, values, length),
        }
    }
    let nulls = nulls(writers, length);
    let array: ArrayRef = match writers.first().map(|writer| &writer.cells) {
        Some(Part::Floats(_)) => Arc::new(Float64Array::try_new(floats.into(), nulls)?),
        Some(Part::Rows(_)) => Arc::new(UInt32Array::try_new(rows.into(), nulls)?),
        _ => Arc::new(Int64Array::try_new(integers.into(), nulls)?),
    };
    let Cells::Values { column } = cells else {
        return Ok(array);
    };
    let column = &columns[column];
    if column.floats().is_some() || column.integers().is_some() {
        let data_type = column.array().data_type().clone();
        return Ok(make_array(
            array
                .to_data()
                .into_builder()
                .data_type(data_type)
                .build()?,
        ));
    }
    take(column.array(), &array, None)
}

fn append<T: Copy>(all: &mut Vec<T>, part: &[T], length: usize) {
    // Once, and not at all for the kinds of values that the array does not have.
    all.reserve_exact(length - all.len());
    all.extend_from_slice(part);
}

fn nulls(writers: &[&Writer], length: usize) -> Option<NullBuffer> {
    let mut builder = BooleanBufferBuilder::new(length);
    for writer in writers {
        let words = writer.valid.as_ref()?;
        let bytes: Vec<_> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        builder.append_packed_range(0..writer.len(), &bytes);
    }
    Some(NullBuffer::new(builder.finish()))
}

/// Where each step of a window ends, in output rows.
fn ends(chunks: &[Chunk], outputs: &[ChunkOutput], window: usize) -> Vec<i32> {
    let mut ends = Vec::with_capacity(outputs.iter().map(|chunk| chunk.ends[window].len()).sum());
    let mut rows = 0;
    for (chunk, output) in chunks.iter().zip(outputs) {
        ends.extend(output.ends[window].iter().map(|end| rows + end));
        rows += chunk.output_rows() as i32;
    }
    ends
}

fn keys(chunks: &[Chunk], dates: &[i32]) -> (Vec<u32>, Vec<i32>) {
    let length = chunks.iter().map(Chunk::output_rows).sum();
    let (mut entities, mut days) = (Vec::with_capacity(length), Vec::with_capacity(length));
    for chunk in chunks {
        for entity in &chunk.entities {
            entities.extend(std::iter::repeat_n(entity.entity, entity.output.len()));
            for segment in chunk.segments(entity) {
                days.extend_from_slice(&dates[segment.first as usize..segment.end as usize]);
            }
        }
    }
    (entities, days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_inside_and_across_words() {
        for (start, end) in [
            (0, 0),
            (3, 4),
            (0, 64),
            (60, 70),
            (1, 192),
            (63, 65),
            (128, 191),
        ] {
            let mut words = [0; 3];
            set_bits(&mut words, start..end);
            let set = |bit: usize| words[bit / 64] >> (bit % 64) & 1 == 1;
            assert!(
                (0..192).all(|bit| set(bit) == (start..end).contains(&bit)),
                "{start}..{end}"
            );
        }
    }
}
