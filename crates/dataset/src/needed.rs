//! When the views of a problem must be in the store.

use chrono::{Days, NaiveDate};
use safra_project::{Cadence, FeatureSelection, Population, Problem, Project, View};

/// When the views of a problem must be in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureDates {
    /// The reference dates of views about these.
    pub dates: Vec<NaiveDate>,
    /// The days of views about events.
    pub days: Vec<NaiveDate>,
}

impl FeatureDates {
    /// These reference dates, and no event.
    pub fn at(dates: &[NaiveDate]) -> Self {
        Self {
            dates: dates.to_vec(),
            days: Vec::new(),
        }
    }

    /// Those of the whole training set of a problem on data that ends before `data_end`.
    pub fn of_training(project: &Project, problem: &Problem, data_end: NaiveDate) -> Self {
        match problem.time.is_event() {
            true => Self::of_events(&problem.features, first_date(project, problem), data_end),
            false => Self::at(&training_dates(project, problem, data_end)),
        }
    }

    /// Those of all events from `first` on, before `end`.
    pub(crate) fn of_events(features: &FeatureSelection, first: NaiveDate, end: NaiveDate) -> Self {
        let Some(last) = end.pred_opt() else {
            return Self::default();
        };
        let reach = Days::new(u64::from(features.max_age()));
        let start = first.checked_sub_days(reach).unwrap_or(first);
        Self {
            dates: features.every().dates(start, last),
            days: Cadence::Day.dates(first, last),
        }
    }

    /// Those of a view.
    pub fn of(&self, view: &View) -> &[NaiveDate] {
        match view.is_about_events() {
            true => &self.days,
            false => &self.dates,
        }
    }

    /// Those at which the cohort of a problem is asked about.
    pub(crate) fn asked(&self, problem: Population<'_>) -> &[NaiveDate] {
        match problem.time.is_event() {
            true => &self.days,
            false => &self.dates,
        }
    }
}

/// The first date of a problem.
pub(crate) fn first_date(project: &Project, problem: &Problem) -> NaiveDate {
    problem.first_date.unwrap_or(project.settings.first_date)
}

/// The dates of a problem's training set: its cadence from its first date to the end of the data. A period of events begins
/// before the end.
pub(crate) fn training_dates(
    project: &Project,
    problem: &Problem,
    data_end: NaiveDate,
) -> Vec<NaiveDate> {
    let mut dates = problem
        .cadence
        .dates(first_date(project, problem), data_end);
    if problem.time.is_event() {
        dates.retain(|date| *date < data_end);
    }
    dates
}
