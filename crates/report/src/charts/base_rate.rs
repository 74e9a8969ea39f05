//! Share of positive rows by date.

use std::collections::BTreeMap;

use minijinja::{Value, context};

use super::axes::{Axis, Plot};
use super::dates::Dates;
use super::picture::{Anchor, Picture};
use super::style::{Style, WASH};
use crate::ReportError;
use crate::input::{BaseRate, ProblemReport};
use crate::printer::Printer;

/// With more dates than this, markers would hide the line.
const MOST_MARKERS: usize = 40;
/// Room for the last value at the right, in pixels.
const LAST_VALUE: f64 = 32.0;

/// The usable base rates by date, with their shares.
type ByDate<'a> = BTreeMap<&'a str, (f64, &'a BaseRate)>;

pub(super) fn draw(
    printer: &Printer,
    problem: &ProblemReport,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let by_date: ByDate = problem
        .base_rates
        .iter()
        .filter_map(|rate| Some((rate.reference_date.as_str(), (rate.share()?, rate))))
        .collect();
    if by_date.is_empty() {
        return Ok(None);
    }
    let names = printer.names(problem)?;
    let shares = || by_date.values().map(|&(share, _)| share);
    let (low, high) = (shares().fold(1.0, f64::min), shares().fold(0.0, f64::max));
    let title = printer.say("base_rate_title", context! { low, high, ..names.clone() })?;
    let mut picture = Picture::new(title, printer.say("base_rate_note", names.clone())?);
    let dates = Dates::new(by_date.keys().copied());
    let locale = &printer.words.locale;
    let x = dates.axis(width - LAST_VALUE - 70.0, locale);
    let y_label = printer.say("base_rate_y", names.clone())?;
    let y = Axis::of_percentages(y_label, (0.0, (high * 1.1).clamp(0.01, 1.0)), 4, locale);
    let plot = Plot::draw(&mut picture, (width - LAST_VALUE, 240.0), &x, &y);
    let points: Vec<_> = shares()
        .enumerate()
        .map(|(index, share)| plot.at(dates.position(index), share))
        .collect();
    draw_line(&mut picture, &plot, &points);
    draw_markers(printer, &mut picture, (&by_date, &names), &points)?;
    Ok(Some(picture))
}

fn draw_line(picture: &mut Picture, plot: &Plot, points: &[(f64, f64)]) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    let mut outline = vec![(first.0, plot.bottom)];
    outline.extend(points);
    outline.push((last.0, plot.bottom));
    picture.area(&outline, WASH);
    picture.line(points, Style::CHAMPION);
}

/// A marker for each date, and the value of the last.
fn draw_markers(
    printer: &Printer,
    picture: &mut Picture,
    (by_date, names): (&ByDate, &Value),
    points: &[(f64, f64)],
) -> Result<(), ReportError> {
    if by_date.len() <= MOST_MARKERS {
        for ((&date, (share, rate)), &point) in by_date.iter().zip(points) {
            let (count, positives) = (rate.rows, rate.positives);
            let values = context! { date, share, count, positives, ..names.clone() };
            picture.marker(
                point,
                Style::CHAMPION,
                printer.say("base_rate_tip", values)?,
            );
        }
    }
    if let (Some(&(share, _)), Some(&(x, y))) = (by_date.values().next_back(), points.last()) {
        let text = printer.words.locale.rounded_percent(share);
        picture.text((x + 10.0, y + 4.5), text, Anchor::Start);
    }
    Ok(())
}
