//! The rows of a view as they come, without the texts of their entities, and sorted in the end.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType, UInt32Type};
use datafusion::common::Result;
use rayon::prelude::*;

use crate::blocks::{BLOCK_ROWS, Blocks};
use crate::buckets::Buckets;
use crate::entities::Entities;
use crate::row_batch::{TIMES, types};
use crate::rows::{Places, ViewRows};

/// Rows of a view that count.
pub(crate) struct Gathered {
    /// For each column of the entity the texts that its numbers stand for, if it has numbers.
    texts: Vec<Option<ArrayRef>>,
    entities: Option<Entities>,
    /// For each row of each block the number of its entity, in the order in which entities came.
    numbers: Vec<Vec<u32>>,
    time: Blocks,
    valid_from: Blocks,
    valid_to: Blocks,
    /// Arguments and filters.
    columns: Vec<Blocks>,
}

impl Gathered {
    /// Of entities with so many columns; for each `texts` has what its numbers stand for, if it has numbers.
    pub(crate) fn new(texts: Vec<Option<ArrayRef>>) -> Self {
        Self {
            texts,
            entities: None,
            numbers: Vec::new(),
            time: Blocks::new(DataType::Int64),
            valid_from: Blocks::new(DataType::Int64),
            valid_to: Blocks::new(DataType::Int64),
            columns: Vec::new(),
        }
    }

    /// Adds rows, all of which count: time, interval, entity, arguments and filters.
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        if self.entities.is_none() {
            let (entity, columns) = types(&rows.schema(), self.texts.len());
            self.entities = Some(Entities::new(&entity, &self.texts)?);
            self.columns = columns.into_iter().map(Blocks::new).collect();
        }
        for start in (0..rows.num_rows()).step_by(BLOCK_ROWS) {
            let length = BLOCK_ROWS.min(rows.num_rows() - start);
            self.add_block(&rows.slice(start, length))?;
        }
        Ok(())
    }

    fn add_block(&mut self, rows: &RecordBatch) -> Result<()> {
        let (times, rest) = rows.columns().split_at(TIMES);
        let (entity, columns) = rest.split_at(self.texts.len());
        let mut numbers = Vec::with_capacity(rows.num_rows());
        if let Some(entities) = &mut self.entities {
            entities.number(entity, 0..rows.num_rows(), &mut numbers)?;
        }
        self.numbers.push(numbers);
        let time = times[0].as_primitive::<TimestampMicrosecondType>();
        let time = time.reinterpret_cast::<Int64Type>();
        self.time.push(Arc::new(time));
        self.valid_from.push(times[1].clone());
        self.valid_to.push(times[2].clone());
        for (held, column) in self.columns.iter_mut().zip(columns) {
            held.push(column.clone());
        }
        Ok(())
    }

    /// All rows, by entity and time; entities are numbered in their own order. No more than a few columns are in memory twice.
    pub(crate) fn sorted(self, places: Places) -> Result<ViewRows> {
        let Self {
            texts,
            entities,
            numbers,
            mut time,
            mut valid_from,
            mut valid_to,
            columns,
        } = self;
        let (entities, ranks) = match entities {
            Some(held) => held.in_order(&texts)?,
            None => (Vec::new(), Vec::new()),
        };
        let (buckets, mut entity) = divided(numbers, &ranks);
        for column in [&mut entity, &mut time, &mut valid_from, &mut valid_to] {
            column.divide(&buckets)?;
        }
        let orders = buckets.sorted(&entity.slices::<UInt32Type>(), &time.slices::<Int64Type>());
        let entity = entity.into_values::<UInt32Type>(&buckets, &orders);
        let [time, valid_from, valid_to] = [time, valid_from, valid_to]
            .map(|times| times.into_values::<Int64Type>(&buckets, &orders));
        let columns = columns.into_par_iter().map(|mut column| {
            column.divide(&buckets)?;
            column.into_sorted(&buckets, &orders)
        });
        Ok(ViewRows {
            columns: columns.collect::<Result<_>>()?,
            entities,
            entity,
            time,
            valid_from,
            valid_to,
            places,
        })
    }
}

/// The buckets of rows, and the rank of the entity of each, from their numbers and the rank of each.
fn divided(mut numbers: Vec<Vec<u32>>, ranks: &[u32]) -> (Buckets, Blocks) {
    numbers.par_iter_mut().for_each(|numbers| {
        for number in numbers {
            *number = ranks[*number as usize];
        }
    });
    let buckets = Buckets::of(&numbers);
    let mut entity = Blocks::new(DataType::UInt32);
    for ranks in numbers {
        entity.push(Arc::new(UInt32Array::from(ranks)));
    }
    (buckets, entity)
}
