//! Columns in which values last: run-end encoded arrays, encoded run by run as a column chunk of Parquet with a
//! dictionary. The cost follows the runs, not the rows.

use std::hash::Hash;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RunArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{max, min};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use bytes::Bytes;
use hashbrown::HashMap;
use parquet::basic::{CompressionCodec, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use crate::hybrid;

/// Run-end encoded arrays, as the writer takes them.
pub(crate) type Runs = RunArray<Int32Type>;

/// Whether an array is one of [`Runs`].
pub(crate) fn is_run_end_encoded(array: &ArrayRef) -> bool {
    array.as_run_opt::<Int32Type>().is_some()
}

/// An encoded column chunk.
pub(crate) struct EncodedRuns {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

/// Zstandard, whose memory is used again.
pub(crate) type Compressor = zstd::bulk::Compressor<'static>;

/// Longer bounds of texts are not stated.
const LONGEST_BOUND: usize = 64;

/// Encodes a column of a row group, of which some arrays may be plain; `None` if its type is one that only the library
/// encodes.
pub(crate) fn encode(
    column: &ColumnDescPtr,
    arrays: &[&ArrayRef],
    compressor: &mut Compressor,
) -> Result<Option<EncodedRuns>, ParquetError> {
    if column.max_def_level() != 1 || column.max_rep_level() != 0 {
        return Ok(None);
    }
    let arrays: Vec<Part> = arrays.iter().map(|array| Part::of(array)).collect();
    let Some(first) = arrays.first() else {
        return Ok(None);
    };
    let encoded = match first.values.data_type() {
        DataType::Float64 => floats(&arrays),
        DataType::Int32 => days_or_counts::<Int32Type>(&arrays),
        DataType::Date32 => days_or_counts::<Date32Type>(&arrays),
        DataType::Int64 => integers::<Int64Type>(&arrays),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            integers::<TimestampMicrosecondType>(&arrays)
        }
        DataType::Utf8 => texts(&arrays),
        _ => return Ok(None),
    };
    encoded.chunk(column, compressor).map(Some)
}

/// Some rows of a column: values, and how many rows each of them lasts.
struct Part<'a> {
    values: &'a ArrayRef,
    /// `None` of a plain array, where each value is a row.
    runs: Option<&'a Runs>,
}

impl<'a> Part<'a> {
    fn of(array: &'a ArrayRef) -> Self {
        let runs = array.as_run_opt::<Int32Type>();
        let values = runs.map_or(array, RunArray::values);
        Self { values, runs }
    }
}

/// Where the number of a value in the dictionary is looked up.
trait Lookup<K> {
    /// The number of a value, or where it goes: [`NEW`] stands there.
    fn slot(&mut self, value: K) -> &mut u32;
}

const NEW: u32 = u32::MAX;

impl<K: Eq + Hash> Lookup<K> for HashMap<K, u32> {
    #[inline]
    fn slot(&mut self, value: K) -> &mut u32 {
        self.entry(value).or_insert(NEW)
    }
}

/// A slot for each integer from the least one on.
struct Table {
    least: i64,
    slots: Vec<u32>,
}

impl Lookup<i64> for Table {
    #[inline]
    fn slot(&mut self, value: i64) -> &mut u32 {
        &mut self.slots[(value - self.least) as usize]
    }
}

/// Integers of a wider span are looked up by their hash: a table would not stay in the cache.
const TABLE_SPAN: i64 = 1 << 14;

/// The values of a column, each once, and the runs of their numbers.
struct Column<K, L> {
    numbers: L,
    entries: Vec<K>,
    /// Runs of 1 where there is a value, of 0 where it is NULL.
    levels: Vec<(u32, u32)>,
    /// Runs of values by number, without NULL.
    indexes: Vec<(u32, u32)>,
    rows: usize,
    nulls: usize,
}

impl<K: Copy + PartialEq, L: Lookup<K>> Column<K, L> {
    fn new(numbers: L) -> Self {
        Self {
            numbers,
            entries: Vec::new(),
            levels: Vec::new(),
            indexes: Vec::new(),
            rows: 0,
            nulls: 0,
        }
    }

