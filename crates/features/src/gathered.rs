//! The rows of a view as they come, without the texts of their entities, and sorted in the end.

use std::hash::BuildHasher;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array, new_empty_array,
};
use arrow::compute::{concat, filter, take};
use arrow::datatypes::{Int64Type, SchemaRef, TimestampMicrosecondType};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::rows::ViewRows;

/// Columns of a batch before those of the entity: the time, and the interval in which the row holds.
const TIMES: usize = 3;

/// Rows of a view. A batch of them has the time, the interval, the entity and then arguments and filters. Rows without a time are in
/// no window, and rows without an entity belong to nobody; neither is kept.
pub(crate) struct Gathered {
    /// Columns of the entity.
    width: usize,
    entities: Option<Entities>,
    /// For each row the number of its entity, in the order in which entities came.
    numbers: Vec<u32>,
    time: Vec<i64>,
    valid_from: Vec<i64>,
    valid_to: Vec<i64>,
    columns: Vec<Vec<ArrayRef>>,
}

impl Gathered {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
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
            let entity = kinds.by_ref().take(self.width).map(SortField::new);
            self.entities = Some(Entities::new(entity.collect())?);
            self.columns = kinds.map(|kind| vec![new_empty_array(&kind)]).collect();
        }
        Ok(())
    }

    /// Adds rows.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let (times, rest) = batch.columns().split_at(TIMES);
        let (entity, columns) = rest.split_at(self.width);
        let time = times[0].as_primitive::<TimestampMicrosecondType>();
        let is_kept =
            |row: &usize| time.is_valid(*row) && entity.iter().all(|key| key.is_valid(*row));
        let kept: Vec<usize> = (0..batch.num_rows()).filter(is_kept).collect();
        let interval = |column: usize| times[column].as_primitive::<Int64Type>().values();
        self.time.extend(kept.iter().map(|&row| time.value(row)));
        self.valid_from
            .extend(kept.iter().map(|&row| interval(1)[row]));
        self.valid_to
            .extend(kept.iter().map(|&row| interval(2)[row]));
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
            });
        }
        Ok(())
    }

    /// All rows, by entity and time; entities are numbered in their own order. One column after the other is put together, so that no
    /// more than one of them is in memory twice.
    pub(crate) fn sorted(self, places: Vec<(Option<usize>, Option<usize>)>) -> Result<ViewRows> {
        let Self {
            entities,
            mut numbers,
            time,
            valid_from,
            valid_to,
            columns,
            ..
        } = self;
        let (entities, ranks) = match entities {
            Some(held) => held.in_order()?,
            None => (Vec::new(), Vec::new()),
        };
        for number in &mut numbers {
            *number = ranks[*number as usize];
        }
        let mut order: Vec<u32> = (0..numbers.len() as u32).collect();
        order.sort_by_key(|&row| (numbers[row as usize], time[row as usize]));
        let entity = in_order(numbers, &order);
        let time = in_order(time, &order);
        let valid_from = in_order(valid_from, &order);
        let valid_to = in_order(valid_to, &order);
        let order = UInt32Array::from(order);
        let columns = columns.into_iter().map(|parts| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            Ok(take(&concat(&parts)?, &order, None)?)
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

/// The values at these places; those that are handed in are gone then.
fn in_order<T: Copy>(values: Vec<T>, order: &[u32]) -> Vec<T> {
    order.iter().map(|&row| values[row as usize]).collect()
}

/// The entities of the rows so far.
struct Entities {
    converter: RowConverter,
    /// Without columns there is one entity, of which all rows are.
    is_one: bool,
    /// Each once, in the order in which they came.
    keys: Rows,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Entities {
    fn new(fields: Vec<SortField>) -> Result<Self> {
        let is_one = fields.is_empty();
        let converter = RowConverter::new(fields)?;
        Ok(Self {
            keys: converter.empty_rows(0, 0),
            converter,
            is_one,
            numbers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        })
    }

    /// Numbers the entities of some rows of a batch.
    fn number(
        &mut self,
        entity: &[ArrayRef],
        rows: &[usize],
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        if self.is_one {
            numbers.resize(numbers.len() + rows.len(), 0);
            return Ok(());
        }
        let converted = self.converter.convert_columns(entity)?;
        let Self {
            keys,
            numbers: known,
            hasher,
            ..
        } = self;
        for &row in rows {
            let key = converted.row(row);
            let hash = hasher.hash_one(key.data());
            let same = |number: &u32| keys.row(*number as usize) == key;
            numbers.push(match known.find(hash, same) {
                Some(number) => *number,
                None => {
                    let next = keys.num_rows() as u32;
                    keys.push(key);
                    let rehash = |number: &u32| hasher.hash_one(keys.row(*number as usize).data());
                    known.insert_unique(hash, next, rehash);
                    next
                }
            });
        }
        Ok(())
    }

    /// The columns of the entities in ascending order, and the rank of each number.
    fn in_order(self) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        if self.is_one {
            return Ok((Vec::new(), vec![0]));
        }
        let count = self.keys.num_rows();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_unstable_by_key(|&number| self.keys.row(number));
        let mut ranks = vec![0; count];
        for (rank, &number) in order.iter().enumerate() {
            ranks[number] = rank as u32;
        }
        let sorted = order.iter().map(|&number| self.keys.row(number));
        Ok((self.converter.convert_rows(sorted)?, ranks))
    }
}
