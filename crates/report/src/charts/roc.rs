//! ROC curves, one for each learner.

use minijinja::context;

use super::axes::{Axis, Plot};
use super::picture::{Anchor, Picture};
use super::style::{AXIS, Style};
use super::{legend, style};
use crate::ReportError;
use crate::facts::{area_under, true_positive_rate_at, usable_points};
use crate::input::{ProblemReport, RocPoint};
use crate::printer::Printer;

/// The false positive rate at which the title compares.
const FALSE_ALARMS: f64 = 0.1;
/// ROC AUC of scores that do not rank at all.
const CHANCE: f64 = 0.5;

/// A curve that can be drawn.
struct Curve<'a> {
    learner: &'a str,
    points: Vec<RocPoint>,
    area: f64,
    style: Style,
}

pub(super) fn draw(
    printer: &Printer,
    problem: &ProblemReport,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let curves = curves(problem);
    let Some(first) = curves.first() else {
        return Ok(None);
    };
    let found = true_positive_rate_at(&first.points, FALSE_ALARMS).unwrap_or(1.0);
    let names = printer.names(problem)?;
    let values = context! {
        learner => first.learner, found, false_alarms => FALSE_ALARMS,
        dates => problem.backtest_dates().len(), ..names
    };
    let title = printer.say("roc_title", values.clone())?;
    let mut picture = Picture::new(title, printer.say("roc_note", values)?);
    draw_legend(printer, problem, &mut picture, width, &curves)?;
    let plot = draw_axes(printer, &mut picture, width)?;
    for curve in curves.iter().rev() {
        picture.line(&thinned(&plot, &curve.points), curve.style);
    }
    let at = plot.at(FALSE_ALARMS, found);
    picture.dashed_rule((at.0, plot.bottom), at, AXIS);
    picture.marker(at, first.style, picture.title.clone());
    Ok(Some(picture))
}

impl Curve<'_> {
    /// Whether the scores do not rank: the curve lies on the diagonal, or would if dates with different base
    /// rates were not pooled.
    fn is_at_chance(&self, problem: &ProblemReport) -> bool {
        let height = |p: &RocPoint| p.true_positive_rate - p.false_positive_rate;
        let is_diagonal = self.points.iter().all(|point| height(point).abs() < 1e-9);
        let by_date = problem.roc_auc_by_date();
        let mut values = by_date.values().filter_map(|date| date.get(self.learner));
        let is_defined = values.clone().next().is_some();
        is_diagonal || (is_defined && values.all(|value| (value - CHANCE).abs() < 1e-9))
    }
}

/// The champion's curve first, then by falling area. Scores that do not rank are left to the diagonal, which is
/// drawn anyway.
fn curves(problem: &ProblemReport) -> Vec<Curve<'_>> {
    let styles = style::by_learner(problem);
    let mut curves: Vec<Curve> = problem
        .roc_curves
        .iter()
        .map(|curve| {
            let points = usable_points(curve);
            Curve {
                learner: &curve.learner,
                area: area_under(&points),
                points,
                style: styles[curve.learner.as_str()],
            }
        })
        .filter(|curve| curve.points.len() > 1)
        .collect();
    let champion = problem.champion_learner();
    if !curves.iter().all(|curve| curve.is_at_chance(problem)) {
        curves.retain(|curve| !curve.is_at_chance(problem));
    }
    curves.sort_by(|a, b| {
        let champion_first = (b.learner == champion).cmp(&(a.learner == champion));
        let by_area = b.area.total_cmp(&a.area);
        champion_first.then(by_area).then(a.learner.cmp(b.learner))
    });
    curves
}

fn draw_legend(
    printer: &Printer,
    problem: &ProblemReport,
    picture: &mut Picture,
    width: f64,
    curves: &[Curve],
) -> Result<(), ReportError> {
    let mut entries = Vec::new();
    for curve in curves {
        let values = context! {
            learner => curve.learner,
            is_champion => curve.learner == problem.champion_learner(),
            value => curve.area,
        };
        entries.push((curve.style, printer.say("legend", values)?));
    }
    legend::draw(picture, width, &entries);
    Ok(())
}

fn draw_axes(printer: &Printer, picture: &mut Picture, width: f64) -> Result<Plot, ReportError> {
    let axis = |key: &str| -> Result<Axis, ReportError> {
        let label = printer.say(key, context! {})?;
        Ok(Axis::of_percentages(
            label,
            (0.0, 1.0),
            5,
            &printer.words.locale,
        ))
    };
    let plot = Plot::draw(picture, (width, 300.0), &axis("roc_x")?, &axis("roc_y")?);
    picture.dashed_rule(plot.at(0.0, 0.0), plot.at(1.0, 1.0), AXIS);
    let chance = printer.say("roc_chance", context! {})?;
    let (x, y) = plot.at(0.72, 0.72);
    picture.muted_text((x + 10.0, y + 14.0), chance, Anchor::Start);
    Ok(plot)
}

/// The points of a curve in pixels, without those that no eye could tell apart.
fn thinned(plot: &Plot, points: &[RocPoint]) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let (x, y) = plot.at(point.false_positive_rate, point.true_positive_rate);
        let is_apart = kept
            .last()
            .is_none_or(|last| (last.0 - x).abs() + (last.1 - y).abs() >= 1.5);
        if is_apart || index + 1 == points.len() {
            kept.push((x, y));
        }
    }
    kept
}
