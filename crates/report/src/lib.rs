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
//! | `words` | every word, date and number format of the page, in one catalogue per language |
//! | `charts` | from numbers to marks with coordinates, and from marks to SVG |
//! | `page` | the sentences, tables and figures of the HTML page |
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
mod input;
mod locale;
mod page;
mod printer;
mod sentences;
mod words;

pub use error::ReportError;
pub use input::{
    BaseRate, CalibrationBin, Cell, Champion, Direction, Importance, LearnerMean, MetricRow,
    Metrics, ProblemReport, Reason, Report, RocCurve, RocPoint, Scored, ScoredRow, StepTime,
    TableSummary,
};
pub use page::render;
