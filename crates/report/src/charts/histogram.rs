//! How many rows have which score.

use minijinja::{Value, context};

use super::axes::{Axis, Plot};
use super::picture::{Anchor, Picture};
use super::style::{BLUE, INK};
use super::text;
use crate::ReportError;
use crate::facts::{TopTenth, top_tenth, usable_scores};
use crate::input::ProblemReport;
use crate::printer::Printer;

/// Widths that a bin may have.
const BIN_WIDTHS: [f64; 6] = [0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
/// Fewer bins than this show no shape.
const FEWEST_BINS: f64 = 10.0;

/// Scores counted in bins of equal width, from 0.
struct Bins {
    width: f64,
    counts: Vec<usize>,
}

pub(super) fn draw(
    printer: &Printer,
    problem: &ProblemReport,
    width: f64,
) -> Result<Option<Picture>, ReportError> {
    let scores = usable_scores(&problem.scored.scores);
    if scores.is_empty() {
        return Ok(None);
    }
    let names = printer.names(problem)?;
    let top = top_tenth(&scores);
    let values = context! {
        all => scores.len(),
        count => top.map(|top| top.count),
        probability => top.map(|top| top.probability),
        places => top.map(|top| top.places),
        date => problem.scored.reference_date.as_str(),
        ..names.clone()
    };
    let title = printer.say("histogram_title", values.clone())?;
    let mut picture = Picture::new(title, printer.say("histogram_note", values)?);
    let bins = Bins::of(&scores);
    let plot = draw_axes(printer, &mut picture, width, &bins, &names)?;
    draw_bars(printer, &mut picture, &plot, &bins, &names)?;
    if let Some(top) = top {
        draw_cut(printer, &mut picture, &plot, top)?;
    }
    Ok(Some(picture))
}

impl Bins {
    /// The widest bins that still show a shape.
    fn of(scores: &[f64]) -> Self {
        let highest = scores.iter().copied().fold(0.0, f64::max);
        let width = BIN_WIDTHS
            .into_iter()
            .find(|width| highest / width >= FEWEST_BINS)
            .unwrap_or(BIN_WIDTHS[BIN_WIDTHS.len() - 1]);
        let last = (1.0 / width).round() as usize - 1;
        let bin = |score: f64| ((score / width + 1e-9).floor() as usize).min(last);
        let mut counts = vec![0; bin(highest) + 1];
        for &score in scores {
            counts[bin(score)] += 1;
        }
        Self { width, counts }
    }

    fn start(&self, bin: usize) -> f64 {
        bin as f64 * self.width
    }
}

fn draw_axes(
    printer: &Printer,
    picture: &mut Picture,
    width: f64,
    bins: &Bins,
    names: &Value,
) -> Result<Plot, ReportError> {
    let locale = &printer.words.locale;
    let most = bins.counts.iter().copied().max().unwrap_or(1) as f64;
    let y_label = printer.say("histogram_y", names.clone())?;
    let y = Axis::of_numbers(y_label, (0.0, most), 4.min(most as usize), |value, _| {
        locale.decimal(value, 0)
    });
    let x_label = printer.say("histogram_x", names.clone())?;
    let x = Axis::of_percentages(x_label, (0.0, bins.start(bins.counts.len())), 5, locale);
    Ok(Plot::draw(picture, (width, 290.0), &x, &y))
}

fn draw_bars(
    printer: &Printer,
    picture: &mut Picture,
    plot: &Plot,
    bins: &Bins,
    names: &Value,
) -> Result<(), ReportError> {
    for (bin, &count) in bins
        .counts
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
    {
        let (low, high) = (bins.start(bin), bins.start(bin + 1));
        let tip = printer.say(
            "histogram_tip",
            context! { low, high, count, ..names.clone() },
        )?;
        let (left, top) = plot.at(low, count as f64);
        let right = plot.at(high, 0.0).0;
        let size = (right - left - 1.0, plot.bottom - top);
        picture.bar((left + 0.5, top), size, BLUE, tip);
    }
    Ok(())
}

/// A line where the top tenth begins.
fn draw_cut(
    printer: &Printer,
    picture: &mut Picture,
    plot: &Plot,
    top: TopTenth,
) -> Result<(), ReportError> {
    let values = context! { probability => top.probability, places => top.places };
    let label = printer.say("histogram_cut", values)?;
    let (x, _) = plot.at(top.probability, 0.0);
    picture.dashed_rule((x, plot.top), (x, plot.bottom), INK);
    let fits_right = x + 6.0 + text::width(&label) <= plot.right;
    let (at, anchor) = if fits_right {
        (x + 6.0, Anchor::Start)
    } else {
        (x - 6.0, Anchor::End)
    };
    picture.text((at, plot.top + 11.0), label, anchor);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_is_in_one_bin() {
        let scores = [0.0, 0.049_999, 0.05, 0.299_999, 0.3, 0.95, 1.0];
        let bins = Bins::of(&scores);
        assert_eq!((bins.width, bins.counts.len()), (0.05, 20));
        assert_eq!(bins.counts.iter().sum::<usize>(), scores.len());
        assert_eq!((bins.counts[0], bins.counts[1], bins.counts[6]), (2, 1, 1));
        assert_eq!(bins.counts[19], 2);
    }

    #[test]
    fn a_score_on_the_edge_of_a_bin_belongs_to_the_upper_one() {
        let bins = Bins::of(&[0.1, 0.1]);
        assert_eq!((bins.width, bins.counts.len()), (0.01, 11));
        assert_eq!(bins.counts[10], 2);
    }

    #[test]
    fn rare_outcomes_get_narrow_bins() {
        assert_eq!(Bins::of(&[0.001, 0.04]).width, 0.002);
        assert_eq!(Bins::of(&[0.0]).counts, [1]);
    }
}
