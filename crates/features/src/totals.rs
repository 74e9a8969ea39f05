//! The rows of a view as they come, of which nothing but totals is kept.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use chrono::NaiveDate;
use safra_sweep::{Reach, Rows, Steps, Totals};

use crate::entities::Entities;
use crate::row_batch::RowBatch;
use crate::{CompiledView, FeatureError};

/// What the rows of a view add up to, added by several threads, each to totals of its own.
pub(crate) struct ViewTotals {
    file: String,
    /// For each column of the entity the texts that its numbers stand for, if it has numbers.
    texts: Vec<Option<ArrayRef>>,
    reach: Reach,
    /// Taken out in the end.
    parts: Vec<Mutex<Option<Part>>>,
    /// Entities that a part may have.
    most_entities: usize,
    too_many: AtomicBool,
}

/// Totals of some of the rows, and the entities that they are of.
pub(crate) struct Part {
    pub entities: Entities,
    pub totals: Totals,
}

impl ViewTotals {
    /// Totals of nothing yet, in one part a thread that adds at the same time, of no more than so many entities each.
    pub(crate) fn new(
        view: &CompiledView,
        texts: Vec<Option<ArrayRef>>,
        reach: Reach,
        parts: Vec<Part>,
        most_entities: usize,
    ) -> Self {
        Self {
            file: view.view.file.clone(),
            texts,
            reach,
            parts: parts.into_iter().map(Some).map(Mutex::new).collect(),
            most_entities,
            too_many: AtomicBool::new(false),
        }
    }

    /// Whether there were more entities than a part may have. Then not all rows have been added.
    pub(crate) fn has_too_many(&self) -> bool {
        self.too_many.load(Ordering::Relaxed)
    }

    /// Adds rows, unless there are too many entities already. Those of the same piece, or of another whose number leaves the same remainder,
    /// wait for each other.
    pub(crate) fn add(&self, piece: usize, batch: &RecordBatch) -> Result<(), FeatureError> {
        if self.has_too_many() {
            return Ok(());
        }
        let failed = |error| FeatureError::datafusion(&self.file, error);
        let rows = RowBatch::new(batch, self.texts.len(), Some(&self.reach));
        let columns = rows.columns().map_err(|error| failed(error.into()))?;
        let time: Vec<i64> = rows.time().collect();
        let valid_from: Vec<i64> = rows.valid_from().collect();
        let valid_to: Vec<i64> = rows.valid_to().collect();
        let mut part = lock(&self.parts[piece % self.parts.len()]);
        let Some(Part { entities, totals }) = &mut *part else {
            return Err(self.late());
        };
        let (mut entity, kept) = (Vec::with_capacity(time.len()), rows.kept.iter().copied());
        let numbered = entities.number(rows.entity, kept, &mut entity);
        numbered.map_err(failed)?;
        let rows = Rows {
            entity: &entity,
            time: &time,
            valid_from: &valid_from,
            valid_to: &valid_to,
            columns: &columns,
        };
        totals
            .add(&rows)
            .map_err(|source| self.sweep_error(source))?;
        if totals.entity_count() > self.most_entities {
            self.too_many.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// All totals together, with the entities in their own order.
    pub(crate) fn in_order(&self, dates: Vec<NaiveDate>) -> Result<OrderedTotals, FeatureError> {
        let failed = |error| FeatureError::datafusion(&self.file, error);
        let mut parts = self.parts.iter().filter_map(|part| lock(part).take());
        let Some(Part {
            mut entities,
            mut totals,
        }) = parts.next()
        else {
            return Err(self.late());
        };
        for part in parts {
            let numbers = entities.join(part.entities).map_err(failed)?;
            totals.merge(part.totals, &numbers);
        }
        let (entities, ranks) = entities.in_order(&self.texts).map_err(failed)?;
        let mut order = vec![0; ranks.len()];
        for (number, &rank) in ranks.iter().enumerate() {
            order[rank as usize] = number as u32;
        }
        totals.arrange(&order);
        Ok(OrderedTotals {
            entities,
            totals,
            dates,
        })
    }

    fn late(&self) -> FeatureError {
        FeatureError::shape(
            &self.file,
            "the totals of the view were taken before all rows were in",
        )
    }

    fn sweep_error(&self, source: safra_sweep::SweepError) -> FeatureError {
        let file = self.file.clone();
        FeatureError::Sweep { file, source }
    }
}

/// What a panic of another thread leaves is of no use to anyone, since the panic goes on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The totals of a view for some dates.
pub(crate) struct OrderedTotals {
    /// One row an entity, in ascending order; the index is the entity's number.
    pub entities: Vec<ArrayRef>,
    totals: Totals,
    dates: Vec<NaiveDate>,
}

impl OrderedTotals {
    pub(crate) fn entity_count(&self) -> usize {
        self.totals.entity_count()
    }

    /// The aggregates of some entities at dates that follow one another among those that were added up for.
    pub(crate) fn steps(
        &self,
        view: &CompiledView,
        entities: Range<usize>,
        dates: &[NaiveDate],
    ) -> Result<Steps, FeatureError> {
        let file = &view.view.file;
        let first = dates.first().copied().unwrap_or(NaiveDate::MAX);
        let start = self.dates.partition_point(|&date| date < first);
        let found = start..(start + dates.len()).min(self.dates.len());
        if self.dates[found.clone()] != *dates {
            let message = "the rows were added up for other dates";
            return Err(FeatureError::shape(file, message));
        }
        let entities = entities.start as u32..entities.end as u32;
        let steps = self.totals.steps(entities, found);
        steps.map_err(|source| FeatureError::Sweep {
            file: file.clone(),
            source,
        })
    }
}
