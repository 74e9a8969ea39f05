//! Reading the columns of sources side by side, identities as codes.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, RecordBatchOptions, StringArray,
    new_empty_array,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::error::ArrowError;
use rayon::prelude::*;
use safra_lake::Piece;

use crate::codes::Encoding;
use crate::dictionary::Dictionary;
use crate::{Columns, HistoryError};

/// What is read of a source.
pub(crate) struct Table<'a> {
    pub name: &'a str,
    pub fields: Vec<FieldRef>,
    pub pieces: Vec<Piece>,
}

/// A column of one of some tables, by number.
#[derive(Clone, Copy)]
struct Place {
    table: usize,
    column: usize,
}

/// The rows of some tables, with the text columns of identities as dictionaries.
pub(crate) fn read(
    tables: &[Table<'_>],
    encoding: &Encoding,
) -> Result<Vec<RecordBatch>, HistoryError> {
    let Encoding { identities, texts } = encoding;
    let mut groups: Vec<Vec<Place>> = vec![Vec::new(); identities.len()];
    let mut single = Vec::new();
    for (t, table) in tables.iter().enumerate() {
        for (c, field) in table.fields.iter().enumerate() {
            let place = Place {
                table: t,
                column: c,
            };
            let column = (table.name.to_owned(), field.name().clone());
            let is_text = *field.data_type() == DataType::Utf8;
            let identity = identities
                .iter()
                .position(|held| is_text && held.contains(&column));
            match identity {
                Some(identity) => groups[identity].push(place),
                None => single.push(place),
            }
        }
    }
    // What takes the longest comes first.
    let rows = |place: &Place| tables[place.table].rows();
    groups.sort_by_key(|group| Reverse(group.iter().map(rows).sum::<usize>()));
    let is_needed = |place: &Place| {
        let table = &tables[place.table];
        let column = table.fields[place.column].name();
        let needed = |texts: &Columns| {
            texts
                .get(table.name)
                .is_some_and(|held| held.contains(column))
        };
        texts.as_ref().is_none_or(needed)
    };
    let encoded = groups.par_iter().map(|group| {
        let keeps_texts = group.iter().any(is_needed);
        read_identity(tables, group, keeps_texts)
    });
    let plain = single.par_iter().map(|&place| {
        let table = &tables[place.table];
        let parts = table.parts(place)?;
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        let kind = table.fields[place.column].data_type();
        let column = concat_or_empty(&parts, kind);
        let column = column.map_err(|error| HistoryError::at(table.name, error))?;
        Ok(vec![(place, column)])
    });
    let read: Vec<Vec<(Place, ArrayRef)>> = encoded.chain(plain).collect::<Result<_, _>>()?;
    let mut columns: Vec<Vec<Option<ArrayRef>>> = tables
        .iter()
        .map(|table| vec![None; table.fields.len()])
        .collect();
    for (place, column) in read.into_iter().flatten() {
        columns[place.table][place.column] = Some(column);
    }
    let batches = tables.iter().zip(columns);
    batches
        .map(|(table, columns)| table.batch(columns.into_iter().flatten().collect()))
        .collect()
}

/// Columns that share a dictionary, one after the other, so that the texts of no more than one are in memory.
fn read_identity(
    tables: &[Table<'_>],
    group: &[Place],
    keeps_texts: bool,
) -> Result<Vec<(Place, ArrayRef)>, HistoryError> {
    let rows = group.iter().map(|place| tables[place.table].rows());
    let mut dictionary: Dictionary = Dictionary::new(rows.max().unwrap_or_default());
    let failed = |place: Place| move |error| HistoryError::at(tables[place.table].name, error);
    let mut encoded = Vec::with_capacity(group.len());
    for &place in group {
        let texts = tables[place.table].parts(place)?;
        let texts: Vec<&StringArray> = texts.iter().map(|part| part.as_string::<i32>()).collect();
        let codes = dictionary.encode(&texts).map_err(failed(place))?;
        encoded.push((place, codes));
    }
    let Some(&(last, _)) = encoded.last() else {
        return Ok(Vec::new());
    };
    let texts = match keeps_texts {
        true => dictionary.into_texts().map_err(failed(last))?,
        false => dictionary.without_texts(),
    };
    let columns = encoded.into_iter().map(|(place, codes)| {
        let column = DictionaryArray::try_new(codes, Arc::clone(&texts)).map_err(failed(place))?;
        Ok((place, Arc::new(column) as ArrayRef))
    });
    columns.collect()
}

fn concat_or_empty(parts: &[&dyn Array], kind: &DataType) -> Result<ArrayRef, ArrowError> {
    match parts {
        [] => Ok(new_empty_array(kind)),
        parts => concat(parts),
    }
}

impl Table<'_> {
    fn rows(&self) -> usize {
        self.pieces.iter().map(Piece::rows).sum()
    }

    /// A column, piece by piece.
    fn parts(&self, place: Place) -> Result<Vec<ArrayRef>, HistoryError> {
        let field = &self.fields[place.column];
        let read = |piece: &Piece| Ok(Arc::clone(piece.read(&[field.name()], None)?.column(0)));
        self.pieces.par_iter().map(read).collect()
    }

    /// The columns as rows.
    fn batch(&self, columns: Vec<ArrayRef>) -> Result<RecordBatch, HistoryError> {
        let fields = self.fields.iter().zip(&columns);
        let fields: Vec<FieldRef> = fields
            .map(|(field, column)| {
                let field = field.as_ref().clone();
                Arc::new(field.with_data_type(column.data_type().clone()))
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|error| HistoryError::at(self.name, error))
    }
}
