//! What changes from one reference date to the next, for each entity and window.

/// For each entity a block of slots by reference date, then window: what the slots of that window gain at that date. A block is
/// made when the first row of its entity comes.
pub(super) struct Cells {
    dates: usize,
    windows: usize,
    /// Slots of a date and window, of which the last ones may not be in use yet.
    width: usize,
    entities: Vec<Vec<i128>>,
}

/// Slots are added so many at a time, which fill a line of the cache.
const SLOTS_AT_ONCE: usize = 4;

impl Cells {
    pub(super) fn new(dates: usize, windows: usize, slots: usize) -> Self {
        Self {
            dates,
            windows,
            width: slots.next_multiple_of(SLOTS_AT_ONCE),
            entities: Vec::new(),
        }
    }

    pub(super) fn entity_count(&self) -> usize {
        self.entities.len()
    }

    /// Makes room for so many entities and slots.
    pub(super) fn grow(&mut self, entities: usize, slots: usize) {
        if self.entities.len() < entities {
            self.entities.resize_with(entities, Vec::new);
        }
        if slots > self.width {
            let (old, new) = (self.width, slots.next_multiple_of(SLOTS_AT_ONCE));
            for block in &mut self.entities {
                let mut wider = vec![0; block.len() / old * new];
                for (into, from) in wider.chunks_mut(new).zip(block.chunks(old)) {
                    into[..old].copy_from_slice(from);
                }
                *block = wider;
            }
            self.width = new;
        }
    }

    /// The slots of an entity in a window at a reference date, by index.
    pub(super) fn at(&mut self, entity: usize, date: usize, window: usize) -> &mut [i128] {
        let block = &mut self.entities[entity];
        if block.is_empty() {
            *block = vec![0; self.dates * self.windows * self.width];
        }
        let place = (date * self.windows + window) * self.width;
        &mut block[place..place + self.width]
    }

    /// What the slots of an entity gain at each reference date, window after window.
    pub(super) fn dates_of(&self, entity: usize) -> impl Iterator<Item = &[i128]> {
        self.entities[entity].chunks(self.windows * self.width)
    }

    /// Slots of a date and window.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Adds what the slots of another table gain, whose entities and slots have these numbers here.
    pub(super) fn merge(&mut self, other: Self, entities: &[u32], slots: &[usize]) {
        for (block, &entity) in other.entities.into_iter().zip(entities) {
            for (place, gained) in block.chunks(other.width).enumerate() {
                let (date, window) = (place / self.windows, place % self.windows);
                let cells = self.at(entity as usize, date, window);
                for (&slot, gained) in slots.iter().zip(gained) {
                    cells[slot] += gained;
                }
            }
        }
    }

    /// Puts entities into another order.
    pub(super) fn arrange(&mut self, order: &[u32]) {
        let blocks = order.iter();
        let blocks = blocks.map(|&entity| {
            let block = self.entities.get_mut(entity as usize);
            block.map(std::mem::take).unwrap_or_default()
        });
        self.entities = blocks.collect();
    }
}
