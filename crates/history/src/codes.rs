//! Texts as numbers: the columns that hold the same identity, such as the number of an order, share one dictionary.
//!
//! Where a text is only ever compared with others, its number in the dictionary says as much, in 4 bytes.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, NullArray, StringArray, UInt32Array, new_empty_array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt32Type};
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::prelude::*;

use crate::columns::Columns;

/// Text columns, as source and column, whose values may be compared with one another.
pub type Identity = BTreeSet<(String, String)>;

/// Which texts are read as numbers.
#[derive(Debug, Clone, Default)]
pub struct Encoding {
    /// The columns that are compared with one another get the same number for the same text.
    pub identities: Vec<Identity>,
    /// The columns whose texts are needed none the less; those of the others are let go. `None` when all are kept.
    pub texts: Option<Columns>,
}

/// Identities that have a column in common as one.
pub(crate) fn merged(identities: impl IntoIterator<Item = Identity>) -> Vec<Identity> {
    let mut merged: Vec<Identity> = Vec::new();
    for mut identity in identities {
        let (same, others) = merged
            .into_iter()
            .partition(|held| !held.is_disjoint(&identity));
        merged = others;
        let same: Vec<Identity> = same;
        identity.extend(same.into_iter().flatten());
        merged.push(identity);
    }
    merged
}

/// Texts looked up at once: first by their hashes, then compared, so that the memory that one needs comes while others are dealt
/// with.
const TEXTS_AT_ONCE: usize = 256;

/// Texts that one thread looks up in one go.
const ROWS_AT_ONCE: usize = 1 << 15;

/// In place of the number of a text that has none.
const UNKNOWN: u32 = u32::MAX;

/// Distinct texts, numbered in the order in which they come.
pub(crate) struct Dictionary {
    numbers: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

/// A text of the table, with enough of its hash that the table need not look at texts to grow.
struct Entry {
    hash: u32,
    number: u32,
}

impl Dictionary {
    pub(crate) fn new() -> Self {
        Self {
            numbers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            ends: vec![0],
            bytes: Vec::new(),
        }
    }

    /// The number of each text, NULL for NULL.
    ///
    /// # Errors
    /// [`ArrowError::OffsetOverflowError`] when all texts together are too long for one array.
    pub(crate) fn encode(&mut self, texts: &StringArray) -> Result<UInt32Array, ArrowError> {
        let mut numbers = vec![UNKNOWN; texts.len()];
        if !self.numbers.is_empty() {
            let parts = numbers.par_chunks_mut(ROWS_AT_ONCE).enumerate();
            parts.for_each(|(part, numbers)| self.look_up(texts, part * ROWS_AT_ONCE, numbers));
        }
        self.insert_unknown(texts, &mut numbers)?;
        Ok(UInt32Array::new(numbers.into(), texts.nulls().cloned()))
    }

    /// The numbers of the texts from a row on that are known.
    fn look_up(&self, texts: &StringArray, start: usize, numbers: &mut [u32]) {
        let mut hashes = Vec::with_capacity(TEXTS_AT_ONCE);
        for (part, numbers) in numbers.chunks_mut(TEXTS_AT_ONCE).enumerate() {
            let start = start + part * TEXTS_AT_ONCE;
            let rows = start..start + numbers.len();
            hashes.clear();
            hashes.extend(rows.clone().map(|row| self.hash(text(texts, row))));
            for (number, &hash) in numbers.iter_mut().zip(&hashes) {
                let found = self.numbers.find(spread(hash), |entry| entry.hash == hash);
                *number = found.map_or(UNKNOWN, |entry| entry.number);
            }
            for (row, (number, &hash)) in rows.zip(numbers.iter_mut().zip(&hashes)) {
                let text = text(texts, row);
                if *number != UNKNOWN && self.text(*number) != text {
                    *number = self.search(hash, text).unwrap_or(UNKNOWN);
                }
            }
        }
    }

    /// Gives numbers to the texts that have none.
    fn insert_unknown(
        &mut self,
        texts: &StringArray,
        numbers: &mut [u32],
    ) -> Result<(), ArrowError> {
        for (row, number) in numbers.iter_mut().enumerate() {
            if *number == UNKNOWN {
                let text = text(texts, row);
                let hash = self.hash(text);
                *number = match self.search(hash, text) {
                    Some(number) => number,
                    None => self.insert(hash, text)?,
                };
            }
        }
        Ok(())
    }

