//! Colours and markers. The colours are those of Okabe and Ito (2008), which people with any kind of
//! colour blindness can tell apart; a marker and a dash pattern say the same a second time.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::input::ProblemReport;
use crate::printer::pixel;

/// Text.
pub(super) const INK: &str = "#1b1d21";
/// Secondary text.
pub(super) const MUTED: &str = "#555a61";
/// Grid lines.
pub(super) const GRID: &str = "#e4e6e9";
/// Axes and lines of reference.
pub(super) const AXIS: &str = "#8b9097";
/// The champion, and charts with one series.
pub(super) const BLUE: &str = "#0072b2";
/// A lighter blue for secondary bars.
pub(super) const PALE_BLUE: &str = "#a6cbe3";
/// A very light blue for areas.
pub(super) const WASH: &str = "#dbe9f3";

const OTHERS: [&str; 6] = [
    "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
];
const DASHES: [&str; 3] = ["", "6 3", "2 3"];

/// How one series looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    pub(super) colour: &'static str,
    pub(super) shape: Shape,
    /// A `stroke-dasharray`; empty for a solid line.
    pub(super) dash: &'static str,
    /// Width of the line in pixels.
    pub(super) stroke: f64,
}

/// The form of a marker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

/// The style of every learner of a problem: blue circles for the champion, the others in alphabetical
/// order.
pub(super) fn by_learner(problem: &ProblemReport) -> BTreeMap<&str, Style> {
    let champion = problem.champion_learner();
    let mut styles = BTreeMap::from([(champion, Style::CHAMPION)]);
    let others = problem.learners().into_iter().filter(|&l| l != champion);
    for (index, learner) in others.enumerate() {
        styles.insert(learner, Style::other(index));
    }
    styles
}

impl Style {
    /// The champion, or the only series.
    pub(super) const CHAMPION: Self = Self {
        colour: BLUE,
        shape: Shape::Circle,
        dash: "",
        stroke: 2.5,
    };

    fn other(index: usize) -> Self {
        const SHAPES: [Shape; 3] = [Shape::Square, Shape::Triangle, Shape::Diamond];
        Self {
            colour: OTHERS[index % OTHERS.len()],
            shape: SHAPES[index % SHAPES.len()],
            dash: DASHES[(index / OTHERS.len()) % DASHES.len()],
            stroke: 1.75,
        }
    }
}

impl Shape {
    /// SVG path data of the marker around a point.
    pub(super) fn path(self, x: f64, y: f64) -> String {
        let corners: &[(f64, f64)] = match self {
            Self::Circle => return circle(x, y, 4.0),
            Self::Square => &[(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)],
            Self::Triangle => &[(0.0, -4.6), (4.4, 3.4), (-4.4, 3.4)],
            Self::Diamond => &[(0.0, -5.0), (5.0, 0.0), (0.0, 5.0), (-5.0, 0.0)],
        };
        let points: Vec<_> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
        format!("{}Z", polyline(&points))
    }
}

/// SVG path data of straight lines through points.
pub(super) fn polyline(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        // Writing to a String cannot fail.
        let _ = write!(path, "{command}{} {}", pixel(x), pixel(y));
    }
    path
}

/// Whether black text is easier to read than white on a colour written `#rrggbb`, by the contrast of WCAG 2.
pub(super) fn is_light(colour: &str) -> bool {
    let part = |start: usize| {
        let digits = colour.get(start..start + 2).unwrap_or("00");
        let value = f64::from(u8::from_str_radix(digits, 16).unwrap_or(0)) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    // At this luminance both contrasts are the same: (L + 0.05)² = 1.05 · 0.05.
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.179
}

/// SVG path data of a circle.
pub(super) fn circle(x: f64, y: f64, radius: f64) -> String {
    let (left, y, d) = (pixel(x - radius), pixel(y), pixel(2.0 * radius));
    let r = pixel(radius);
    format!("M{left} {y}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::input::{Champion, LearnerMean};

    #[test]
    fn learners_look_different_and_the_champion_is_blue() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let problem = ProblemReport {
            champion: Some(Champion {
                learner: "d".to_owned(),
                ..Default::default()
            }),
            means: names
                .map(|name| LearnerMean {
                    learner: name.to_owned(),
                    ..Default::default()
                })
                .to_vec(),
            ..Default::default()
        };
        let styles = by_learner(&problem);
        assert_eq!(styles["d"], Style::CHAMPION);
        let looks: Vec<_> = names.iter().map(|name| styles[name]).collect();
        for (index, look) in looks.iter().enumerate() {
            assert!(!looks[..index].contains(look), "{look:?} twice");
        }
    }
}
