//! ROC AUC by date, one line for each learner.

use std::collections::BTreeMap;

use minijinja::context;

use super::axes::{Axis, Plot};
use super::dates::Dates;
use super::picture::Picture;
use super::{legend, style};
use crate::ReportError;
use crate::facts::Cadence;
use crate::input::{Interval, ProblemReport};
use crate::printer::Printer;

/// With more dates than this, markers would hide the lines.
const MOST_MARKERS: usize = 40;
/// ROC AUC of scores that do not rank at all.
const CHANCE: f64 = 0.5;

type Lines<'a> = BTreeMap<&'a str, BTreeMap<&'a str, f64>>;

pub(super) fn draw(
    printer: &Printer,
    problem: &ProblemReport,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let mut lines: Lines = BTreeMap::new();
    for (date, learners) in problem.roc_auc_by_date() {
        for (learner, value) in learners {
            lines.entry(learner).or_default().insert(date, value);
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let title = title(printer, problem)?;
    let at_chance = take_lines_at_chance(&mut lines);
    let order = order(problem, &lines);
    let bars = Bars::of(problem, &order);
    let note = note(printer, problem, &at_chance, bars.as_ref())?;
    let mut picture = Picture::new(title, note);
    legend::draw(
        &mut picture,
        width,
        &legend_entries(printer, problem, &order)?,
    );
    let dates = Dates::new(lines.values().flat_map(BTreeMap::keys).copied());
    let values = values_to_show(&lines, bars.as_ref());
    let plot = draw_axes(printer, &mut picture, width, &dates, &values)?;
    if let Some(bars) = &bars {
        bars.draw(
            &mut picture,
            &plot,
            &dates,
            style::by_learner(problem)[bars.learner],
        );
    }
    for learner in order.into_iter().rev() {
        draw_line(
            printer,
            &mut picture,
            &plot,
            &dates,
            problem,
            (learner, &lines[learner]),
        )?;
    }
    Ok(Some(picture))
}

/// The intervals of one learner: those of all would hide each other.
struct Bars<'a> {
    learner: &'a str,
    by_date: BTreeMap<&'a str, Interval>,
}

impl<'a> Bars<'a> {
    /// Those of the first learner that has any.
    fn of(problem: &'a ProblemReport, order: &[&'a str]) -> Option<Self> {
        order.iter().find_map(|&learner| {
            let by_date = problem.roc_auc_intervals(learner);
            (!by_date.is_empty()).then_some(Self { learner, by_date })
        })
    }

    fn draw(&self, picture: &mut Picture, plot: &Plot, dates: &Dates, style: style::Style) {
        for (index, date) in dates.iter() {
            if let Some(interval) = self.by_date.get(date) {
                let x = dates.position(index);
                let (low, high) = (plot.at(x, interval.low), plot.at(x, interval.high));
                picture.rule(low, high, style.colour);
            }
        }
    }
}

/// All values that the vertical axis must hold.
fn values_to_show(lines: &Lines, bars: Option<&Bars>) -> Vec<f64> {
    let values = lines.values().flat_map(BTreeMap::values).copied();
    let ends = bars.into_iter().flat_map(|bars| bars.by_date.values());
    values
        .chain(ends.flat_map(|interval| [interval.low, interval.high]))
        .collect()
}

/// Learners that never rank would only squeeze the others: they are named in the note instead.
fn take_lines_at_chance<'a>(lines: &mut Lines<'a>) -> Vec<&'a str> {
    let is_flat = |line: &BTreeMap<&str, f64>| line.values().all(|v| (v - CHANCE).abs() < 1e-9);
    let flat: Vec<&str> = lines
        .iter()
        .filter(|(_, line)| is_flat(line))
        .map(|(learner, _)| *learner)
        .collect();
    if flat.len() == lines.len() {
        return Vec::new();
    }
    lines.retain(|_, line| !is_flat(line));
    flat
}

/// The champion first, then by falling mean.
fn order<'a>(problem: &ProblemReport, lines: &Lines<'a>) -> Vec<&'a str> {
    let champion = problem.champion_learner();
    let mean = |learner: &str| problem.mean_roc_auc(learner).unwrap_or(f64::MIN);
    let mut order: Vec<&str> = lines.keys().copied().collect();
    order.sort_by(|a, b| {
        let champion_first = (*b == champion).cmp(&(*a == champion));
        champion_first
            .then(mean(b).total_cmp(&mean(a)))
            .then(a.cmp(b))
    });
    order
}

