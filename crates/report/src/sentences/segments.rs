//! What the segments of a cohort are called, and the answer that they give.

use minijinja::{Value, context};

use crate::ReportError;
use crate::input::{SegmentMovements, SegmentsPage};
use crate::printer::Printer;

/// The names of the segments, in order, made of their words.
pub(crate) fn segment_names(
    printer: &Printer,
    page: &SegmentsPage,
) -> Result<Vec<String>, ReportError> {
    let name = |words: &Vec<String>| match words.is_empty() {
        true => printer.say("segments_typical", context! { feminine => page.feminine }),
        false => printer.say("segments_words", context! { words => words.clone() }),
    };
    page.segments.iter().map(|one| name(&one.words)).collect()
}

/// The answer, as sentences in HTML: how many segments there are, the first of them, and who stayed in theirs.
pub(crate) fn segments_answer(
    printer: &Printer,
    page: &SegmentsPage,
) -> Result<Vec<String>, ReportError> {
    let names = segment_names(printer, page)?;
    let first = page.segments.first();
    let values = context! {
        name => names.first(),
        first => first.map(|segment| segment.rows),
        share => first.map(|segment| segment.rows as f64 / page.total().max(1) as f64),
        ..answer_values(printer, page)?
    };
    let mut sentences = vec![printer.say("segments_answer_html", values.clone())?];
    if first.is_some() {
        sentences.push(printer.say("segments_first_html", values.clone())?);
    }
    if page.movements.is_some() {
        sentences.push(printer.say("segments_stayed_html", values)?);
    }
    Ok(sentences)
}

fn answer_values(printer: &Printer, page: &SegmentsPage) -> Result<Value, ReportError> {
    let movements = page.movements.as_ref();
    let stayed = movements.map(SegmentMovements::stayed);
    Ok(context! {
        rows => segmented_rows(printer, page)?,
        feminine => page.feminine,
        date => page.reference_date.as_str(),
        total => page.total(),
        count => page.segments.len(),
        since => movements.map(|movements| movements.since.as_str()),
        both => stayed.map(|(both, _)| both),
        stayed => stayed.map(|(_, stayed)| stayed),
        new => movements.map(|movements| movements.new.iter().sum::<u64>()),
        gone => movements.map(|movements| movements.gone.iter().sum::<u64>()),
    })
}

/// What segments call their rows.
pub(crate) fn segmented_rows(
    printer: &Printer,
    page: &SegmentsPage,
) -> Result<String, ReportError> {
    match page.rows.as_str() {
        "" => printer.say("default_rows", context! {}),
        rows => Ok(rows.to_owned()),
    }
}

/// Why these segments.
pub(crate) fn segments_reason(
    printer: &Printer,
    page: &SegmentsPage,
) -> Result<String, ReportError> {
    let rows = segmented_rows(printer, page)?;
    let Some(chosen) = page.candidates.iter().find(|candidate| candidate.is_chosen) else {
        return printer.say(
            "segments_reason_one",
            context! { rows, feminine => page.feminine },
        );
    };
    let values = context! {
        algorithm => printer.say("segments_algorithm_is", context! { algorithm => chosen.algorithm.as_str() })?,
        clusters => chosen.clusters,
    };
    let key = if page.is_stable {
        "segments_reason"
    } else {
        "segments_reason_unstable"
    };
    printer.say(key, values)
}
