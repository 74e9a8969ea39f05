//! The rows that enter and leave a window of one entity, in the order of its output rows.

use std::ops::Range;

use crate::activity::Activity;
use crate::timeline::{Segment, position_of};

/// A row enters or leaves a window. Packed into one integer: the output row from which it holds, whether
/// the row leaves, and the row counted inside its entity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event(u64);

const LEAVES: u64 = 1 << 31;

/// Rows are counted in the bits below the one that tells whether they leave.
pub(crate) const MAXIMUM_ROWS: usize = LEAVES as usize;

impl Event {
    fn enter(position: u32, row: usize) -> Self {
        Self(u64::from(position) << 32 | row as u64)
    }

    fn leave(position: u32, row: usize) -> Self {
        Self(u64::from(position) << 32 | LEAVES | row as u64)
    }

    /// The output row from which the event holds, counted inside the entity.
    pub(crate) fn position(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Whether the row leaves rather than enters.
    pub(crate) fn leaves(self) -> bool {
        self.0 & LEAVES != 0
    }

    /// The row, counted inside the entity.
    pub(crate) fn row(self) -> usize {
        (self.0 & (LEAVES - 1)) as usize
    }
}

/// Where the events of one window of one entity come from.
pub(crate) struct Source<'a> {
    pub(crate) activity: &'a Activity,
    /// The entity's rows.
    pub(crate) rows: Range<usize>,
    pub(crate) window: usize,
    /// The entity's segments.
    pub(crate) segments: &'a [Segment],
    /// The number of the entity's output rows.
    pub(crate) length: usize,
}

impl Source<'_> {
    /// Visits the events in the order of rows. Rows that stay to the end never leave.
    fn visit(&self, mut with: impl FnMut(Event)) {
        for (local, row) in self.rows.clone().enumerate() {
            let enter = self.activity.enter(row);
            let leave = self.activity.leave(row, self.window);
            if enter < leave {
                with(Event::enter(position_of(self.segments, enter), local));
                let position = position_of(self.segments, leave);
                if (position as usize) < self.length {
                    with(Event::leave(position, local));
                }
            }
        }
    }
}

/// The events of one window of one entity, in the order of output rows; its memory is used again.
#[derive(Default)]
pub(crate) struct WindowEvents {
    events: Vec<Event>,
    /// Where the next event of each output row is placed.
    places: Vec<u32>,
}

impl WindowEvents {
    /// The events.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Collects the events of a window. Sorts by counting: a pass to learn how many events each output
    /// row has, and one to place them.
    pub(crate) fn collect(&mut self, source: &Source) {
        self.places.clear();
        self.places.resize(source.length, 0);
        source.visit(|event| self.places[event.position()] += 1);
        let mut total = 0;
        for place in &mut self.places {
            (*place, total) = (total, total + *place);
        }
        self.events.clear();
        self.events.resize(total as usize, Event(0));
        source.visit(|event| {
            let place = &mut self.places[event.position()];
            self.events[*place as usize] = event;
            *place += 1;
        });
    }
}
