//! Every name in a declaration must exist where it points.

use std::collections::BTreeSet;

use crate::{
    ColumnKnownAt, ColumnType, KnownAt, Population, Problem, ProfileColumn, Project, ProjectError,
    Segmentation, Source, View,
};

const SOURCES: &str = "sources.toml";

pub(crate) fn check(project: &Project) -> Result<(), ProjectError> {
    let mut before = BTreeSet::new();
    for source in project.sources.values() {
        check_columns(source)?;
        check_known_at(project, source, &before)?;
        check_references(project, source, &before)?;
        before.insert(source.name.as_str());
    }
    project.views.values().try_for_each(check_view)?;
    project
        .problems
        .values()
        .try_for_each(|problem| check_problem(project, problem))?;
    project
        .segmentations
        .values()
        .try_for_each(|segmentation| check_segmentation(project, segmentation))
}

fn check_columns(source: &Source) -> Result<(), ProjectError> {
    let mut names = BTreeSet::new();
    let derived = source.derived.iter().map(|derived| &derived.name);
    for name in source
        .columns
        .iter()
        .map(|column| &column.name)
        .chain(derived)
    {
        if !names.insert(name) {
            return Err(invalid(source, name, "declared twice"));
        }
    }
    for name in &source.key {
        if source.column(name).is_none() {
            return Err(invalid(
                source,
                name,
                "is in the key, but not among the columns",
            ));
        }
    }
    for column in &source.columns {
        if let ColumnKnownAt::Column(time) = &column.known_at {
            check_time_column(source, time)?;
        }
    }
    Ok(())
}

fn check_known_at(
    project: &Project,
    source: &Source,
    before: &BTreeSet<&str>,
) -> Result<(), ProjectError> {
    match &source.known_at {
        KnownAt::Always => Ok(()),
        KnownAt::Column(time) => check_time_column(source, time),
        KnownAt::From { from, on } => check_link(project, source, on, from, on, before),
    }
}

fn check_references(
    project: &Project,
    source: &Source,
    before: &BTreeSet<&str>,
) -> Result<(), ProjectError> {
    source.references.iter().try_for_each(|reference| {
        let on = reference.on.as_ref().unwrap_or(&reference.column);
        check_link(
            project,
            source,
            &reference.column,
            &reference.to,
            on,
            before,
        )
    })
}

/// A link from `column` to `other.on`; the other source must stand before this one, which rules out circles.
fn check_link(
    project: &Project,
    source: &Source,
    column: &str,
    other: &str,
    on: &str,
    before: &BTreeSet<&str>,
) -> Result<(), ProjectError> {
    if source.column(column).is_none() {
        return Err(invalid(source, column, "no such column"));
    }
    if !before.contains(other) {
        let message = format!(
            "refers to {other}, which is not declared before {}",
            source.name
        );
        return Err(invalid(source, column, &message));
    }
    if project.source(other)?.column(on).is_none() {
        return Err(invalid(
            source,
            column,
            &format!("refers to {other}.{on}: no such column"),
        ));
    }
    Ok(())
}

fn check_time_column(source: &Source, name: &str) -> Result<(), ProjectError> {
    match source.column(name).map(|column| column.kind) {
        Some(ColumnType::Timestamp | ColumnType::Date) => Ok(()),
        Some(_) => Err(invalid(
            source,
            name,
            "known_at needs a timestamp or a date",
        )),
        None => Err(invalid(
            source,
            name,
            "known_at names a column that is not declared",
        )),
    }
}

fn check_view(view: &View) -> Result<(), ProjectError> {
    let windows: BTreeSet<_> = view.windows.iter().collect();
    if windows.len() < view.windows.len() {
        return Err(ProjectError::invalid(
            &view.file,
            "windows",
            "a window is listed twice",
        ));
    }
    Ok(())
}

/// The views of a problem must be there, and about what its rows are about.
fn check_views(project: &Project, population: Population<'_>) -> Result<(), ProjectError> {
    let wrong = |what: &str, message: String| ProjectError::invalid(population.file, what, message);
    let features = population.features;
    for name in &features.views {
        let view = project
            .view(name)
            .map_err(|error| wrong("features.views", error.to_string()))?;
        if view.is_about_events() && !population.time.is_event() {
            let message = format!(
                "{name} is about events, each at a time of its own, and this problem about reference dates\nhint: a problem with `time = \"reference_time\"` asks about each event"
            );
            return Err(wrong("features.views", message));
        }
    }
    if population.time.is_event() {
        return Ok(());
    }
    let only_for_events = [
        ("features.every", features.every.is_some()),
        ("features.max_age", features.max_age.is_some()),
    ];
    match only_for_events.into_iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((what, _)) => Err(wrong(
            what,
            "features are those of the reference date itself; only a problem with `time = \"reference_time\"` looks back".into(),
        )),
    }
}

fn check_problem(project: &Project, problem: &Problem) -> Result<(), ProjectError> {
    let wrong = |what: &str, message: String| ProjectError::invalid(&problem.file, what, message);
    check_views(project, problem.population())?;
    if problem.learners.is_empty() {
        return Err(wrong("learners", "at least one learner".into()));
    }
    let names: BTreeSet<_> = problem
        .learners
        .iter()
        .map(|learner| &learner.name)
        .collect();
    if names.len() < problem.learners.len() {
        return Err(wrong("learners", "a learner is listed twice".into()));
    }
    if problem.training_days == Some(0) {
        return Err(wrong("training_days", "at least one day".into()));
    }
    if problem.backtest.dates == 0 {
        return Err(wrong("backtest.dates", "at least one date".into()));
    }
    Ok(())
}

fn check_segmentation(project: &Project, segmentation: &Segmentation) -> Result<(), ProjectError> {
    let wrong =
        |what: &str, message: String| ProjectError::invalid(&segmentation.file, what, message);
    check_views(project, segmentation.population())?;
    if segmentation.clustering.features.is_empty() {
        return Err(wrong("clustering.features", "at least one feature".into()));
    }
    let mut names = BTreeSet::new();
    for feature in &segmentation.clustering.features {
        if !names.insert(&feature.name) {
            return Err(wrong(
                "clustering.features",
                format!("listed twice: {}", feature.name),
            ));
        }
    }
    segmentation
        .profile
        .iter()
        .try_for_each(|column| check_profile(project, segmentation, column))
}

fn check_profile(
    project: &Project,
    segmentation: &Segmentation,
    column: &ProfileColumn,
) -> Result<(), ProjectError> {
    let what = format!("profile.{}", column.label);
    let wrong = |message: String| ProjectError::invalid(&segmentation.file, &what, message);
    match (&column.feature, &column.outcome) {
        (Some(_), None) => Ok(()),
        (None, Some(outcome)) => {
            let problem = project
                .problem(outcome)
                .map_err(|error| wrong(error.to_string()))?;
            match problem.entity == segmentation.entity {
                true if problem.time.is_event() => Err(wrong(format!(
                    "the problem {outcome} is about events, not about reference dates"
                ))),
                true => Ok(()),
                false => Err(wrong(format!(
                    "the problem {outcome} is about another entity: {}",
                    problem.entity.join(", ")
                ))),
            }
        }
        _ => Err(wrong("either a feature or the outcome of a problem".into())),
    }
}

fn invalid(source: &Source, column: &str, message: &str) -> ProjectError {
    ProjectError::invalid(SOURCES, format!("{}.{column}", source.name), message)
}
