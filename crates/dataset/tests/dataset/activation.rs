//! The activation problem of the Olist project on the real data, against a direct computation from the CSV files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Float64Type};
use chrono::{Days, NaiveDate, NaiveDateTime};
use safra_dataset::Dataset;
use safra_features::backfill;
use safra_lake::{Lake, ingest};
use safra_project::{Project, ProjectFiles};

use crate::extracts::extract;

fn labelled(folder: &Path) -> Dataset {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../olist");
    let project = Project::from_files(&ProjectFiles::from_folder(&project).unwrap()).unwrap();
    let problem = project.problem("activation").unwrap();
    let home = tempfile::tempdir().unwrap();
    let lake = Lake::new(home.path());
    let mut names: BTreeSet<String> = problem.features.views.iter().cloned().collect();
    names.extend(Dataset::cohort_views(&project, problem.population()).unwrap());
    let views: Vec<_> = names
        .iter()
        .map(|name| project.view(name).unwrap())
        .collect();
    let run = async {
        ingest(&lake, &project, folder, &|_| {}).await.unwrap();
        let dates = Dataset::dates_of(&lake, &project, problem).await.unwrap();
        let progress = Arc::new(|_: &str, _: usize| {});
        backfill(&lake, &project, &views, &dates, progress)
            .await
            .unwrap();
        Dataset::labelled(&lake, &project, problem).await.unwrap()
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run)
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_hms_opt(0, 0, 0).unwrap()
}

type Row = BTreeMap<String, String>;

fn table(folder: &Path, name: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
}

struct Deal {
    seller: String,
    representative: String,
    won: NaiveDateTime,
    first_sale: Option<NaiveDateTime>,
}

fn deals(folder: &Path) -> Vec<Deal> {
    let bought: BTreeMap<String, NaiveDateTime> = table(folder, "olist_orders_dataset.csv")
        .into_iter()
        .map(|row| {
            (
                row["order_id"].clone(),
                time(&row["order_purchase_timestamp"]),
            )
        })
        .collect();
    let mut first: BTreeMap<String, NaiveDateTime> = BTreeMap::new();
    for row in table(folder, "olist_order_items_dataset.csv") {
        let sold = bought[&row["order_id"]];
        let held = first.entry(row["seller_id"].clone()).or_insert(sold);
        *held = sold.min(*held);
    }
    let deals = table(folder, "olist_closed_deals_dataset.csv");
    let deals = deals.into_iter().map(|row| Deal {
        first_sale: first.get(&row["seller_id"]).copied(),
        seller: row["seller_id"].clone(),
        representative: row["sr_id"].clone(),
        won: time(&row["won_date"]),
    });
    deals.collect()
}

/// Seller and outcome of each row asked about on a Monday.
fn asked(deals: &[Deal], date: NaiveDate) -> Vec<(String, bool)> {
    let signed = |deal: &&Deal| {
        deal.won < midnight(date)
            && deal.won.date() >= date - Days::new(90)
            && deal.first_sale.is_none_or(|sale| sale >= midnight(date))
    };
    let until = midnight(date + Days::new(30));
    let mut rows: Vec<(String, bool)> = deals
        .iter()
        .filter(signed)
        .map(|deal| {
            let sold = deal.first_sale.is_some_and(|sale| sale < until);
            (deal.seller.clone(), sold)
        })
        .collect();
    rows.sort();
    rows
}

/// The share of a representative's deals of the last 180 days of settled deals that sold within 30 days, pooled with
/// six of which one sold; none without a settled deal.
fn share(deals: &[Deal], representative: &str, date: NaiveDate) -> Option<f64> {
    let settled = |deal: &Deal| deal.won + Days::new(30);
    let (end, start) = (midnight(date), midnight(date - Days::new(180)));
    let known: Vec<&Deal> = deals
        .iter()
        .filter(|deal| deal.representative == representative)
        .filter(|deal| settled(deal) < end && settled(deal) >= start)
        .collect();
    let sold = known
        .iter()
        .filter(|deal| deal.first_sale.is_some_and(|sale| sale < settled(deal)))
        .count();
    (!known.is_empty()).then(|| (sold as f64 + 1.0) / (known.len() as f64 + 6.0))
}

#[test]
fn cohorts_labels_and_rates_are_those_of_a_direct_computation() {
    let Some(folder) = extract("2018-06-01") else {
        return;
    };
    let deals = deals(&folder);
    let dataset = labelled(&folder);
    let end: NaiveDate = "2018-06-01".parse().unwrap();
    assert_eq!(dataset.data_end(), end);
    let representatives: BTreeMap<&str, &str> = deals
        .iter()
        .map(|deal| (deal.seller.as_str(), deal.representative.as_str()))
        .collect();
    let known_at = dataset.rows().column_by_name("label_known_at").unwrap();
    let known_at = known_at.as_primitive::<Date32Type>();
    let shares = dataset.rows().column_by_name("sr_sold_share_180d").unwrap();
    let shares = shares.as_primitive::<Float64Type>();
    let (mut seen, mut with_share) = (0, 0);
    for &date in dataset.dates() {
        let expected = asked(&deals, date);
        let rows = dataset.rows_at(date);
        assert_eq!(rows.len(), expected.len(), "{date}");
        for (row, (seller, sold)) in rows.into_iter().zip(expected) {
            seen += 1;
            let certain = date + Days::new(30);
            assert_eq!(dataset.entity(row), seller, "{date}");
            assert_eq!(known_at.value(row), certain.to_epoch_days());
            assert_eq!(
                dataset.label(row),
                (certain <= end).then_some(sold),
                "{date} {seller}"
            );
            let held = shares.is_valid(row).then(|| shares.value(row));
            assert_eq!(
                held,
                share(&deals, representatives[seller.as_str()], date),
                "{date} {seller}"
            );
            with_share += usize::from(held.is_some());
        }
    }
    assert_eq!((seen, with_share > 4_000), (4_522, true), "{with_share}");
}
