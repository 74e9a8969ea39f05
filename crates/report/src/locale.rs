//! How numbers, dates and durations are written in one language.

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

const MINUS: char = '\u{2212}';

/// The number and date formats of a language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Locale {
    /// Between the integer part and the fraction.
    decimal: String,
    /// Between groups of three digits.
    thousands: String,
    /// A percentage, with `{value}` in it.
    percent: String,
    /// A value that is so small that it would be rounded to zero, with `{value}` in it.
    below: String,
    /// What stands for a missing value.
    missing: String,
    /// A whole date, with `{day}`, `{month}` and `{year}` in it, or `{dd}` and `{mm}` for two digits.
    date: String,
    /// A date within a known year, likewise.
    day_and_month: String,
    /// A month, with `{month}` and `{year}` in it.
    month_and_year: String,
    /// Names of the twelve months.
    months: [String; 12],
    /// Short names of the twelve months.
    short_months: [String; 12],
}

impl Locale {
    /// What stands for a missing value.
    pub(crate) fn missing(&self) -> String {
        self.missing.clone()
    }

    /// A number with a fixed number of decimals and groups of three digits.
    pub(crate) fn decimal(&self, value: f64, places: usize) -> String {
        if !value.is_finite() {
            return self.missing();
        }
        let text = format!("{:.places$}", value.abs());
        let (integer, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let mut out = String::new();
        let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        if value < 0.0 && !is_zero {
            out.push(MINUS);
        }
        for (index, digit) in integer.chars().enumerate() {
            if index > 0 && (integer.len() - index).is_multiple_of(3) {
                out.push_str(&self.thousands);
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push_str(&self.decimal);
            out.push_str(fraction);
        }
        out
    }

    /// A number with its sign and a fixed number of decimals.
    pub(crate) fn signed(&self, value: f64, places: usize) -> String {
        let text = self.decimal(value, places);
        let is_zero = !text.contains(|letter: char| ('1'..='9').contains(&letter));
        if value > 0.0 && !is_zero {
            format!("+{text}")
        } else {
            text
        }
    }

    /// A fraction as a percentage with a fixed number of decimals. What is above zero never reads as zero.
    pub(crate) fn percent(&self, fraction: f64, places: usize) -> String {
        if !fraction.is_finite() {
            return self.missing();
        }
        let percent = fraction * 100.0;
        let smallest = 0.1_f64.powi(i32::try_from(places).unwrap_or(0));
        if percent > 0.0 && percent < smallest / 2.0 {
            let limit = self
                .percent
                .replace("{value}", &self.decimal(smallest, places));
            return self.below.replace("{value}", &limit);
        }
        self.percent
            .replace("{value}", &self.decimal(percent, places))
    }

    /// A fraction as a percentage, with a decimal only where it says something: next to 0 and 100.
    pub(crate) fn rounded_percent(&self, fraction: f64) -> String {
        let is_middling = (0.0995..=0.9949).contains(&fraction);
        let is_end = fraction == 0.0 || fraction == 1.0;
        self.percent(fraction, usize::from(!(is_middling || is_end)))
    }

    /// A number of unknown unit: whole numbers as they are, others with three significant digits.
    pub(crate) fn quantity(&self, value: f64) -> String {
        if !value.is_finite() {
            return self.missing();
        }
        if value.abs() >= HUGE {
            let text = format!("{value:.2e}").replace('.', &self.decimal);
            return text.replace('-', &MINUS.to_string());
        }
        if value.fract() == 0.0 {
            return self.decimal(value, 0);
        }
        let text = self.decimal(value, significant_places(value));
        if !text.contains(&self.decimal) {
            return text;
        }
        text.trim_end_matches('0')
            .trim_end_matches(&self.decimal)
            .to_owned()
    }

    /// An elapsed time in seconds, minutes or hours.
    pub(crate) fn duration(&self, seconds: f64) -> String {
        if !seconds.is_finite() || seconds < 0.0 {
            return self.missing();
        }
        match seconds {
            s if s < 9.995 => format!("{}\u{a0}s", self.decimal(s, 2)),
            s if s < 59.95 => format!("{}\u{a0}s", self.decimal(s, 1)),
            s if s < 3599.5 => two_units(s.round(), 60.0, "min", "s"),
            s => two_units((s / 60.0).round(), 60.0, "h", "min"),
        }
    }

    /// A whole date, such as `1 June 2018`. Text that is no date stays as it is.
    pub(crate) fn date(&self, text: &str) -> String {
        self.whole_date(text, &self.months)
    }

    /// A whole date with a short month, such as `1 Jun 2018`. Text that is no date stays as it is.
    pub(crate) fn short_date(&self, text: &str) -> String {
        self.whole_date(text, &self.short_months)
    }

    /// A date and time, such as `31 May 2018 14:05`. Text that is no date stays as it is.
    pub(crate) fn date_time(&self, text: &str) -> String {
        let date = self.short_date(text);
        match text.get(11..16) {
            Some(time) if parse_date(text).is_some() => format!("{date} {time}"),
            _ => date,
        }
    }

    /// The day and month of a date, such as `1 Jun`.
    pub(crate) fn day_and_month(&self, date: NaiveDate) -> String {
        filled(&self.day_and_month, date, &self.short_months)
    }

    /// The month of a date, such as `June 2018`.
    fn month_and_year(&self, date: NaiveDate) -> String {
        filled(&self.month_and_year, date, &self.months)
    }

    /// A period by its first day: a month, if it may be one and begins with its first day.
    pub(crate) fn period(&self, first_day: &str, may_be_month: bool) -> String {
        match parse_date(first_day) {
            Some(day) if may_be_month && day.day() == 1 => self.month_and_year(day),
            _ => self.date(first_day),
        }
    }

    /// The month of a date, such as `Jun`.
    pub(crate) fn short_month(&self, date: NaiveDate) -> String {
        month_name(&self.short_months, date)
    }

    /// A value in its unit: a fraction as a percentage for `%`, money with the currency in front, any other
    /// unit behind the number.
    pub(crate) fn measure(&self, value: f64, unit: &str) -> String {
        self.measure_to(value, unit, None)
    }

    /// The same with so many decimal places, where the unit does not say how many; `None` chooses them for the
    /// value.
    pub(crate) fn measure_to(&self, value: f64, unit: &str, places: Option<usize>) -> String {
        let quantity = |value: f64| {
            let places = places.filter(|_| value.is_finite());
            places.map_or_else(
                || self.quantity(value),
                |places| self.decimal(value, places),
            )
        };
        match unit {
            "" => quantity(value),
            "%" => self.rounded_percent(value),
            _ if !value.is_finite() => self.missing(),
            _ if unit.ends_with(['$', '€', '£', '¥']) => {
                let places = if value.abs() < 100.0 { 2 } else { 0 };
                format!("{unit}\u{a0}{}", self.decimal(value, places))
            }
            _ => format!("{}\u{a0}{unit}", quantity(value)),
        }
    }

    fn whole_date(&self, text: &str, months: &[String; 12]) -> String {
        parse_date(text).map_or_else(|| text.to_owned(), |date| filled(&self.date, date, months))
    }
}

/// A pattern with the parts of a date in it.
/// How many decimal places give all numbers of a column the same: as many as the largest needs for three significant
/// digits, none where all are whole; `None` where no number is fit for that.
pub(crate) fn column_places(values: impl IntoIterator<Item = f64>) -> Option<usize> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let all: Vec<f64> = finite.map(f64::abs).collect();
    let largest = all.iter().copied().reduce(f64::max)?;
    match all.iter().all(|value| value.fract() == 0.0) {
        _ if largest >= HUGE => None,
        true => Some(0),
        false => Some(significant_places(largest)),
    }
}

/// From here on numbers are written with an exponent.
const HUGE: f64 = 1e15;

/// How many decimal places leave about three significant digits.
fn significant_places(value: f64) -> usize {
    match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        size if size >= 0.01 => 4,
        _ => 6,
    }
}

