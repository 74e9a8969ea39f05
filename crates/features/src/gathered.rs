//! The rows of a view as they come, without the texts of their entities, and sorted in the end.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter, take};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimestampMicrosecondType, UInt32Type};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use rayon::prelude::*;
use safra_history::spans_midnight;

use crate::blocks::Blocks;
use crate::keys::Numbering;
use crate::rows::ViewRows;

/// Columns of a batch before those of the entity: the time, and the interval in which the row holds.
const TIMES: usize = 3;

/// Rows of a view. A batch of them has the time, the interval, the entity and then arguments and filters. Rows that hold at no
/// reference date after their time, or have none, are in no window, and rows without an entity belong to nobody; neither is kept.
pub(crate) struct Gathered {
    /// For each column of the entity the texts that its numbers stand for, if it has numbers.
    texts: Vec<Option<ArrayRef>>,
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
    pub(crate) fn new(texts: Vec<Option<ArrayRef>>) -> Self {
        Self {
            texts,
            entities: None,
            numbers: Vec::new(),
            time: Vec::new(),
            valid_from: Vec::new(),
            valid_to: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Makes room for the columns of the batches that follow.
    pub(crate) fn prepare(&mut self, schema: &SchemaRef) -> Result<()> {
        if self.entities.is_none() {
            let fields = schema.fields().iter();
            let mut kinds = fields.map(|field| field.data_type().clone()).skip(TIMES);
            let entity = kinds.by_ref().take(self.texts.len());
            self.entities = Some(Entities::new(entity.collect(), &self.texts)?);
            self.columns = kinds.map(Blocks::new).collect();
        }
        Ok(())
    }

    /// Adds rows.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let (times, rest) = batch.columns().split_at(TIMES);
        let (entity, columns) = rest.split_at(self.texts.len());
        let time = times[0].as_primitive::<TimestampMicrosecondType>();
        let interval = |column: usize| times[column].as_primitive::<Int64Type>().values();
        let (from, to) = (interval(1), interval(2));
        let is_kept = |row: &usize| {
            let row = *row;
            time.is_valid(row)
                && spans_midnight(from[row].max(time.value(row)), to[row])
                && entity.iter().all(|key| key.is_valid(row))
        };
        let kept: Vec<usize> = (0..batch.num_rows()).filter(is_kept).collect();
        self.time.extend(kept.iter().map(|&row| time.value(row)));
        self.valid_from.extend(kept.iter().map(|&row| from[row]));
        self.valid_to.extend(kept.iter().map(|&row| to[row]));
        if let Some(entities) = &mut self.entities {
            entities.number(entity, &kept, &mut self.numbers)?;
        }
        let some: Option<BooleanArray> = (kept.len() < batch.num_rows()).then(|| {
            (0..batch.num_rows())
                .map(|row| Some(is_kept(&row)))
                .collect()
        });
        for (held, column) in self.columns.iter_mut().zip(columns) {
            held.push(match &some {
                None => column.clone(),
                Some(some) => filter(column, some)?,
            })?;
        }
        Ok(())
    }

    /// All rows, by entity and time; entities are numbered in their own order. No more than a few columns are in memory twice.
    pub(crate) fn sorted(self, places: Vec<(Option<usize>, Option<usize>)>) -> Result<ViewRows> {
        let Self {
            texts,
            entities,
            mut numbers,
            time,
            valid_from,
            valid_to,
            columns,
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

/// The entities of the rows so far, numbered in the order in which they came.
enum Entities {
    /// Without columns there is one entity, of which all rows are.
    One,
    Codes(Codes),
    Keys(Numbering),
}

impl Entities {
    fn new(kinds: Vec<DataType>, texts: &[Option<ArrayRef>]) -> Result<Self> {
        Ok(match texts {
            [] => Self::One,
            [Some(_)] => Self::Codes(Codes::default()),
            _ => Self::Keys(Numbering::new(kinds)?),
        })
    }

    /// Numbers the entities of some rows of a batch.
    fn number(
        &mut self,
        entity: &[ArrayRef],
        rows: &[usize],
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        match self {
            Self::One => numbers.resize(numbers.len() + rows.len(), 0),
            Self::Codes(codes) => {
                let values = entity[0].as_primitive::<UInt32Type>().values();
                numbers.extend(rows.iter().map(|&row| codes.number(values[row])));
            }
            Self::Keys(keys) => keys.number(entity, rows.iter().copied(), numbers)?,
        }
        Ok(())
    }

    /// The columns of the entities in ascending order, and the rank of each number.
    fn in_order(self, texts: &[Option<ArrayRef>]) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        let mut columns = match self {
            Self::One => return Ok((Vec::new(), vec![0])),
            Self::Codes(codes) => vec![Arc::new(UInt32Array::from(codes.distinct)) as ArrayRef],
            Self::Keys(keys) => keys.columns()?,
        };
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
        order.sort_unstable_by_key(|&number| keys.row(number));
        let mut ranks = vec![0; count];
        for (rank, &number) in order.iter().enumerate() {
            ranks[number] = rank as u32;
        }
        let sorted = order.iter().map(|&number| keys.row(number));
        Ok((converter.convert_rows(sorted)?, ranks))
    }
}

/// Entities that are one number of a dictionary each, which are dense.
#[derive(Default)]
struct Codes {
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
