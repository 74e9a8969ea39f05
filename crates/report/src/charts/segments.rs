//! The charts of a segmentation.

mod flows;
mod heatmap;
mod map;

use std::collections::BTreeMap;

use minijinja::context;

use super::picture::Picture;
use super::style::{Shape, Style};
use super::{Canvas, Figure};
use crate::input::SegmentsPage;
use crate::printer::Printer;
use crate::{Language, ReportError};

/// The rows on their first two principal components, coloured by segment.
///
/// # Errors
/// [`ReportError`] if a template of this crate is at fault; no input is.
pub fn segments_map(page: &SegmentsPage) -> Result<String, ReportError> {
    SegmentsChart::Map.file(page)
}

/// How far each segment lies from the mean, feature by feature.
///
/// # Errors
/// As [`segments_map`].
pub fn segments_heatmap(page: &SegmentsPage) -> Result<String, ReportError> {
    SegmentsChart::Heatmap.file(page)
}

/// How rows moved between segments.
///
/// # Errors
/// As [`segments_map`].
pub fn segments_flows(page: &SegmentsPage) -> Result<String, ReportError> {
    SegmentsChart::Flows.file(page)
}

/// Every chart of a segmentation that has something to draw, by file name.
///
/// # Errors
/// As [`segments_map`].
pub fn segments_files(page: &SegmentsPage) -> Result<BTreeMap<&'static str, String>, ReportError> {
    let printer = Printer::new(Language::English)?;
    let mut files = BTreeMap::new();
    for chart in SegmentsChart::ALL {
        if let Some(picture) = chart.draw(&printer, page, Canvas::FILE.width)? {
            files.insert(chart.file_name(), picture.svg(&printer, Canvas::FILE)?);
        }
    }
    Ok(files)
}

/// One of the charts of a segmentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentsChart {
    Map,
    Heatmap,
    Flows,
}

impl SegmentsChart {
    const ALL: [Self; 3] = [Self::Map, Self::Heatmap, Self::Flows];

    /// The chart for the page; `None` if there is nothing to draw.
    pub(crate) fn figure(
        self,
        printer: &Printer,
        page: &SegmentsPage,
    ) -> Result<Option<Figure>, ReportError> {
        Figure::of(printer, |width| self.draw(printer, page, width))
    }

    fn file(self, page: &SegmentsPage) -> Result<String, ReportError> {
        let printer = Printer::new(Language::English)?;
        let picture = match self.draw(&printer, page, Canvas::FILE.width)? {
            Some(picture) => picture,
            None => Picture::new(printer.say(self.empty_key(), context! {})?, String::new()),
        };
        picture.svg(&printer, Canvas::FILE)
    }

    fn draw(
        self,
        printer: &Printer,
        page: &SegmentsPage,
        width: f64,
    ) -> Result<Option<Picture>, ReportError> {
        match self {
            Self::Map => map::draw(printer, page, width),
            Self::Heatmap => heatmap::draw(printer, page, width),
            Self::Flows => flows::draw(printer, page, width),
        }
    }

    fn file_name(self) -> &'static str {
        match self {
            Self::Map => "segments_map.svg",
            Self::Heatmap => "segments_heatmap.svg",
            Self::Flows => "segments_flows.svg",
        }
    }

    fn empty_key(self) -> &'static str {
        match self {
            Self::Map => "segments_map_empty",
            Self::Heatmap => "segments_heatmap_empty",
            Self::Flows => "segments_flows_empty",
        }
    }
}

/// Colours of segments: those of Okabe and Ito (2008) without black, and two more that keep apart from them.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#882255", "#6f7378",
];

/// How a segment looks in all charts: its colour; a number always stands beside it.
fn style(segment: usize) -> Style {
    Style {
        colour: COLOURS[segment % COLOURS.len()],
        shape: Shape::Circle,
        dash: "",
        stroke: 0.0,
    }
}
