//! The legend above a plot.

use super::picture::{Anchor, Picture};
use super::style::Style;
use super::text;

const SAMPLE: f64 = 24.0;
const GAP: f64 = 18.0;
const LINE: f64 = 20.0;

/// Draws a legend below what the picture already holds, in as many lines as it takes.
pub(super) fn draw(picture: &mut Picture, width: f64, entries: &[(Style, String)]) {
    let mut x = 0.0;
    let mut y = picture.height + 14.0;
    for (style, name) in entries {
        let name = text::fit(name, width - SAMPLE - 6.0);
        let needed = SAMPLE + 6.0 + text::width(&name);
        if x > 0.0 && x + needed > width {
            x = 0.0;
            y += LINE;
        }
        let middle = y - 4.5;
        picture.line(&[(x, middle), (x + SAMPLE, middle)], *style);
        picture.marker((x + SAMPLE / 2.0, middle), *style, String::new());
        picture.text((x + SAMPLE + 6.0, y), name, Anchor::Start);
        x += needed + GAP;
    }
    if !entries.is_empty() {
        picture.height = y + 12.0;
    }
}
