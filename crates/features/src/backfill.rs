//! Filling the feature store: only dates that are missing or stale, in pieces that fit into memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};
use safra_history::History;
use safra_lake::{Folder, Lake, LakeError, Replace, Snapshot, Table};
use safra_project::{Project, View};
use serde::Serialize;

use crate::compute::Prepared;
use crate::sources::{ROWS_TOGETHER, Sources};
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
    for views in sources.together(open)? {
        let history = sources.history(&views).await?;
        let progress = Arc::clone(&progress);
        let reports = fill(lake, project, views, dates, history, progress).await?;
        let reports = reports.into_iter();
        done.extend(reports.map(|report| (report.view.clone(), report)));
    }
    let reports = views.iter().filter_map(|view| done.remove(&view.name));
    Ok(reports.collect())
}

/// How many views are computed at a time.
fn views_at_once(history: &History) -> usize {
    match history.row_count() <= ROWS_TOGETHER {
        true => std::thread::available_parallelism().map_or(1, usize::from),
        false => 1,
    }
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
    let compiled = compile(project, views).await?;
    fill(lake, project, compiled, dates, history, progress).await
}

async fn compile(project: &Project, views: &[&View]) -> Result<Vec<CompiledView>, FeatureError> {
    let mut compiled = Vec::with_capacity(views.len());
    for view in views {
        compiled.push(CompiledView::new(project, view).await?);
    }
    Ok(compiled)
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

async fn fill(
    lake: &Lake,
    project: &Project,
    compiled: Vec<CompiledView>,
    dates: &[NaiveDate],
    history: History,
    progress: Progress,
) -> Result<Vec<BackfillReport>, FeatureError> {
    let at_once = views_at_once(&history);
    let jobs = compiled.into_iter().map(|view| {
        Ok(Job {
            lake: lake.clone(),
            project: project.clone(),
            // What no later view reads leaves the memory with the last that does.
            history: Arc::new(history.only(&view.columns(project))?),
            view,
            dates: dates.to_vec(),
            progress: Arc::clone(&progress),
        })
    });
    let jobs: Vec<Job> = jobs.collect::<Result<_, FeatureError>>()?;
    drop(history);
    let tasks = jobs.into_iter().map(|job| async move {
        let file = job.view.view.file.clone();
        match tokio::spawn(job.run()).await {
            Ok(report) => report,
            Err(error) => Err(FeatureError::shape(
                &file,
                format!("the backfill stopped: {error}"),
            )),
        }
    });
    futures::stream::iter(tasks)
        .buffered(at_once)
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

/// What a backfill of a view has done so far.
#[derive(Default)]
struct Done {
    /// The dates that it has computed and written.
    computed: BTreeSet<NaiveDate>,
    /// How many dates it has told of.
    told: usize,
}

/// How often a backfill looks again at what is missing when another process writes the same table.
const ATTEMPTS: usize = 8;

impl Job {
    async fn run(self) -> Result<BackfillReport, FeatureError> {
        let name = &self.view.view.name;
        let table = self.lake.table(Folder::Features, name);
        let mut done = Done::default();
        let mut attempts = 1;
        loop {
            match self.fill(&table, &mut done).await {
                Err(FeatureError::Lake(LakeError::Conflict { .. })) if attempts < ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        let rows = match table.snapshot().await? {
            Some(snapshot) => snapshot.row_count()?,
            None => 0,
        };
        Ok(BackfillReport {
            view: name.clone(),
            dates: self.dates.len(),
            computed: done.computed.len(),
            rows,
            features: self.view.stored_features().len(),
        })
    }

    /// Computes what the table lacks. [`LakeError::Conflict`] as soon as another process has written the table.
    async fn fill(&self, table: &Table, done: &mut Done) -> Result<(), FeatureError> {
        if self.view.view.is_about_events() {
            done.computed.extend(event_store::fill(self, table).await?);
            return Ok(());
        }
        let mut snapshot = table.snapshot().await?;
        let (mut held, same_view) = self.held(snapshot.as_ref()).await?;
        let missing: Vec<NaiveDate> = self
            .dates
            .iter()
            .copied()
            .filter(|date| !held.dates.contains(date))
            .collect();
        self.tell(done, self.dates.len() - missing.len());
        if missing.is_empty() {
            return Ok(());
        }
        let prepared = Prepared::new(&self.view, &self.history, &missing).await?;
        let (mut replace_all, mut left) = (!same_view, missing.len());
        for piece in missing.chunks(prepared.dates_at_once()) {
            let written = self
                .write(
                    table,
                    snapshot.as_ref(),
                    &prepared,
                    piece,
                    &mut held,
                    replace_all,
                )
                .await?;
            replace_all = false;
            done.computed.extend(piece);
            left -= piece.len();
            self.tell(done, self.dates.len() - left);
            snapshot = table.snapshot().await?;
            if snapshot.as_ref().map(Snapshot::version) != Some(written) {
                return Err(conflict(table));
            }
        }
        Ok(())
    }

    /// Tells how many dates are dealt with; after a conflict that may be fewer than before.
    fn tell(&self, done: &mut Done, dates: usize) {
        let more = dates.saturating_sub(done.told);
        (self.progress)(&self.view.view.name, more);
        done.told += more;
    }

    /// What the store holds that is still right, and whether the present view computed it.
    async fn held(&self, snapshot: Option<&Snapshot>) -> Result<(Held, bool), FeatureError> {
        let mut held = match snapshot {
            Some(snapshot) => Held::of(snapshot).await?,
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

    /// Computes a piece, writes it over `snapshot`, and returns the new version.
    async fn write(
        &self,
        table: &Table,
        snapshot: Option<&Snapshot>,
        prepared: &Prepared<'_>,
        dates: &[NaiveDate],
        held: &mut Held,
        replace_all: bool,
    ) -> Result<u64, FeatureError> {
        held.dates.extend(dates);
        let replace = match replace_all {
            true => Replace::All,
            false => Replace::Where(vec![condition(REFERENCE_DATE, dates)]),
        };
        let mut parts = prepared.parts(dates.len()).into_iter();
        let Some(first) = parts.next() else {
            return Err(conflict(table));
        };
        let mut features = prepared.features_of(dates, first).await?;
        let mut change = table.change(snapshot, &features.schema(), &replace)?;
        for part in parts {
            // What one part leaves of the processors, computing the next one takes.
            let ahead = || prepared.at_once(dates, part.clone());
            let (added, next) = rayon::join(|| change.add(&features), ahead);
            added?;
            features = match next {
                Some(next) => next?,
                None => prepared.features_of(dates, part).await?,
            };
        }
        change.add(&features)?;
        Ok(change.commit(held.metadata()).await?)
    }
}

fn conflict(table: &Table) -> FeatureError {
    let table = table.name().to_owned();
    FeatureError::Lake(LakeError::Conflict { table })
}
