//! The churn problem of the Olist project on the real data, against a direct computation from the CSV files.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Date32Type};
use chrono::{Datelike, Days, Months, NaiveDate};
use safra_dataset::{Dataset, DatasetError};
use safra_features::backfill;
use safra_lake::{Lake, ingest};
use safra_project::{Problem, Project, ProjectFiles};

use crate::extracts::extract;

/// Days without a sale after which a seller has left.
const DAYS: i64 = 45;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn olist() -> Project {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../olist");
    Project::from_files(&ProjectFiles::from_folder(&folder).unwrap()).unwrap()
}

/// The training set of `problem`, from files to labels.
fn labelled(project: &Project, problem: &Problem, folder: &Path) -> Dataset {
    let home = tempfile::tempdir().unwrap();
    let lake = Lake::new(home.path());
    let mut names: BTreeSet<String> = problem.features.views.iter().cloned().collect();
    names.extend(Dataset::cohort_views(project, problem.population()).unwrap());
    let views: Vec<_> = names
        .iter()
        .map(|name| project.view(name).unwrap())
        .collect();
    block_on(async {
        let report = ingest(&lake, project, folder, &|_| {}).await.unwrap();
        assert!(
            report.tables.iter().all(|table| table.rejected == 0),
            "{report:?}"
        );
        let dates = Dataset::dates_of(&lake, project, problem).await.unwrap();
        let progress = Arc::new(|_: &str, _: usize| {});
        backfill(&lake, project, &views, &dates, progress)
            .await
            .unwrap();
        Dataset::labelled(&lake, project, problem).await.unwrap()
    })
}

/// The days on which each seller sold, and the first day of which the files say nothing.
struct Sales {
    days: BTreeMap<String, BTreeSet<NaiveDate>>,
    data_end: NaiveDate,
}

impl Sales {
    fn read(folder: &Path) -> Self {
        let table = |name: &str| csv::Reader::from_path(folder.join(name)).unwrap();
        let mut bought: BTreeMap<String, NaiveDate> = BTreeMap::new();
        for row in table("olist_orders_dataset.csv").deserialize() {
            let row: BTreeMap<String, String> = row.unwrap();
            let time = &row["order_purchase_timestamp"];
            bought.insert(row["order_id"].clone(), day(&time[..10]));
        }
        let mut days: BTreeMap<String, BTreeSet<NaiveDate>> = BTreeMap::new();
        for row in table("olist_order_items_dataset.csv").deserialize() {
            let row: BTreeMap<String, String> = row.unwrap();
            let sold = bought[&row["order_id"]];
            days.entry(row["seller_id"].clone())
                .or_default()
                .insert(sold);
        }
        let last = days.values().filter_map(BTreeSet::last).max().unwrap();
        let data_end = *last + Days::new(1);
        Self { days, data_end }
    }

    /// The rows asked about at `date`: seller, label, and the day on which it is certain.
    fn rows(&self, date: NaiveDate) -> Vec<(String, Option<bool>, NaiveDate)> {
        let mut rows = Vec::new();
        for (seller, days) in &self.days {
            let Some(last) = days.range(..date).next_back() else {
                continue;
            };
            let recency = (date - *last).num_days();
            if recency > DAYS {
                continue;
            }
            let stays = days
                .range(date..)
                .any(|sale| (*sale - date).num_days() <= DAYS - recency);
            let known_at = *last + Days::new(46);
            let label = (known_at <= self.data_end).then_some(!stays);
            rows.push((seller.clone(), label, known_at));
        }
        rows
    }

    fn dates(&self) -> Vec<NaiveDate> {
        let months = (0..).map(|month| day("2017-01-01") + Months::new(month));
        months.take_while(|date| *date <= self.data_end).collect()
    }
}

/// The reference date, label and day of its certainty of a row, as the table holds them.
fn row(dataset: &Dataset, row: usize) -> (NaiveDate, (String, Option<bool>, NaiveDate)) {
    let date = |name: &str| {
        let column = dataset.rows().column_by_name(name).unwrap();
        let days = column.as_primitive::<Date32Type>().value(row);
        NaiveDate::from_epoch_days(days).unwrap()
    };
    let labels = dataset.rows().column_by_name("label").unwrap().as_boolean();
    let label = labels.iter().nth(row).unwrap();
    assert_eq!(label, dataset.label(row));
    let entity = dataset.entity(row);
    (
        date("reference_date"),
        (entity, label, date("label_known_at")),
    )
}

#[test]
fn cohorts_labels_and_splits_are_those_of_a_direct_computation() {
    let Some(folder) = extract("2018-06-01") else {
        return;
    };
    let sales = Sales::read(&folder);
    let project = olist();
    let mut problem = project.problem("churn").unwrap().clone();
    problem.features.views = vec!["seller_sales".to_owned()];
    let dataset = labelled(&project, &problem, &folder);
    assert_eq!(dataset.data_end(), sales.data_end);
    assert_eq!(dataset.dates(), sales.dates());

    let expected: Vec<_> = sales
        .dates()
        .into_iter()
        .flat_map(|date| sales.rows(date).into_iter().map(move |row| (date, row)))
        .collect();
    assert_eq!(dataset.len(), expected.len());
    for (place, expected) in expected.iter().enumerate() {
        assert_eq!(&row(&dataset, place), expected);
    }
    check_the_start_of_2018(&sales, &dataset);
    check_unsettled(&sales, &dataset);
    check_splits(&dataset, &expected);
}

