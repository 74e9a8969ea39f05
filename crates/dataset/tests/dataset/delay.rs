//! The problem of late orders of the Olist project on the real data, against a direct computation from the CSV files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Float64Type, TimestampMicrosecondType};
use chrono::{Days, NaiveDate, NaiveDateTime};
use safra_dataset::{Dataset, FeatureDates};
use safra_features::backfill;
use safra_lake::{Lake, ingest};
use safra_project::{Project, ProjectFiles, View};

use crate::extracts::extract;

/// The first day of which the extract knows nothing.
const END: &str = "2018-06-01";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The training set, and what is open at the end of the data.
fn datasets(folder: &Path) -> (Dataset, Dataset) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../olist");
    let project = Project::from_files(&ProjectFiles::from_folder(&project).unwrap()).unwrap();
    let problem = project.problem("delay").unwrap();
    let home = tempfile::tempdir().unwrap();
    let lake = Lake::new(home.path());
    let mut names: BTreeSet<String> = problem.features.views.iter().cloned().collect();
    names.extend(Dataset::cohort_views(&project, problem.population()).unwrap());
    let views = names.iter().map(|name| project.view(name).unwrap());
    let (events, dates): (Vec<&View>, Vec<&View>) = views.partition(|view| view.is_about_events());
    let run = async {
        ingest(&lake, &project, folder, &|_| {}).await.unwrap();
        let end = Dataset::data_end_of(&lake, &project, problem)
            .await
            .unwrap();
        let needed = FeatureDates::of_training(&project, problem, end);
        for (views, days) in [(events, &needed.days), (dates, &needed.dates)] {
            let progress = Arc::new(|_: &str, _: usize| {});
            backfill(&lake, &project, &views, days, progress)
                .await
                .unwrap();
        }
        (
            Dataset::labelled(&lake, &project, problem).await.unwrap(),
            Dataset::unlabelled(&lake, &project, problem, end)
                .await
                .unwrap(),
        )
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(run)
}

type Row = BTreeMap<String, String>;

fn table(folder: &Path, name: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn time(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()
}

struct Order {
    id: String,
    approved: NaiveDateTime,
    delivered: Option<NaiveDateTime>,
    promised: NaiveDate,
}

impl Order {
    fn is_late(&self) -> bool {
        self.delivered
            .is_none_or(|delivered| delivered.date() > self.promised)
    }

    fn is_settled(&self) -> bool {
        self.promised < day(END)
    }
}

/// The orders that are asked about, by time of approval, then order.
fn asked(folder: &Path) -> Vec<Order> {
    let items = table(folder, "olist_order_items_dataset.csv");
    let with_items: BTreeSet<&String> = items.iter().map(|row| &row["order_id"]).collect();
    let orders = table(folder, "olist_orders_dataset.csv");
    let orders = orders
        .iter()
        .filter(|row| with_items.contains(&row["order_id"]));
    let orders = orders.filter_map(|row| {
        Some(Order {
            id: row["order_id"].clone(),
            approved: time(&row["order_approved_at"])?,
            delivered: time(&row["order_delivered_customer_date"]),
            promised: time(&row["order_estimated_delivery_date"])?.date(),
        })
    });
    let mut orders: Vec<Order> = orders
        .filter(|order| order.approved.date() >= day("2017-01-01"))
        .filter(|order| order.promised >= order.approved.date())
        .filter(|order| {
            order
                .delivered
                .is_none_or(|delivered| delivered > order.approved)
        })
        .collect();
    orders.sort_by(|a, b| (a.approved, &a.id).cmp(&(b.approved, &b.id)));
    orders
}

#[test]
fn orders_are_asked_about_at_their_approval_and_judged_by_month() {
    let Some(folder) = extract(END) else { return };
    let (dataset, open) = datasets(&folder);
    let orders = asked(&folder);
    assert_eq!(dataset.len(), orders.len());
    assert!(orders.len() > 70_000);
    let rows = dataset.rows();
    let column = |name: &str| rows.column_by_name(name).unwrap();
    let times = column("reference_time").as_primitive::<TimestampMicrosecondType>();
    let known = column("label_known_at").as_primitive::<Date32Type>();
    let durations = column("duration").as_primitive::<Float64Type>();
    let promises = column("promised_days").as_primitive::<Float64Type>();
    for (row, order) in orders.iter().enumerate() {
        let approved = order.approved.and_utc().timestamp_micros();
        assert_eq!(dataset.entity(row), order.id);
        assert_eq!(times.value(row), approved, "{}", order.id);
        let label = order.is_settled().then(|| order.is_late());
        assert_eq!(dataset.label(row), label, "{}", order.id);
        let settled = order.promised + Days::new(1);
        assert_eq!(known.value_as_date(row), Some(settled), "{}", order.id);
        let days = |time: NaiveDateTime| {
            (time.and_utc().timestamp_micros() - approved) as f64 / 86_400_000_000.0
        };
        let expected = order.delivered.map(days);
        let held = durations.is_valid(row).then(|| durations.value(row));
        assert_eq!(held.is_some(), expected.is_some(), "{}", order.id);
        let difference = held.zip(expected).map_or(0.0, |(a, b)| (a - b).abs());
        assert!(difference < 1e-6, "{}", order.id);
        let promised = days(settled.and_hms_opt(0, 0, 0).unwrap());
        assert!(
            (promises.value(row) - promised).abs() < 1e-6,
            "{}",
            order.id
        );
    }
    let settled = dataset.settled_dates();
    // Of the orders of May, too many had time left when the data ended; before February there was nothing to learn from.
    assert_eq!(settled.last(), Some(&day("2018-04-01")));
    for split in dataset.last_splits(2).unwrap() {
        let end = split
            .date
            .checked_add_months(chrono::Months::new(1))
            .unwrap();
        let judged = orders
            .iter()
            .filter(|order| (split.date..end).contains(&order.approved.date()))
            .filter(|order| order.is_settled());
        assert_eq!(split.test.len(), judged.count(), "{}", split.date);
        let window = split.date - Days::new(240)..split.date;
        let started: Vec<&Order> = orders
            .iter()
            .filter(|order| window.contains(&order.approved.date()))
            .collect();
        let (known, unknown): (Vec<&Order>, Vec<&Order>) = started
            .into_iter()
            .partition(|order| order.promised + Days::new(1) < split.date);
        assert_eq!(
            (split.train.len(), split.open.len()),
            (known.len(), unknown.len())
        );
    }
    let expected = orders
        .iter()
        .filter(|order| !order.is_settled() && order.delivered.is_none());
    let expected: Vec<&String> = expected.map(|order| &order.id).collect();
    let found: Vec<String> = (0..open.len()).map(|row| open.entity(row)).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
}
