//! Distinct texts, numbered in the order in which they come.
//!
//! To look a text up among very many is to wait for memory. So the texts of a column are looked up by their hashes alone, in partitions
//! small enough for the caches of a processor, by all threads. Afterwards each is compared with the one that it is taken for, in the
//! order of the rows: rows that refer to others mostly stand in the order of those, so that texts that are compared lie close
//! together.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, NullArray, NullBufferBuilder, StringArray, UInt32Array};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use crate::counting_sort::{sorted, starts_of};

/// Texts of a partition, on average. With them a table of entries is three quarters full, and a quarter of a MiB large.
const PARTITION_TEXTS: usize = 24_000;

/// Rows that one thread deals with in one go.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Marks a row of the column in place of a number, until the texts of such rows have numbers.
const ROW: u32 = 1 << 31;

/// In place of the number of a text that is not the one of its hash.
const ANOTHER: u32 = u32::MAX;

/// Distinct texts and their numbers.
pub(crate) struct Dictionary<S = DefaultHashBuilder> {
    partitions: Vec<Partition>,
    /// The texts whose hash is that of an earlier one.
    others: HashMap<Box<[u8]>, u32>,
    hasher: S,
    ends: Vec<i32>,
    bytes: Vec<u8>,
    /// Those of the rows of the column before.
    numbers: ScalarBuffer<u32>,
}

/// The first text of each hash, of some hashes.
#[derive(Default)]
struct Partition {
    entries: HashTable<Entry>,
    /// Those whose row in the column before stands for a number.
    new: Vec<Entry>,
}

/// A hash, or that part of it that does not tell the partition, and the number of its text or the row that has it.
#[derive(Clone, Copy)]
struct Entry {
    hash: u32,
    number: u32,
}

/// Rows of one array, counted from its first and, by the first of them, in the column.
struct Chunk<'a> {
    texts: &'a StringArray,
    rows: Range<usize>,
    first: u32,
}

/// A row of a chunk, and its hash, and once that was looked up the number of its entry.
#[derive(Clone, Copy, Default)]
struct Asked {
    row: u32,
    hash_or_number: u32,
}

/// The rows of a chunk by partition.
struct Divided {
    /// Those of a partition side by side, in their order.
    rows: Vec<Asked>,
    /// Where each partition begins.
    starts: Vec<usize>,
}

impl<S: BuildHasher + Default + Sync> Dictionary<S> {
    /// A dictionary for about so many texts.
    pub(crate) fn new(texts: usize) -> Self {
        let partitions = texts.div_ceil(PARTITION_TEXTS).max(1);
        Self {
            partitions: (0..partitions).map(|_| Partition::default()).collect(),
            others: HashMap::new(),
            hasher: S::default(),
            ends: vec![0],
            bytes: Vec::new(),
            numbers: ScalarBuffer::default(),
        }
    }

    /// The number of each text of a column that comes in several arrays, NULL for NULL.
    ///
    /// # Errors
    /// [`ArrowError::OffsetOverflowError`] when all texts together are too long for one array, or the column is.
    pub(crate) fn encode(&mut self, column: &[&StringArray]) -> Result<UInt32Array, ArrowError> {
        let chunks = chunks_of(column)?;
        let mut divided: Vec<Divided> = chunks.par_iter().map(|chunk| self.divide(chunk)).collect();
        self.look_up(&mut divided);
        let mut numbers = vec![0; column.iter().map(|texts| texts.len()).sum()];
        let parts = parts_of(&mut numbers, &chunks).into_par_iter().zip(&chunks);
        let parts = parts.zip(divided);
        parts.for_each(|((numbers, chunk), divided)| {
            for asked in divided.rows {
                numbers[asked.row as usize] = asked.hash_or_number;
            }
            self.compare(&chunks, chunk, numbers);
        });
        self.insert(&chunks, &mut numbers)?;
        self.numbers = numbers.into();
        Ok(UInt32Array::new(self.numbers.clone(), nulls_of(column)))
    }

    /// The rows of a chunk by partition, with their hashes.
    fn divide(&self, chunk: &Chunk<'_>) -> Divided {
        let count = self.partitions.len();
        let asked = |(row, place): (u32, usize)| {
            let hash = self.hasher.hash_one(text(chunk.texts, place));
            let partition = ((hash >> 32) * count as u64) >> 32;
            let hash_or_number = hash as u32;
            (
                Some(partition as u32),
                Asked {
                    row,
                    hash_or_number,
                },
            )
        };
        let rows: Vec<(Option<u32>, Asked)> = (0..).zip(chunk.rows.clone()).map(asked).collect();
        let starts = starts_of(rows.iter().map(|(partition, _)| *partition), count);
        Divided {
            rows: sorted(rows.into_iter(), &starts),
            starts,
        }
    }

