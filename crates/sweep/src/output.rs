//! The output arrays: allocated once, written in place by the chunks, and handed to Arrow.

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
use crate::plan::{Cells, Output, Plan};
use crate::timeline::Chunk;
use crate::{SweepError, Swept};

/// One output array in the making, of one aggregate in one window. Buffers stand in the order of groups,
/// then windows, then the outputs of the group.
pub(crate) struct Buffer {
    values: Values,
}

enum Values {
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    /// Rows of a column whose values are put out.
    Rows(Vec<u32>),
}

/// One chunk's part of an output array. What is not written stays 0 in a count and NULL elsewhere.
pub(crate) struct Writer<'a> {
    values: Part<'a>,
    valid: Option<Vec<u64>>,
}

enum Part<'a> {
    Integers(&'a mut [i64]),
    Floats(&'a mut [f64]),
    Rows(&'a mut [u32]),
}

/// Allocates the output arrays. Fresh zeroed memory costs nothing until it is written.
pub(crate) fn allocate(plan: &Plan, windows: usize, length: usize) -> Vec<Buffer> {
    let buffer = |(output, _): (&Output, usize)| {
        let column = match output.cells {
            Cells::Values { column } => Some(&plan.columns[column]),
            _ => None,
        };
        let is_float = column.is_some_and(|column| column.floats().is_some());
        let is_integer = column.is_some_and(|column| column.integers().is_some());
        let values = match output.cells {
            Cells::Count | Cells::Integer => Values::Integers(vec![0; length]),
            Cells::Float | Cells::DecayedCount => Values::Floats(vec![0.0; length]),
            Cells::Values { .. } if is_float => Values::Floats(vec![0.0; length]),
            Cells::Values { .. } if is_integer => Values::Integers(vec![0; length]),
            Cells::Values { .. } => Values::Rows(vec![0; length]),
        };
        Buffer { values }
    };
    slots(plan, windows).map(buffer).collect()
}

/// The aggregate and window of each buffer.
fn slots(plan: &Plan, windows: usize) -> impl Iterator<Item = (&Output, usize)> {
    plan.groups.iter().flat_map(move |group| {
        (0..windows)
            .flat_map(move |window| group.outputs.iter().map(move |output| (output, window)))
    })
}

/// Cuts the buffers into the parts of each chunk.
pub(crate) fn writers<'a>(
    buffers: &'a mut [Buffer],
    plan: &Plan,
    windows: usize,
    chunks: &[Chunk],
) -> Vec<Vec<Writer<'a>>> {
    let mut writers: Vec<Vec<_>> = chunks
        .iter()
        .map(|_| Vec::with_capacity(buffers.len()))
        .collect();
    for (buffer, (output, _)) in buffers.iter_mut().zip(slots(plan, windows)) {
        let always_valid = matches!(output.cells, Cells::Count | Cells::DecayedCount);
        let mut rest = buffer.part();
        for (chunk, writers) in chunks.iter().zip(&mut writers) {
            let length = chunk.output_rows();
            let (values, tail) = rest.split(length);
            let valid = (!always_valid).then(|| vec![0; length.div_ceil(64)]);
            writers.push(Writer { values, valid });
            rest = tail;
        }
    }
    writers
}

impl Buffer {
    fn part(&mut self) -> Part<'_> {
        match &mut self.values {
            Values::Integers(values) => Part::Integers(values),
            Values::Floats(values) => Part::Floats(values),
            Values::Rows(rows) => Part::Rows(rows),
        }
    }

    fn array(
        self,
        nulls: Option<NullBuffer>,
        cells: Cells,
        columns: &[Column],
    ) -> Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match self.values {
            Values::Integers(values) => Arc::new(Int64Array::try_new(values.into(), nulls)?),
            Values::Floats(values) => Arc::new(Float64Array::try_new(values.into(), nulls)?),
            Values::Rows(rows) => Arc::new(UInt32Array::try_new(rows.into(), nulls)?),
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
}

