//! Records of a CSV file as typed columns; those that cannot be typed are set aside with their line.

use arrow::array::RecordBatch;
use csv::ByteRecord;
use safra_project::Source;

use super::columns::ColumnBuilder;
use super::rejected::RejectedRow;
use super::source_schema;
use crate::LakeError;

/// Records of a block, at most: enough that handing it over costs nothing.
const BLOCK_ROWS: usize = 8_192;

/// A block is full with so many bytes, too: the texts of a column must stay far below the 2 GiB of its offsets.
const BLOCK_BYTES: usize = 64 << 20;

/// A longer field is no value: an open quotation mark makes one field of the rest of a file.
const FIELD_BYTES: usize = 1 << 30;

/// What is kept of a rejected record. It still stands in the file, on the line that is kept with it.
const REJECTED_BYTES: usize = 1 << 20;

/// Records as they stand in the file. Its memory is used again for the next ones.
pub(super) struct Block {
    records: Vec<ByteRecord>,
    /// The line on which each of the records that are kept starts, from 1.
    lines: Vec<u64>,
    /// Of the records that are kept.
    bytes: usize,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            records: Vec::new(),
            lines: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.bytes = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A record to read into; `None` when the block is full.
    pub(super) fn next(&mut self) -> Option<&mut ByteRecord> {
        let place = self.lines.len();
        if place == BLOCK_ROWS || self.bytes >= BLOCK_BYTES {
            return None;
        }
        if place == self.records.len() {
            self.records.push(ByteRecord::new());
        }
        self.records.get_mut(place)
    }

    /// Keeps the record that was read last, which starts on this line.
    pub(super) fn keep(&mut self, line: u64) {
        if let Some(record) = self.records.get(self.lines.len()) {
            self.bytes += record.as_slice().len();
        }
        self.lines.push(line);
    }
}

/// Rows that could be typed, with the declared columns only.
pub(super) struct Typed {
    pub batch: RecordBatch,
    /// The line of each row, from 1.
    pub lines: Vec<u64>,
}

/// Where the columns of a source stand in the records of its file.
pub(super) struct Layout<'a> {
    source: &'a Source,
    /// The field of each column.
    positions: Vec<usize>,
    /// Fields of a record.
    width: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(source: &'a Source, positions: Vec<usize>, width: usize) -> Self {
        Self {
            source,
            positions,
            width,
        }
    }

    /// The rows of a block, and those of its records that cannot be rows.
    pub(super) fn typed(&self, block: &Block) -> Result<(Typed, Vec<RejectedRow>), LakeError> {
        let columns = self.source.columns.iter();
        let mut builders: Vec<ColumnBuilder> = columns
            .map(|column| ColumnBuilder::new(column.kind))
            .collect();
        let (mut lines, mut rejected) = (Vec::with_capacity(block.lines.len()), Vec::new());
        let mut texts = Vec::with_capacity(self.positions.len());
        for (record, &line) in block.records.iter().zip(&block.lines) {
            match self.fault(&mut builders, record, &mut texts) {
                None => {
                    for (builder, text) in builders.iter_mut().zip(&texts) {
                        builder.commit(text);
                    }
                    lines.push(line);
                }
                Some((column, reason)) => rejected.push(RejectedRow {
                    line,
                    column,
                    reason,
                    record: as_csv(record),
                }),
            }
        }
        let columns = builders.into_iter().map(ColumnBuilder::finish).collect();
        let batch =
            RecordBatch::try_new(source_schema(self.source).0, columns).map_err(|error| {
                LakeError::Arrow {
                    table: self.source.name.clone(),
                    source: error,
                }
            })?;
        Ok((Typed { batch, lines }, rejected))
    }

    /// Why a record cannot be a row; else its values, as texts. Values are checked before any of them is kept, so that columns
    /// stay level.
    fn fault<'b>(
        &self,
        builders: &mut [ColumnBuilder],
        record: &'b ByteRecord,
        texts: &mut Vec<&'b str>,
    ) -> Option<(String, String)> {
        texts.clear();
        if record.len() != self.width {
            let reason = format!("{} fields, the header has {}", record.len(), self.width);
            return Some((String::new(), reason));
        }
        let columns = self.source.columns.iter().zip(builders);
        for ((column, builder), &position) in columns.zip(&self.positions) {
            let bytes = &record[position];
            let fault = match builder.check(bytes) {
                _ if bytes.len() > FIELD_BYTES => Some("longer than 1 GiB".to_owned()),
                Err(reason) => Some(reason),
                Ok("") if column.required => Some("missing".to_owned()),
                Ok(text) => {
                    texts.push(text);
                    None
                }
            };
            if let Some(reason) = fault {
                return Some((column.name.clone(), reason));
            }
        }
        None
    }
}

/// The record as CSV, or as much as is kept of it; bytes that are not UTF-8 are shown as the replacement character.
fn as_csv(record: &ByteRecord) -> String {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    let written = writer.write_byte_record(record).is_ok();
    match writer.into_inner() {
        Ok(bytes) if written => String::from_utf8_lossy(&bytes[..bytes.len().min(REJECTED_BYTES)])
            .trim_end_matches('\n')
            .to_owned(),
        _ => String::new(),
    }
}
