//! Marketplaces to look at, and a reader for their files.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::{NaiveDate, NaiveDateTime};
use csv::StringRecord;
use safra_marketplace::{Parameters, Table, generate};
use tempfile::TempDir;

/// A marketplace of this size in a folder of its own.
pub fn marketplace(scale: f64) -> TempDir {
    generated(&Parameters {
        scale,
        seed: 1,
        ..Parameters::default()
    })
}

/// The marketplace of these parameters in a folder of its own.
pub fn generated(parameters: &Parameters) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    generate(parameters, folder.path(), &|_, _| {}).unwrap();
    folder
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn time(text: &str) -> Option<NaiveDateTime> {
    let format = "%Y-%m-%d %H:%M:%S";
    (!text.is_empty()).then(|| NaiveDateTime::parse_from_str(text, format).unwrap())
}

/// A file in memory.
pub struct Csv {
    places: HashMap<String, usize>,
    pub rows: Vec<StringRecord>,
}

impl Csv {
    pub fn read(folder: &Path, table: Table) -> Self {
        let mut reader = csv::Reader::from_path(folder.join(table.file_name())).unwrap();
        let names = reader.headers().unwrap().clone();
        let places = names
            .iter()
            .enumerate()
            .map(|(place, name)| (name.to_owned(), place));
        Self {
            places: places.collect(),
            rows: reader.records().map(Result::unwrap).collect(),
        }
    }

    /// The values of a column, in the order of the rows.
    pub fn column<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + Clone + 'a {
        let place = self.places[name];
        self.rows.iter().map(move |row| &row[place])
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.column(name)
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().unwrap())
            .collect()
    }

    /// The values of two columns, row by row.
    pub fn pairs<'a>(
        &'a self,
        first: &str,
        second: &str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.column(first).zip(self.column(second))
    }

    /// Share of the rows with each value of a column.
    pub fn shares(&self, name: &str) -> BTreeMap<&str, f64> {
        let mut shares = BTreeMap::new();
        for value in self.column(name) {
            *shares.entry(value).or_insert(0.0) += 1.0 / self.rows.len() as f64;
        }
        shares
    }
}

/// Days on which each seller sold, rising.
pub fn sale_days(folder: &Path) -> BTreeMap<String, Vec<NaiveDate>> {
    let orders = Csv::read(folder, Table::Orders);
    let days: HashMap<&str, NaiveDate> = orders
        .pairs("order_id", "order_purchase_timestamp")
        .map(|(id, bought)| (id, time(bought).unwrap().date()))
        .collect();
    let mut sales: BTreeMap<String, Vec<NaiveDate>> = BTreeMap::new();
    for (seller, order) in Csv::read(folder, Table::OrderItems).pairs("seller_id", "order_id") {
        sales
            .entry(seller.to_owned())
            .or_default()
            .push(days[order]);
    }
    for days in sales.values_mut() {
        days.sort_unstable();
        days.dedup();
    }
    sales
}

/// The days since the last sale before the reference date, and whether the seller is lost after it;
/// for sellers who sold in the 45 days before it.
pub fn churned(days: &[NaiveDate], reference: NaiveDate) -> Option<(i64, bool)> {
    let next = days.partition_point(|day| *day < reference);
    let last = *days.get(next.checked_sub(1)?)?;
    let recency = (reference - last).num_days();
    let lost = days
        .get(next)
        .is_none_or(|day| (*day - last).num_days() > 45);
    (recency <= 45).then_some((recency, lost))
}

/// Area under the ROC curve, ties counted half.
pub fn roc_auc(scored: &[(f64, bool)]) -> f64 {
    let (mut above, mut pairs) = (0.0, 0.0);
    for (positive, _) in scored.iter().filter(|(_, label)| *label) {
        for (negative, _) in scored.iter().filter(|(_, label)| !label) {
            pairs += 1.0;
            above += f64::from(u8::from(positive > negative))
                + 0.5 * f64::from(u8::from(positive == negative));
        }
    }
    above / pairs
}

/// The value below which this share of the values lies.
pub fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(share * (values.len() - 1) as f64) as usize]
}
