//! The movements: from the segments of an earlier date to those of now.

use minijinja::context;

use super::super::picture::{Anchor, Picture};
use super::super::style::{AXIS, MUTED};
use super::super::text;
use super::style;
use crate::ReportError;
use crate::input::{SegmentMovements, SegmentsPage};
use crate::printer::Printer;
use crate::sentences::{segment_names, segmented_rows};

const HEIGHT: f64 = 340.0;
const BAR: f64 = 14.0;
/// Space between two bars, in pixels.
const GAP: f64 = 8.0;
/// Lowest bar with a label of its own, in pixels.
const LABELLED: f64 = 9.0;

pub(super) fn draw(
    printer: &Printer,
    page: &SegmentsPage,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let Some(movements) = page
        .movements
        .as_ref()
        .filter(|movements| is_whole(movements, page.segments.len()))
    else {
        return Ok(None);
    };
    let flows = Flows::of(movements);
    if flows.total == 0 {
        return Ok(None);
    }
    let (both, stayed) = movements.stayed();
    let values = context! {
        rows => segmented_rows(printer, page)?,
        feminine => page.feminine,
        since => movements.since.as_str(),
        date => page.reference_date.as_str(),
        both,
        stayed,
        share => if both > 0 { stayed as f64 / both as f64 } else { f64::NAN },
    };
    let title = printer.say("segments_flows_title", values.clone())?;
    let mut picture = Picture::new(title, printer.say("segments_flows_note", values)?);
    let new = printer.say("segments_flows_new", context! {})?;
    let gone = printer.say("segments_flows_gone", context! {})?;
    let labels = |other: &str| -> Vec<String> {
        let numbers = (1..=page.segments.len()).map(|number| number.to_string());
        numbers.chain([other.to_owned()]).collect()
    };
    let sides = [
        Side::of(&flows.before(), labels(&new)),
        Side::of(&flows.now(), labels(&gone)),
    ];
    let room = sides
        .iter()
        .map(|side| side.room(printer))
        .fold(0.0, f64::max);
    let (left, right) = (room, width - room);
    picture.muted_text(
        (left, 12.0),
        printer.words.locale.short_date(&movements.since),
        Anchor::Start,
    );
    picture.muted_text(
        (right, 12.0),
        printer.words.locale.short_date(&page.reference_date),
        Anchor::End,
    );
    let names = segment_names(printer, page)?;
    draw_ribbons(
        &mut picture,
        printer,
        &names,
        &flows,
        &sides,
        (left + BAR, right - BAR),
    );
    sides[0].draw(&mut picture, printer, left, Anchor::End);
    sides[1].draw(&mut picture, printer, right - BAR, Anchor::Start);
    picture.height = 24.0 + HEIGHT + 4.0;
    Ok(Some(picture))
}

fn is_whole(movements: &SegmentMovements, segments: usize) -> bool {
    let rows = movements.moved.iter().all(|to| to.len() == segments);
    rows && [
        movements.moved.len(),
        movements.new.len(),
        movements.gone.len(),
    ] == [segments; 3]
}

/// Counts from each segment to each; the last row is those who are new, the last column those who are gone.
struct Flows {
    counts: Vec<Vec<u64>>,
    total: u64,
}

impl Flows {
    fn of(movements: &SegmentMovements) -> Self {
        let with_gone = movements.moved.iter().zip(&movements.gone);
        let mut counts: Vec<Vec<u64>> = with_gone
            .map(|(to, &gone)| to.iter().copied().chain([gone]).collect())
            .collect();
        counts.push(movements.new.iter().copied().chain([0]).collect());
        let total = counts.iter().flatten().sum();
        Self { counts, total }
    }

    fn before(&self) -> Vec<u64> {
        self.counts.iter().map(|to| to.iter().sum()).collect()
    }

    fn now(&self) -> Vec<u64> {
        (0..self.counts.len())
            .map(|to| self.counts.iter().map(|from| from[to]).sum())
            .collect()
    }
}

/// The bars of one date, from top to bottom; the last is not a segment.
struct Side {
    counts: Vec<u64>,
    labels: Vec<String>,
    tops: Vec<f64>,
    /// Pixels for one row.
    scale: f64,
}

impl Side {
    fn of(counts: &[u64], labels: Vec<String>) -> Self {
        let gaps = GAP * (counts.len() - 1) as f64;
        let scale = (HEIGHT - gaps) / counts.iter().sum::<u64>().max(1) as f64;
        let mut tops = Vec::new();
        let mut top = 24.0;
        for &count in counts {
            tops.push(top);
            top += count as f64 * scale + GAP;
        }
        Self {
            counts: counts.to_vec(),
            labels,
            tops,
            scale,
        }
    }

    fn label(&self, printer: &Printer, index: usize) -> String {
        let count = printer.words.locale.decimal(self.counts[index] as f64, 0);
        format!("{}: {count}", self.labels[index])
    }

    /// Width of the widest label, in pixels.
    fn room(&self, printer: &Printer) -> f64 {
        let widths = (0..self.counts.len()).map(|index| text::width(&self.label(printer, index)));
        widths.fold(0.0, f64::max) + 8.0
    }

    fn draw(&self, picture: &mut Picture, printer: &Printer, x: f64, anchor: Anchor) {
        for (index, &count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|&(_, &count)| count > 0)
        {
            let height = (count as f64 * self.scale).max(1.0);
            let is_segment = index + 1 < self.counts.len();
            let colour = if is_segment {
                style(index).colour
            } else {
                AXIS
            };
            picture.bar(
                (x, self.tops[index]),
                (BAR, height),
                colour,
                self.label(printer, index),
            );
            if height >= LABELLED {
                let at = if anchor == Anchor::End {
                    x - 6.0
                } else {
                    x + BAR + 6.0
                };
                let y = self.tops[index] + height / 2.0 + 4.5;
                picture.text((at, y), self.label(printer, index), anchor);
            }
        }
    }
}

fn draw_ribbons(
    picture: &mut Picture,
    printer: &Printer,
    names: &[String],
    flows: &Flows,
    [before, now]: &[Side; 2],
    (left, right): (f64, f64),
) {
    let mut starts = before.tops.clone();
    let mut ends = now.tops.clone();
    let name = |side: &Side, index: usize| names.get(index).unwrap_or(&side.labels[index]).clone();
    for (from, to) in flows.counts.iter().enumerate() {
        for (to, &count) in to.iter().enumerate().filter(|&(_, &count)| count > 0) {
            let heights = (count as f64 * before.scale, count as f64 * now.scale);
            let is_segment = from < names.len();
            let colour = if is_segment {
                style(from).colour
            } else {
                MUTED
            };
            let number = printer.words.locale.decimal(count as f64, 0);
            let tip = format!("{} → {}: {number}", name(before, from), name(now, to));
            picture.ribbon(
                (left, starts[from], heights.0),
                (right, ends[to], heights.1),
                colour,
                tip,
            );
            starts[from] += heights.0;
            ends[to] += heights.1;
        }
    }
}
