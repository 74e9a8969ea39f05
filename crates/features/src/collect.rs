//! The rows of a view, over the sources piece by piece: held, or added up as they come.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use futures::{StreamExt, TryStreamExt};
use safra_history::{History, session};
use safra_sweep::{Aggregate, Reach, SweepError, Totals, Window};
use tokio::sync::watch;

use crate::entities::Entities;
use crate::gathered::Gathered;
use crate::pieces::InPieces;
use crate::row_batch::{RowBatch, types};
use crate::rows::{ViewRows, Wanted, entity_texts, plan};
use crate::staged::Staged;
use crate::swept::Swept;
use crate::totals::{OrderedTotals, Part, ViewTotals};
use crate::{CompiledView, FeatureError};

/// What is kept of the rows of a view.
pub(crate) enum Collected {
    Rows(ViewRows),
    Totals(OrderedTotals),
}

/// Runs what comes before the aggregates, over the versions of the sources, and keeps what features at these dates take: the rows
/// within reach, or what they add up to, where that is all that is asked for and takes less memory.
pub(crate) async fn collect(
    view: &CompiledView,
    input: &LogicalPlan,
    swept: &Swept,
    history: &History,
    dates: &[NaiveDate],
) -> Result<Collected, FeatureError> {
    let kept = kept(view, input, swept, history, Some(dates)).await?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let view = view.clone().holding_rows(true);
    let rows = held(&view, input, swept, history, Some(dates)).await?;
    Ok(Collected::Rows(rows))
}

/// As [`collect`], and keeps all rows that may count at any date.
pub(crate) async fn collect_rows(
    view: &CompiledView,
    input: &LogicalPlan,
    swept: &Swept,
    history: &History,
) -> Result<ViewRows, FeatureError> {
    held(view, input, swept, history, None).await
}

/// Rows or totals; `None` when totals were chosen and there are too many entities for them.
async fn kept(
    view: &CompiledView,
    input: &LogicalPlan,
    swept: &Swept,
    history: &History,
    dates: Option<&[NaiveDate]>,
) -> Result<Option<Collected>, FeatureError> {
    let (work, pieces) = Work::new(view, input, swept, history, dates).await?;
    let (gathered, totals) = work.run(pieces).await?;
    Ok(match totals {
        Some(totals) if totals.has_too_many() => None,
        Some(totals) => {
            let totals = totals.in_order(dates.unwrap_or_default().to_vec())?;
            Some(Collected::Totals(totals))
        }
        None => Some(Collected::Rows(work.sorted(gathered)?)),
    })
}

/// The rows of a view that holds them.
async fn held(
    view: &CompiledView,
    input: &LogicalPlan,
    swept: &Swept,
    history: &History,
    dates: Option<&[NaiveDate]>,
) -> Result<ViewRows, FeatureError> {
    let (work, pieces) = Work::new(view, input, swept, history, dates).await?;
    let (gathered, _) = work.run(pieces).await?;
    work.sorted(gathered)
}

/// Bytes that totals may take, all parts of them together, as far as the first piece tells; twice as much as a whole, where later pieces
/// have other entities.
const TOTALS_BYTES: usize = 1 << 30;

/// What all pieces need to know.
struct Work {
    view: CompiledView,
    staged: Staged,
    wanted: Wanted,
    aggregates: Vec<Aggregate>,
    /// For each column of the entity the texts that its numbers stand for, if it has numbers.
    texts: Vec<Option<ArrayRef>>,
    windows: Vec<Window>,
    /// In days since 1970-01-01; `None` for any.
    dates: Option<Vec<i32>>,
    pieces: usize,
    /// What is done with the rows, as the first piece shows: it does not depend on which piece is done first.
    choice: watch::Sender<Option<Choice>>,
}

/// What is done with rows.
#[derive(Clone)]
enum Choice {
    Hold,
    Add(Arc<ViewTotals>),
}