fn title(printer: &Printer, problem: &ProblemReport) -> Result<String, ReportError> {
    let by_date = problem.roc_auc_by_date();
    let values = || by_date.values().flat_map(BTreeMap::values).copied();
    if let Some(winner) = problem.winner() {
        let cadence = Cadence::of(by_date.keys().copied());
        let key = cadence.key(problem.events);
        let dates = printer.say(key, context! { count => winner.of })?;
        let only_date = if winner.of == 1 {
            by_date.keys().next_back().copied()
        } else {
            None
        };
        return printer.say(
            "backtest_lines_winner",
            context! {
                learner => winner.learner, count => winner.dates, dates, only_date,
                events => problem.events,
            },
        );
    }
    printer.say(
        "backtest_lines_range",
        context! {
            learner => by_date.values().flat_map(BTreeMap::keys).next().copied(),
            low => values().fold(f64::MAX, f64::min),
            high => values().fold(f64::MIN, f64::max),
        },
    )
}

fn note(
    printer: &Printer,
    problem: &ProblemReport,
    at_chance: &[&str],
    bars: Option<&Bars>,
) -> Result<String, ReportError> {
    let names: Vec<String> = at_chance
        .iter()
        .map(|name| printer.words.learner(name))
        .collect();
    printer.say(
        "backtest_lines_note",
        context! {
            at_chance => names.join(", "),
            interval_of => bars.map(|bars| bars.learner),
            events => problem.events,
        },
    )
}

fn legend_entries(
    printer: &Printer,
    problem: &ProblemReport,
    order: &[&str],
) -> Result<Vec<(style::Style, String)>, ReportError> {
    let styles = style::by_learner(problem);
    let entry = |&learner: &&str| {
        let text = printer.say(
            "legend",
            context! {
                learner,
                is_champion => learner == problem.champion_learner(),
                value => problem.mean_roc_auc(learner),
            },
        )?;
        Ok((styles[learner], text))
    };
    order.iter().map(entry).collect()
}

fn draw_axes(
    printer: &Printer,
    picture: &mut Picture,
    width: f64,
    dates: &Dates,
    values: &[f64],
) -> Result<Plot, ReportError> {
    let locale = &printer.words.locale;
    let low = values.iter().copied().fold(f64::MAX, f64::min);
    let high = values.iter().copied().fold(f64::MIN, f64::max);
    let pad = (0.02 - (high - low) / 2.0).max(0.0);
    let range = ((low - pad).max(0.0), (high + pad).min(1.0));
    let y_label = printer.say("backtest_lines_y", context! {})?;
    let y = Axis::of_numbers(y_label, range, 4, |value, decimals| {
        locale.decimal(value, decimals)
    });
    let x = dates.axis(width - 70.0, locale);
    Ok(Plot::draw(picture, (width, 210.0), &x, &y))
}

fn draw_line(
    printer: &Printer,
    picture: &mut Picture,
    plot: &Plot,
    dates: &Dates,
    problem: &ProblemReport,
    (learner, values): (&str, &BTreeMap<&str, f64>),
) -> Result<(), ReportError> {
    let style = style::by_learner(problem)[learner];
    let places: Vec<Option<(f64, f64)>> = dates
        .iter()
        .map(|(index, date)| Some(plot.at(dates.position(index), *values.get(date)?)))
        .collect();
    for run in places.split(Option::is_none).filter(|run| !run.is_empty()) {
        let points: Vec<_> = run.iter().flatten().copied().collect();
        picture.line(&points, style);
    }
    if dates.len() > MOST_MARKERS {
        return Ok(());
    }
    let intervals = problem.roc_auc_intervals(learner);
    for ((_, date), place) in dates.iter().zip(places) {
        if let (Some(place), Some(value)) = (place, values.get(date)) {
            let interval = printer.interval(intervals.get(date).copied(), 3)?;
            let values = context! { learner, date, value, interval };
            let tip = printer.say("backtest_lines_tip", values)?;
            picture.marker(place, style, tip);
        }
    }
    Ok(())
}
