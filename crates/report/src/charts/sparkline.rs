//! A small line without axes, to stand beside a number.

use super::Canvas;
use super::picture::Picture;
use super::style::{Style, WASH};
use crate::ReportError;
use crate::printer::Printer;

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 40.0;
/// Room for the marker of the last value, in pixels.
const PAD: f64 = 5.0;

/// Values in order, from zero or the lowest of them up, with a marker at the last.
pub(crate) fn sparkline(
    printer: &Printer,
    label: String,
    values: &[f64],
) -> Result<String, ReportError> {
    let low = values.iter().copied().fold(0.0, f64::min);
    let high = values
        .iter()
        .copied()
        .fold(low + f64::MIN_POSITIVE, f64::max);
    let step = (WIDTH - 2.0 * PAD) / values.len().saturating_sub(1).max(1) as f64;
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let part = (value - low) / (high - low);
            let x = PAD + step * index as f64;
            (x, HEIGHT - PAD - part * (HEIGHT - 2.0 * PAD))
        })
        .collect();
    let mut picture = Picture::new(label, String::new());
    picture.height = HEIGHT;
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let mut outline = vec![(first.0, HEIGHT)];
        outline.extend(&points);
        outline.push((last.0, HEIGHT));
        picture.area(&outline, WASH);
        picture.line(&points, Style::CHAMPION);
        picture.marker(*last, Style::CHAMPION, String::new());
    }
    let canvas = Canvas {
        width: WIDTH,
        has_heading: false,
    };
    picture.svg(printer, canvas)
}
