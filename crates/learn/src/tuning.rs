//! Search over the parameters of a learner by backtest on past dates.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Examples, LearnError, Learner, Metric, Scored, SearchSpace, Split, Training, learner};

/// Candidates that compete with each other, of which a half goes on to more dates each time.
const BRACKET: usize = 8;

/// Most candidates, however much time there is.
const MOST_CANDIDATES: usize = 4_000;

/// What to search, and how candidates are judged.
pub struct Search<'a> {
    /// The rows.
    pub examples: &'a Examples,
    /// The dates that judge, in the order of time. Whoever reports a result must not report it on these.
    pub splits: &'a [Split],
    /// Name of the learner.
    pub learner: &'a str,
    /// Its parameters as declared, which candidate 0 has.
    pub declared: &'a BTreeMap<String, Value>,
    /// The parameters to try.
    pub space: &'a SearchSpace,
    /// The metric, whose mean over the dates decides.
    pub metric: Metric,
    /// The seed of candidates and fits.
    pub seed: u64,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Its number in the order of candidates; 0 has the declared parameters.
    pub number: usize,
    /// All that differs from the learner's defaults, the best stage included.
    pub parameters: BTreeMap<String, Value>,
    /// The metric on each date on which it was judged; the latest date comes first.
    pub by_date: Vec<(String, f64)>,
    /// The mean of these.
    pub mean: f64,
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuned {
    /// All candidates that were looked at, by number.
    pub trials: Vec<Trial>,
    /// The place, among `trials`, of the best of those that were judged on all dates.
    pub best: usize,
}

/// The metric of a model at one stage of its growth.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct StageValue {
    /// The parameters that give the model of this stage.
    pub parameters: BTreeMap<String, Value>,
    /// The metric.
    pub value: f64,
}

/// What was measured so far, by date, learner and parameters: a search that is given it again does not measure it again.
pub type Measured = BTreeMap<String, Vec<StageValue>>;

/// Searches by successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
/// optimization", 2016): brackets of 8 candidates are judged on the latest date, the better half on half of the dates, the better
/// half of these on all. The order of candidates is fixed; `has_time` decides only how many are looked at. A model that grows tree
/// by tree is judged at every stage, so that its number of trees need not be searched.
///
/// Dates that cannot be learned from or judged are left out. `measured` gains what was measured, and `keep` is called
/// with it now and then, so that a search that was stopped can go on.
///
/// # Errors
/// If no date can judge, or a learner cannot be made or fitted.
pub fn tune(
    search: &Search<'_>,
    measured: &mut Measured,
    has_time: &(dyn Fn() -> bool + Sync),
    keep: &mut dyn FnMut(&Measured),
) -> Result<Tuned, LearnError> {
    let dates = search.usable_dates()?;
    let all = dates.len();
    let mut rungs = vec![1, all.div_ceil(2), all];
    rungs.dedup();
    search.measure(&[0], &dates, measured, &|| true)?;
    keep(measured);
    let mut trials: Vec<Trial> = search.trial(0, &dates, measured)?.into_iter().collect();
    let mut candidates = search.candidates();
    while has_time() {
        let mut alive: Vec<usize> = candidates.by_ref().take(BRACKET).collect();
        if alive.is_empty() {
            break;
        }
        let mut bracket: BTreeMap<usize, Trial> = BTreeMap::new();
        for &rung in &rungs {
            if search.measure(&alive, &dates[..rung], measured, has_time)? {
                keep(measured);
            }
            let mut judged = Vec::new();
            for &number in &alive {
                judged.extend(search.trial(number, &dates[..rung], measured)?);
            }
            judged.sort_by(|a, b| search.better(a, b).then(a.number.cmp(&b.number)));
            alive = judged.iter().map(|trial| trial.number).collect();
            alive.truncate(alive.len().div_ceil(2));
            bracket.extend(judged.into_iter().map(|trial| (trial.number, trial)));
        }
        trials.extend(bracket.into_values());
    }
    let complete = (0..trials.len()).filter(|&place| trials[place].by_date.len() == all);
    let best = complete.min_by(|&a, &b| search.better(&trials[a], &trials[b]).then(a.cmp(&b)));
    Ok(Tuned {
        best: best.unwrap_or(0),
        trials,
    })
}

