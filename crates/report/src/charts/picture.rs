//! A drawing: marks with coordinates in pixels, and how they become SVG.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::style::{GRID, INK, MUTED, Style};
use super::{Canvas, text};
use crate::ReportError;
use crate::printer::Printer;

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
