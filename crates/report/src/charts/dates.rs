//! The axis of the dates of a chart.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use super::axes::{Axis, Tick};
use super::text;
use crate::locale::{Locale, parse_date};

/// The distinct dates of a chart, in order. If one of them is no date, all are evenly spaced text.
#[derive(Debug)]
pub(super) struct Dates<'a> {
    texts: Vec<&'a str>,
    days: Option<Vec<NaiveDate>>,
}

impl<'a> Dates<'a> {
    /// The dates among some texts.
    pub(super) fn new(texts: impl Iterator<Item = &'a str>) -> Self {
        let texts: Vec<&str> = texts.collect::<BTreeSet<_>>().into_iter().collect();
        let days = texts.iter().map(|text| parse_date(text)).collect();
        Self { texts, days }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The dates as they were given, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &'a str)> + '_ {
        self.texts.iter().copied().enumerate()
    }

    /// Where the date of that index lies on its axis: days for dates, the index for text.
    pub(super) fn position(&self, index: usize) -> f64 {
        match self.day(index) {
            Some(day) => f64::from(day.num_days_from_ce()),
            None => index as f64,
        }
    }

    /// The axis of the dates, as many of them labelled as fit `width` pixels. The labels say what they
    /// are, so that the axis needs none.
    pub(super) fn axis(&self, width: f64, locale: &Locale) -> Axis {
        let (first, last) = (self.position(0), self.position(self.len().max(1) - 1));
        let pad = if last > first { 0.0 } else { 1.0 };
        let ends = (first - pad, last + pad);
        Axis {
            label: String::new(),
            ends,
            ticks: self.ticks(width / (ends.1 - ends.0), locale),
        }
    }

    fn ticks(&self, pixels_per_unit: f64, locale: &Locale) -> Vec<Tick> {
        let mut ticks: Vec<Tick> = Vec::new();
        let (mut free_from, mut year) = (f64::MIN, None);
        for index in 0..self.len() {
            let value = self.position(index);
            let name = self.name(index, locale);
            let half = text::width(&name).max(text::width("2018")) / 2.0;
            if value * pixels_per_unit - half < free_from {
                continue;
            }
            free_from = value * pixels_per_unit + half + 8.0;
            let mut lines = vec![name];
            let new_year = self.day(index).map(|day| day.year());
            if new_year.is_some() && new_year != year {
                lines.extend(new_year.map(|year| year.to_string()));
                year = new_year;
            }
            ticks.push(Tick { value, lines });
        }
        ticks
    }

    /// The label of a date within its year.
    fn name(&self, index: usize, locale: &Locale) -> String {
        match self.day(index) {
            Some(day) if self.are_month_starts() => locale.short_month(day),
            Some(day) => locale.day_and_month(day),
            None => text::fit(self.texts[index], 80.0),
        }
    }

    fn day(&self, index: usize) -> Option<NaiveDate> {
        self.days.as_ref()?.get(index).copied()
    }

    fn are_month_starts(&self) -> bool {
        let mut days = self.days.iter().flatten();
        days.all(|day| day.day() == 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::Language;
    use crate::words::Words;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|tick| tick.lines.join(" ")).collect()
    }

    #[test]
    fn month_starts_show_the_year_where_it_changes() {
        let locale = Words::of(Language::English).unwrap().locale;
        let texts = ["2018-02-01", "2017-12-01", "2018-01-01", "2018-01-01"];
        let dates = Dates::new(texts.into_iter());
        let axis = dates.axis(400.0, &locale);
        assert_eq!(labels(&axis), ["Dec 2017", "Jan 2018", "Feb"]);
    }

    #[test]
    fn labels_that_would_touch_are_left_out() {
        let locale = Words::of(Language::English).unwrap().locale;
        let texts: Vec<String> = (1..=28).map(|day| format!("2018-02-{day:02}")).collect();
        let dates = Dates::new(texts.iter().map(String::as_str));
        let axis = dates.axis(300.0, &locale);
        let step = 300.0 / 27.0;
        for pair in axis.ticks.windows(2) {
            let half = |tick: &Tick| text::width(&tick.lines[0]) / 2.0;
            let distance = (pair[1].value - pair[0].value) * step;
            assert!(distance >= half(&pair[0]) + half(&pair[1]));
        }
        assert!(axis.ticks.len() >= 4);
    }

    #[test]
    fn one_date_stands_in_the_middle_and_text_is_evenly_spaced() {
        let locale = Words::of(Language::English).unwrap().locale;
        let one = Dates::new(["2018-02-01"].into_iter());
        let axis = one.axis(300.0, &locale);
        assert_eq!((axis.ends.0 + axis.ends.1) / 2.0, one.position(0));
        let text = Dates::new(["first", "second"].into_iter());
        assert_eq!((text.position(0), text.position(1)), (0.0, 1.0));
    }
}
