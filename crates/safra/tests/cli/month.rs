//! A month passes: the next extract of the public data on top of the last, and facts that arrive late.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Date32Type;
use safra_lake::Folder;
use safra_project::{Project, ProjectFiles};
use serde_json::Value;

use crate::extracts::extract;
use crate::support::Home;
use crate::support::tables::hashes;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a feature store holds: for each view and date, in days since 1970-01-01, a number that tells its rows.
type Features = BTreeMap<String, BTreeMap<i32, u64>>;

fn features(home: &Home) -> Features {
    let mut found = Features::new();
    for view in home.lake().table_names(Folder::Features).unwrap() {
        let rows = home.rows(Folder::Features, &view);
        let dates = rows.column_by_name("reference_date").unwrap();
        let dates = dates.as_primitive::<Date32Type>().values();
        let of_view: &mut BTreeMap<i32, u64> = found.entry(view).or_default();
        for (&date, hash) in dates.iter().zip(hashes(&rows)) {
            let held = of_view.entry(date).or_default();
            *held = held.wrapping_add(hash);
        }
    }
    found
}

/// The dates of each view on which two stores differ.
fn differing(before: &Features, after: &Features) -> BTreeMap<String, BTreeSet<String>> {
    let mut differing = BTreeMap::new();
    for (view, after) in after {
        let before = &before[view];
        let dates: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = dates
            .into_iter()
            .filter(|date| before.get(date) != after.get(date));
        let day = |date: &i32| {
            chrono::NaiveDate::from_epoch_days(*date)
                .unwrap()
                .to_string()
        };
        let changed: BTreeSet<String> = changed.map(day).collect();
        if !changed.is_empty() {
            differing.insert(view.clone(), changed);
        }
    }
    differing
}

/// The stale dates of each view that an ingest reports.
fn stale(ingest: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let views = ingest["stale"].as_array().unwrap().iter();
    let dates = |view: &Value| serde_json::from_value(view["dates"].clone()).unwrap();
    views
        .map(|view| (view["view"].as_str().unwrap().to_owned(), dates(view)))
        .collect()
}

/// The views with features of dates; those about events are held to the same in `projects`.
fn views_of_dates() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../olist");
    let project = Project::from_files(&ProjectFiles::from_folder(&folder).unwrap()).unwrap();
    let views = project.views.into_values();
    let of_dates = views.filter(|view| !view.is_about_events());
    of_dates.map(|view| view.name).collect()
}

fn backfill(home: &Home, to: &str) -> Value {
    let views = views_of_dates();
    let span = ["--every", "month", "--from", "2017-01-01", "--to", to];
    let views = views.iter().map(String::as_str);
    let arguments: Vec<&str> = ["features"].into_iter().chain(views).chain(span).collect();
    home.json(&arguments)
}

#[test]
fn a_month_later_past_dates_are_what_they_were() {
    let (Some(may), Some(june)) = (extract("2018-05-01"), extract("2018-06-01")) else {
        return;
    };
    let home = Home::new();
    home.ok(&["ingest", text(&may)]);
    backfill(&home, "2018-05-01");
    let ingested = home.json(&["ingest", text(&june)]);
    let changed: u64 = ingested["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| table["changed"].as_u64().unwrap())
        .sum();
    assert!(changed > 1_000, "{changed} rows moved on");
    assert_eq!(ingested["stale"], serde_json::json!([]));

    let fresh = Home::new();
    fresh.ok(&["ingest", text(&june)]);
    backfill(&fresh, "2018-06-01");
    for report in backfill(&home, "2018-06-01").as_array().unwrap() {
        assert_eq!(report["computed"], 1, "{report}");
    }
    let (grown, fresh) = (features(&home), features(&fresh));
    assert_eq!(differing(&grown, &fresh), BTreeMap::new());
    assert_eq!(grown["seller_sales"].len(), 18);
}

/// Adds lines to a file of an extract.
fn append(folder: &Path, file: &str, lines: &str) {
    let path = folder.join(file);
    let mut text = fs::read_to_string(&path).unwrap();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(lines);
    fs::write(path, text).unwrap();
}

/// The extract with what arrived late: an order of an old day, the delivery of another, and a review.
fn with_late_facts(june: &Path, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for entry in fs::read_dir(june).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    // A seller, and a product of another one: it is new to the seller.
    let items = fs::read_to_string(june.join("olist_order_items_dataset.csv")).unwrap();
    let item = |line: usize| -> Vec<&str> { items.lines().nth(line).unwrap().split(',').collect() };
    let (product, seller) = (item(2)[2], item(1)[3]);
    assert_ne!(item(2)[3], seller);
    append(
        folder,
        "olist_customers_dataset.csv",
        "late,late,01001,sao paulo,SP\n",
    );
    append(
        folder,
        "olist_orders_dataset.csv",
        "late,late,delivered,2018-02-10 10:00:00,2018-02-10 11:00:00,2018-02-12 09:00:00,2018-02-20 15:00:00,2018-03-05 00:00:00\n",
    );
    let item = format!("late,1,{product},{seller},2018-02-15 10:00:00,49.90,12.50\n");
    append(folder, "olist_order_items_dataset.csv", &item);
    append(
        folder,
        "olist_order_payments_dataset.csv",
        "late,1,boleto,1,62.40\n",
    );
    append(
        folder,
        "olist_order_reviews_dataset.csv",
        "late,late,2,,,2018-03-21 00:00:00,2018-03-23 12:00:00\n",
    );
}

#[test]
fn facts_that_arrive_late_make_exactly_the_dates_stale_that_they_change() {
    let Some(june) = extract("2018-06-01") else {
        return;
    };
    let home = Home::new();
    home.ok(&["ingest", text(&june)]);
    backfill(&home, "2018-06-01");
    let before = features(&home);
    let late = home.path("late");
    with_late_facts(&june, &late);
    let ran = home.safra(&["ingest", "late", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let warning = "warning: features/seller_sales: 4 dates from 2018-03-01 to 2018-06-01 are stale";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    let ingested: Value = serde_json::from_str(&ran.stdout).unwrap();

    let fresh = Home::new();
    fresh.ok(&["ingest", text(&late)]);
    backfill(&fresh, "2018-06-01");
    let after = features(&fresh);
    let stale = stale(&ingested);
    assert_eq!(stale, differing(&before, &after));
    // The review came after 1 March, and the sale has left the windows of 90 days by 1 June.
    let dates = |dates: &[&str]| dates.iter().map(|date| (*date).to_owned()).collect();
    let spring: BTreeSet<String> = dates(&["2018-03-01", "2018-04-01", "2018-05-01"]);
    assert_eq!(stale["route_delivery"], spring);
    assert!(!stale.contains_key("seller_deal"), "{stale:?}");

    for report in backfill(&home, "2018-06-01").as_array().unwrap() {
        let view = report["view"].as_str().unwrap();
        let expected = stale.get(view).map_or(0, BTreeSet::len);
        assert_eq!(report["computed"], expected, "{report}");
    }
    assert_eq!(differing(&features(&home), &after), BTreeMap::new());
}