    /// Adds the runs of an array, whose value at a place is this.
    fn add(&mut self, part: &Part, nulls: Option<&NullBuffer>, value: impl Fn(usize) -> K) {
        let Some(runs) = part.runs else {
            return self.add_rows(part.values.len(), nulls, value);
        };
        let mut start = 0;
        let ends = runs.run_ends().sliced_values();
        for (place, end) in (runs.get_start_physical_index()..).zip(ends) {
            let length = (end - start) as u32;
            start = end;
            self.rows += length as usize;
            if nulls.is_some_and(|nulls| nulls.is_null(place)) {
                self.nulls += length as usize;
                extend(&mut self.levels, 0, length);
            } else {
                extend(&mut self.levels, 1, length);
                let number = self.number(value(place));
                extend(&mut self.indexes, number, length);
            }
        }
    }

    /// As [`Column::add`], of a plain array of so many rows.
    fn add_rows(&mut self, rows: usize, nulls: Option<&NullBuffer>, value: impl Fn(usize) -> K) {
        let mut after = 0;
        let mut add = |column: &mut Self, start: usize, end: usize| {
            extend(&mut column.levels, 0, (start - after) as u32);
            extend(&mut column.levels, 1, (end - start) as u32);
            column.nulls += start - after;
            after = end;
            for place in start..end {
                let number = column.number(value(place));
                extend(&mut column.indexes, number, 1);
            }
        };
        match nulls {
            Some(nulls) => nulls
                .valid_slices()
                .for_each(|(start, end)| add(self, start, end)),
            None => add(self, 0, rows),
        }
        extend(&mut self.levels, 0, (rows - after) as u32);
        self.nulls += rows - after;
        self.rows += rows;
    }

    #[inline]
    fn number(&mut self, value: K) -> u32 {
        if let Some(&(last, _)) = self.indexes.last()
            && self.entries[last as usize] == value
        {
            return last;
        }
        let slot = self.numbers.slot(value);
        if *slot == NEW {
            *slot = self.entries.len() as u32;
            self.entries.push(value);
        }
        *slot
    }

    fn encoded(&self, dictionary: Vec<u8>, statistics: Statistics) -> Encoded {
        let width = hybrid::width(self.entries.len());
        let levels = hybrid::encode(&self.levels, 1);
        let indexes = hybrid::encode(&self.indexes, width);
        let length = (levels.len() as u32).to_le_bytes();
        Encoded {
            rows: self.rows,
            entries: self.entries.len(),
            dictionary,
            data: [&length[..], &levels, &[width], &indexes].concat(),
            statistics,
        }
    }
}

/// Adds to the last run, or a new one.
#[inline]
fn extend(runs: &mut Vec<(u32, u32)>, value: u32, length: u32) {
    match runs.last_mut() {
        _ if length == 0 => {}
        Some((last, so_far)) if *last == value => *so_far += length,
        _ => runs.push((value, length)),
    }
}

fn days_or_counts<T: ArrowPrimitiveType<Native = i32>>(parts: &[Part]) -> Encoded {
    whole_numbers::<T>(
        parts,
        |value, bytes| bytes.extend_from_slice(&(value as i32).to_le_bytes()),
        |least, most, nulls| {
            let narrow = |bound: Option<i64>| bound.map(|value| value as i32);
            Statistics::int32(narrow(least), narrow(most), None, nulls, false)
        },
    )
}

fn integers<T: ArrowPrimitiveType<Native = i64>>(parts: &[Part]) -> Encoded {
    whole_numbers::<T>(
        parts,
        |value, bytes| bytes.extend_from_slice(&value.to_le_bytes()),
        |least, most, nulls| Statistics::int64(least, most, None, nulls, false),
    )
}

fn whole_numbers<T: ArrowPrimitiveType<Native: Into<i64>>>(
    parts: &[Part],
    put: fn(i64, &mut Vec<u8>),
    statistics: fn(Option<i64>, Option<i64>, Option<u64>) -> Statistics,
) -> Encoded {
    let values = || parts.iter().map(|part| part.values.as_primitive::<T>());
    let least = values().filter_map(min).map(Into::into).min().unwrap_or(0);
    let most: i64 = values().filter_map(max).map(Into::into).max().unwrap_or(0);
    let span = most.saturating_sub(least);
    if span >= TABLE_SPAN {
        return whole_numbers_by::<T, _>(parts, HashMap::new(), put, statistics);
    }
    let slots = vec![NEW; span as usize + 1];
    whole_numbers_by::<T, _>(parts, Table { least, slots }, put, statistics)
}

