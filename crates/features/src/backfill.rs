//! Filling the feature store: only dates that are missing or stale, in pieces that fit into memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};
use safra_history::History;
use safra_lake::{Folder, Lake, Replace, Table};
use safra_project::{Project, View};
use serde::Serialize;

use crate::compute::Prepared;
use crate::store::{Held, condition};
use crate::{CompiledView, FeatureError};

/// What a backfill did to one view.
#[derive(Debug, Clone, Serialize)]
pub struct BackfillReport {
    /// The view.
    pub view: String,
    /// Dates asked for.
    pub dates: usize,
    /// Dates computed; the others were there, from the same view and sources that give the same.
    pub computed: usize,
    /// Rows of the table now.
    pub rows: usize,
    /// Features of the view, all windows together.
    pub features: usize,
}

/// Told how many dates of a view have been dealt with since the last call.
pub type Progress = Arc<dyn Fn(&str, usize) + Send + Sync>;

/// Computes the features of `views` at `dates` (strictly increasing) and puts them into the store. Dates that
/// are there already, computed by the same view from sources that would give the same, are left as they are.
/// Each commit replaces exactly the dates that it brings, so a killed backfill goes on where it stopped.
///
/// # Errors
/// [`FeatureError`] names the view; what was committed before it stays.
pub async fn backfill(
    lake: &Lake,
    project: &Project,
    views: &[&View],
    dates: &[NaiveDate],
    progress: Progress,
) -> Result<Vec<BackfillReport>, FeatureError> {
    let mut tables = BTreeSet::new();
    for view in views {
        tables.extend(CompiledView::new(project, view).await?.sources());
    }
    let history = History::load(lake, project, &tables).await?;
    backfill_from(lake, project, views, dates, history, progress).await
}

/// As [`backfill`], from sources that are at hand.
///
/// # Errors
/// As [`backfill`].
pub async fn backfill_from(
    lake: &Lake,
    project: &Project,
    views: &[&View],
    dates: &[NaiveDate],
    history: History,
    progress: Progress,
) -> Result<Vec<BackfillReport>, FeatureError> {
    let mut compiled = Vec::new();
    for view in views {
        compiled.push(CompiledView::new(project, view).await?);
    }
    let history = Arc::new(history);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tasks = compiled.into_iter().map(|view| {
        let job = Job {
            lake: lake.clone(),
            project: project.clone(),
            view,
            history: Arc::clone(&history),
            dates: dates.to_vec(),
            progress: Arc::clone(&progress),
        };
        async move {
            let file = job.view.view.file.clone();
            match tokio::spawn(job.run()).await {
                Ok(report) => report,
                Err(error) => Err(FeatureError::shape(
                    &file,
                    format!("the backfill stopped: {error}"),
                )),
            }
        }
    });
    futures::stream::iter(tasks)
        .buffered(threads)
        .try_collect()
        .await
}

/// The backfill of one view.
struct Job {
    lake: Lake,
    project: Project,
    view: CompiledView,
    history: Arc<History>,
    dates: Vec<NaiveDate>,
    progress: Progress,
}

impl Job {
    async fn run(self) -> Result<BackfillReport, FeatureError> {
        let name = &self.view.view.name;
        let table = self.lake.table(Folder::Features, name);
        let (mut held, same_view) = self.held(&table).await?;
        let missing: Vec<NaiveDate> = self
            .dates
            .iter()
            .copied()
            .filter(|date| !held.dates.contains(date))
            .collect();
        (self.progress)(name, self.dates.len() - missing.len());
        if !missing.is_empty() {
            let prepared = Prepared::new(&self.view, &self.history).await?;
            let mut replace_all = !same_view;
            for piece in missing.chunks(prepared.dates_at_once()) {
                self.write(&table, &prepared, piece, &mut held, replace_all)
                    .await?;
                replace_all = false;
                (self.progress)(name, piece.len());
            }
        }
        let rows = match table.snapshot().await? {
            Some(snapshot) => snapshot.row_count()?,
            None => 0,
        };
        Ok(BackfillReport {
            view: name.clone(),
            dates: self.dates.len(),
            computed: missing.len(),
            rows,
            features: self.view.stored_features().len(),
        })
    }

    /// What the store holds that is still right, and whether the present view computed it.
    async fn held(&self, table: &Table) -> Result<(Held, bool), FeatureError> {
        let mut held = match table.snapshot().await? {
            Some(snapshot) => Held::of(&snapshot).await?,
            None => Held::default(),
        };
        let same_view = held.fingerprint == self.view.fingerprint();
        if same_view {
            let stale = held
                .stale(&self.lake, &self.project, &self.view, &self.history)
                .await?;
            held.dates.retain(|date| !stale.contains(date));
        } else {
            held.dates.clear();
        }
        held.fingerprint = self.view.fingerprint().to_owned();
        held.sources = self.source_versions();
        Ok((held, same_view))
    }

    fn source_versions(&self) -> BTreeMap<String, u64> {
        let wanted = self
            .project
            .with_parents(self.view.reads.keys())
            .unwrap_or_default();
        let versions = self.history.table_versions().iter();
        versions
            .filter(|(name, _)| wanted.contains(*name))
            .map(|(name, version)| (name.clone(), *version))
            .collect()
    }

    async fn write(
        &self,
        table: &Table,
        prepared: &Prepared<'_>,
        dates: &[NaiveDate],
        held: &mut Held,
        replace_all: bool,
    ) -> Result<(), FeatureError> {
        let features = prepared.features(dates).await?;
        held.dates.extend(dates);
        let replace = match replace_all {
            true => Replace::All,
            false => Replace::Where(vec![condition(dates)]),
        };
        let schema = features.schema();
        table
            .write(schema, &[features], &replace, held.metadata())
            .await?;
        Ok(())
    }
}