    /// Puts the number of the entry that it has, or else gets, in the place of each hash.
    fn look_up(&mut self, divided: &mut [Divided]) {
        let mut of_partitions: Vec<Vec<(u32, &mut [Asked])>> = Vec::new();
        of_partitions.resize_with(self.partitions.len(), Vec::new);
        let mut first = 0;
        for divided in divided {
            let mut rest = divided.rows.as_mut_slice();
            let rows = rest.len() as u32;
            for (bounds, of_partition) in divided.starts.windows(2).zip(&mut of_partitions) {
                let (own, others) = rest.split_at_mut(bounds[1] - bounds[0]);
                of_partition.push((first, own));
                rest = others;
            }
            first += rows;
        }
        let numbers = &self.numbers;
        let partitions = self.partitions.par_iter_mut().zip(of_partitions);
        partitions.for_each(|(partition, chunks)| {
            partition.settle(numbers);
            for (first, rows) in chunks {
                for asked in rows {
                    let row = first + asked.row;
                    asked.hash_or_number = partition.look_up(asked.hash_or_number, row);
                }
            }
        });
    }

    /// Marks the rows whose text is not the one that their hash was first seen with.
    fn compare(&self, chunks: &[Chunk<'_>], chunk: &Chunk<'_>, numbers: &mut [u32]) {
        for ((row, place), number) in (chunk.first..).zip(chunk.rows.clone()).zip(numbers) {
            let first = match *number & ROW {
                _ if *number == row | ROW => continue,
                0 => self.text(*number),
                _ => text_of(chunks, *number - ROW),
            };
            if first != text(chunk.texts, place) {
                *number = ANOTHER;
            }
        }
    }

    /// Gives numbers to the texts that have none.
    fn insert(&mut self, chunks: &[Chunk<'_>], numbers: &mut [u32]) -> Result<(), ArrowError> {
        for chunk in chunks {
            for (row, place) in (chunk.first..).zip(chunk.rows.clone()) {
                let number = numbers[row as usize];
                numbers[row as usize] = if number == ANOTHER {
                    self.other(text(chunk.texts, place))?
                } else if number == row | ROW {
                    self.push(text(chunk.texts, place))?
                } else if number & ROW != 0 {
                    numbers[(number - ROW) as usize]
                } else {
                    number
                };
            }
        }
        Ok(())
    }

    /// The number of a text whose hash is that of another one.
    fn other(&mut self, text: &[u8]) -> Result<u32, ArrowError> {
        if let Some(&number) = self.others.get(text) {
            return Ok(number);
        }
        let number = self.push(text)?;
        self.others.insert(text.into(), number);
        Ok(number)
    }

    fn push(&mut self, text: &[u8]) -> Result<u32, ArrowError> {
        let number = self.ends.len() - 1;
        self.bytes.extend_from_slice(text);
        let end = self.bytes.len();
        let end = i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end))?;
        self.ends.push(end);
        Ok(number as u32)
    }

    fn text(&self, number: u32) -> &[u8] {
        let ends = &self.ends[number as usize..];
        &self.bytes[ends[0] as usize..ends[1] as usize]
    }

    /// Something in place of the texts, which takes no memory.
    pub(crate) fn without_texts(self) -> ArrayRef {
        Arc::new(NullArray::new(self.ends.len() - 1))
    }

    /// The texts by number.
    pub(crate) fn into_texts(self) -> Result<ArrayRef, ArrowError> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let texts = StringArray::try_new(ends, Buffer::from_vec(self.bytes), None)?;
        Ok(Arc::new(texts))
    }
}

impl Partition {
    /// The number of a hash, or the row that had it first.
    fn look_up(&mut self, hash: u32, row: u32) -> u32 {
        let same = |held: &Entry| held.hash == hash;
        if let Some(held) = self.entries.find(spread(hash), same) {
            return held.number;
        }
        let number = row | ROW;
        let entry = Entry { hash, number };
        let rehash = |held: &Entry| spread(held.hash);
        self.entries.insert_unique(spread(hash), entry, rehash);
        self.new.push(entry);
        number
    }

    /// Replaces the rows of a column by their numbers.
    fn settle(&mut self, numbers: &[u32]) {
        for entry in self.new.drain(..) {
            let is_it = |held: &Entry| held.hash == entry.hash;
            if let Some(held) = self.entries.find_mut(spread(entry.hash), is_it) {
                held.number = numbers[(entry.number - ROW) as usize];
            }
        }
    }
}

/// The rows of a column, in their order.
fn chunks_of<'a>(column: &[&'a StringArray]) -> Result<Vec<Chunk<'a>>, ArrowError> {
    let mut chunks = Vec::new();
    let mut first = 0;
    for texts in column {
        for start in (0..texts.len()).step_by(ROWS_AT_ONCE) {
            let rows = start..texts.len().min(start + ROWS_AT_ONCE);
            let after = first + rows.len();
            if after > ROW as usize - 1 {
                return Err(ArrowError::OffsetOverflowError(after));
            }
            chunks.push(Chunk {
                texts,
                rows,
                first: first as u32,
            });
            first = after;
        }
    }
    Ok(chunks)
}