fn whole_numbers_by<T: ArrowPrimitiveType<Native: Into<i64>>, L: Lookup<i64>>(
    parts: &[Part],
    lookup: L,
    put: fn(i64, &mut Vec<u8>),
    statistics: fn(Option<i64>, Option<i64>, Option<u64>) -> Statistics,
) -> Encoded {
    let mut column = Column::new(lookup);
    for part in parts {
        let values = part.values.as_primitive::<T>();
        column.add(part, values.nulls(), |place| values.value(place).into());
    }
    let entries = column.entries.iter().copied();
    let (least, most) = (entries.clone().min(), entries.clone().max());
    let mut dictionary = Vec::new();
    entries.for_each(|value| put(value, &mut dictionary));
    let nulls = Some(column.nulls as u64);
    column.encoded(dictionary, statistics(least, most, nulls))
}

fn floats(parts: &[Part]) -> Encoded {
    let mut column = Column::new(HashMap::new());
    for part in parts {
        let values = part.values.as_primitive::<Float64Type>();
        column.add(part, values.nulls(), |place| values.value(place).to_bits());
    }
    let entries = column.entries.iter().map(|&bits| f64::from_bits(bits));
    // The format leaves NaN out of bounds, and takes both zeros for one.
    let ordered = entries.clone().filter(|value| !value.is_nan());
    let least = ordered.clone().reduce(f64::min);
    let most = ordered.reduce(f64::max);
    let signed = |bound: Option<f64>, zero: f64| bound.map(|b| if b == 0.0 { zero } else { b });
    let dictionary = entries.flat_map(f64::to_le_bytes).collect();
    let nulls = Some(column.nulls as u64);
    let statistics = Statistics::double(signed(least, -0.0), signed(most, 0.0), None, nulls, false);
    column.encoded(dictionary, statistics)
}

fn texts(parts: &[Part]) -> Encoded {
    let mut column = Column::new(HashMap::new());
    for part in parts {
        let values = part.values.as_string::<i32>();
        column.add(part, values.nulls(), |place| values.value(place));
    }
    let mut dictionary = Vec::new();
    for text in &column.entries {
        dictionary.extend_from_slice(&(text.len() as u32).to_le_bytes());
        dictionary.extend_from_slice(text.as_bytes());
    }
    let bound = |text: Option<&&str>| {
        let text = text.filter(|text| text.len() <= LONGEST_BOUND)?;
        Some(ByteArray::from(text.as_bytes().to_vec()))
    };
    let (least, most) = (
        bound(column.entries.iter().min()),
        bound(column.entries.iter().max()),
    );
    let nulls = Some(column.nulls as u64);
    column.encoded(
        dictionary,
        Statistics::byte_array(least, most, None, nulls, false),
    )
}

/// A column, ready to become pages.
struct Encoded {
    rows: usize,
    /// Entries of the dictionary.
    entries: usize,
    dictionary: Vec<u8>,
    /// Levels and indexes.
    data: Vec<u8>,
    statistics: Statistics,
}

impl Encoded {
    fn chunk(
        self,
        column: &ColumnDescPtr,
        compressor: &mut Compressor,
    ) -> Result<EncodedRuns, ParquetError> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut sink);
        let dictionary = Page::DictionaryPage {
            buf: compressor.compress(&self.dictionary)?.into(),
            num_values: self.entries as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let dictionary =
            pages.write_page(CompressedPage::new(dictionary, self.dictionary.len()))?;
        let data = Page::DataPage {
            buf: compressor.compress(&self.data)?.into(),
            num_values: self.rows as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let data = pages.write_page(CompressedPage::new(data, self.data.len()))?;
        let page = |page_type, encoding| PageEncodingStats {
            page_type,
            encoding,
            count: 1,
        };
        let compressed = dictionary.compressed_size + data.compressed_size;
        let uncompressed = dictionary.uncompressed_size + data.uncompressed_size;
        let metadata = ColumnChunkMetaData::builder(column.clone())
            .set_compression_codec(CompressionCodec::ZSTD)
            .set_encodings(vec![
                Encoding::PLAIN,
                Encoding::RLE,
                Encoding::RLE_DICTIONARY,
            ])
            .set_page_encoding_stats(vec![
                page(PageType::DICTIONARY_PAGE, Encoding::PLAIN),
                page(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY),
            ])
            .set_total_compressed_size(compressed as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(data.offset as i64)
            .set_dictionary_page_offset(Some(dictionary.offset as i64))
            .set_statistics(self.statistics)
            .build()?;
        let mut offsets = OffsetIndexBuilder::new();
        offsets.append_row_count(self.rows as i64);
        offsets.append_offset_and_size(data.offset as i64, data.compressed_size as i32);
        let close = ColumnCloseResult {
            bytes_written: compressed as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(offsets.build()),
        };
        let bytes = sink.into_inner()?.into();
        Ok(EncodedRuns { bytes, close })
    }
}
