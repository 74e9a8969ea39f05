//! The charts, as SVG.
//!
//! Every function takes the whole [`ProblemReport`] and reads only the part that it draws, so that a
//! learner has the same colour and name in all charts. The SVG stands alone: it has its own title, which
//! states what the data show, needs no font or style from outside, and scales by its `viewBox`. Where
//! there is nothing to draw it says so. The same input gives the same bytes.

mod axes;
mod backtest_lines;
mod base_rate;
mod calibration;
mod dates;
mod histogram;
mod importance;
mod legend;
mod picture;
mod roc;
mod segments;
mod sparkline;
mod style;
mod text;

use std::collections::BTreeMap;

use minijinja::context;

use crate::charts::picture::Picture;
use crate::input::ProblemReport;
use crate::printer::Printer;
use crate::{Language, ReportError};

pub(crate) use segments::SegmentsChart;
pub use segments::{segments_files, segments_flows, segments_heatmap, segments_map};
pub(crate) use sparkline::sparkline;

/// ROC AUC by date, one line for each learner.
///
/// # Errors
/// [`ReportError`] if a template of this crate is at fault; no input is.
pub fn backtest_lines(problem: &ProblemReport) -> Result<String, ReportError> {
    Chart::BacktestLines.file(problem)
}

/// Share of positive rows by date.
///
/// # Errors
/// As [`backtest_lines`].
pub fn base_rate(problem: &ProblemReport) -> Result<String, ReportError> {
    Chart::BaseRate.file(problem)
}

/// ROC curves, one for each learner.
///
/// # Errors
/// As [`backtest_lines`].
pub fn roc(problem: &ProblemReport) -> Result<String, ReportError> {
    Chart::Roc.file(problem)
}

/// Reliability diagram: observed rate by predicted probability with 95 % intervals, and the number of
/// rows in each bin.
///
/// # Errors
/// As [`backtest_lines`].
pub fn calibration(problem: &ProblemReport) -> Result<String, ReportError> {
    Chart::Calibration.file(problem)
}

/// The most important features, as bars.
///
/// # Errors
/// As [`backtest_lines`].
pub fn importance(problem: &ProblemReport) -> Result<String, ReportError> {
    Chart::Importance.file(problem)
}

/// How many rows have which score.
///
/// # Errors
/// As [`backtest_lines`].
pub fn histogram(problem: &ProblemReport) -> Result<String, ReportError> {
    Chart::Histogram.file(problem)
}

/// Every chart that has something to draw, in English, by file name, such as `roc.svg`.
///
/// # Errors
/// As [`backtest_lines`].
pub fn files(problem: &ProblemReport) -> Result<BTreeMap<&'static str, String>, ReportError> {
    let printer = Printer::new(Language::English)?;
    let mut files = BTreeMap::new();
    for chart in Chart::ALL {
        if let Some(picture) = chart.draw(&printer, problem, Canvas::FILE.width)? {
            files.insert(chart.file_name(), picture.svg(&printer, Canvas::FILE)?);
        }
    }
    Ok(files)
}

/// One of the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chart {
    BacktestLines,
    BaseRate,
    Roc,
    Calibration,
    Importance,
    Histogram,
}

/// Where a chart is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas {
    /// Width of the drawing in pixels.
    width: f64,
    /// Whether the heading is part of the picture, with a margin around it.
    has_heading: bool,
}

impl Canvas {
    /// A file of its own.
    const FILE: Self = Self {
        width: 640.0,
        has_heading: true,
    };
    /// One of two columns of a wide page, which gives the heading itself.
    const COLUMN: Self = Self {
        width: 540.0,
        has_heading: false,
    };
    /// A telephone, likewise.
    const NARROW: Self = Self {
        width: 350.0,
        has_heading: false,
    };
}

/// A chart for the page.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Figure {
    /// What the chart shows, as a heading.
    title: String,
    /// How to read it.
    note: String,
    /// SVG for a column of a wide page.
    column: String,
    /// SVG for a telephone.
    narrow: String,
}

impl Figure {
    /// The figure of a chart that `draw` draws at a width in pixels; `None` if there is nothing to draw.
    fn of(
        printer: &Printer,
        draw: impl Fn(f64) -> Result<Option<Picture>, ReportError>,
    ) -> Result<Option<Self>, ReportError> {
        let (Some(column), Some(narrow)) =
            (draw(Canvas::COLUMN.width)?, draw(Canvas::NARROW.width)?)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            column: column.svg(printer, Canvas::COLUMN)?,
            narrow: narrow.svg(printer, Canvas::NARROW)?,
            title: column.title,
            note: column.note,
        }))
    }
}

impl Chart {
    const ALL: [Self; 6] = [
        Self::BacktestLines,
        Self::BaseRate,
        Self::Roc,
        Self::Calibration,
        Self::Importance,
        Self::Histogram,
    ];

    /// The chart for the page; `None` if there is nothing to draw.
    pub(crate) fn figure(
        self,
        printer: &Printer,
        problem: &ProblemReport,
    ) -> Result<Option<Figure>, ReportError> {
        Figure::of(printer, |width| self.draw(printer, problem, width))
    }

    fn file(self, problem: &ProblemReport) -> Result<String, ReportError> {
        let printer = Printer::new(Language::English)?;
        let picture = match self.draw(&printer, problem, Canvas::FILE.width)? {
            Some(picture) => picture,
            None => Picture::new(printer.say(self.empty_key(), context! {})?, String::new()),
        };
        picture.svg(&printer, Canvas::FILE)
    }

    fn draw(
        self,
        printer: &Printer,
        problem: &ProblemReport,
        width: f64,
    ) -> Result<Option<Picture>, ReportError> {
        match self {
            Self::BacktestLines => backtest_lines::draw(printer, problem, width),
            Self::BaseRate => base_rate::draw(printer, problem, width),
            Self::Roc => roc::draw(printer, problem, width),
            Self::Calibration => calibration::draw(printer, problem, width),
            Self::Importance => importance::draw(printer, problem, width),
            Self::Histogram => histogram::draw(printer, problem, width),
        }
    }

    fn file_name(self) -> &'static str {
        match self {
            Self::BacktestLines => "backtest_lines.svg",
            Self::BaseRate => "base_rate.svg",
            Self::Roc => "roc.svg",
            Self::Calibration => "calibration.svg",
            Self::Importance => "importance.svg",
            Self::Histogram => "histogram.svg",
        }
    }

    /// Key of what to say when there is nothing to draw.
    fn empty_key(self) -> &'static str {
        match self {
            Self::BacktestLines => "backtest_lines_empty",
            Self::BaseRate => "base_rate_empty",
            Self::Roc => "roc_empty",
            Self::Calibration => "calibration_empty",
            Self::Importance => "importance_empty",
            Self::Histogram => "histogram_empty",
        }
    }
}
