//! The rows of a view as they come, without the texts of their entities, and sorted in the end.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use datafusion::common::Result;
use rayon::prelude::*;
use safra_sweep::Reach;

use crate::blocks::Blocks;
use crate::entities::Entities;
use crate::row_batch::{RowBatch, types};
use crate::rows::{Places, ViewRows};

/// Rows of a view, of which those within reach are kept.
pub(crate) struct Gathered {
    /// For each column of the entity the texts that its numbers stand for, if it has numbers.
    texts: Vec<Option<ArrayRef>>,
    reach: Option<Reach>,
    entities: Option<Entities>,
    /// For each row the number of its entity, in the order in which entities came.
    numbers: Vec<u32>,
    time: Vec<i64>,
    valid_from: Vec<i64>,
    valid_to: Vec<i64>,
    columns: Vec<Blocks>,
}

impl Gathered {
    /// Of entities with so many columns; for each `texts` has what its numbers stand for, if it has numbers.
    pub(crate) fn new(texts: Vec<Option<ArrayRef>>, reach: Option<Reach>) -> Self {
        Self {
            texts,
            reach,
            entities: None,
            numbers: Vec::new(),
            time: Vec::new(),
            valid_from: Vec::new(),
            valid_to: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Makes room for the columns of the batches that follow.
    pub(crate) fn prepare(&mut self, schema: &Schema) -> Result<()> {
        if self.entities.is_none() {
            let (entity, columns) = types(schema, self.texts.len());
            self.entities = Some(Entities::new(&entity, &self.texts)?);
            self.columns = columns.into_iter().map(Blocks::new).collect();
        }
        Ok(())
    }

    /// Adds rows.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = RowBatch::new(batch, self.texts.len(), self.reach.as_ref());
        self.time.extend(rows.time());
        self.valid_from.extend(rows.valid_from());
        self.valid_to.extend(rows.valid_to());
        if let Some(entities) = &mut self.entities {
            let kept = rows.kept.iter().copied();
            entities.number(rows.entity, kept, &mut self.numbers)?;
        }
        for (held, column) in self.columns.iter_mut().zip(rows.columns()?) {
            held.push(column)?;
        }
        Ok(())
    }

    /// All rows, by entity and time; entities are numbered in their own order. No more than a few columns are in memory twice.
    pub(crate) fn sorted(self, places: Places) -> Result<ViewRows> {
        let Self {
            texts,
            entities,
            mut numbers,
            time,
            valid_from,
            valid_to,
            columns,
            ..
        } = self;
        let (entities, ranks) = match entities {
            Some(held) => held.in_order(&texts)?,
            None => (Vec::new(), Vec::new()),
        };
        for number in &mut numbers {
            *number = ranks[*number as usize];
        }
        let order = by_entity_and_time(&numbers, &time);
        let entity = in_order(numbers, &order);
        let time = in_order(time, &order);
        let valid_from = in_order(valid_from, &order);
        let valid_to = in_order(valid_to, &order);
        let columns = columns.into_par_iter().map(|column| column.take(&order));
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

/// The rows by the rank of their entity, then time, then as they came: first entity by entity, which takes no comparisons.
fn by_entity_and_time(ranks: &[u32], time: &[i64]) -> Vec<u32> {
    let count = ranks.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sizes = vec![0_usize; count];
    for &rank in ranks {
        sizes[rank as usize] += 1;
    }
    let mut next = 0;
    let mut places: Vec<usize> = Vec::with_capacity(count);
    for &size in &sizes {
        places.push(next);
        next += size;
    }
    let mut order = vec![0; ranks.len()];
    for (row, &rank) in ranks.iter().enumerate() {
        let place = &mut places[rank as usize];
        order[*place] = row as u32;
        *place += 1;
    }
    let mut rest = order.as_mut_slice();
    let mut of_entities = Vec::with_capacity(count);
    for size in sizes {
        let (of_entity, others) = rest.split_at_mut(size);
        of_entities.push(of_entity);
        rest = others;
    }
    let by_time = |rows: &mut [u32]| rows.sort_by_key(|&row| time[row as usize]);
    of_entities.into_par_iter().for_each(by_time);
    order
}

/// The values at these places; those that are handed in are gone then.
fn in_order<T: Copy + Send + Sync>(values: Vec<T>, order: &[u32]) -> Vec<T> {
    order.par_iter().map(|&row| values[row as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_entity_time_and_coming() {
        let (ranks, time) = ([2, 0, 2, 2, 0], [5, 9, 3, 5, 1]);
        assert_eq!(by_entity_and_time(&ranks, &time), [4, 1, 2, 0, 3]);
        assert!(by_entity_and_time(&[], &[]).is_empty());
    }
}
