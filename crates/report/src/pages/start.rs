//! The start page: the business in a few numbers.

use minijinja::context;
use serde::Serialize;

use crate::ReportError;
use crate::charts::sparkline;
use crate::input::{KeyFigure, PeriodValue};
use crate::printer::Printer;
use crate::words::sentence_case;

/// A number as the template shows it.
#[derive(Serialize)]
pub(super) struct FigureView {
    label: String,
    value: String,
    /// Which period it is about; may be empty.
    period: String,
    /// How it compares with the period before; may be empty.
    change: String,
    /// All its periods as a small SVG; may be empty.
    trend: String,
}

impl FigureView {
    pub(super) fn of(printer: &Printer, figure: &KeyFigure) -> Result<Self, ReportError> {
        let locale = &printer.words.locale;
        let usable = |value: &&PeriodValue| value.value.is_finite();
        let values: Vec<&PeriodValue> = figure.values.iter().filter(usable).collect();
        let (last, before) = match values[..] {
            [.., before, last] => (Some(last), Some(before)),
            [last] => (Some(last), None),
            [] => (None, None),
        };
        let period = match last.filter(|last| !last.period.is_empty()) {
            Some(last) => printer.say(
                "figure_in",
                context! { period => locale.period(&last.period, true) },
            )?,
            None => String::new(),
        };
        Ok(Self {
            label: sentence_case(&figure.label),
            value: locale.measure(last.map_or(f64::NAN, |last| last.value), &figure.unit),
            change: match (last, before) {
                (Some(last), Some(before)) if !period.is_empty() => {
                    change(printer, &figure.unit, last, before)?
                }
                _ => String::new(),
            },
            period,
            trend: trend(printer, figure, &values)?,
        })
    }
}

/// Fractions are compared by percentage points, anything else by percent.
fn change(
    printer: &Printer,
    unit: &str,
    last: &PeriodValue,
    before: &PeriodValue,
) -> Result<String, ReportError> {
    let locale = &printer.words.locale;
    let difference = last.value - before.value;
    let size = if unit == "%" {
        let points = (100.0 * difference).abs();
        (points >= 0.05).then(|| printer.say("figure_points", context! { points }))
    } else {
        let part = (difference / before.value).abs();
        (part >= 0.000_5).then(|| Ok(locale.rounded_percent(part)))
    };
    let key = match size {
        None => "figure_same",
        Some(_) if difference > 0.0 => "figure_more",
        Some(_) => "figure_less",
    };
    let before = locale.period(&before.period, true);
    printer.say(key, context! { before, change => size.transpose()? })
}

fn trend(
    printer: &Printer,
    figure: &KeyFigure,
    values: &[&PeriodValue],
) -> Result<String, ReportError> {
    let [first, _, .., last] = values else {
        return Ok(String::new());
    };
    let locale = &printer.words.locale;
    let written = |value: &PeriodValue| locale.measure(value.value, &figure.unit);
    let label = printer.say(
        "figure_trend",
        context! {
            label => sentence_case(&figure.label),
            first => locale.period(&first.period, true),
            first_value => written(first),
            last => locale.period(&last.period, true),
            last_value => written(last),
        },
    )?;
    let numbers: Vec<f64> = values.iter().map(|value| value.value).collect();
    sparkline(printer, label, &numbers)
}
