//! `safra segments`: which kinds of entities there are, and how they moved since the date before.

use chrono::NaiveDate;
use safra_learn::{Choice, Movements};
use safra_project::Segmentation;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_json, print_table, thousands};
use crate::pipeline::segmentation::profile::{Heading, Profile};
use crate::pipeline::segmentation::{Fit, Segmented, segment};
use crate::pipeline::training::TRAINED_AT;

/// Letters in a line of a heading.
const HEADING_WIDTH: usize = 10;

#[derive(Serialize)]
struct Report<'a> {
    problem: &'a str,
    reference_date: String,
    model: &'a str,
    model_version: u32,
    algorithm: String,
    fitted_at: &'a str,
    is_new: bool,
    rows: usize,
    table: String,
    profile: &'a Profile,
    choice: &'a Choice,
    movements: Option<Moved<'a>>,
}

#[derive(Serialize)]
struct Moved<'a> {
    since: String,
    #[serde(flatten)]
    movements: &'a Movements,
}

/// Divides the cohort of a date, writes the segments, and prints their profile, the choice and the movements.
pub async fn run(
    context: &Context,
    problem: Option<&str>,
    at: Option<NaiveDate>,
    refit: bool,
) -> Result<(), SafraError> {
    let segmentation = chosen(context, problem)?;
    let segmented = divide(context, segmentation, at, refit).await?;
    if context.json {
        return print_json(&report(segmentation, &segmented));
    }
    print_profile(&segmentation.rows, &segmented.profile);
    context.say(&summary(&segmentation.name, &segmented));
    context.say(&format!("why these: {}", segmented.model.choice().reason));
    if let Some((since, movements)) = &segmented.movements {
        print_movements(movements);
        context.say(&format!(
            "since {since}: {} of {} {} stayed in their segment",
            thousands(movements.stayed()),
            thousands(movements.in_both()),
            segmentation.rows
        ));
    }
    Ok(())
}

/// Divides the cohort of a date and writes the segments.
pub async fn divide(
    context: &Context,
    segmentation: &Segmentation,
    at: Option<NaiveDate>,
    refit: bool,
) -> Result<Segmented, SafraError> {
    let fit = if refit { Fit::Always } else { Fit::IfNeeded };
    let segmented = segment(context, segmentation, at, fit).await?;
    let segmented = segmented.ok_or_else(|| {
        SafraError::Usage(format!("{}: there are no segments", segmentation.name))
    })?;
    segmented.write(context, segmentation).await?;
    Ok(segmented)
}

/// One line on what was divided, and by what.
pub fn summary(problem: &str, segmented: &Segmented) -> String {
    format!(
        "predictions/{problem}: {} rows at {} in {} segments, by {} version {} ({}, fitted on {})",
        thousands(segmented.assignments.len()),
        segmented.date,
        segmented.model.segments().len(),
        segmented.version.name,
        segmented.version.version,
        segmented.model.algorithm(),
        fitted_at(segmented),
    )
}

/// The problem that was named, or the only one there is.
fn chosen<'a>(context: &'a Context, problem: Option<&str>) -> Result<&'a Segmentation, SafraError> {
    let declared = &context.project.segmentations;
    match (problem, declared.values().next(), declared.len()) {
        (Some(name), _, _) => Ok(context.project.segmentation(name)?),
        (None, Some(only), 1) => Ok(only),
        (None, _, 0) => Err(SafraError::Usage(
            "the project has no problem of the kind segments\nhint: a file of problems/ with `kind = \"segments\"` declares one".into(),
        )),
        (None, _, _) => {
            let names: Vec<&str> = declared.keys().map(String::as_str).collect();
            Err(SafraError::Usage(format!("which problem?\nhint: the project declares: {}", names.join(", "))))
        }
    }
}

fn fitted_at(segmented: &Segmented) -> &str {
    segmented
        .version
        .tags
        .get(TRAINED_AT)
        .map_or("", String::as_str)
}

fn report<'a>(segmentation: &'a Segmentation, segmented: &'a Segmented) -> Report<'a> {
    Report {
        problem: &segmentation.name,
        reference_date: segmented.date.to_string(),
        model: &segmented.version.name,
        model_version: segmented.version.version,
        algorithm: segmented.model.algorithm().to_string(),
        fitted_at: fitted_at(segmented),
        is_new: segmented.is_new,
        rows: segmented.assignments.len(),
        table: format!("predictions/{}", segmentation.name),
        profile: &segmented.profile,
        choice: segmented.model.choice(),
        movements: segmented
            .movements
            .as_ref()
            .map(|(since, movements)| Moved {
                since: since.to_string(),
                movements,
            }),
    }
}

fn print_profile(rows: &str, profile: &Profile) {
    let headings: Vec<String> = profile.columns.iter().map(heading).collect();
    let mut columns = vec![
        Column("#", true),
        Column("segment", false),
        Column(rows, true),
        Column("share (%)", true),
    ];
    columns.extend(headings.iter().map(|heading| Column(heading, true)));
    let numbers = |values: &[Option<f64>]| -> Vec<String> {
        let cells = values.iter().zip(&profile.columns);
        cells
            .map(|(value, column)| number(*value, column))
            .collect()
    };
    let segments = profile.segments.iter().map(|segment| {
        let mut cells = vec![
            segment.segment.to_string(),
            segment.name.clone(),
            thousands(segment.entities),
            format!("{:.1}", 100.0 * segment.share),
        ];
        cells.extend(numbers(&segment.values));
        cells
    });
    let entities = profile
        .segments
        .iter()
        .map(|segment| segment.entities)
        .sum();
    let mut all = vec![
        String::new(),
        "all".to_owned(),
        thousands(entities),
        "100.0".to_owned(),
    ];
    all.extend(numbers(&profile.all));
    print_table(&columns, segments.chain([all]));
}

/// The label with its unit and date, broken between words to keep columns narrow.
fn heading(column: &Heading) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in column.label.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < HEADING_WIDTH => {
                *line = format!("{line} {word}");
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.extend(column.unit.as_ref().map(|unit| format!("({unit})")));
    lines.extend(column.of_date.clone());
    lines.join("\n")
}

/// A number with as many digits as it deserves; a fraction in `%` as a percentage.
fn number(value: Option<f64>, column: &Heading) -> String {
    let is_percentage = column.unit.as_deref() == Some("%");
    match value {
        None => "-".to_owned(),
        Some(fraction) if is_percentage => format!("{:.1}", 100.0 * fraction),
        Some(value) if (0.0..100.0).contains(&value) => format!("{value:.1}"),
        Some(value) if value < 0.0 => format!("{value:.1}"),
        Some(value) => thousands(value.round() as usize),
    }
}

/// From each segment (a row) to each segment (a column).
fn print_movements(movements: &Movements) {
    let numbers: Vec<String> = (1..=movements.new.len())
        .map(|segment| segment.to_string())
        .collect();
    let mut columns = vec![Column("from \\ to", false)];
    columns.extend(numbers.iter().map(|number| Column(number, true)));
    columns.push(Column("gone", true));
    let from_segments = movements
        .moved
        .iter()
        .zip(&movements.gone)
        .zip(&numbers)
        .map(|((to, &gone), number)| {
            let mut cells = vec![number.clone()];
            cells.extend(to.iter().copied().map(thousands));
            cells.push(thousands(gone));
            cells
        });
    let mut new = vec!["new".to_owned()];
    new.extend(movements.new.iter().copied().map(thousands));
    new.push(String::new());
    print_table(&columns, from_segments.chain([new]));
}