fn filled(pattern: &str, date: NaiveDate, months: &[String; 12]) -> String {
    pattern
        .replace("{day}", &date.day().to_string())
        .replace("{dd}", &format!("{:02}", date.day()))
        .replace("{mm}", &format!("{:02}", date.month()))
        .replace("{month}", &month_name(months, date))
        .replace("{year}", &date.year().to_string())
}

/// The day of an ISO date or date and time.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()
}

fn month_name(months: &[String; 12], date: NaiveDate) -> String {
    months
        .get(date.month0() as usize)
        .cloned()
        .unwrap_or_default()
}

/// Unit symbols are the same in every language.
fn two_units(total: f64, per_large: f64, large: &str, small: &str) -> String {
    let (whole, rest) = ((total / per_large).floor(), total % per_large);
    format!("{whole}\u{a0}{large} {rest}\u{a0}{small}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;
    use crate::Language;
    use crate::words::Words;

    fn english() -> Locale {
        Words::of(Language::English).unwrap().locale
    }

    fn portuguese() -> Locale {
        Words::of(Language::Portuguese).unwrap().locale
    }

    #[test]
    fn numbers_have_separators_and_sensible_digits() {
        let locale = english();
        assert_eq!(locale.decimal(1_234_567.0, 0), "1,234,567");
        assert_eq!(locale.decimal(-1234.5, 1), "\u{2212}1,234.5");
        assert_eq!(locale.decimal(-0.04, 1), "0.0");
        assert_eq!(locale.decimal(f64::NAN, 2), "–");
        assert_eq!(locale.quantity(41.0), "41");
        assert_eq!(locale.quantity(2.5), "2.5");
        assert_eq!(locale.quantity(12_345.678), "12,346");
        assert_eq!(locale.quantity(0.142_857), "0.143");
        assert_eq!(locale.quantity(99.96), "100");
        assert_eq!(locale.quantity(0.000_000_1), "0");
        assert_eq!(locale.quantity(-1.234e20), "\u{2212}1.23e20");
    }

    #[test]
    fn percentages_are_never_rounded_to_nothing_or_to_certainty() {
        let locale = english();
        assert_eq!(locale.rounded_percent(0.644), "64\u{a0}%");
        assert_eq!(locale.rounded_percent(0.0712), "7.1\u{a0}%");
        assert_eq!(locale.rounded_percent(0.996), "99.6\u{a0}%");
        assert_eq!(locale.rounded_percent(1.0), "100\u{a0}%");
        assert_eq!(locale.rounded_percent(0.0), "0\u{a0}%");
        assert_eq!(locale.rounded_percent(0.000_01), "<\u{a0}0.1\u{a0}%");
        assert_eq!(locale.percent(0.5, 1), "50.0\u{a0}%");
    }

    #[test]
    fn numbers_of_a_column_have_the_same_places() {
        let column = |values: &[f64]| {
            let places = column_places(values.iter().copied());
            let shown = values
                .iter()
                .map(|value| english().measure_to(*value, "", places));
            shown.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(column(&[4.0, 4.27, 2.6]), "4.00 4.27 2.60");
        assert_eq!(column(&[60.2, 7.4, 4.96, f64::NAN]), "60.2 7.4 5.0 –");
        assert_eq!(column(&[8.0, 69.5, 120.0]), "8 70 120");
        assert_eq!(column(&[8.0, 1234.0]), "8 1,234");
        assert_eq!(column(&[0.5, 2e15]), "0.5 2.00e15");
        assert_eq!(column_places([f64::NAN]), None);
    }

    #[test]
    fn durations_choose_their_unit() {
        let locale = english();
        assert_eq!(locale.duration(0.043), "0.04\u{a0}s");
        assert_eq!(locale.duration(12.34), "12.3\u{a0}s");
        assert_eq!(locale.duration(59.97), "1\u{a0}min 0\u{a0}s");
        assert_eq!(locale.duration(125.4), "2\u{a0}min 5\u{a0}s");
        assert_eq!(locale.duration(3599.9), "1\u{a0}h 0\u{a0}min");
        assert_eq!(locale.duration(-1.0), "–");
    }

    #[test]
    fn dates_are_written_out_and_other_text_is_kept() {
        let locale = english();
        assert_eq!(locale.date("2018-06-01"), "1 June 2018");
        assert_eq!(locale.short_date("2018-06-01T10:20:30"), "1 Jun 2018");
        assert_eq!(locale.date("soon"), "soon");
        assert_eq!(locale.date("2018-02-30"), "2018-02-30");
        assert_eq!(locale.date("junho de á2018"), "junho de á2018");
        assert_eq!(locale.date_time("2018-05-31T14:05:59"), "31 May 2018 14:05");
        assert_eq!(locale.date_time("2018-05-31"), "31 May 2018");
        assert_eq!(locale.date_time("not a date at all"), "not a date at all");
        let june = parse_date("2018-06-01").unwrap();
        assert_eq!(locale.month_and_year(june), "June 2018");
    }

    #[test]
    fn brazilian_numbers_and_dates_are_written_as_in_brazil() {
        let locale = portuguese();
        assert_eq!(locale.decimal(1_234.5, 1), "1.234,5");
        assert_eq!(locale.quantity(0.142_857), "0,143");
        assert_eq!(locale.quantity(1.234e20), "1,23e20");
        assert_eq!(locale.rounded_percent(0.0712), "7,1%");
        assert_eq!(locale.date("2018-05-31"), "31/05/2018");
        assert_eq!(locale.short_date("2018-05-31"), "31/05/2018");
        let may = parse_date("2018-05-31").unwrap();
        assert_eq!(locale.month_and_year(may), "maio de 2018");
        assert_eq!(locale.day_and_month(may), "31/05");
        assert_eq!(locale.short_month(may), "mai");
    }

    #[test]
    fn values_stand_in_their_unit() {
        let locale = english();
        assert_eq!(locale.measure(41.0, ""), "41");
        assert_eq!(locale.measure(41.0, "days"), "41\u{a0}days");
        assert_eq!(locale.measure(0.25, "%"), "25\u{a0}%");
        assert_eq!(locale.measure(1_234.56, "R$"), "R$\u{a0}1,235");
        assert_eq!(locale.measure(12.3, "R$"), "R$\u{a0}12.30");
        assert_eq!(locale.measure(f64::NAN, "R$"), "–");
    }

    proptest! {
        #[test]
        fn grouping_keeps_every_digit(value in any::<i32>()) {
            let text = english().decimal(f64::from(value), 0);
            let plain = text.replace(',', "").replace(MINUS, "-");
            prop_assert_eq!(plain.parse::<i32>().unwrap(), value);
            prop_assert!(text.split(',').skip(1).all(|group| group.len() == 3));
        }

        #[test]
        fn any_number_can_be_written(value in any::<f64>()) {
            let locale = english();
            for text in [
                locale.decimal(value, 3),
                locale.rounded_percent(value),
                locale.quantity(value),
                locale.duration(value),
            ] {
                prop_assert!(!text.is_empty());
                prop_assert!(!text.contains("NaN") && !text.contains("inf"));
            }
        }
    }
}
