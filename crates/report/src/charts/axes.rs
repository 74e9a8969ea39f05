//! Axes: from values to pixels, and the grid, ticks and labels around a plot.

use super::picture::{Anchor, Picture};
use super::style::AXIS;
use super::text;
use crate::locale::Locale;

/// Pixels between a tick label and its axis.
const GAP: f64 = 7.0;
/// Height of a line of tick labels, in pixels.
const LINE: f64 = 16.0;

/// One axis of a plot.
#[derive(Debug)]
pub(super) struct Axis {
    /// What is measured, with its unit.
    pub(super) label: String,
    /// The values at both ends.
    pub(super) ends: (f64, f64),
    /// Where the labels stand, in rising order.
    pub(super) ticks: Vec<Tick>,
}

/// A labelled value of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    /// One line of text below the other.
    pub(super) lines: Vec<String>,
}

/// A plot whose axes are drawn: tells where a value lies.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    x_ends: (f64, f64),
    y_ends: (f64, f64),
}

impl Axis {
    /// An axis over round numbers that hold `low` and `high`, with about `count` labels. `format` gets a
    /// value and the decimals that tell neighbouring labels apart.
    pub(super) fn of_numbers(
        label: String,
        (low, high): (f64, f64),
        count: usize,
        format: impl Fn(f64, usize) -> String,
    ) -> Self {
        let step = round_step((high - low) / count.max(1) as f64);
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil().max(first + 1.0);
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let ticks = (0..=(last - first) as usize)
            .map(|index| (first + index as f64) * step)
            .map(|value| Tick {
                value,
                lines: vec![format(value, decimals)],
            })
            .collect();
        Self {
            label,
            ends: (first * step, last * step),
            ticks,
        }
    }

    /// An axis of percentages, as [`of_numbers`](Self::of_numbers) with fractions.
    pub(super) fn of_percentages(
        label: String,
        range: (f64, f64),
        count: usize,
        locale: &Locale,
    ) -> Self {
        Self::of_numbers(label, range, count, |value, decimals| {
            locale.percent(value, decimals.saturating_sub(2))
        })
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `raw`.
fn round_step(raw: f64) -> f64 {
    if !(raw.is_finite() && raw > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0);
    factor * power
}

impl Plot {
    /// Draws the axes of a plot below what the picture already holds, `width` pixels wide and `height`
    /// pixels high without its labels.
    pub(super) fn draw(
        picture: &mut Picture,
        (width, height): (f64, f64),
        x: &Axis,
        y: &Axis,
    ) -> Self {
        let label_height = if y.label.is_empty() { 8.0 } else { 26.0 };
        let plot = Self {
            left: widest(&y.ticks) + GAP,
            right: width - (overhang(x) + 6.0),
            top: picture.height + label_height,
            bottom: picture.height + label_height + height,
            x_ends: x.ends,
            y_ends: y.ends,
        };
        picture.muted_text((0.0, picture.height + 12.0), y.label.clone(), Anchor::Start);
        picture.height = plot.bottom;
        plot.draw_y_axis(picture, y);
        plot.draw_x_axis(picture, x);
        plot
    }

    /// Where a pair of values lies, in pixels. Values beyond the ends of an axis lie on its ends.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (
            place(x, self.x_ends, (self.left, self.right)),
            place(y, self.y_ends, (self.bottom, self.top)),
        )
    }

    fn draw_y_axis(&self, picture: &mut Picture, axis: &Axis) {
        for tick in &axis.ticks {
            let y = self.at(0.0, tick.value).1;
            picture.grid_line((self.left, y), (self.right, y));
            let at = (self.left - GAP, y + 4.5);
            picture.muted_text(at, tick.lines.concat(), Anchor::End);
        }
    }

    fn draw_x_axis(&self, picture: &mut Picture, axis: &Axis) {
        picture.rule((self.left, self.bottom), (self.right, self.bottom), AXIS);
        let mut lines = 0;
        for tick in &axis.ticks {
            let x = self.at(tick.value, 0.0).0;
            picture.rule((x, self.bottom), (x, self.bottom + 4.0), AXIS);
            for (line, text) in tick.lines.iter().enumerate() {
                let at = (x, self.bottom + LINE * (line + 1) as f64 + 2.0);
                picture.muted_text(at, text.clone(), Anchor::Middle);
            }
            lines = lines.max(tick.lines.len());
        }
        picture.height += 6.0 + LINE * lines as f64;
        let middle = (self.left + self.right) / 2.0;
        let room = 2.0 * middle.min(self.right - middle + GAP);
        for line in text::wrap(&axis.label, text::SIZE, room) {
            let at = (middle, picture.height + LINE);
            picture.muted_text(at, text::fit(&line, room), Anchor::Middle);
            picture.height += LINE;
        }
        picture.height += 4.0;
    }
}

fn place(value: f64, (from, to): (f64, f64), (start, end): (f64, f64)) -> f64 {
    let part = ((value - from) / (to - from)).clamp(0.0, 1.0);
    if part.is_finite() {
        start + part * (end - start)
    } else {
        (start + end) / 2.0
    }
}

fn widest(ticks: &[Tick]) -> f64 {
    let widths = ticks.iter().flat_map(|tick| &tick.lines);
    widths.map(|line| text::width(line)).fold(0.0, f64::max)
}

/// How far the last tick label may reach beyond the end of its axis, in pixels.
fn overhang(axis: &Axis) -> f64 {
    widest(
        axis.ticks
            .get(axis.ticks.len().saturating_sub(1)..)
            .unwrap_or_default(),
    ) / 2.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;
    use crate::Language;
    use crate::words::Words;

    fn numbers(low: f64, high: f64, count: usize) -> Axis {
        let locale = Words::of(Language::English).unwrap().locale;
        Axis::of_numbers(String::new(), (low, high), count, |value, decimals| {
            locale.decimal(value, decimals)
        })
    }

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| tick.lines.join(" ")).collect()
    }

    #[test]
    fn numbers_have_round_labels() {
        assert_eq!(
            labels(&numbers(0.81, 0.89, 4)),
            ["0.80", "0.82", "0.84", "0.86", "0.88", "0.90"]
        );
        assert_eq!(labels(&numbers(0.0, 412.0, 4)), ["0", "200", "400", "600"]);
        assert_eq!(labels(&numbers(3.0, 3.0, 4)), ["3", "4"]);
    }

    proptest! {
        #[test]
        fn axes_hold_their_values(low in -1e6..1e6_f64, size in 1e-6..1e6_f64, count in 1..8_usize) {
            let axis = numbers(low, low + size, count);
            prop_assert!(axis.ends.0 <= low + size * 1e-6 && axis.ends.1 >= low + size * (1.0 - 1e-6));
            prop_assert!(axis.ticks.len() >= 2 && axis.ticks.len() <= count + 3);
            prop_assert!(axis.ticks.windows(2).all(|pair| pair[0].value < pair[1].value));
        }
    }
}
