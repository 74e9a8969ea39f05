//! The entities of the rows of a view, numbered as they come.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, UInt32Type};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use rayon::prelude::*;

use crate::keys::Numbering;

/// The entities of the rows so far, numbered in the order in which they came.
pub(crate) enum Entities {
    /// Without columns there is one entity, of which all rows are.
    One,
    Codes(Codes),
    Keys(Numbering),
}

impl Entities {
    /// None yet, of columns of these types; for each column `texts` has what its numbers stand for, if it has numbers.
    pub(crate) fn new(kinds: &[DataType], texts: &[Option<ArrayRef>]) -> Result<Self> {
        Ok(match texts {
            [] => Self::One,
            [Some(_)] => Self::Codes(Codes::default()),
            _ => Self::Keys(Numbering::new(kinds.iter().cloned())?),
        })
    }

    /// Appends the numbers of the entities of some rows of a batch.
    pub(crate) fn number(
        &mut self,
        entity: &[ArrayRef],
        rows: impl ExactSizeIterator<Item = usize>,
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        match self {
            Self::One => numbers.resize(numbers.len() + rows.len(), 0),
            Self::Codes(codes) => {
                let values = entity[0].as_primitive::<UInt32Type>().values();
                numbers.extend(rows.map(|row| codes.number(values[row])));
            }
            Self::Keys(keys) => keys.number(entity, rows, numbers)?,
        }
        Ok(())
    }

    /// The numbers here of all entities of others, which join these.
    pub(crate) fn join(&mut self, others: Self) -> Result<Vec<u32>> {
        let mut numbers = Vec::new();
        let keys = others.keys()?;
        let count = keys.first().map_or(1, |keys| keys.len());
        self.number(&keys, 0..count, &mut numbers)?;
        Ok(numbers)
    }

    /// The columns of the entities in ascending order, and the rank of each number.
    pub(crate) fn in_order(self, texts: &[Option<ArrayRef>]) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        let mut columns = self.keys()?;
        if columns.is_empty() {
            return Ok((Vec::new(), vec![0]));
        }
        for (column, texts) in columns.iter_mut().zip(texts) {
            if let Some(texts) = texts {
                *column = take(texts, &*column, None)?;
            }
        }
        let kinds = columns.iter().map(|column| column.data_type().clone());
        let converter = RowConverter::new(kinds.map(SortField::new).collect())?;
        let keys = converter.convert_columns(&columns)?;
        let count = keys.num_rows();
        let mut order: Vec<usize> = (0..count).collect();
        order.par_sort_unstable_by(|&one, &other| keys.row(one).cmp(&keys.row(other)));
        let mut ranks = vec![0; count];
        for (rank, &number) in order.iter().enumerate() {
            ranks[number] = rank as u32;
        }
        let sorted = order.iter().map(|&number| keys.row(number));
        Ok((converter.convert_rows(sorted)?, ranks))
    }

    /// The columns of the entities by number, as they came.
    fn keys(self) -> Result<Vec<ArrayRef>> {
        match self {
            Self::One => Ok(Vec::new()),
            Self::Codes(codes) => Ok(vec![Arc::new(UInt32Array::from(codes.distinct))]),
            Self::Keys(keys) => keys.columns(),
        }
    }
}

/// Entities that are one number of a dictionary each, which are dense.
#[derive(Default)]
pub(crate) struct Codes {
    distinct: Vec<u32>,
    /// By code, one more than the number of the entity; 0 of one that has not come.
    numbers: Vec<u32>,
}

impl Codes {
    fn number(&mut self, code: u32) -> u32 {
        let place = code as usize;
        if place >= self.numbers.len() {
            self.numbers.resize(place + 1, 0);
        }
        if self.numbers[place] == 0 {
            self.distinct.push(code);
            self.numbers[place] = self.distinct.len() as u32;
        }
        self.numbers[place] - 1
    }
}
