//! Reliability diagram: observed rate by predicted probability, and the rows behind each point.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::axes::{Axis, Plot};
use super::picture::{Anchor, Picture};
use super::style::{AXIS, BLUE, PALE_BLUE, Style};
use crate::ReportError;
use crate::facts::{calibration_gap, usable_bins};
use crate::input::{CalibrationBin, ProblemReport};
use crate::printer::Printer;

pub(super) fn draw(
    printer: &Printer,
    problem: &ProblemReport,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let bins = usable_bins(&problem.calibration);
    let Some(gap) = calibration_gap(&bins) else {
        return Ok(None);
    };
    let names = printer.names(problem)?;
    let values = context! {
        distance => gap.mean_distance, predicted => gap.predicted, observed => gap.observed,
        ..names.clone()
    };
    let title = printer.say("calibration_title", values.clone())?;
    let mut picture = Picture::new(title, printer.say("calibration_note", values)?);
    let plot = draw_axes(printer, &mut picture, width, &bins, &names)?;
    let tips = tips(printer, &bins, &names)?;
    draw_points(&mut picture, &plot, &bins, &tips);
    let most = bins.iter().map(|bin| bin.count).max();
    let label = printer.say("calibration_counts", context! { most, ..names })?;
    draw_counts(&mut picture, &plot, label, &bins, &tips);
    Ok(Some(picture))
}

/// Both axes show the same range, so that the diagonal is where prediction and outcome agree.
fn draw_axes(
    printer: &Printer,
    picture: &mut Picture,
    width: f64,
    bins: &[CalibrationBin],
    names: &Value,
) -> Result<Plot, ReportError> {
    let high = bins.iter().fold(0.01, |high: f64, bin| {
        high.max(bin.mean_predicted).max(wilson_interval(bin).1)
    });
    let axis = |key: &str| -> Result<Axis, ReportError> {
        let label = printer.say(key, names.clone())?;
        Ok(Axis::of_percentages(
            label,
            (0.0, high.min(1.0)),
            5,
            &printer.words.locale,
        ))
    };
    let (x, y) = (axis("calibration_x")?, axis("calibration_y")?);
    let plot = Plot::draw(picture, (width, 230.0), &x, &y);
    picture.dashed_rule(plot.at(0.0, 0.0), plot.at(x.ends.1, y.ends.1), AXIS);
    Ok(plot)
}

/// What to show when the pointer rests on a bin, for each of them.
fn tips(
    printer: &Printer,
    bins: &[CalibrationBin],
    names: &Value,
) -> Result<Vec<String>, ReportError> {
    let tip = |bin: &CalibrationBin| {
        let values = context! { ..names.clone(), ..Value::from(Serde(bin)) };
        printer.say("calibration_tip", values)
    };
    bins.iter().map(tip).collect()
}

/// A point for each bin, with its interval.
fn draw_points(picture: &mut Picture, plot: &Plot, bins: &[CalibrationBin], tips: &[String]) {
    let place = |bin: &CalibrationBin| plot.at(bin.mean_predicted, bin.observed_rate);
    let points: Vec<_> = bins.iter().map(place).collect();
    for (bin, &(x, _)) in bins.iter().zip(&points) {
        let (low, high) = wilson_interval(bin);
        picture.rule((x, plot.at(0.0, low).1), (x, plot.at(0.0, high).1), BLUE);
    }
    let thin = Style {
        stroke: 1.25,
        ..Style::CHAMPION
    };
    picture.line(&points, thin);
    for (point, tip) in points.into_iter().zip(tips) {
        picture.marker(point, Style::CHAMPION, tip.clone());
    }
}

/// Bars below the plot, each under its point: how many rows the point stands for.
fn draw_counts(
    picture: &mut Picture,
    plot: &Plot,
    label: String,
    bins: &[CalibrationBin],
    tips: &[String],
) {
    const HEIGHT: f64 = 40.0;
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    let place = |bin: &CalibrationBin| plot.at(bin.mean_predicted, 0.0).0;
    let places: Vec<f64> = bins.iter().map(place).collect();
    let gaps = places.windows(2).map(|pair| pair[1] - pair[0]);
    let bar = (gaps.fold(12.0, f64::min) - 1.0).max(2.0);
    let bottom = picture.height + 30.0 + HEIGHT;
    picture.muted_text((0.0, picture.height + 18.0), label, Anchor::Start);
    picture.rule((plot.left, bottom), (plot.right, bottom), AXIS);
    for ((bin, x), tip) in bins.iter().zip(places).zip(tips) {
        let height = HEIGHT * bin.count as f64 / most;
        let corner = (x - bar / 2.0, bottom - height);
        picture.bar(corner, (bar, height), PALE_BLUE, tip.clone());
    }
    picture.height = bottom + 8.0;
}

/// The 95 % interval of a rate (Wilson, 1927).
fn wilson_interval(bin: &CalibrationBin) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let (n, rate) = (bin.count as f64, bin.observed_rate);
    let centre = rate + Z * Z / (2.0 * n);
    let spread = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (
        ((centre - spread) / scale).max(0.0),
        ((centre + spread) / scale).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.binomtest(30, 100).proportion_ci(method="wilson")`.
    #[test]
    fn intervals_are_those_of_wilson() {
        let bin = |observed_rate, count| CalibrationBin {
            mean_predicted: 0.0,
            observed_rate,
            count,
        };
        let (low, high) = wilson_interval(&bin(0.3, 100));
        assert!(
            (low - 0.218_949).abs() < 1e-5 && (high - 0.395_848).abs() < 1e-5,
            "{low} {high}"
        );
        assert_eq!(wilson_interval(&bin(0.0, 5)).0, 0.0);
        assert!((wilson_interval(&bin(1.0, 5)).1 - 1.0).abs() < 1e-12);
    }
}
