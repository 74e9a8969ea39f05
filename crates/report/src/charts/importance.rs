//! The most important features, as bars.

use minijinja::context;

use super::picture::{Anchor, Picture};
use super::style::BLUE;
use super::text;
use crate::ReportError;
use crate::input::{Importance, ProblemReport};
use crate::printer::Printer;

/// How many features are shown.
const MOST_FEATURES: usize = 10;
/// Height of a feature's name and bar, in pixels.
const ROW: f64 = 38.0;
/// On narrower charts than this, names in the store are left out, as most would not fit.
const ROOM_FOR_NAMES: f64 = 500.0;
/// Height of a bar, in pixels.
const BAR: f64 = 9.0;

pub(super) fn draw(
    printer: &Printer,
    problem: &ProblemReport,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let features = ranked(&problem.importances);
    let Some(first) = features.first() else {
        return Ok(None);
    };
    let title = printer.say(
        "importance_title",
        context! { name => printer.feature_name(&first.feature)?, share => first.share },
    )?;
    let shown = &features[..features.len().min(MOST_FEATURES)];
    let values = context! {
        shown => shown.len(),
        all => features.len(),
        together => shown.iter().map(|feature| feature.share).sum::<f64>(),
    };
    let mut picture = Picture::new(title, printer.say("importance_note", values)?);
    let longest = width - text::width(&printer.words.locale.rounded_percent(0.0999)) - 12.0;
    for (index, feature) in shown.iter().enumerate() {
        let top = ROW * index as f64;
        let name = printer.feature_heading(&feature.feature)?;
        draw_names(&mut picture, (&name, feature), top + 14.0, width);
        let share = printer.words.locale.rounded_percent(feature.share);
        let length = (longest * feature.share / first.share).max(1.0);
        let tip = format!("{}: {share}", feature.feature.name);
        picture.bar((0.0, top + 20.0), (length, BAR), BLUE, tip);
        picture.text((length + 7.0, top + 20.0 + BAR), share, Anchor::Start);
    }
    picture.height = ROW * shown.len() as f64 + 2.0;
    Ok(Some(picture))
}

/// The features with a share, the most important first.
fn ranked(importances: &[Importance]) -> Vec<&Importance> {
    let mut ranked: Vec<_> = importances
        .iter()
        .filter(|feature| feature.share > 0.0 && feature.share < 1.0 + 1e-9)
        .collect();
    ranked.sort_by(|a, b| {
        b.share
            .total_cmp(&a.share)
            .then(a.feature.name.cmp(&b.feature.name))
    });
    ranked
}

/// What the feature is, and its name in the store where there is room for it.
fn draw_names(picture: &mut Picture, (name, importance): (&str, &Importance), y: f64, width: f64) {
    let name = text::fit(name, width);
    let room = width - text::width(&name) - 24.0;
    picture.text((0.0, y), name, Anchor::Start);
    let feature = &importance.feature;
    let has_both = !feature.meaning.is_empty();
    if has_both && width >= ROOM_FOR_NAMES && text::width(&feature.name) <= room {
        picture.muted_text((width, y), feature.name.clone(), Anchor::End);
    }
}