/// Numbers that are known from elsewhere, so that no mistake is made on both sides alike.
fn check_the_start_of_2018(sales: &Sales, dataset: &Dataset) {
    let date = day("2018-01-01");
    let labels: Vec<bool> = (0..dataset.len())
        .filter(|&row| dataset.reference_days()[row] == date.to_epoch_days())
        .map(|row| dataset.label(row).unwrap())
        .collect();
    let rate = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
    assert_eq!(
        (labels.len(), format!("{rate:.4}")),
        (1_068, "0.3567".to_owned())
    );
    assert_eq!(sales.data_end, day("2018-06-01"));
}

/// What the data cannot know yet is missing, never false.
fn check_unsettled(sales: &Sales, dataset: &Dataset) {
    let mut missing = 0;
    for place in 0..dataset.len() {
        let (_, (_, label, known_at)) = row(dataset, place);
        assert_eq!(label.is_none(), known_at > sales.data_end);
        missing += usize::from(label.is_none());
    }
    let last = sales.rows(sales.data_end);
    assert!(last.iter().all(|(_, label, _)| label.is_none()));
    assert!(
        missing > last.len(),
        "labels of the month before are not all settled either"
    );
}

type Expected = (NaiveDate, (String, Option<bool>, NaiveDate));

fn check_splits(dataset: &Dataset, expected: &[Expected]) {
    let training = |date: NaiveDate| -> Vec<usize> {
        let rows = expected.iter().enumerate();
        rows.filter(|(_, (reference, (_, label, known_at)))| {
            *reference < date && *known_at < date && label.is_some()
        })
        .map(|(place, _)| place)
        .collect()
    };
    let settled = dataset.settled_dates();
    assert_eq!(
        (settled.first(), settled.last()),
        (Some(&day("2017-03-01")), Some(&day("2018-04-01")))
    );
    let splits = dataset.splits(settled[0], day("2018-04-01")).unwrap();
    assert_eq!(splits.len(), settled.len());
    for split in splits {
        assert_eq!(split.date.day(), 1);
        assert_eq!(split.train, training(split.date));
        let test: Vec<usize> = (0..dataset.len())
            .filter(|&row| expected[row].0 == split.date)
            .collect();
        assert_eq!(split.test, test);
        assert!(split.test.iter().all(|&row| dataset.label(row).is_some()));
    }
    for date in [
        "2016-01-01",
        "2017-01-01",
        "2017-08-17",
        "2018-05-17",
        "2019-01-01",
    ] {
        assert_eq!(
            dataset.training_rows(day(date)),
            training(day(date)),
            "{date}"
        );
    }
    let error = dataset
        .splits(day("2018-05-01"), day("2018-06-01"))
        .unwrap_err();
    let DatasetError::NotSettled {
        date, first, last, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (date, first.as_str(), last.as_str()),
        (day("2018-05-01"), "2017-03-01", "2018-04-01")
    );
}

/// The training set of a month ago, rebuilt from what was known then, is the one that was built then: cell by
/// cell, features included.
#[test]
fn later_data_changes_no_row_of_an_earlier_day() {
    let (Some(earlier), Some(later)) = (extract("2018-05-01"), extract("2018-06-01")) else {
        return;
    };
    let project = olist();
    let mut problem = project.problem("churn").unwrap().clone();
    // Those whose rows and columns become known later than the order itself.
    let late = ["seller_sales", "seller_delivery", "seller_reviews"];
    problem.features.views = late.map(str::to_owned).into();
    let earlier = labelled(&project, &problem, &earlier);
    let morning = earlier.data_end();
    assert_eq!(morning, day("2018-05-01"));
    let later = up_to(
        &labelled(&project, &problem, &later).known_by(morning),
        morning,
    );
    let earlier = earlier.rows();
    assert_eq!(later.schema(), earlier.schema());
    assert_eq!(later.num_rows(), earlier.num_rows());
    assert!(later.num_columns() > 100);
    for (field, (then, now)) in earlier
        .schema()
        .fields()
        .iter()
        .zip(earlier.columns().iter().zip(later.columns()))
    {
        if field.data_type() == &DataType::Float64 {
            let bits = |column: &arrow::array::ArrayRef| -> Vec<Option<u64>> {
                let numbers = column.as_primitive::<arrow::datatypes::Float64Type>();
                numbers
                    .iter()
                    .map(|number| number.map(f64::to_bits))
                    .collect()
            };
            assert_eq!(bits(now), bits(then), "{}", field.name());
        } else {
            assert_eq!(now, then, "{}", field.name());
        }
    }
}

fn up_to(dataset: &Dataset, last: NaiveDate) -> RecordBatch {
    let rows: BooleanArray = dataset
        .reference_days()
        .iter()
        .map(|day| Some(*day <= last.to_epoch_days()))
        .collect();
    filter_record_batch(dataset.rows(), &rows).unwrap()
}
