//! Tuning: the search for better parameters, on dates before those that are reported.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use safra_dataset::{Dataset, Split};
use safra_learn::{Measured, Metric, Search, SearchSpace, Tuned, tune};
use safra_project::{LearnerSpec, Problem};
use sha2::{Digest, Sha256};

use super::backtesting::as_rows;
use super::prepared::{Parameters, Prepared, as_json, declared, metric};
use super::training::hash_examples;
use crate::context::Context;
use crate::error::SafraError;

/// What came of tuning one learner.
pub struct TunedLearner {
    /// The learner.
    pub learner: String,
    /// Its candidates.
    pub tuned: Tuned,
}

/// The parameters of each learner of a problem after tuning, and how they were found.
pub struct Tuning {
    /// The parameters of all learners, tuned or declared.
    pub parameters: BTreeMap<String, Parameters>,
    /// The learners that were tuned.
    pub learners: Vec<TunedLearner>,
    /// The dates that judged.
    pub dates: Vec<String>,
}

impl Tuning {
    /// The declared parameters, without any search.
    pub fn none(problem: &Problem) -> Self {
        Self {
            parameters: declared(problem),
            learners: Vec::new(),
            dates: Vec::new(),
        }
    }
}

/// Searches for `budget`, shared evenly among the learners that have something to tune. Candidates are judged on the last dates
/// before `reported` whose labels were all known by its first date. What was measured is kept in the lake, so that the same
/// search goes on where it was stopped.
pub fn search(
    context: &Context,
    problem: &Problem,
    prepared: &Prepared,
    reported: &[Split],
    budget: Duration,
) -> Result<Tuning, SafraError> {
    let mut tuning = Tuning::none(problem);
    let splits = judging(&prepared.dataset, problem, reported)?;
    let specs = tunable(problem)?;
    if splits.is_empty() || specs.is_empty() {
        context.say("nothing is tuned: no learner has parameters to try, or no date before the reported ones was settled by then");
        return Ok(tuning);
    }
    let splits: Vec<safra_learn::Split> = splits.iter().map(as_rows).collect();
    tuning.dates = splits.iter().map(|split| split.date.clone()).collect();
    let seed = context.project.settings.seed;
    let file = MeasuredFile::of(context, problem, prepared, &splits);
    let mut measured = file.read()?;
    let progress = context.progress(specs.len(), "tune");
    let each = budget / u32::try_from(specs.len()).unwrap_or(u32::MAX);
    for (spec, space) in &specs {
        let declared = as_json(&spec.parameters);
        let search = Search {
            examples: &prepared.examples,
            splits: &splits,
            learner: &spec.name,
            declared: &declared,
            space,
            metric: metric(problem)?,
            seed,
        };
        let started = Instant::now();
        let mut kept = Ok(());
        let mut keep = |measured: &Measured| {
            if kept.is_ok() {
                kept = file.write(measured);
            }
        };
        let has_time = || started.elapsed() < each;
        let tuned = tune(&search, &mut measured, &has_time, &mut keep)?;
        kept?;
        progress.inc(1);
        context.say(&summary(&spec.name, &tuned, search.metric));
        let best = tuned.trials[tuned.best].parameters.clone();
        tuning.parameters.insert(spec.name.clone(), best);
        tuning.learners.push(TunedLearner {
            learner: spec.name.clone(),
            tuned,
        });
    }
    progress.finish_and_clear();
    Ok(tuning)
}

/// The learners with something to try, and what.
fn tunable(problem: &Problem) -> Result<Vec<(&LearnerSpec, SearchSpace)>, SafraError> {
    let mut found = Vec::new();
    for spec in &problem.learners {
        let space = match spec.tune.is_empty() {
            true => SearchSpace::default_of(&spec.name),
            false => SearchSpace::parse(&spec.name, &as_json(&spec.tune))?,
        };
        if !space.is_empty() {
            found.push((spec, space));
        }
    }
    Ok(found)
}

/// The splits of the last dates before the first reported one all of whose labels were known by then.
fn judging(
    dataset: &Dataset,
    problem: &Problem,
    reported: &[Split],
) -> Result<Vec<Split>, SafraError> {
    let Some(first) = reported.iter().min_by_key(|split| split.date) else {
        return Ok(Vec::new());
    };
    let known: std::collections::BTreeSet<usize> = first.train.iter().copied().collect();
    let mut found = Vec::new();
    for date in dataset.settled_dates() {
        if date < first.date {
            let splits = dataset.splits(date, date)?;
            found.extend(
                splits
                    .into_iter()
                    .filter(|split| split.test.iter().all(|row| known.contains(row))),
            );
        }
    }
    let skipped = found.len().saturating_sub(problem.backtest.tuning_dates);
    Ok(found.split_off(skipped))
}

/// One line on what was found.
fn summary(learner: &str, tuned: &Tuned, metric: Metric) -> String {
    let (declared, best) = (&tuned.trials[0], &tuned.trials[tuned.best]);
    let complete = tuned
        .trials
        .iter()
        .filter(|trial| trial.by_date.len() == declared.by_date.len());
    format!(
        "tune {learner}: {} candidates, {} of them on all {} dates; mean {} {:.4}, with the declared parameters {:.4}",
        tuned.trials.len(),
        complete.count(),
        declared.by_date.len(),
        metric.name(),
        best.mean,
        declared.mean
    )
}

/// The file of what was measured on the same data and dates with the same seed and code.
struct MeasuredFile {
    path: PathBuf,
}

impl MeasuredFile {
    fn of(
        context: &Context,
        problem: &Problem,
        prepared: &Prepared,
        splits: &[safra_learn::Split],
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(format!(
            "{} {}",
            context.project.settings.seed, problem.metric
        ));
        hash_examples(&mut hash, prepared);
        hash.update(format!("{splits:?}"));
        let digits: String = hash.finalize()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let folder = context.lake.root().join("tuning").join(&problem.name);
        Self {
            path: folder.join(format!("{digits}.json")),
        }
    }

    fn read(&self) -> Result<Measured, SafraError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| io(&self.path, error.into()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Measured::new()),
            Err(error) => Err(io(&self.path, error)),
        }
    }

    /// Writes the file whole, or not at all.
    fn write(&self, measured: &Measured) -> Result<(), SafraError> {
        let bytes = serde_json::to_vec(measured).map_err(|error| io(&self.path, error.into()))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
        let temporary = self.path.with_extension("json.tmp");
        std::fs::write(&temporary, bytes).map_err(|error| io(&temporary, error))?;
        std::fs::rename(&temporary, &self.path).map_err(|error| io(&self.path, error))
    }
}

fn io(path: &Path, source: std::io::Error) -> SafraError {
    SafraError::Io {
        path: path.display().to_string(),
        source,
    }
}