impl Search<'_> {
    /// The dates that can judge, the latest first.
    fn usable_dates(&self) -> Result<Vec<&Split>, LearnError> {
        let usable = |split: &&Split| {
            let rows = [split.training(self.examples), self.validation(split)];
            match rows.into_iter().find_map(Result::err) {
                None => Ok(true),
                Some(error) if error.is_unlearnable() => Ok(false),
                Some(error) => Err(error),
            }
        };
        let mut dates = Vec::new();
        for split in self.splits.iter().rev() {
            if usable(&split)? {
                dates.push(split);
            }
        }
        match dates.is_empty() {
            true => Err(LearnError::UndefinedMetric {
                metric: self.metric.name(),
            }),
            false => Ok(dates),
        }
    }

    fn validation<'r>(&'r self, split: &'r Split) -> Result<Training<'r>, LearnError> {
        Training::new(self.examples.rows(&split.test)?)
    }

    /// The parameters of a candidate, as far as they differ from the learner's defaults.
    fn parameters(&self, number: usize) -> BTreeMap<String, Value> {
        let mut parameters = self.declared.clone();
        parameters.extend(self.space.candidate(self.seed, number));
        parameters
    }

    /// The numbers of candidates after 0, without those whose parameters an earlier one has: a space of a few choices is exhausted.
    fn candidates(&self) -> impl Iterator<Item = usize> + '_ {
        let mut seen = BTreeSet::from([format!("{:?}", self.parameters(0))]);
        (1..MOST_CANDIDATES)
            .filter(move |&number| seen.insert(format!("{:?}", self.parameters(number))))
    }

    /// Measures candidates on dates, as far as that was not done and there is time, and says whether anything was.
    fn measure(
        &self,
        numbers: &[usize],
        dates: &[&Split],
        measured: &mut Measured,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, LearnError> {
        let mut open: Vec<(String, Box<dyn Learner>, &Split)> = Vec::new();
        for &number in numbers {
            for split in dates {
                let learner = learner(self.learner, &self.parameters(number))?;
                let key = key(learner.as_ref(), split);
                if !measured.contains_key(&key) {
                    open.push((key, learner, split));
                }
            }
        }
        let run = |(key, learner, split): (String, Box<dyn Learner>, &Split)| {
            has_time().then(|| Ok((key, self.values(learner.as_ref(), split)?)))
        };
        let found: Vec<Result<_, LearnError>> = open
            .into_par_iter()
            .with_max_len(1)
            .filter_map(run)
            .collect();
        let any = !found.is_empty();
        for found in found {
            let (key, values) = found?;
            measured.insert(key, values);
        }
        Ok(any)
    }

    /// The metric of a learner on a date, at each of its stages.
    fn values(&self, learner: &dyn Learner, split: &Split) -> Result<Vec<StageValue>, LearnError> {
        let validation = self.validation(split)?;
        let training = split.training(self.examples)?;
        let stages = learner.stages(&training, &validation, self.seed)?;
        let mut values = Vec::with_capacity(stages.len());
        for stage in stages {
            let scored = Scored::new(validation.label(), &stage.scores)?;
            if let Some(value) = self.metric.of(&scored) {
                values.push(StageValue {
                    parameters: stage.parameters,
                    value,
                });
            }
        }
        Ok(values)
    }

    /// A candidate at the stage that is best on the mean of `dates`; `None` if it was not measured on all of them.
    fn trial(
        &self,
        number: usize,
        dates: &[&Split],
        measured: &Measured,
    ) -> Result<Option<Trial>, LearnError> {
        let parameters = self.parameters(number);
        let learner = learner(self.learner, &parameters)?;
        let by_date: Option<Vec<&Vec<StageValue>>> = dates
            .iter()
            .map(|split| measured.get(&key(learner.as_ref(), split)))
            .collect();
        let Some([first, others @ ..]) = by_date.as_deref() else {
            return Ok(None);
        };
        let trial = |stage: &StageValue| {
            let same = |values: &&Vec<StageValue>| {
                let mut values = values.iter();
                values
                    .find(|other| other.parameters == stage.parameters)
                    .map(|other| other.value)
            };
            let others = others.iter().map(same).collect::<Option<Vec<f64>>>()?;
            let values: Vec<f64> = [stage.value].into_iter().chain(others).collect();
            let mut parameters = parameters.clone();
            parameters.extend(stage.parameters.clone());
            Some(Trial {
                number,
                parameters,
                mean: values.iter().sum::<f64>() / values.len() as f64,
                by_date: dates
                    .iter()
                    .map(|split| split.date.clone())
                    .zip(values)
                    .collect(),
            })
        };
        let stages = first.iter().filter_map(trial);
        Ok(stages.min_by(|a, b| self.better(a, b)))
    }

    /// The better one comes first.
    fn better(&self, a: &Trial, b: &Trial) -> std::cmp::Ordering {
        match self.metric.higher_is_better() {
            true => b.mean.total_cmp(&a.mean),
            false => a.mean.total_cmp(&b.mean),
        }
    }
}

/// What a measurement depends on, besides the data and the seed.
fn key(learner: &dyn Learner, split: &Split) -> String {
    let parameters: Vec<String> = learner
        .parameters()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} {} {}", split.date, learner.name(), parameters.join(" "))
}
