//! The sources of a view, piece by piece.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use safra_history::{History, HistoryError, Pieces};

use crate::{CompiledView, FeatureError};

/// The sources of a view in pieces, so that each has about as many rows of the divided sources as the view says, with the columns
/// that it reads.
pub(crate) struct InPieces {
    history: History,
    /// `None` when all is one piece.
    pieces: Option<Pieces>,
}

impl InPieces {
    pub(crate) fn of(view: &CompiledView, history: &History) -> Result<Self, HistoryError> {
        let history = history.only(&view.read_columns())?;
        let pieces = match &view.division {
            None => None,
            Some(columns) => {
                let sources = columns.keys().filter_map(|name| history.source(name));
                let rows: usize = sources.map(|dated| dated.full().num_rows()).sum();
                match u32::try_from(rows.div_ceil(view.piece_rows)).unwrap_or(u32::MAX) {
                    0 | 1 => None,
                    count => Some(history.divide(columns, &view.links, count)?),
                }
            }
        };
        Ok(Self { history, pieces })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.pieces
            .as_ref()
            .map_or(1, |pieces| pieces.count() as usize)
    }

    fn piece(&self, number: usize) -> Result<History, HistoryError> {
        match &self.pieces {
            None => Ok(self.history.clone()),
            Some(pieces) => self.history.piece(pieces, number as u32),
        }
    }

    /// What `compute` makes of each piece, in their order, as many at a time as there are processors. It is told the number of the piece.
    /// `file` is that of the view.
    pub(crate) fn side_by_side<T, F>(
        self,
        file: &str,
        compute: impl Fn(usize, History) -> F + Send + Sync + 'static,
    ) -> impl Stream<Item = Result<T, FeatureError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, FeatureError>> + Send + 'static,
    {
        let (count, file) = (self.count(), file.to_owned());
        let work = Arc::new((self, compute));
        let pieces = (0..count).map(move |number| {
            let (work, file) = (Arc::clone(&work), file.clone());
            async move {
                let computed = tokio::spawn(async move {
                    let (pieces, compute) = &*work;
                    compute(number, pieces.piece(number)?).await
                });
                match computed.await {
                    Ok(result) => result,
                    Err(error) => {
                        let message = format!("the rows of the view were not computed: {error}");
                        Err(FeatureError::shape(&file, message))
                    }
                }
            }
        });
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        futures::stream::iter(pieces).buffered(threads)
    }
}