impl Work {
    async fn new(
        view: &CompiledView,
        input: &LogicalPlan,
        swept: &Swept,
        history: &History,
        dates: Option<&[NaiveDate]>,
    ) -> Result<(Arc<Self>, InPieces), FeatureError> {
        let wanted = Wanted::of(swept);
        // Of pieces the whole decides: some have no rows of a source, and say nothing.
        let view = view.over(history);
        let pieces = InPieces::of(&view, history)?;
        let work = Self {
            staged: Staged::new(&view, input, history).await?,
            aggregates: swept.aggregates(&wanted.places),
            wanted,
            texts: entity_texts(&view, history),
            windows: view.sweep_windows(),
            dates: dates.map(|dates| dates.iter().map(NaiveDate::to_epoch_days).collect()),
            pieces: pieces.count(),
            choice: watch::channel(None).0,
            view,
        };
        Ok((Arc::new(work), pieces))
    }

    /// The rows of all pieces, as many at a time as there are processors; `None` of totals where rows are held.
    async fn run(
        self: &Arc<Self>,
        pieces: InPieces,
    ) -> Result<(Gathered, Option<Arc<ViewTotals>>), FeatureError> {
        let work = Arc::clone(self);
        let mut pieces = pieces.side_by_side(&self.view.view.file, move |number, piece| {
            let work = Arc::clone(&work);
            async move { work.piece(number, &piece).await }
        });
        let mut gathered = Gathered::new(self.texts.clone());
        while let Some(held) = pieces.next().await {
            if let Some(rows) = held? {
                gathered.add(&rows).map_err(|e| self.failed(e))?;
            }
        }
        Ok(match self.chosen() {
            Some(Choice::Add(totals)) => (gathered, Some(totals)),
            _ => (gathered, None),
        })
    }

    fn sorted(&self, gathered: Gathered) -> Result<ViewRows, FeatureError> {
        let rows = gathered.sorted(self.wanted.places.clone());
        rows.map_err(|error| self.failed(error))
    }

    /// Computes the rows of a piece. Those that count come back if they are held.
    async fn piece(
        &self,
        number: usize,
        piece: &History,
    ) -> Result<Option<RecordBatch>, FeatureError> {
        let rows = self.piece_rows(number, piece).await;
        if number == 0 && rows.is_err() {
            // Nobody should wait for a choice that does not come.
            self.choice.send_replace(Some(Choice::Hold));
        }
        rows
    }

    async fn piece_rows(
        &self,
        number: usize,
        piece: &History,
    ) -> Result<Option<RecordBatch>, FeatureError> {
        if let Some(Choice::Add(totals)) = self.chosen()
            && totals.has_too_many()
        {
            return Ok(None);
        }
        let mut stream = self.stream(piece).await?;
        if let Some(Choice::Add(totals)) = self.chosen() {
            while let Some(batch) = stream.next().await {
                totals.add(number, &batch.map_err(|e| self.failed(e))?)?;
            }
            return Ok(None);
        }
        let schema = stream.schema();
        let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(|e| self.failed(e))?;
        if number == 0 {
            let choice = self.choose(&schema, &batches)?;
            self.choice.send_replace(Some(choice));
        }
        let mut choice = self.choice.subscribe();
        let _ = choice.wait_for(Option::is_some).await;
        if let Some(Choice::Add(totals)) = self.chosen() {
            for batch in batches {
                totals.add(number, &batch)?;
            }
            return Ok(None);
        }
        let reach = self.reach()?;
        let kept = batches
            .iter()
            .map(|batch| RowBatch::new(batch, self.texts.len(), reach.as_ref()).rows());
        let kept = kept.collect::<Result<Vec<_>, _>>();
        let rows = kept.and_then(|kept| concat_batches(&schema, &kept));
        rows.map(Some).map_err(|e| self.failed(e.into()))
    }

