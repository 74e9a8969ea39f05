//! What a cohort and a label may say, and what is made of them, on a marketplace of two shops.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use chrono::NaiveDate;
use safra_dataset::{Dataset, DatasetError, FeatureColumn};
use safra_features::backfill;
use safra_history::History;
use safra_lake::{Folder, Lake, ingest};
use safra_project::{Problem, Project, ProjectFiles};
use tempfile::TempDir;

const SETTINGS: &str = "name = \"market\"\nfirst_date = \"2017-01-01\"\n";

const SOURCES: &str = r#"
[sales]
file = "sales.csv"
key = ["sale"]
known_at = "sold_at"
[sales.columns]
sale = "string"
shop = "string"
sold_at = { type = "timestamp", required = true }
amount = "float"

[shops]
file = "shops.csv"
key = ["shop"]
known_at = "always"
[shops.columns]
shop = "string"
"#;

/// The last sale is on 2017-03-30, so the data ends before 2017-03-31.
const SALES: &str = "sale,shop,sold_at,amount\n\
    s1,a,2017-01-10 10:00:00,10\n\
    s2,b,2017-01-20 11:00:00,20\n\
    s3,a,2017-02-15 23:59:59,30\n\
    s4,b,2017-03-30 00:00:00,\n";

const SHOP_SALES: &str = "---\nentity: shop\ntime: sold_at\nwindows: [30d, all]\n---\n\
    SELECT COUNT(*) AS sales, SUM(amount) AS revenue, datediff(reference_date, MAX(sold_at)) AS recency\n\
    FROM sales\n";

const SHOP_NAMES: &str = "---\nentity: shop\ntime: sold_at\nwindows: [all]\n---\nSELECT MIN(sale) AS first_sale FROM sales\n";

const SHOP_TIMES: &str = "---\nentity: shop\ntime: sold_at\nwindows: [all]\n---\nSELECT MIN(sold_at) AS first_time FROM sales\n";
/// The same shops under another name, as seen by those beside them.
const NEIGHBOUR_SALES: &str = "---\nentity: neighbour\ntime: sold_at\nwindows: [all]\n---\n\
    SELECT SUM(amount) AS neighbour_revenue FROM (SELECT shop AS neighbour, sold_at, amount FROM sales) AS seen\n";

const MARKET_SALES: &str = "---\nentity: []\ntime: sold_at\nwindows: [all]\n---\nSELECT COUNT(*) AS market_sales FROM sales\n";

const COHORT: &str = "SELECT shop, reference_date FROM shop_sales WHERE sales_all > 0";

/// Whether a shop sells within some days, which is certain once they are over.
fn within(days: u32) -> String {
    format!(
        "SELECT cohort.shop, cohort.reference_date, COUNT(sales.sale) > 0 AS label,
            date_add(cohort.reference_date, CAST({days} AS INT)) AS label_known_at
        FROM cohort LEFT JOIN sales ON sales.shop = cohort.shop
            AND CAST(sold_at AS DATE) >= cohort.reference_date
            AND datediff(sold_at, cohort.reference_date) < {days}
        GROUP BY cohort.shop, cohort.reference_date"
    )
}

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

/// The project with its sources declared in other words.
fn declared(sources: &str) -> Project {
    let mut files = ProjectFiles::default();
    files.insert("safra.toml", SETTINGS);
    files.insert("sources.toml", sources);
    Project::from_files(&files).unwrap()
}

/// A lake with all features, and a problem.
struct Market {
    lake: Lake,
    project: Project,
    _home: TempDir,
}