    fn hash(&self, text: &[u8]) -> u32 {
        self.hasher.hash_one(text) as u32
    }

    fn text(&self, number: u32) -> &[u8] {
        let ends = &self.ends[number as usize..];
        &self.bytes[ends[0] as usize..ends[1] as usize]
    }

    /// The number of a text, if it has one.
    fn search(&self, hash: u32, text: &[u8]) -> Option<u32> {
        let is_same = |entry: &Entry| entry.hash == hash && self.text(entry.number) == text;
        let found = self.numbers.find(spread(hash), is_same);
        found.map(|entry| entry.number)
    }

    fn insert(&mut self, hash: u32, text: &[u8]) -> Result<u32, ArrowError> {
        let number = (self.ends.len() - 1) as u32;
        self.bytes.extend_from_slice(text);
        let end = self.bytes.len();
        let end = i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end))?;
        self.ends.push(end);
        let entry = Entry { hash, number };
        let rehash = |held: &Entry| spread(held.hash);
        self.numbers.insert_unique(spread(hash), entry, rehash);
        Ok(number)
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

/// A text; of NULL, an empty one.
fn text(texts: &StringArray, row: usize) -> &[u8] {
    match texts.is_valid(row) {
        true => texts.value(row).as_bytes(),
        false => &[],
    }
}

/// The table takes its place from the low bits of a hash, and its tags from the high ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The numbers of a column, and the texts that they stand for; `None` for a column that is not encoded.
pub(crate) fn codes(column: &ArrayRef) -> Option<&DictionaryArray<UInt32Type>> {
    column.as_dictionary_opt::<UInt32Type>()
}

/// A column as it was before it was encoded.
///
/// # Errors
/// [`ArrowError::InvalidArgumentError`] when its texts were let go.
pub(crate) fn decoded(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match codes(column) {
        // The texts of an empty column may be many.
        Some(_) if column.is_empty() => Ok(new_empty_array(&DataType::Utf8)),
        Some(codes) if codes.values().data_type().is_null() => {
            Err(ArrowError::InvalidArgumentError(
                "the texts of an encoded column were not kept".to_owned(),
            ))
        }
        Some(_) => cast(column, &DataType::Utf8),
        None => Ok(Arc::clone(column)),
    }
}

/// The numbers of some columns, if all of them are encoded and equal texts have equal numbers.
pub(crate) fn comparable<'a>(
    columns: impl IntoIterator<Item = &'a ArrayRef>,
) -> Option<Vec<&'a DictionaryArray<UInt32Type>>> {
    let columns: Vec<_> = columns.into_iter().map(codes).collect::<Option<_>>()?;
    let shares =
        |pair: &[&DictionaryArray<UInt32Type>]| Arc::ptr_eq(pair[0].values(), pair[1].values());
    columns.windows(2).all(shares).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(columns: &[&str]) -> Identity {
        let columns = columns.iter();
        columns
            .map(|column| ("t".to_owned(), (*column).to_owned()))
            .collect()
    }

    #[test]
    fn identities_with_a_column_in_common_are_one() {
        let found = merged(["ab", "cd", "e", "bc"].map(|names| {
            let names: Vec<String> = names.chars().map(String::from).collect();
            identity(&names.iter().map(String::as_str).collect::<Vec<_>>())
        }));
        assert_eq!(found, [identity(&["e"]), identity(&["a", "b", "c", "d"])]);
    }

    #[test]
    fn equal_texts_have_equal_numbers_and_come_back() -> Result<(), ArrowError> {
        let texts = |count: usize, step: usize| -> StringArray {
            let text = |i: usize| (!i.is_multiple_of(7)).then(|| format!("{}", i * step));
            (0..count).map(text).collect()
        };
        let (one, other) = (texts(5_000, 3), texts(5_000, 2));
        let mut dictionary = Dictionary::new();
        let (one_codes, other_codes) = (dictionary.encode(&one)?, dictionary.encode(&other)?);
        let values = dictionary.into_texts()?;
        for (codes, expected) in [(one_codes, one), (other_codes, other)] {
            let column: ArrayRef = Arc::new(DictionaryArray::try_new(codes, Arc::clone(&values))?);
            assert_eq!(decoded(&column)?.as_string::<i32>(), &expected);
        }
        let distinct: BTreeSet<Option<&str>> = values.as_string::<i32>().iter().collect();
        assert_eq!(distinct.len(), values.len());
        Ok(())
    }
}
