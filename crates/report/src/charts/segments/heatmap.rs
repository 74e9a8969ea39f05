//! The profile: features by segments, as colours and numbers.

use minijinja::context;

use super::super::picture::{Anchor, Picture};
use super::super::text;
use super::style;
use crate::ReportError;
use crate::input::SegmentsPage;
use crate::printer::Printer;
use crate::sentences::{segment_names, segmented_rows};

/// Shades from the mean outwards, for segments above and below it: those of Okabe and Ito's vermilion and blue.
const ABOVE: [&str; 6] = [
    "#ffffff", "#fbe7d9", "#f5c7a8", "#ec9c66", "#e07b35", "#d55e00",
];
const BELOW: [&str; 6] = [
    "#ffffff", "#dbe9f4", "#a9cde5", "#66aad2", "#338ec1", "#0072b3",
];
/// Standard deviations from one shade to the next.
const STEP: f64 = 0.3;
/// Height of a line of a feature's name, and what a row is higher than its name, in pixels.
const LINE: f64 = 15.0;
const PADDING: f64 = 15.0;
/// Share of the width that names of features may take.
const NAMES: f64 = 0.34;

pub(super) fn draw(
    printer: &Printer,
    page: &SegmentsPage,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let mut scores = page.segments.iter().flat_map(|segment| &segment.z_scores);
    if page.features.is_empty() || !scores.any(Option::is_some) {
        return Ok(None);
    }
    let names = segment_names(printer, page)?;
    let rows = segmented_rows(printer, page)?;
    let title = printer.say("segments_heatmap_title", title_values(page, &names))?;
    let note = context! { rows, feminine => page.feminine };
    let mut picture = Picture::new(title, printer.say("segments_heatmap_note", note)?);
    let columns = Columns::of(page, width);
    for (segment, name) in names.iter().enumerate() {
        let (x, colour) = (columns.middle(segment), style(segment).colour);
        picture.disc((x, 13.0), 10.5, colour, name.clone());
        picture.text_on((x, 17.5), (segment + 1).to_string(), colour);
    }
    picture.height = 32.0;
    for row in 0..page.features.len() {
        draw_row(&mut picture, printer, page, &names, &columns, row);
    }
    picture.height += 2.0;
    Ok(Some(picture))
}

/// Where the cells of segments stand.
struct Columns {
    left: f64,
    width: f64,
}

impl Columns {
    fn of(page: &SegmentsPage, width: f64) -> Self {
        let widths = page.features.iter().map(|feature| text::width(feature));
        let left = (widths.fold(0.0, f64::max) + 10.0).min(width * NAMES);
        Self {
            left,
            width: (width - left) / page.segments.len() as f64,
        }
    }

    fn middle(&self, segment: usize) -> f64 {
        self.left + self.width * (segment as f64 + 0.5)
    }
}

/// A feature: its name, and a cell for each segment.
fn draw_row(
    picture: &mut Picture,
    printer: &Printer,
    page: &SegmentsPage,
    names: &[String],
    columns: &Columns,
    row: usize,
) {
    let feature = &page.features[row];
    let lines = text::wrap(feature, text::SIZE, columns.left - 8.0);
    let height = LINE * lines.len() as f64 + PADDING;
    let top = picture.height;
    for (line, words) in lines.iter().enumerate() {
        let y = top + PADDING / 2.0 + LINE * (line as f64 + 0.8);
        picture.text(
            (0.0, y),
            text::fit(words, columns.left - 8.0),
            Anchor::Start,
        );
    }
    for (segment, name) in names.iter().enumerate() {
        let score = page.segments[segment].z_scores.get(row).copied().flatten();
        let Some(score) = score.filter(|score| score.is_finite()) else {
            continue;
        };
        let number = printer.words.locale.signed(score, 1);
        let tip = format!("{name}, {feature}: {number}");
        let x = columns.middle(segment) - columns.width / 2.0;
        let fill = shade(score);
        picture.bar(
            (x + 1.0, top + 1.0),
            (columns.width - 2.0, height - 2.0),
            fill,
            tip,
        );
        let at = (columns.middle(segment), top + height / 2.0 + 4.5);
        picture.text_on(at, number, fill);
    }
    picture.height += height;
}

/// What stands out most anywhere.
fn title_values(page: &SegmentsPage, names: &[String]) -> minijinja::Value {
    let scores = page.segments.iter().zip(names).flat_map(|(segment, name)| {
        let known = segment.z_scores.iter().zip(&page.features);
        known.filter_map(move |(score, feature)| Some((name, feature, (*score)?)))
    });
    let most = scores.max_by(|(.., one), (.., other)| one.abs().total_cmp(&other.abs()));
    context! {
        name => most.map(|(name, ..)| name),
        feature => most.map(|(_, feature, _)| feature),
        is_above => most.is_some_and(|(.., score)| score > 0.0),
    }
}

/// The colour of a score.
fn shade(score: f64) -> &'static str {
    let shades = if score > 0.0 { ABOVE } else { BELOW };
    shades[((score.abs() / STEP).round() as usize).min(shades.len() - 1)]
}