impl Market {
    fn new(cohort: &str, label: &str, features: &str) -> Self {
        let problem = format!(
            "title = \"\"\nquestion = \"\"\npositive = \"\"\nrow = \"shop\"\nrows = \"shops\"\n\
            entity = [\"shop\"]\ncadence = \"month\"\nmetric = \"roc_auc\"\n\
            [cohort]\ndescription = \"\"\nsql = '''{cohort}'''\n\
            [label]\ndescription = \"\"\nsql = '''{label}'''\n\
            [features]\n{features}\n\
            [backtest]\ndates = 1\n[[learners]]\nname = \"baseline\"\n"
        );
        let mut files = ProjectFiles::default();
        files.insert("safra.toml", SETTINGS);
        files.insert("sources.toml", SOURCES);
        files.insert("features/shop_names.sql", SHOP_NAMES);
        files.insert("features/shop_sales.sql", SHOP_SALES);
        files.insert("features/shop_sales_too.sql", SHOP_SALES);
        files.insert("features/shop_times.sql", SHOP_TIMES);
        files.insert("features/neighbour_sales.sql", NEIGHBOUR_SALES);
        files.insert("features/market_sales.sql", MARKET_SALES);
        files.insert("problems/sells.toml", problem);
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("sales.csv"), SALES).unwrap();
        std::fs::write(home.path().join("shops.csv"), "shop\na\nb\n").unwrap();
        let market = Self {
            lake: Lake::new(home.path().join("lake")),
            project: Project::from_files(&files).unwrap(),
            _home: home,
        };
        market.fill(&["2017-01-01", "2017-02-01", "2017-03-01"]);
        market
    }

    /// Two shops that may sell within 15 days.
    fn plain() -> Self {
        Self::new(COHORT, &within(15), "views = [\"shop_sales\"]")
    }

    fn fill(&self, dates: &[&str]) {
        let folder = self._home.path();
        let views: Vec<_> = self.project.views.values().collect();
        let dates: Vec<NaiveDate> = dates.iter().map(|date| day(date)).collect();
        let progress = Arc::new(|_: &str, _: usize| {});
        block_on(async {
            ingest(&self.lake, &self.project, folder, &|_| {})
                .await
                .unwrap();
            backfill(&self.lake, &self.project, &views, &dates, progress)
                .await
                .unwrap();
        });
    }

    fn problem(&self) -> &Problem {
        self.project.problem("sells").unwrap()
    }

    fn labelled(&self) -> Result<Dataset, DatasetError> {
        block_on(Dataset::labelled(&self.lake, &self.project, self.problem()))
    }

    fn unlabelled(&self, date: &str) -> Result<Dataset, DatasetError> {
        let date = day(date);
        block_on(Dataset::unlabelled(
            &self.lake,
            &self.project,
            self.problem(),
            date,
        ))
    }
}

/// The features, all of which are numbers.
fn numbers(dataset: &Dataset) -> Vec<Vec<f64>> {
    let numbers = |column| match column {
        FeatureColumn::Numbers(numbers) => numbers,
        FeatureColumn::Texts(texts) => panic!("{texts:?}"),
    };
    let columns = dataset.feature_columns().unwrap();
    columns.into_iter().map(numbers).collect()
}

/// `shop date label known_at` of every row.
fn show(dataset: &Dataset) -> Vec<String> {
    let date = |days: i32| NaiveDate::from_epoch_days(days).unwrap();
    let known = dataset
        .rows()
        .column_by_name("label_known_at")
        .unwrap()
        .clone();
    let known = arrow::array::AsArray::as_primitive::<arrow::datatypes::Date32Type>(&known).clone();
    (0..dataset.len())
        .map(|row| {
            let label = dataset
                .label(row)
                .map_or("-".to_owned(), |label| label.to_string());
            let reference = date(dataset.reference_days()[row]);
            let known = known
                .iter()
                .nth(row)
                .unwrap()
                .map_or("-".to_owned(), |day| date(day).to_string());
            format!("{} {reference} {label} {known}", dataset.entity(row))
        })
        .collect()
}

fn error(cohort: &str, label: &str) -> String {
    let market = Market::new(cohort, label, "views = [\"shop_sales\"]");
    market.labelled().unwrap_err().to_string()
}

#[test]
fn rows_are_sorted_by_date_and_entity_and_carry_their_features() {
    let market = Market::new(
        &format!("{COHORT} ORDER BY shop DESC"),
        &format!("{} ORDER BY 2 DESC", within(15)),
        "views = [\"shop_sales\"]\nexclude = [\"recency_*\"]",
    );
    let dataset = market.labelled().unwrap();
    assert_eq!(
        show(&dataset),
        [
            "a 2017-02-01 true 2017-02-16",
            "b 2017-02-01 false 2017-02-16",
            "a 2017-03-01 false 2017-03-16",
            "b 2017-03-01 false 2017-03-16"
        ]
    );
    assert_eq!(
        dataset.dates(),
        [day("2017-01-01"), day("2017-02-01"), day("2017-03-01")]
    );
    assert_eq!(dataset.data_end(), day("2017-03-31"));
    assert_eq!(
        dataset.feature_names(),
        ["sales_30d", "revenue_30d", "sales_all", "revenue_all"]
    );
    let columns = numbers(&dataset);
    assert_eq!(columns[0], [1.0, 1.0, 1.0, 0.0]);
    assert_eq!(columns[2], [1.0, 1.0, 2.0, 1.0]);
    assert_eq!(columns[3], [10.0, 20.0, 40.0, 20.0]);
    assert!(columns[1][3].is_nan(), "there was no sale to sum");
}

