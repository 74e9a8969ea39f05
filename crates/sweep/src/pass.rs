//! The one pass over the entities of a chunk.

use crate::SweepError;
use crate::accumulate::{Failure, Task};
use crate::output::Writer;
use crate::prepare::{Context, Prepared, each};
use crate::timeline::Chunk;

/// Computes the output of a chunk and returns, for each writer, which of its cells are not NULL.
pub(crate) fn run(
    context: Context,
    chunk: &Chunk,
    writers: Vec<Writer>,
) -> Result<Vec<Option<Vec<u64>>>, SweepError> {
    let windows = context.calendar.windows().len();
    let mut writers = writers.into_iter();
    let mut tasks: Vec<_> = context
        .plan
        .groups
        .iter()
        .map(|group| {
            Task::new(
                group,
                writers
                    .by_ref()
                    .take(windows * group.outputs.len())
                    .collect(),
            )
        })
        .collect();
    let mut prepared = Prepared::new(context);
    for entity in chunk
        .entities
        .iter()
        .filter(|entity| !entity.output.is_empty())
    {
        prepared.entity(context, chunk, entity);
        each(&mut tasks, entity, |_, task| {
            task.entity(context, &prepared, entity)
        });
    }
    if let Some(failure) = tasks.iter().filter_map(|task| task.failure).min() {
        return Err(overflow(context, chunk, failure));
    }
    Ok(tasks
        .into_iter()
        .flat_map(|task| task.writers)
        .map(Writer::into_valid)
        .collect())
}

fn overflow(context: Context, chunk: &Chunk, failure: Failure) -> SweepError {
    let entity = &chunk.entities[chunk
        .entities
        .partition_point(|entity| entity.output.end <= failure.cell)];
    let mut dates = chunk
        .segments(entity)
        .iter()
        .flat_map(|segment| segment.first..segment.end);
    let date = dates
        .nth(failure.cell - entity.output.start)
        .unwrap_or_default();
    SweepError::Overflow {
        index: failure.index,
        aggregate: context.aggregates[failure.index],
        window: context.calendar.windows()[failure.window],
        entity: entity.entity,
        date: context.calendar.dates()[date as usize],
    }
}