    /// The rows over a piece of the sources.
    async fn stream(&self, piece: &History) -> Result<SendableRecordBatchStream, FeatureError> {
        let sequenced = self.staged.sequenced(piece).await?;
        let plan = plan(&self.view, sequenced, self.wanted.columns.clone());
        let plan = plan.map_err(|e| self.failed(e))?;
        let frame = session(1).execute_logical_plan(plan).await;
        let rows = frame.map_err(|e| self.failed(e))?.execute_stream().await;
        rows.map_err(|e| self.failed(e))
    }

    fn chosen(&self) -> Option<Choice> {
        self.choice.borrow().clone()
    }

    /// What to do with the rows, from those of the first piece: where it is not known how many entities there are, its own are most of
    /// those of all pieces if entities have many rows. Where that proves wrong, rows are held after all.
    fn choose(&self, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Choice, FeatureError> {
        let (
            Some(reach),
            Some(Part {
                mut entities,
                totals,
            }),
        ) = (self.reach()?, self.part(schema)?)
        else {
            return Ok(Choice::Hold);
        };
        let mut numbers = Vec::new();
        for batch in batches {
            let rows = RowBatch::new(batch, self.texts.len(), Some(&reach));
            let kept = rows.kept.iter().copied();
            let numbered = entities.number(rows.entity, kept, &mut numbers);
            numbered.map_err(|e| self.failed(e))?;
        }
        let seen = numbers.iter().max().map_or(1, |&last| last as usize + 1);
        // Where entities are numbers of a dictionary, there may be as many as it has texts.
        let count = match &self.texts[..] {
            [Some(texts)] => texts.len().max(seen),
            _ => seen,
        };
        let bytes = count * totals.entity_bytes();
        // The entity of a row, its time, its interval and its columns, which are numbers or less.
        let of_rows =
            numbers.len() * self.pieces * (self.wanted.columns.len() + 4) * size_of::<i64>();
        let holds = bytes > TOTALS_BYTES || bytes >= of_rows;
        if self.view.holds_rows.unwrap_or(holds) {
            return Ok(Choice::Hold);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = (TOTALS_BYTES / bytes.max(1)).clamp(1, threads);
        let parts = (0..parts).filter_map(|_| self.part(schema).transpose());
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let most = match self.view.holds_rows {
            Some(_) => usize::MAX,
            None => {
                (2 * TOTALS_BYTES).min(of_rows) / parts.len().max(1) / totals.entity_bytes().max(1)
            }
        };
        let texts = self.texts.clone();
        let totals = ViewTotals::new(&self.view, texts, reach, parts, most.max(count));
        Ok(Choice::Add(Arc::new(totals)))
    }

    /// Totals of nothing, if totals are all that is asked for.
    fn part(&self, schema: &SchemaRef) -> Result<Option<Part>, FeatureError> {
        let Some(dates) = &self.dates else {
            return Ok(None);
        };
        let (entity, columns) = types(schema, self.texts.len());
        let totals = Totals::new(&columns, &self.windows, &self.aggregates, dates);
        let Some(totals) = totals.map_err(|error| self.sweep_error(error))? else {
            return Ok(None);
        };
        let entities = Entities::new(&entity, &self.texts).map_err(|e| self.failed(e))?;
        Ok(Some(Part { entities, totals }))
    }

    /// What the windows reach at the dates, if there are any.
    fn reach(&self) -> Result<Option<Reach>, FeatureError> {
        let reach = self.dates.as_ref();
        let reach = reach.map(|dates| Reach::new(&self.windows, dates));
        reach.transpose().map_err(|error| self.sweep_error(error))
    }

    fn failed(&self, error: DataFusionError) -> FeatureError {
        FeatureError::datafusion(&self.view.view.file, error)
    }

    fn sweep_error(&self, source: SweepError) -> FeatureError {
        let file = self.view.view.file.clone();
        FeatureError::Sweep { file, source }
    }
}
