//! The sources of a view, piece by piece.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use safra_history::{History, HistoryError, Pieces};
use tokio::sync::{Semaphore, mpsc};

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

    /// What `compute` makes of each piece, in their order, as many at a time as there are processors. It is told the number of the
    /// piece, and begins with none before it has begun with those before. `file` is that of the view.
    pub(crate) fn side_by_side<T, F>(
        self,
        file: &str,
        compute: impl Fn(usize, History) -> F + Send + Sync + 'static,
    ) -> impl Stream<Item = Result<T, FeatureError>> + Unpin
    where
        T: Send + 'static,
        F: Future<Output = Result<T, FeatureError>> + Send + 'static,
    {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // Some outcomes wait, so that no processor does for a piece that takes long, or for what is done with its outcome.
        let (outcomes, begun) = mpsc::channel(4 * threads);
        tokio::spawn(async move {
            let processors = Arc::new(Semaphore::new(threads));
            let work = Arc::new((self, compute));
            for number in 0..work.0.count() {
                let Ok(processor) = Arc::clone(&processors).acquire_owned().await else {
                    return;
                };
                let work = Arc::clone(&work);
                let outcome = tokio::spawn(async move {
                    let (pieces, compute) = &*work;
                    let outcome = compute(number, pieces.piece(number)?).await;
                    drop(processor);
                    outcome
                });
                if outcomes.send(outcome).await.is_err() {
                    // Nobody asks any more.
                    return;
                }
            }
        });
        let file = file.to_owned();
        futures::stream::unfold((begun, file), |(mut begun, file)| async move {
            let outcome = match begun.recv().await?.await {
                Ok(outcome) => outcome,
                Err(error) => {
                    let message = format!("the rows of the view were not computed: {error}");
                    Err(FeatureError::shape(&file, message))
                }
            };
            Some((outcome, (begun, file)))
        })
        .boxed()
    }
}
