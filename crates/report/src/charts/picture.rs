//! A drawing: marks with coordinates in pixels, and how they become SVG.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::style::{GRID, INK, MUTED, Style};
use super::{Canvas, text};
use crate::ReportError;
use crate::printer::{Printer, pixel};

/// A drawing with its heading.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// What the data show.
    pub(super) title: String,
    /// How to read the chart.
    pub(super) note: String,
    /// Height of the drawing without the heading, in pixels.
    pub(super) height: f64,
    marks: Vec<Mark>,
}

/// One element of a drawing.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Mark {
    Path {
        d: String,
        fill: &'static str,
        stroke: &'static str,
        stroke_width: f64,
        dash: &'static str,
        /// Shown when the pointer rests on the mark.
        tip: String,
    },
    /// Round dots of one colour.
    Dots {
        d: String,
        stroke: &'static str,
        stroke_width: f64,
    },
    /// A translucent area.
    Ribbon {
        d: String,
        fill: &'static str,
        tip: String,
    },
    Rect {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        fill: &'static str,
        tip: String,
    },
    Text {
        x: f64,
        y: f64,
        text: String,
        fill: &'static str,
        anchor: Anchor,
    },
}

/// Which end of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Picture {
    /// An empty drawing.
    pub(super) fn new(title: String, note: String) -> Self {
        Self {
            title,
            note,
            ..Self::default()
        }
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[(f64, f64)], style: Style) {
        if points.len() > 1 {
            self.path(super::style::polyline(points), style, "none");
        }
    }

    /// A thin solid line between two points.
    pub(super) fn rule(&mut self, from: (f64, f64), to: (f64, f64), colour: &'static str) {
        self.thin_line(from, to, colour, "");
    }

    /// A thin dashed line between two points.
    pub(super) fn dashed_rule(&mut self, from: (f64, f64), to: (f64, f64), colour: &'static str) {
        self.thin_line(from, to, colour, "4 3");
    }

    /// A line of the grid.
    pub(super) fn grid_line(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.thin_line(from, to, GRID, "");
    }

    /// A filled area within a closed line.
    pub(super) fn area(&mut self, points: &[(f64, f64)], fill: &'static str) {
        self.marks.push(Mark::Path {
            d: format!("{}Z", super::style::polyline(points)),
            fill,
            stroke: "none",
            stroke_width: 0.0,
            dash: "",
            tip: String::new(),
        });
    }

    /// The marker of a series, outlined in white so that markers on top of each other stay apart.
    pub(super) fn marker(&mut self, (x, y): (f64, f64), style: Style, tip: String) {
        self.marks.push(Mark::Path {
            d: style.shape.path(x, y),
            fill: style.colour,
            stroke: "#fff",
            stroke_width: 1.0,
            dash: "",
            tip,
        });
    }

    /// Dots of one size and colour, in one mark, so that thousands of them stay small.
    pub(super) fn dots(&mut self, centres: &[(f64, f64)], size: f64, colour: &'static str) {
        let dot = |&(x, y): &(f64, f64)| format!("M{} {}h0", pixel(x), pixel(y));
        self.marks.push(Mark::Dots {
            d: centres.iter().map(dot).collect(),
            stroke: colour,
            stroke_width: size,
        });
    }

    /// A filled circle, outlined in white.
    pub(super) fn disc(
        &mut self,
        (x, y): (f64, f64),
        radius: f64,
        fill: &'static str,
        tip: String,
    ) {
        self.marks.push(Mark::Path {
            d: super::style::circle(x, y, radius),
            fill,
            stroke: "#fff",
            stroke_width: 1.5,
            dash: "",
            tip,
        });
    }

    /// A band from (x, top, height) on the left to the same on the right.
    pub(super) fn ribbon(
        &mut self,
        (left, left_top, left_height): (f64, f64, f64),
        (right, right_top, right_height): (f64, f64, f64),
        fill: &'static str,
        tip: String,
    ) {
        let [left_x, middle, right_x] = [left, f64::midpoint(left, right), right].map(pixel);
        let [a, b] = [left_top, left_top + left_height].map(pixel);
        let [c, d] = [right_top, right_top + right_height].map(pixel);
        self.marks.push(Mark::Ribbon {
            d: format!(
                "M{left_x} {a}C{middle} {a} {middle} {c} {right_x} {c}V{d}C{middle} {d} {middle} {b} {left_x} {b}Z"
            ),
            fill,
            tip,
        });
    }

    /// A bar between two corners.
    pub(super) fn bar(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        fill: &'static str,
        tip: String,
    ) {
        self.marks.push(Mark::Rect {
            x,
            y,
            width: width.max(0.0),
            height: height.max(0.0),
            fill,
            tip,
        });
    }

    /// A text with its baseline at a point.
    pub(super) fn text(&mut self, (x, y): (f64, f64), text: impl Into<String>, anchor: Anchor) {
        self.coloured_text((x, y), text, anchor, INK);
    }

    /// A text in the middle of an area of a strong colour, black or white, whichever is easier to read on it.
    pub(super) fn text_on(&mut self, at: (f64, f64), text: impl Into<String>, colour: &str) {
        // Not the ink of texts on paper, which is light in the dark.
        let ink = if super::style::is_light(colour) {
            "#111111"
        } else {
            "#ffffff"
        };
        self.coloured_text(at, text, Anchor::Middle, ink);
    }

    /// A secondary text with its baseline at a point.
    pub(super) fn muted_text(&mut self, at: (f64, f64), text: impl Into<String>, anchor: Anchor) {
        self.coloured_text(at, text, anchor, MUTED);
    }

    /// The drawing as SVG.
    pub(super) fn svg(&self, printer: &Printer, canvas: Canvas) -> Result<String, ReportError> {
        let margin = if canvas.has_heading { 20.0 } else { 0.0 };
        let (heading, top) = self.heading(canvas, margin);
        printer.render(
            "chart.svg",
            context! {
                width => canvas.width + 2.0 * margin,
                height => top + self.height + margin,
                title => self.title.as_str(),
                note => self.note.as_str(),
                size => text::SIZE,
                has_heading => canvas.has_heading,
                heading => Serde(heading),
                left => margin,
                top => top,
                marks => Serde(&self.marks),
            },
        )
    }

    /// The lines of the heading, and where the drawing begins below them.
    fn heading(&self, canvas: Canvas, margin: f64) -> (Vec<HeadingLine>, f64) {
        let mut lines = Vec::new();
        let mut y = margin;
        if !canvas.has_heading {
            return (lines, y);
        }
        let parts = [
            (&self.title, 17.0, INK, "600"),
            (&self.note, 13.0, MUTED, "400"),
        ];
        for (part, size, fill, weight) in parts {
            for text in text::wrap(part, size, canvas.width) {
                y += size * 1.3;
                lines.push(HeadingLine {
                    y: y - size * 0.25,
                    size,
                    fill,
                    weight,
                    text,
                });
            }
            y += 4.0;
        }
        (lines, y + 12.0)
    }

    fn path(&mut self, d: String, style: Style, fill: &'static str) {
        self.marks.push(Mark::Path {
            d,
            fill,
            stroke: style.colour,
            stroke_width: style.stroke,
            dash: style.dash,
            tip: String::new(),
        });
    }

    fn thin_line(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        stroke: &'static str,
        dash: &'static str,
    ) {
        self.marks.push(Mark::Path {
            d: super::style::polyline(&[from, to]),
            fill: "none",
            stroke,
            stroke_width: 1.0,
            dash,
            tip: String::new(),
        });
    }

    fn coloured_text(
        &mut self,
        (x, y): (f64, f64),
        text: impl Into<String>,
        anchor: Anchor,
        fill: &'static str,
    ) {
        self.marks.push(Mark::Text {
            x,
            y,
            text: text.into(),
            fill,
            anchor,
        });
    }
}

/// One line of a heading.
#[derive(Debug, Serialize)]
struct HeadingLine {
    y: f64,
    size: f64,
    fill: &'static str,
    weight: &'static str,
    text: String,
}
