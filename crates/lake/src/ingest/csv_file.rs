//! A CSV file, read block by block; the blocks are typed by all threads meanwhile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use csv::{ByteRecord, Reader, ReaderBuilder};
use safra_project::Source;

use super::rejected::RejectedRow;
use super::typed::{Block, Layout, Typed};
use crate::LakeError;

/// Bytes read from the file at once.
const BUFFER_BYTES: usize = 1 << 20;

/// The rows of a file, in its order.
#[derive(Default)]
pub(super) struct Parsed {
    /// The rows that could be typed.
    pub blocks: Vec<Typed>,
    /// The rows that could not.
    pub rejected: Vec<RejectedRow>,
    /// Columns of the file that are not declared, in words; empty when there are none.
    pub note: String,
}

/// A file of which the header has been read, and has all declared columns.
pub(super) struct CsvFile<'a> {
    path: PathBuf,
    reader: Reader<File>,
    lines: LineCount,
    layout: Layout<'a>,
    note: String,
}

impl<'a> CsvFile<'a> {
    /// Opens the file of a source; `None` when the file of an optional source is absent.
    pub(super) fn open(source: &'a Source, folder: &Path) -> Result<Option<Self>, LakeError> {
        let path = folder.join(&source.file);
        if !path.exists() {
            return match source.optional {
                true => Ok(None),
                false => Err(LakeError::MissingFile {
                    path: path.display().to_string(),
                    table: source.name.clone(),
                }),
            };
        }
        let file = File::open(&path).map_err(|e| LakeError::io(&path, e))?;
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(file);
        let header = reader.byte_headers().map_err(|e| csv_error(&path, &e))?;
        let header = header.clone();
        let (positions, note) = locate(source, &path, &header)?;
        Ok(Some(Self {
            lines: LineCount::after(&header, reader.position().line()),
            layout: Layout::new(source, positions, header.len()),
            path,
            reader,
            note,
        }))
    }

    /// Size in bytes.
    pub(super) fn size(&self) -> Result<u64, LakeError> {
        let metadata = self.reader.get_ref().metadata();
        Ok(metadata.map_err(|e| LakeError::io(&self.path, e))?.len())
    }

    /// Reads all rows. A block is typed by another thread as long as they keep up, and else by this one.
    pub(super) fn read(mut self) -> Result<Parsed, LakeError> {
        let (spare, typed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let handed_over = AtomicUsize::new(0);
        let layout = &self.layout;
        let finish = |number: usize, block: Block| {
            let result = layout.typed(&block);
            lock(&typed).push((number, result));
            lock(&spare).push(block);
        };
        let finish = &finish;
        rayon::scope(|scope| {
            for number in 0.. {
                let mut block = lock(&spare).pop().unwrap_or_else(Block::new);
                fill(&mut self.reader, &self.path, &self.lines, &mut block)?;
                if block.is_empty() {
                    return Ok(());
                }
                if handed_over.load(Ordering::Relaxed) < rayon::current_num_threads() {
                    handed_over.fetch_add(1, Ordering::Relaxed);
                    let handed_over = &handed_over;
                    scope.spawn(move |_| {
                        finish(number, block);
                        handed_over.fetch_sub(1, Ordering::Relaxed);
                    });
                } else {
                    finish(number, block);
                }
            }
            Ok(())
        })?;
        let mut typed = typed.into_inner().unwrap_or_else(PoisonError::into_inner);
        typed.sort_unstable_by_key(|(number, _)| *number);
        let mut parsed = Parsed {
            note: self.note,
            ..Parsed::default()
        };
        for (_, result) in typed {
            let (block, rejected) = result?;
            parsed.blocks.push(block);
            parsed.rejected.extend(rejected);
        }
        Ok(parsed)
    }
}

/// Reads records into an emptied block until it is full; it stays empty at the end of the file.
fn fill(
    reader: &mut Reader<File>,
    path: &Path,
    lines: &LineCount,
    block: &mut Block,
) -> Result<(), LakeError> {
    block.clear();
    while let Some(record) = block.next() {
        if !reader
            .read_byte_record(record)
            .map_err(|e| csv_error(path, &e))?
        {
            break;
        }
        let line = lines.first_of(record, reader.position().line());
        block.keep(line);
    }
    Ok(())
}

fn csv_error(path: &Path, error: &csv::Error) -> LakeError {
    LakeError::Csv {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

/// What a panic of another thread leaves is of no use to anyone, since the panic goes on.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where each declared column stands in the file, and which columns of the file are not declared.
fn locate(
    source: &Source,
    path: &Path,
    header: &ByteRecord,
) -> Result<(Vec<usize>, String), LakeError> {
    let names: Vec<String> = header
        .iter()
        .map(|name| {
            String::from_utf8_lossy(name)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_owned()
        })
        .collect();
    let positions = source
        .columns
        .iter()
        .map(|column| {
            names
                .iter()
                .position(|name| *name == column.name)
                .ok_or_else(|| LakeError::MissingColumn {
                    path: path.display().to_string(),
                    table: source.name.clone(),
                    column: column.name.clone(),
                    header: names.join(", "),
                })
        })
        .collect::<Result<_, _>>()?;
    let extra: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| source.column(name).is_none())
        .collect();
    let note = match extra.is_empty() {
        true => String::new(),
        false => format!("columns not declared, left out: {}", extra.join(", ")),
    };
    Ok((positions, note))
}

/// Finds the line on which a record starts. The reader's own position is where it began to look for the
/// record, which is before blank lines and before the second half of `\r\n`.
struct LineCount {
    /// Whether the reader ends a record before the line break is over, as with `\r\n`.
    ends_early: bool,
}

impl LineCount {
    /// From the header and the line on which the reader stands after it.
    fn after(header: &ByteRecord, line_after: u64) -> Self {
        Self {
            ends_early: line_after == 1 + line_breaks(header),
        }
    }

    /// The first line of a record, from the line on which the reader stands after it.
    fn first_of(&self, record: &ByteRecord, line_after: u64) -> u64 {
        let break_after = u64::from(!self.ends_early);
        let looked_from = record.position().map_or(1, csv::Position::line);
        // The last record of a file may end without a line break.
        (line_after - line_breaks(record) - break_after).max(looked_from)
    }
}

fn line_breaks(record: &ByteRecord) -> u64 {
    let breaks = record.as_slice().iter().filter(|byte| **byte == b'\n');
    breaks.count() as u64
}
