//! The rows to act on, as the template shows them.

use serde::Serialize;

use crate::ReportError;
use crate::input::{Cell, Direction, FeatureText, Reason, Scored, ScoredRow};
use crate::locale::column_places;
use crate::printer::Printer;

/// How many rows are listed, so that the page stays small.
const MOST_ROWS: usize = 200;

/// The list.
#[derive(Serialize)]
pub(super) struct Top<'a> {
    columns: Vec<Heading>,
    /// Whether rows have a time of their own.
    has_times: bool,
    /// Whether the lowest scores come first.
    lowest: bool,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Heading {
    text: String,
    is_number: bool,
    /// Decimal places of its numbers.
    places: Option<usize>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    time: &'a str,
    score: f64,
    extra: Vec<Shown>,
    reasons: Vec<ReasonView>,
}

/// A value with what it is sorted by.
#[derive(Serialize)]
struct Shown {
    text: Option<String>,
    key: Option<f64>,
}

#[derive(Serialize)]
struct ReasonView {
    raises: bool,
    label: String,
    value: Option<String>,
}

impl<'a> Top<'a> {
    pub(super) fn of(printer: &Printer, scored: &'a Scored) -> Result<Self, ReportError> {
        let usable = scored.top.iter().filter(|row| row.score.is_finite());
        let rows: Vec<&ScoredRow> = usable.take(MOST_ROWS).collect();
        let columns = headings(printer, &scored.extra_columns, &rows)?;
        let places: Vec<Option<usize>> = columns.iter().map(|column| column.places).collect();
        Ok(Self {
            columns,
            lowest: scored.act_on_lowest,
            has_times: rows.iter().any(|row| !row.time.is_empty()),
            rows: rows
                .into_iter()
                .map(|row| Row::of(printer, &scored.extra_columns, &places, row))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn headings(
    printer: &Printer,
    features: &[FeatureText],
    rows: &[&ScoredRow],
) -> Result<Vec<Heading>, ReportError> {
    let heading = |(column, feature): (usize, &FeatureText)| {
        let cells = rows.iter().filter_map(|row| row.extra.get(column));
        let numbers: Vec<f64> = cells.filter_map(number).collect();
        Ok(Heading {
            text: printer.feature_heading(feature)?,
            is_number: !numbers.is_empty(),
            places: column_places(numbers),
        })
    };
    features.iter().enumerate().map(heading).collect()
}

impl<'a> Row<'a> {
    fn of(
        printer: &Printer,
        features: &[FeatureText],
        places: &[Option<usize>],
        row: &'a ScoredRow,
    ) -> Result<Self, ReportError> {
        let shown = |(index, feature): (usize, &FeatureText)| {
            let cell = row.extra.get(index).unwrap_or(&Cell::Missing);
            Ok(Shown {
                text: printer.cell(cell, &feature.unit, places[index])?,
                key: number(cell),
            })
        };
        Ok(Self {
            id: &row.entity_id,
            time: &row.time,
            score: row.score,
            extra: features
                .iter()
                .enumerate()
                .map(shown)
                .collect::<Result<_, ReportError>>()?,
            reasons: row
                .reasons
                .iter()
                .map(|reason| ReasonView::of(printer, reason))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(value) => Some(*value),
        Cell::Text(_) | Cell::Missing => None,
    }
}

impl ReasonView {
    fn of(printer: &Printer, reason: &Reason) -> Result<Self, ReportError> {
        let words = printer.reason(reason)?;
        Ok(Self {
            raises: reason.direction == Direction::Raises,
            label: words.label,
            value: words.value,
        })
    }
}
