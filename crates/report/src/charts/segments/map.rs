//! The map: every row on the first two principal components.

use minijinja::context;

use super::super::legend;
use super::super::picture::{Anchor, Picture};
use super::super::style::{AXIS, GRID};
use super::super::text;
use super::style;
use crate::ReportError;
use crate::input::{MapAxis, MapPoint, SegmentsPage};
use crate::printer::Printer;
use crate::sentences::{segment_names, segmented_rows};

/// Diameter of a dot, in pixels; smaller where there are many.
const DOT: f64 = 5.0;
const SMALL_DOT: f64 = 3.5;
const MANY: usize = 600;
/// Radius of the number in the middle of a segment, in pixels.
const NUMBER: f64 = 9.5;
const HEIGHT: f64 = 330.0;
/// Space around the outermost dots, in pixels.
const PADDING: f64 = 10.0;

pub(super) fn draw(
    printer: &Printer,
    page: &SegmentsPage,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let is_usable = |point: &&MapPoint| {
        point.x.is_finite() && point.y.is_finite() && point.segment < page.segments.len()
    };
    let points: Vec<MapPoint> = page.points.iter().filter(is_usable).copied().collect();
    if points.is_empty() {
        return Ok(None);
    }
    let [across, up] = &page.axes;
    let values = context! {
        count => points.len(),
        rows => segmented_rows(printer, page)?,
        feminine => page.feminine,
        segments => page.segments.len(),
        explained => across.explained + up.explained,
    };
    let title_text = printer.say("segments_map_title", values.clone())?;
    let mut picture = Picture::new(title_text, printer.say("segments_map_note", values)?);
    let names = segment_names(printer, page)?;
    let shown: Vec<usize> = (0..page.segments.len())
        .filter(|&segment| page.segments[segment].rows > 0)
        .collect();
    let entries: Vec<_> = shown
        .iter()
        .map(|&segment| {
            (
                style(segment),
                format!("{} {}", segment + 1, names[segment]),
            )
        })
        .collect();
    legend::draw(&mut picture, width, &entries);
    let frame = Frame::around(&points, width, picture.height + 22.0);
    frame.draw(printer, &mut picture, across, up)?;
    draw_dots(&mut picture, &frame, &points, page.segments.len());
    for segment in shown {
        draw_number(&mut picture, &frame, &points, segment, &names[segment]);
    }
    Ok(Some(picture))
}

/// The rectangle in which the dots lie.
struct Frame {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    x_ends: (f64, f64),
    y_ends: (f64, f64),
}

impl Frame {
    fn around(points: &[MapPoint], width: f64, top: f64) -> Self {
        let ends = |value: fn(&MapPoint) -> f64| {
            let values = points.iter().map(value);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        Self {
            left: 0.5,
            top,
            right: width - 0.5,
            bottom: top + HEIGHT,
            x_ends: ends(|point| point.x),
            y_ends: ends(|point| point.y),
        }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let place = |value: f64, (low, high): (f64, f64), start: f64, end: f64| {
            let part = if high > low {
                (value - low) / (high - low)
            } else {
                0.5
            };
            start + part * (end - start)
        };
        (
            place(x, self.x_ends, self.left + PADDING, self.right - PADDING),
            place(y, self.y_ends, self.bottom - PADDING, self.top + PADDING),
        )
    }

    /// The borders, and at the ends of each axis what lies there.
    fn draw(
        &self,
        printer: &Printer,
        picture: &mut Picture,
        across: &MapAxis,
        up: &MapAxis,
    ) -> Result<(), ReportError> {
        let middle = self.at(0.0, 0.0);
        picture.rule((middle.0, self.top), (middle.0, self.bottom), GRID);
        picture.rule((self.left, middle.1), (self.right, middle.1), GRID);
        for (from, to) in [
            ((self.left, self.top), (self.right, self.top)),
            ((self.right, self.top), (self.right, self.bottom)),
            ((self.right, self.bottom), (self.left, self.bottom)),
            ((self.left, self.bottom), (self.left, self.top)),
        ] {
            picture.rule(from, to, AXIS);
        }
        let room = self.right - self.left;
        let mut end = |sign: &str, name: &str, at: (f64, f64), anchor: Anchor, room: f64| {
            if !name.is_empty() {
                let words = if anchor == Anchor::End {
                    format!("{name} {sign}")
                } else {
                    format!("{sign} {name}")
                };
                picture.muted_text(at, text::fit(&words, room), anchor);
            }
        };
        end(
            "▲",
            &up.high,
            (self.left, self.top - 7.0),
            Anchor::Start,
            room,
        );
        end(
            "▼",
            &up.low,
            (self.left, self.bottom + 17.0),
            Anchor::Start,
            room,
        );
        end(
            "◀",
            &across.low,
            (self.left, self.bottom + 36.0),
            Anchor::Start,
            room / 2.0 - 6.0,
        );
        end(
            "▶",
            &across.high,
            (self.right, self.bottom + 36.0),
            Anchor::End,
            room / 2.0 - 6.0,
        );
        let values = context! { across => across.explained, up => up.explained };
        let label = printer.say("segments_map_axes", values)?;
        let mut y = self.bottom + 40.0;
        for line in text::wrap(&label, text::SIZE, room) {
            y += 16.0;
            picture.muted_text((self.left, y), line, Anchor::Start);
        }
        picture.height = y + 8.0;
        Ok(())
    }
}

/// The dots, the segment with the most of them first, so that it hides none of the others.
fn draw_dots(picture: &mut Picture, frame: &Frame, points: &[MapPoint], segments: usize) {
    let of = |segment: usize| points.iter().filter(move |point| point.segment == segment);
    let mut order: Vec<usize> = (0..segments).collect();
    order.sort_by_key(|&segment| std::cmp::Reverse(of(segment).count()));
    let size = if points.len() > MANY { SMALL_DOT } else { DOT };
    for segment in order {
        let places: Vec<(f64, f64)> = of(segment)
            .map(|point| frame.at(point.x, point.y))
            .collect();
        picture.dots(&places, size, style(segment).colour);
    }
}

/// The number of a segment in the middle of its dots.
fn draw_number(
    picture: &mut Picture,
    frame: &Frame,
    points: &[MapPoint],
    segment: usize,
    name: &str,
) {
    let own: Vec<&MapPoint> = points
        .iter()
        .filter(|point| point.segment == segment)
        .collect();
    if own.is_empty() {
        return;
    }
    let mean = |value: fn(&MapPoint) -> f64| {
        own.iter().map(|point| value(point)).sum::<f64>() / own.len() as f64
    };
    let (x, y) = frame.at(mean(|point| point.x), mean(|point| point.y));
    picture.disc((x, y), NUMBER, style(segment).colour, name.to_owned());
    picture.text_on(
        (x, y + 4.5),
        (segment + 1).to_string(),
        style(segment).colour,
    );
}
