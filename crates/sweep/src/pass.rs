//! The one pass over the entities of a chunk.

use crate::SweepError;
use crate::accumulate::Task;
use crate::output::ChunkOutput;
use crate::prepare::{Context, Prepared, each};
use crate::timeline::{Chunk, Entity};

/// Computes the output of a chunk.
pub(crate) fn run(context: Context, chunk: &Chunk) -> Result<ChunkOutput, SweepError> {
    let groups = context.plan.groups.iter();
    let mut tasks: Vec<_> = groups
        .map(|group| Task::new(group, context, chunk))
        .collect();
    let mut ends = vec![Vec::new(); context.calendar.windows().len()];
    let mut prepared = Prepared::new(context);
    for entity in chunk
        .entities
        .iter()
        .filter(|entity| !entity.output.is_empty())
    {
        prepared.entity(context, chunk, entity);
        for (ends, events) in ends.iter_mut().zip(&prepared.events) {
            add_ends(ends, events.steps(), entity);
        }
        each(&mut tasks, entity, |_, task| {
            task.entity(context, &prepared, entity)
        });
    }
    if let Some(failure) = tasks.iter().filter_map(|task| task.failure).min() {
        return Err(failure.error(chunk, context.calendar, context.aggregates));
    }
    Ok(ChunkOutput {
        writers: tasks.into_iter().flat_map(|task| task.writers).collect(),
        ends,
    })
}

/// Adds where the steps of an entity end: where the next one starts, the last one with the entity.
pub(crate) fn add_ends(ends: &mut Vec<i32>, steps: &[u32], entity: &Entity) {
    let start = entity.output.start as i32;
    ends.extend(steps[1..].iter().map(|&next| start + next as i32));
    ends.push(entity.output.end as i32);
}
