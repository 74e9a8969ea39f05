//! Counts of rows.

use std::ops::Range;

use super::{Accumulator, Overflow};
use crate::output::Writer;

/// The number of active rows.
#[derive(Default)]
pub(super) struct Count {
    rows: i64,
}

impl Accumulator<()> for Count {
    fn begin(&mut self, (): &()) {
        self.rows = 0;
    }

    fn enter(&mut self, (): &(), _row: usize) {
        self.rows += 1;
    }

    fn leave(&mut self, (): &(), _row: usize) {
        self.rows -= 1;
    }

    fn write(
        &mut self,
        (): &(),
        cells: Range<usize>,
        writers: &mut [Writer],
    ) -> Result<(), Overflow> {
        if self.rows > 0 {
            for writer in writers {
                writer.integer(cells.clone(), self.rows);
            }
        }
        Ok(())
    }
}