/// What belongs to each chunk.
fn parts_of<'a>(mut rest: &'a mut [u32], chunks: &[Chunk<'_>]) -> Vec<&'a mut [u32]> {
    let mut parts = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let (part, others) = rest.split_at_mut(chunk.rows.len());
        parts.push(part);
        rest = others;
    }
    parts
}

/// The text of a row of a column.
fn text_of<'a>(chunks: &[Chunk<'a>], row: u32) -> &'a [u8] {
    let after = chunks.partition_point(|chunk| chunk.first <= row);
    match chunks[..after].last() {
        Some(chunk) => text(chunk.texts, chunk.rows.start + (row - chunk.first) as usize),
        None => &[],
    }
}

/// Which rows of a column are not NULL, if any is.
fn nulls_of(column: &[&StringArray]) -> Option<NullBuffer> {
    if column.iter().all(|texts| texts.null_count() == 0) {
        return None;
    }
    let mut nulls = NullBufferBuilder::new(0);
    for texts in column {
        match texts.nulls() {
            Some(of_texts) => nulls.append_buffer(of_texts),
            None => nulls.append_n_non_nulls(texts.len()),
        }
    }
    nulls.finish()
}

/// A text; of NULL, an empty one.
fn text(texts: &StringArray, row: usize) -> &[u8] {
    match texts.is_valid(row) {
        true => texts.value(row).as_bytes(),
        false => &[],
    }
}

/// A table takes its place from the low bits of a hash, and its tags from the high ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::hash::Hasher;

    use proptest::prelude::*;

    use super::*;

    /// Knows the length of a text, and nothing else of it.
    #[derive(Default)]
    struct Length(u64);

    impl Hasher for Length {
        fn finish(&self) -> u64 {
            self.0.wrapping_mul(0x1234_5678_9ABC_DEF1)
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0 += bytes.len() as u64;
        }

        fn write_usize(&mut self, _: usize) {}
    }

    /// Makes [`Length`]s.
    #[derive(Default)]
    struct Lengths;

    impl BuildHasher for Lengths {
        type Hasher = Length;

        fn build_hasher(&self) -> Length {
            Length(0)
        }
    }

    /// Compares a dictionary with texts numbered one by one.
    fn agrees_with_a_map<S: BuildHasher + Default + Sync>(
        columns: &[Vec<StringArray>],
        expected_texts: usize,
    ) -> Result<(), ArrowError> {
        let mut dictionary = Dictionary::<S>::new(expected_texts);
        let (mut known, mut texts) = (HashMap::new(), Vec::new());
        for column in columns {
            let numbers = dictionary.encode(&column.iter().collect::<Vec<_>>())?;
            let expected = column.iter().flatten().map(|text| {
                let number = *known
                    .entry(text.unwrap_or_default())
                    .or_insert_with_key(|text| {
                        texts.push(*text);
                        texts.len() as u32 - 1
                    });
                text.map(|_| number)
            });
            assert!(numbers.iter().eq(expected));
        }
        let held = dictionary.into_texts()?;
        assert_eq!(held.as_ref(), &StringArray::from(texts));
        Ok(())
    }

    proptest! {
        #[test]
        fn texts_have_the_numbers_in_which_they_come(
            columns in prop::collection::vec(
                prop::collection::vec(prop::collection::vec("[ab]{0,3}|none", 0..40), 0..3), 1..4,
            ),
            partitions in 1..9_usize,
        ) {
            let array = |texts: &Vec<String>| -> StringArray {
                texts.iter().map(|text| (text != "none").then_some(text)).collect()
            };
            let column = |arrays: &Vec<Vec<String>>| arrays.iter().map(array).collect();
            let columns: Vec<Vec<StringArray>> = columns.iter().map(column).collect();
            let texts = partitions * PARTITION_TEXTS;
            agrees_with_a_map::<DefaultHashBuilder>(&columns, texts).unwrap();
            agrees_with_a_map::<Lengths>(&columns, texts).unwrap();
        }
    }

    #[test]
    fn many_texts_of_several_columns_are_told_apart() {
        let column = |count: usize, step: usize| -> StringArray {
            let text = |i: usize| (!i.is_multiple_of(7)).then(|| format!("{}", i * step));
            (0..count).map(text).collect()
        };
        let columns = [
            vec![column(200_000, 3), column(10, 1)],
            vec![column(70_000, 4), column(300_000, 2)],
        ];
        agrees_with_a_map::<DefaultHashBuilder>(&columns, 100_000).unwrap();
    }
}
