//! Charts and the HTML report.
//!
//! [`render`] turns a [`Report`] into one HTML file that works offline and prints; [`charts`] holds the
//! same charts as SVG files of their own. The crate knows only the plain structs of [`Report`]: it reads
//! no data, computes no metric, and the same input gives the same bytes.
//!
//! Three layers, each using only those above it:
//!
//! | layer | its one job |
//! |---|---|
//! | `words` | every word, date and number format of the report, in one catalogue per language |
//! | `charts` | from numbers to marks with coordinates, and from marks to SVG |
//! | `pages` | the sentences, tables and figures of the pages |
//!
//! ```
//! let report = safra_report::Report {
//!     title: "Seller report".to_owned(),
//!     ..Default::default()
//! };
//! let html = safra_report::render(&report)?;
//! assert!(html.starts_with("<!DOCTYPE html>"));
//! # Ok::<(), safra_report::ReportError>(())
//! ```

pub mod charts;
mod error;
mod facts;
mod features;
mod input;
mod language;
mod locale;
mod pages;
mod printer;
mod sentences;
mod words;

pub use error::ReportError;
pub use input::{
    BaseRate, CalibrationBin, Cell, Champion, Direction, Estimate, FeatureText, Importance,
    Interval, Intervals, KeyFigure, LearnerMean, MapAxis, MapPoint, MetricRow, Metrics, Page,
    PeriodValue, ProblemReport, ProfileColumn, Reason, Report, RocCurve, RocPoint, Rule, Scored,
    ScoredRow, Segment, SegmentMovements, SegmentsCandidate, SegmentsPage, StepTime, TableSummary,
    Untrained, Window,
};
pub use language::Language;
pub use pages::render;