#[test]
fn a_label_is_missing_until_the_data_reaches_the_day_on_which_it_is_certain() {
    let market = |days| Market::new(COHORT, &within(days), "views = [\"shop_sales\"]");
    let labels = |days| market(days).labelled().unwrap().labels();
    let settled = [Some(true), Some(false), Some(false), Some(true)];
    assert_eq!(
        labels(30),
        settled,
        "30 days from 2017-03-01 are over before 2017-03-31"
    );
    assert_eq!(
        labels(31),
        [Some(true), Some(false), None, None],
        "31 are not, sale or no sale"
    );
    assert_eq!(labels(59), [None; 4]);
}

#[test]
fn the_embargo_keeps_rows_out_until_the_day_after_they_are_settled() {
    let dataset = Market::plain().labelled().unwrap();
    assert_eq!(
        dataset.training_rows(day("2017-02-16")),
        Vec::<usize>::new()
    );
    assert_eq!(dataset.training_rows(day("2017-02-17")), [0, 1]);
    assert_eq!(dataset.settled_dates(), [day("2017-03-01")]);
    let splits = dataset
        .splits(day("2017-02-02"), day("2017-12-01"))
        .unwrap();
    assert_eq!(splits.len(), 1);
    assert_eq!(
        (&splits[0].train, &splits[0].test),
        (&vec![0, 1], &vec![2, 3])
    );

    let market = Market::new(COHORT, &within(28), "views = [\"shop_sales\"]");
    let error = market
        .labelled()
        .unwrap()
        .splits(day("2017-03-01"), day("2017-03-01"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "sells: 2017-03-01 cannot be judged: no label was settled before it\nhint: the first and last dates that can are none and none"
    );
}

#[test]
fn dates_that_cannot_judge_are_refused_with_the_reason() {
    let refused = |days, date| {
        let market = Market::new(COHORT, &within(days), "views = [\"shop_sales\"]");
        let error = market.labelled().unwrap().splits(day(date), day(date));
        error
            .unwrap_err()
            .to_string()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let start = "cannot be judged:";
    assert_eq!(
        refused(15, "2017-01-01"),
        format!("sells: 2017-01-01 {start} nobody is asked about then")
    );
    assert_eq!(
        refused(31, "2017-03-01"),
        format!("sells: 2017-03-01 {start} 2 of 2 labels are not settled yet")
    );
    assert_eq!(
        refused(15, "2017-03-02"),
        format!("sells: 2017-03-02 {start} the training set has no reference date from then on")
    );
}

#[test]
fn the_past_knows_no_label_that_was_not_certain_yet() {
    let dataset = Market::plain().labelled().unwrap();
    let labels = |date: &str| dataset.clone().known_by(day(date)).labels();
    assert_eq!(labels("2017-03-15"), [Some(true), Some(false), None, None]);
    assert_eq!(
        labels("2017-03-16"),
        [Some(true), Some(false), Some(false), Some(false)]
    );
    assert_eq!(labels("2017-02-15"), [None; 4]);
    let past = dataset.clone().known_by(day("2017-03-15"));
    assert_eq!(past.len(), dataset.len());
    assert_eq!(
        show(&past)[1..3],
        ["b 2017-02-01 false 2017-02-16", "a 2017-03-01 - 2017-03-16"],
        "the day of certainty is no secret"
    );
    let labels = past.rows().column_by_name("label").unwrap();
    assert_eq!(labels.null_count(), 2, "the table agrees");
    assert!(past.settled_dates().is_empty());
}

#[test]
fn every_row_of_the_cohort_needs_exactly_one_label() {
    let forgetful = format!(
        "SELECT * FROM ({}) WHERE shop = 'a' OR reference_date < '2017-03-01'",
        within(15)
    );
    assert_eq!(
        error(COHORT, &forgetful),
        "problems/sells.toml: label.sql: returns no row for reference_date = 2017-03-01, shop = b"
    );
    let twice = format!("{0} UNION ALL {0}", within(15));
    assert!(error(COHORT, &twice).starts_with(
        "problems/sells.toml: label.sql: returns a row twice: reference_date = 2017-0"
    ),);
    let market = Market::new(
        COHORT,
        &format!(
            "{} UNION ALL SELECT 'z', CAST('2017-02-01' AS DATE), true, CAST('2017-02-02' AS DATE)",
            within(15)
        ),
        "views = [\"shop_sales\"]",
    );
    assert_eq!(
        market.labelled().unwrap().len(),
        4,
        "rows that nobody asked for are left out"
    );
}

#[test]
fn a_label_must_become_certain_after_its_reference_date() {
    let known_at = |expression: &str| {
        within(15).replace(
            "date_add(cohort.reference_date, CAST(15 AS INT))",
            expression,
        )
    };
    let message = "problems/sells.toml: label.sql: label_known_at is missing or not after the reference date for reference_date = ";
    for expression in [
        "cohort.reference_date",
        "date_sub(cohort.reference_date, CAST(1 AS INT))",
        "CAST(NULL AS DATE)",
        "CASE WHEN cohort.shop = 'b' THEN NULL ELSE date_add(cohort.reference_date, CAST(1 AS INT)) END",
    ] {
        let error = error(COHORT, &known_at(expression));
        assert!(error.starts_with(message), "{expression}: {error}");
    }
    assert!(
        error(
            COHORT,
            &known_at(
                "CASE WHEN cohort.shop = 'b' THEN NULL ELSE date_add(cohort.reference_date, CAST(1 AS INT)) END"
            )
        )
        .ends_with("2017-02-01, shop = b")
    );
}

#[test]
fn a_label_returns_the_columns_that_name_and_date_it() {
    for column in ["shop", "reference_date", "label", "label_known_at"] {
        let others: Vec<&str> = ["shop", "reference_date", "label", "label_known_at"]
            .into_iter()
            .filter(|other| *other != column)
            .collect();
        let label = format!("SELECT {} FROM ({})", others.join(", "), within(15));
        assert_eq!(
            error(COHORT, &label),
            format!("problems/sells.toml: label.sql: does not return {column}")
        );
    }
}

#[test]
fn a_cohort_sees_feature_views_only() {
    let message = "problems/sells.toml: cohort.sql: a cohort reads feature views only: no such feature view: sales\n\
        hint: the project declares: market_sales, neighbour_sales, shop_names, shop_sales, shop_sales_too, shop_times";
    let source = "SELECT shop, CAST('2017-02-01' AS DATE) AS reference_date FROM sales";
    assert_eq!(error(source, &within(15)), message);
    let hidden =
        "SELECT shop, reference_date FROM shop_sales WHERE shop IN (SELECT shop FROM sales)";
    assert_eq!(error(hidden, &within(15)), message);
}

#[test]
fn a_cohort_asks_about_each_entity_once_and_says_when() {
    let start = "problems/sells.toml: cohort.sql:";
    let cases = [
        (
            "SELECT shop FROM shop_sales",
            "does not return reference_date",
        ),
        (
            "SELECT reference_date FROM shop_sales",
            "does not return shop",
        ),
        (
            "SELECT shop, CAST(reference_date AS VARCHAR) AS reference_date FROM shop_sales",
            "returns reference_date as Utf8, not as a date",
        ),
        (
            "SELECT NULLIF(shop, 'a') AS shop, reference_date FROM shop_sales",
            "returns 2 rows without shop",
        ),
        (
            "SELECT 'a' AS shop, reference_date FROM shop_sales",
            "returns a row twice: reference_date = 2017-02-01, shop = a",
        ),
    ];
    for (cohort, message) in cases {
        let found = error(cohort, &within(15));
        assert_eq!(found, format!("{start} {message}"));
    }
    let wrong = error("SELECT shop, FROM", &within(15));
    assert!(wrong.starts_with(start), "{wrong}");
}

#[test]
fn a_label_that_reads_nothing_dated_cannot_be_placed_in_time() {
    let label = "SELECT cohort.shop, reference_date, true AS label, date_add(reference_date, CAST(1 AS INT)) AS label_known_at FROM cohort JOIN shops ON shops.shop = cohort.shop";
    let message = error(COHORT, label);
    assert!(
        message
            .starts_with("problems/sells.toml: the sources that the label reads hold no dated row"),
        "{message}"
    );
}

#[test]
fn rows_to_be_scored_have_features_and_no_label() {
    let market = Market::plain();
    market.fill(&["2017-03-31"]);
    let dataset = market.unlabelled("2017-03-31").unwrap();
    assert_eq!(show(&dataset), ["a 2017-03-31 - -", "b 2017-03-31 - -"]);
    assert_eq!(numbers(&dataset)[5], [44.0, 1.0]);
    let after = market.unlabelled("2017-04-01").unwrap_err();
    assert_eq!(
        after.to_string(),
        "sells: the reference date 2017-04-01 is after the end of the data\n\
        hint: the data is complete for days before 2017-03-31, so 2017-03-31 is the last date that can be asked about"
    );
    let missing = market.unlabelled("2017-03-30").unwrap_err().to_string();
    assert!(
        missing.starts_with("features/shop_sales: no features for 1 of 1 dates"),
        "{missing}"
    );
}

#[test]
fn texts_are_features_too() {
    let features = "views = [\"shop_sales\", \"shop_names\"]";
    let dataset = Market::new(COHORT, &within(15), features)
        .labelled()
        .unwrap();
    let position = dataset
        .feature_names()
        .iter()
        .position(|name| name == "first_sale_all")
        .unwrap();
    let texts = StringArray::from(vec!["s1", "s2", "s1", "s2"]);
    assert_eq!(
        dataset.feature_columns().unwrap()[position],
        FeatureColumn::Texts(texts)
    );
}

#[test]
fn features_must_be_numbers_or_texts_of_different_names() {
    let fails = |features: &str| {
        let market = Market::new(COHORT, &within(15), features);
        let dataset = market.labelled();
        dataset
            .and_then(|dataset| dataset.feature_columns())
            .unwrap_err()
            .to_string()
    };
    assert!(
        fails("views = [\"shop_sales\", \"shop_times\"]")
            .contains("first_time_all is Timestamp(µs), neither a number nor a text\nhint: "),
    );
    assert_eq!(
        fails("views = [\"shop_sales\", \"shop_sales_too\"]"),
        "problems/sells.toml: features: sales_30d: two of the views have a feature of that name"
    );
    assert_eq!(
        fails("views = [\"shop_names\"]\nexclude = [\"first*\"]"),
        "problems/sells.toml: features: the views and exclusions leave no feature"
    );
}

#[test]
fn features_of_something_else_are_joined_by_a_column_of_the_cohort() {
    let cohort = "SELECT shop, reference_date, CASE WHEN shop = 'a' THEN 'b' END AS neighbour FROM shop_sales WHERE sales_all > 0";
    let market = Market::new(
        cohort,
        &within(15),
        "views = [\"shop_sales\", \"neighbour_sales\", \"market_sales\"]",
    );
    let dataset = market.labelled().unwrap();
    let names = dataset.feature_names();
    let columns = numbers(&dataset);
    let column = |name: &str| &columns[names.iter().position(|held| held == name).unwrap()];
    assert_eq!(column("sales_all"), &[1.0, 1.0, 2.0, 1.0]);
    let neighbour = column("neighbour_revenue_all");
    assert_eq!(
        (neighbour[0], neighbour[2]),
        (20.0, 20.0),
        "a's neighbour is b"
    );
    assert!(
        neighbour[1].is_nan() && neighbour[3].is_nan(),
        "b has no neighbour"
    );
    assert_eq!(column("market_sales_all"), &[2.0, 2.0, 3.0, 3.0]);
    assert!(!names.contains(&"neighbour".to_owned()), "{names:?}");

    let market = Market::new(COHORT, &within(15), "views = [\"neighbour_sales\"]");
    assert_eq!(
        market.labelled().unwrap_err().to_string(),
        "problems/sells.toml: features: the view neighbour_sales is about neighbour, which the cohort does not return"
    );
}

#[test]
fn a_date_without_anyone_judges_nothing_and_is_passed_over() {
    let market = Market::new(
        &format!("{COHORT} AND reference_date <> CAST('2017-02-01' AS DATE)"),
        &within(2),
        "views = [\"shop_sales\"]",
    );
    market.fill(&["2017-01-01", "2017-02-01", "2017-03-01"]);
    let dataset = market.labelled().unwrap();
    assert!(dataset.rows_at(day("2017-02-01")).is_empty());
    assert_eq!(dataset.rows_at(day("2017-03-01")), [0, 1]);
    let error = dataset.splits(day("2017-01-01"), day("2017-03-01"));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("sells: 2017-03-01 cannot be judged: no label was settled before it"),
    );
    let error = dataset.last_splits(3).unwrap_err().to_string();
    assert_eq!(
        error,
        "sells: no date has settled labels and settled labels before it to learn from\n\
        hint: 2 of 2 labels are settled, the first of all settles on 2017-03-03, and the data is complete for days before 2017-03-31"
    );
    let all = Market::plain().labelled().unwrap();
    let splits = all.splits(day("2017-01-01"), day("2017-03-01"));
    assert!(
        splits.is_err(),
        "2017-02-01 has rows, and nothing before it to learn from"
    );
    assert_eq!(
        all.last_splits(1).unwrap(),
        all.splits(day("2017-02-02"), day("2017-03-01")).unwrap()
    );
}

#[test]
fn tables_without_rows_behind_cohort_or_label_are_named() {
    let market = Market::plain();
    let folder = market._home.path();
    std::fs::write(folder.join("sales.csv"), "sale,shop,sold_at,amount\n").unwrap();
    let lake = Lake::new(folder.join("empty"));
    block_on(ingest(&lake, &market.project, folder, &|_| {})).unwrap();
    let error = block_on(Dataset::dates_of(&lake, &market.project, market.problem())).unwrap_err();
    assert!(
        matches!(
            error,
            DatasetError::EmptySources {
                optional: false,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "sells: its cohort and label need rows in sales, of which the lake has none\n\
        hint: `safra ingest DIR` reads them from sales.csv"
    );
}

#[test]
fn the_table_in_the_lake_is_the_training_set() {
    let market = Market::plain();
    let dataset = market.labelled().unwrap();
    for version in 0..2 {
        assert_eq!(block_on(dataset.write(&market.lake)).unwrap(), version);
    }
    let table = market.lake.table(Folder::Datasets, "sells");
    let snapshot = block_on(table.snapshot()).unwrap().unwrap();
    let written = snapshot.read(None).unwrap();
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].columns(), dataset.rows().columns());
}

#[test]
fn columns_are_dated_by_their_names_even_if_the_declaration_has_changed_since_the_ingest() {
    let market = Market::plain();
    let names = BTreeSet::from(["sales".to_owned()]);
    let load = |sources: &str| block_on(History::load(&market.lake, &declared(sources), &names));
    let hidden = SOURCES.replace("sale = \"string\"\n", "").replace(
        "amount = \"float\"",
        "amount = { type = \"float\", known_at = \"never\" }\nsale = \"string\"",
    );
    let known = load(&hidden)
        .unwrap()
        .source("sales")
        .unwrap()
        .cut(day("2017-02-01"))
        .unwrap();
    let column = |name: &str| known.column_by_name(name).unwrap();
    assert_eq!(known.num_rows(), 2);
    assert_eq!(column("amount").null_count(), 2, "what is never known");
    assert_eq!(column("sale").as_string::<i32>().value(1), "s2");
    assert_eq!(column("shop").as_string::<i32>().value(1), "b");

    for (changed, column) in [
        (
            SOURCES.replace("amount =", "price = \"float\"\namount ="),
            "price",
        ),
        (
            SOURCES.replace("amount = \"float\"", "amount = \"string\""),
            "amount",
        ),
    ] {
        assert_eq!(
            load(&changed).unwrap_err().to_string(),
            format!(
                "sources/sales: {column} is not in the lake as sources.toml declares it now\nhint: `safra ingest DIR` brings the table up to date"
            )
        );
    }
}
