//! Totals of one group, and of many groups at once.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Int64Array, PrimitiveArray,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::total::Total;

/// The sum or mean of one group.
#[derive(Debug)]
pub(super) struct OneTotal<T> {
    group: Group<T>,
    mean: bool,
}

impl<T: Total> OneTotal<T> {
    pub(super) fn new(mean: bool) -> Self {
        let group = Group::default();
        Self { group, mean }
    }
}

/// A total and how many values it has taken.
#[derive(Debug, Default)]
struct Group<T> {
    total: T,
    count: i64,
}

impl<T: Total> Group<T> {
    fn result(&self, mean: bool) -> Result<Option<<T::Value as ArrowPrimitiveType>::Native>> {
        match (self.count, mean) {
            (0, _) => Ok(None),
            (_, false) => self.total.sum().map(Some),
            (count, true) => self.total.mean(count).map(Some),
        }
    }
}

impl<T: Total> Accumulator for OneTotal<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<T::Value>().iter().flatten() {
            self.group.total.add(value);
            self.group.count += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<T::Value>().iter().flatten() {
            self.group.total.subtract(value);
            self.group.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        T::SUBTRACTS
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let result = self.group.result(self.mean)?;
        let array = PrimitiveArray::<T::Value>::from_iter([result]);
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.group.total.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = T::states(std::slice::from_ref(&self.group.total))?;
        Ok(vec![
            Some(self.group.count).into(),
            ScalarValue::try_from_array(&states, 0)?,
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (row, count) in states[0].as_primitive::<Int64Type>().iter().enumerate() {
            if let Some(count) = count {
                self.group.count += count;
                self.group.total.merge(&states[1], row);
            }
        }
        Ok(())
    }
}

/// The sums or means of many groups.
#[derive(Debug)]
pub(super) struct Totals<T> {
    totals: Vec<T>,
    counts: Vec<i64>,
    mean: bool,
}

impl<T: Total> Totals<T> {
    pub(super) fn new(mean: bool) -> Self {
        Self {
            totals: Vec::new(),
            counts: Vec::new(),
            mean,
        }
    }

    fn resize(&mut self, groups: usize) {
        self.totals.resize_with(groups, T::default);
        self.counts.resize(groups, 0);
    }

    fn emit(&mut self, emit_to: EmitTo) -> (Vec<T>, Vec<i64>) {
        (
            emit_to.take_needed(&mut self.totals),
            emit_to.take_needed(&mut self.counts),
        )
    }
}

impl<T: Total> GroupsAccumulator for Totals<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        let values = values[0].as_primitive::<T::Value>();
        for (row, (&group, value)) in group_indices.iter().zip(values).enumerate() {
            let passes = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if let (Some(value), true) = (value, passes) {
                self.totals[group].add(value);
                self.counts[group] += 1;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (totals, counts) = self.emit(emit_to);
        let groups = totals.into_iter().zip(counts);
        let results = groups.map(|(total, count)| Group { total, count }.result(self.mean));
        let results: PrimitiveArray<T::Value> = results.collect::<Result<_>>()?;
        Ok(Arc::new(results))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (totals, counts) = self.emit(emit_to);
        Ok(vec![
            Arc::new(Int64Array::from(counts)),
            T::states(&totals)?,
        ])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        let counts = values[0].as_primitive::<Int64Type>().iter();
        for (row, (count, &group)) in counts.zip(group_indices).enumerate() {
            if let Some(count) = count {
                self.counts[group] += count;
                self.totals[group].merge(&values[1], row);
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let mut groups = Self::new(self.mean);
        groups.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        groups.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<T>() + self.counts.capacity() * size_of::<i64>()
    }
}