impl<'a> Part<'a> {
    fn split(self, at: usize) -> (Self, Self) {
        match self {
            Part::Integers(values) => {
                let (head, tail) = values.split_at_mut(at);
                (Part::Integers(head), Part::Integers(tail))
            }
            Part::Floats(values) => {
                let (head, tail) = values.split_at_mut(at);
                (Part::Floats(head), Part::Floats(tail))
            }
            Part::Rows(rows) => {
                let (head, tail) = rows.split_at_mut(at);
                (Part::Rows(head), Part::Rows(tail))
            }
        }
    }
}

impl Writer<'_> {
    /// Writes an integer into some cells.
    pub(crate) fn integer(&mut self, cells: Range<usize>, value: i64) {
        if let Part::Integers(values) = &mut self.values {
            values[cells.clone()].fill(value);
            self.mark(cells);
        }
    }

    /// Writes a float into some cells, in its canonical form: a small negative number may have been
    /// rounded to -0.0, and the sign of a computed NaN is the machine's.
    pub(crate) fn float(&mut self, cells: Range<usize>, value: f64) {
        if let Part::Floats(values) = &mut self.values {
            values[cells.clone()].fill(canonical(value));
            self.mark(cells);
        }
    }

    /// Writes the value that a column has in a row of the input into some cells.
    pub(crate) fn value(&mut self, cells: Range<usize>, column: &Column, row: usize) {
        match (&mut self.values, column.floats(), column.integers()) {
            (Part::Floats(values), Some(floats), _) => values[cells.clone()].fill(floats[row]),
            (Part::Integers(values), _, Some(integers)) => {
                values[cells.clone()].fill(integers[row])
            }
            (Part::Rows(rows), _, _) => rows[cells.clone()].fill(row as u32),
            _ => return,
        }
        self.mark(cells);
    }

    fn mark(&mut self, cells: Range<usize>) {
        if let Some(valid) = &mut self.valid {
            set_bits(valid, cells);
        }
    }

    /// The bits of the cells that have been written, where they tell NULL from a value.
    pub(crate) fn into_valid(self) -> Option<Vec<u64>> {
        self.valid
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

/// Turns the buffers into arrays, with the bits that each chunk returned for each of them.
pub(crate) fn finish(
    plan: &Plan,
    windows: usize,
    chunks: &[Chunk],
    dates: &[i32],
    buffers: Vec<Buffer>,
    valid: &[Vec<Option<Vec<u64>>>],
) -> Result<Swept, SweepError> {
    let slots: Vec<_> = slots(plan, windows).collect();
    let arrays: Vec<_> = buffers
        .into_par_iter()
        .zip(&slots)
        .enumerate()
        .map(|(slot, (buffer, (output, _)))| {
            let nulls = nulls(chunks, valid, slot);
            let array = buffer.array(nulls, output.cells, &plan.columns);
            array.map_err(|source| SweepError::Output {
                aggregate: output.aggregate,
                source,
            })
        })
        .collect();
    let mut placed: Vec<Vec<_>> = (0..windows).map(|_| Vec::new()).collect();
    for (array, (output, window)) in arrays.into_iter().zip(slots) {
        placed[window].push((output.index, array?));
    }
    for window in &mut placed {
        window.sort_by_key(|(index, _)| *index);
    }
    let values = placed
        .into_iter()
        .map(|window| window.into_iter().map(|(_, array)| array).collect());
    let (entity, date) = keys(chunks, dates);
    Ok(Swept {
        entity,
        date,
        values: values.collect(),
    })
}

fn nulls(chunks: &[Chunk], valid: &[Vec<Option<Vec<u64>>>], slot: usize) -> Option<NullBuffer> {
    let mut builder = BooleanBufferBuilder::new(chunks.iter().map(Chunk::output_rows).sum());
    for (chunk, valid) in chunks.iter().zip(valid) {
        let words = valid[slot].as_ref()?;
        let bytes: Vec<_> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        builder.append_packed_range(0..chunk.output_rows(), &bytes);
    }
    Some(NullBuffer::new(builder.finish()))
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
