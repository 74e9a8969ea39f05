//! Which reference dates give an entity an output row, and where these rows stand in the output.

use std::ops::Range;

use rayon::prelude::*;

use crate::activity::Activity;
use crate::{Rows, SweepError};

/// Consecutive reference dates on which an entity is active.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    /// Index of the first date.
    pub(crate) first: u32,
    /// Index past the last date.
    pub(crate) end: u32,
    /// Output row of the first date, counted inside the entity.
    pub(crate) position: u32,
}

/// One entity of a chunk.
pub(crate) struct Entity {
    pub(crate) entity: u32,
    /// Its rows in the input.
    pub(crate) rows: Range<usize>,
    /// Its segments in the chunk.
    segments: Range<usize>,
    /// Its rows in the output of the chunk.
    pub(crate) output: Range<usize>,
}

/// Whole entities that are worked on together.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) entities: Vec<Entity>,
    segments: Vec<Segment>,
}

impl Chunk {
    /// The segments of one of its entities, in the order of dates.
    pub(crate) fn segments(&self, entity: &Entity) -> &[Segment] {
        &self.segments[entity.segments.clone()]
    }

    /// More steps than this no window has: each of an entity begins with a row that enters or leaves, but for the first one.
    pub(crate) fn most_steps(&self) -> usize {
        let steps = |entity: &Entity| entity.output.len().min(2 * entity.rows.len() + 1);
        self.entities.iter().map(steps).sum()
    }

    /// Adds an entity with its rows in the input, which are active on these dates: indexes of the first, and past the last.
    pub(crate) fn push(&mut self, entity: u32, rows: Range<usize>, spans: &mut [(u32, u32)]) {
        let (first_segment, start) = (self.segments.len(), self.output_rows());
        let length = merge(spans, &mut self.segments);
        self.entities.push(Entity {
            entity,
            rows,
            segments: first_segment..self.segments.len(),
            output: start..start + length,
        });
    }

    /// The number of output rows.
    pub(crate) fn output_rows(&self) -> usize {
        self.entities.last().map_or(0, |entity| entity.output.end)
    }
}

/// A chunk ends with the entity that brings it to so many rows. Fixed, so that nothing depends on the
/// number of threads.
const CHUNK_ROWS: usize = 1024;

/// The rows of each entity, in chunks.
///
/// # Errors
/// If the rows are not sorted by entity.
pub(crate) fn entity_rows(rows: &Rows) -> Result<Vec<Vec<Range<usize>>>, SweepError> {
    let (mut chunks, mut chunk, mut start) = (Vec::new(), Vec::new(), 0);
    let mut chunk_start = 0;
    for group in rows.entity.chunk_by(|left, right| left == right) {
        if start > 0 && rows.entity[start - 1] > group[0] {
            let (previous, entity) = (rows.entity[start - 1], group[0]);
            return Err(SweepError::UnsortedEntities {
                row: start,
                previous,
                entity,
            });
        }
        let end = start + group.len();
        chunk.push(start..end);
        start = end;
        if end - chunk_start >= CHUNK_ROWS {
            chunks.push(std::mem::take(&mut chunk));
            chunk_start = end;
        }
    }
    chunks.push(chunk);
    Ok(chunks)
}

/// Lays out the output of every chunk.
pub(crate) fn lay_out(
    rows: &Rows,
    entity_rows: &[Vec<Range<usize>>],
    activity: &Activity,
) -> Vec<Chunk> {
    entity_rows
        .par_iter()
        .map(|entities| lay_out_chunk(rows, entities, activity))
        .collect()
}

fn lay_out_chunk(rows: &Rows, entity_rows: &[Range<usize>], activity: &Activity) -> Chunk {
    let mut chunk = Chunk::default();
    let mut spans = Vec::new();
    for rows_of_entity in entity_rows {
        spans.clear();
        spans.extend(rows_of_entity.clone().filter_map(|row| activity.span(row)));
        let entity = rows.entity[rows_of_entity.start];
        chunk.push(entity, rows_of_entity.clone(), &mut spans);
    }
    chunk
}

/// Appends the union of spans as segments and tells how many dates it has.
fn merge(spans: &mut [(u32, u32)], segments: &mut Vec<Segment>) -> usize {
    // Rows mostly come in the order of time, which a stable sort makes use of.
    spans.sort();
    let mut position = 0;
    let mut open: Option<Segment> = None;
    for &(first, end) in spans.iter() {
        match &mut open {
            Some(segment) if first <= segment.end => segment.end = segment.end.max(end),
            _ => {
                position += open.map_or(0, |segment| segment.end - segment.first);
                segments.extend(open.replace(Segment {
                    first,
                    end,
                    position,
                }));
            }
        }
    }
    position += open.map_or(0, |segment| segment.end - segment.first);
    segments.extend(open);
    position as usize
}

/// Output row of the first of an entity's dates that is at or after a date index.
pub(crate) fn position_of(segments: &[Segment], date: u32) -> u32 {
    let index = segments.partition_point(|segment| segment.first <= date);
    let Some(segment) = segments[..index].last() else {
        return 0;
    };
    segment.position + date.min(segment.end) - segment.first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_touch_become_one_segment() {
        let mut segments = Vec::new();
        let length = merge(&mut [(5, 6), (0, 2), (1, 3), (3, 4), (8, 9)], &mut segments);
        let bounds: Vec<_> = segments
            .iter()
            .map(|s| (s.first, s.end, s.position))
            .collect();
        assert_eq!(bounds, [(0, 4, 0), (5, 6, 4), (8, 9, 5)]);
        assert_eq!(length, 6);
    }

    #[test]
    fn dates_between_segments_stand_at_the_next_one() {
        let mut segments = Vec::new();
        merge(&mut [(2, 4), (6, 7)], &mut segments);
        let positions: Vec<_> = (0..9).map(|date| position_of(&segments, date)).collect();
        assert_eq!(positions, [0, 0, 0, 1, 2, 2, 2, 3, 3]);
    }
}
