//! Filling the feature store: only dates that are missing or stale, in pieces that fit into memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};
use safra_history::History;
use safra_lake::{Folder, Lake, Replace, Table};
use safra_project::{Project, View};
use serde::Serialize;

use crate::compute::Prepared;
use crate::store::{Held, REFERENCE_DATE, condition};
use crate::{CompiledView, FeatureError, event_store};

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

/// Computes the features of `views` at `dates` (strictly increasing) and puts them into the store; where a view is
/// about events, those of the events on these days. Dates that are there already, computed by the same view from
/// sources that would give the same, are left as they are. Each commit replaces exactly the dates that it brings,
/// so a killed backfill goes on where it stopped; the days of events come in one commit.
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
    let (mut done, mut open) = (BTreeMap::new(), Vec::new());
    let mut sources = Sources::new(lake, project);
    for view in views {
        let compiled = CompiledView::new(project, view).await?;
        match up_to_date(&mut sources, &compiled, dates).await? {
            Some(report) => {
                progress(&view.name, dates.len());
                done.insert(view.name.clone(), report);
            }
            None => open.push(compiled),
        }
    }
    if !open.is_empty() {
        let tables = open.iter().flat_map(CompiledView::sources).collect();
        let history = History::load(lake, project, &tables).await?;
        let reports = run(lake, project, open, dates, history, progress).await?;
        done.extend(
            reports
                .into_iter()
                .map(|report| (report.view.clone(), report)),
        );
    }
    let reports = views.iter().filter_map(|view| done.remove(&view.name));
    Ok(reports.collect())
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
    run(lake, project, compiled, dates, history, progress).await
}

/// The versions of the sources in the lake, each looked up once.
struct Sources<'a> {
    lake: &'a Lake,
    project: &'a Project,
    versions: BTreeMap<String, Option<u64>>,
}

impl<'a> Sources<'a> {
    fn new(lake: &'a Lake, project: &'a Project) -> Self {
        Self {
            lake,
            project,
            versions: BTreeMap::new(),
        }
    }

    /// The versions of the sources that a view depends on; `None` when one of them is not there.
    async fn of(
        &mut self,
        view: &CompiledView,
    ) -> Result<Option<BTreeMap<String, u64>>, FeatureError> {
        let mut found = BTreeMap::new();
        for name in self.project.with_parents(view.reads.keys())? {
            let version = match self.versions.get(&name) {
                Some(version) => *version,
                None => {
                    let table = self.lake.table(Folder::Sources, &name);
                    let version = table.snapshot().await?.map(|held| held.version());
                    self.versions.insert(name.clone(), version);
                    version
                }
            };
            match version {
                Some(version) => found.insert(name, version),
                None => return Ok(None),
            };
        }
        Ok(Some(found))
    }
}

/// The report of a view of which the store holds all dates, computed from the very versions that the sources have now: these
/// need not even be read.
async fn up_to_date(
    sources: &mut Sources<'_>,
    view: &CompiledView,
    dates: &[NaiveDate],
) -> Result<Option<BackfillReport>, FeatureError> {
    let name = &view.view.name;
    let table = sources.lake.table(Folder::Features, name);
    let (Some(snapshot), Some(versions)) = (table.snapshot().await?, sources.of(view).await?)
    else {
        return Ok(None);
    };
    let held = Held::of(&snapshot).await?;
    let same = held.fingerprint == view.fingerprint() && held.sources == versions;
    if !same || dates.iter().any(|date| !held.dates.contains(date)) {
        return Ok(None);
    }
    Ok(Some(BackfillReport {
        view: name.clone(),
        dates: dates.len(),
        computed: 0,
        rows: snapshot.row_count()?,
        features: view.stored_features().len(),
    }))
}

async fn run(
    lake: &Lake,
    project: &Project,
    views: Vec<CompiledView>,
    dates: &[NaiveDate],
    history: History,
    progress: Progress,
) -> Result<Vec<BackfillReport>, FeatureError> {
    let history = Arc::new(history);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tasks = views.into_iter().map(|view| {
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
pub(crate) struct Job {
    pub lake: Lake,
    pub project: Project,
    pub view: CompiledView,
    pub history: Arc<History>,
    pub dates: Vec<NaiveDate>,
    pub progress: Progress,
}

impl Job {
    async fn run(self) -> Result<BackfillReport, FeatureError> {
        let name = &self.view.view.name;
        let table = self.lake.table(Folder::Features, name);
        let computed = match self.view.view.is_about_events() {
            true => event_store::fill(&self, &table).await?,
            false => self.fill(&table).await?,
        };
        let rows = match table.snapshot().await? {
            Some(snapshot) => snapshot.row_count()?,
            None => 0,
        };
        Ok(BackfillReport {
            view: name.clone(),
            dates: self.dates.len(),
            computed,
            rows,
            features: self.view.stored_features().len(),
        })
    }

    /// Computes the dates that the table lacks, and tells how many these were.
    async fn fill(&self, table: &Table) -> Result<usize, FeatureError> {
        let name = &self.view.view.name;
        let (mut held, same_view) = self.held(table).await?;
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
                self.write(table, &prepared, piece, &mut held, replace_all)
                    .await?;
                replace_all = false;
                (self.progress)(name, piece.len());
            }
        }
        Ok(missing.len())
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

    /// The versions of the sources that the view depends on.
    pub(crate) fn source_versions(&self) -> BTreeMap<String, u64> {
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
            false => Replace::Where(vec![condition(REFERENCE_DATE, dates)]),
        };
        let schema = features.schema();
        table
            .write(schema, &[features], &replace, held.metadata())
            .await?;
        Ok(())
    }
}
