//! The sources of a view, piece by piece.

use safra_history::{History, HistoryError, Pieces};

use crate::CompiledView;

/// The sources of a view in pieces, so that each has about as many rows of the divided sources as the view says.
pub(crate) struct InPieces<'a> {
    history: &'a History,
    /// `None` when all is one piece.
    pieces: Option<Pieces>,
    next: u32,
}

impl<'a> InPieces<'a> {
    pub(crate) fn of(view: &CompiledView, history: &'a History) -> Result<Self, HistoryError> {
        let pieces = match &view.division {
            None => None,
            Some(columns) => {
                let sources = columns.keys().filter_map(|name| history.source(name));
                let rows: usize = sources.map(|dated| dated.full().num_rows()).sum();
                match u32::try_from(rows.div_ceil(view.piece_rows)).unwrap_or(u32::MAX) {
                    0 | 1 => None,
                    count => Some(history.divide(columns, count)?),
                }
            }
        };
        Ok(Self {
            history,
            pieces,
            next: 0,
        })
    }
}

impl Iterator for InPieces<'_> {
    type Item = Result<History, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next;
        self.next += 1;
        match &self.pieces {
            None => (number == 0).then(|| Ok(self.history.clone())),
            Some(pieces) if number < pieces.count() => Some(self.history.piece(pieces, number)),
            Some(_) => None,
        }
    }
}
