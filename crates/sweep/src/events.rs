//! The rows that enter and leave a window of one entity, in the order of its output rows.

use std::ops::Range;

use crate::activity::Activity;
use crate::timeline::{Segment, position_of};

/// A row enters or leaves a window. Packed into one integer: the step from which it holds, whether the row
/// leaves, and the row counted inside its entity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event(u64);

const LEAVES: u64 = 1 << 31;

/// Rows are counted in the bits below the one that tells whether they leave.
pub(crate) const MAXIMUM_ROWS: usize = LEAVES as usize;

impl Event {
    fn new(step: u32, leaves: bool, row: usize) -> Self {
        let leaves = if leaves { LEAVES } else { 0 };
        Self(u64::from(step) << 32 | leaves | row as u64)
    }

    /// The step from which the event holds, counted inside the entity.
    pub(crate) fn step(self) -> usize {
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
    /// Visits the events in the order of rows: the output row from which each holds, whether the row leaves,
    /// and the row counted inside the entity. Rows that stay to the end never leave.
    fn visit(&self, mut with: impl FnMut(usize, bool, usize)) {
        for (local, row) in self.rows.clone().enumerate() {
            let enter = self.activity.enter(row);
            let leave = self.activity.leave(row, self.window);
            if enter < leave {
                with(position_of(self.segments, enter) as usize, false, local);
                let position = position_of(self.segments, leave) as usize;
                if position < self.length {
                    with(position, true, local);
                }
            }
        }
    }
}

/// The events of one window of one entity, in the order of output rows, and the steps between them, in which
/// nothing enters or leaves; its memory is used again.
#[derive(Default)]
pub(crate) struct WindowEvents {
    events: Vec<Event>,
    steps: Vec<u32>,
    places: Vec<Place>,
}

/// What is known of an output row while events are placed.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// How many events it has; then where the next of them is placed.
    next: u32,
    /// The step that it belongs to.
    step: u32,
}

impl WindowEvents {
    /// The events.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The first output row of each step, counted inside the entity. The first step starts at 0.
    pub(crate) fn steps(&self) -> &[u32] {
        &self.steps
    }

    /// Collects the events of a window. Sorts by counting: a pass to learn how many events each output
    /// row has, and one to place them.
    pub(crate) fn collect(&mut self, source: &Source) {
        self.places.clear();
        self.places.resize(source.length, Place::default());
        source.visit(|position, _, _| self.places[position].next += 1);
        self.steps.clear();
        let mut total = 0;
        for (position, place) in self.places.iter_mut().enumerate() {
            if position == 0 || place.next > 0 {
                self.steps.push(position as u32);
            }
            place.step = self.steps.len() as u32 - 1;
            (place.next, total) = (total, total + place.next);
        }
        self.events.clear();
        self.events.resize(total as usize, Event(0));
        source.visit(|position, leaves, row| {
            let place = &mut self.places[position];
            self.events[place.next as usize] = Event::new(place.step, leaves, row);
            place.next += 1;
        });
    }
}
