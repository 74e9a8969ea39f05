//! The page of a cohort that was divided into segments.

use serde::Serialize;

use crate::ReportError;
use crate::charts::{Figure, SegmentsChart};
use crate::input::SegmentsPage;
use crate::locale::column_places;
use crate::printer::Printer;
use crate::sentences::{segment_names, segmented_rows, segments_answer, segments_reason};

/// What the page shows of a segmentation, beside the input itself.
#[derive(Serialize)]
pub(super) struct SegmentsView<'a> {
    input: &'a SegmentsPage,
    names: Vec<String>,
    rows: String,
    answer: Vec<String>,
    reason: String,
    total: u64,
    /// Decimal places of each column of the profile.
    places: Vec<Option<usize>>,
    map: Option<Figure>,
    heatmap: Option<Figure>,
    flows: Option<Figure>,
}

impl<'a> SegmentsView<'a> {
    pub(super) fn of(printer: &Printer, page: &'a SegmentsPage) -> Result<Self, ReportError> {
        Ok(Self {
            input: page,
            names: segment_names(printer, page)?,
            rows: segmented_rows(printer, page)?,
            answer: segments_answer(printer, page)?,
            reason: segments_reason(printer, page)?,
            total: page.total(),
            places: places(page),
            map: SegmentsChart::Map.figure(printer, page)?,
            heatmap: SegmentsChart::Heatmap.figure(printer, page)?,
            flows: SegmentsChart::Flows.figure(printer, page)?,
        })
    }
}

fn places(page: &SegmentsPage) -> Vec<Option<usize>> {
    let rows = || {
        page.segments
            .iter()
            .map(|segment| &segment.values)
            .chain([&page.all])
    };
    let values = |column: usize| rows().filter_map(move |row| *row.get(column)?);
    (0..page.columns.len())
        .map(|column| column_places(values(column)))
        .collect()
}
