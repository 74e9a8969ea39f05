//! The binary on a small marketplace, as its users run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use safra_lake::{Folder, Lake};
use safra_marketplace::{Parameters, generate};
use serde_json::Value;
use tempfile::TempDir;

/// The metrics of a backtest, in the order in which they are printed.
const METRICS: [&str; 6] = [
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
    "lift_at_10",
];

/// A working directory with the files of a marketplace in `data`, whose data ends before 2018-06-01.
struct Home {
    folder: TempDir,
}

/// What came of a command.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Home {
    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn new() -> Self {
        let home = Self::empty();
        let parameters = Parameters {
            scale: 0.03,
            seed: 7,
            ..Parameters::default()
        };
        generate(&parameters, &home.path("data"), &|_, _| {}).unwrap();
        home
    }

    /// With everything that `safra run` makes.
    fn finished() -> Self {
        let home = Self::new();
        home.ok(&["run", "--source", "data"]);
        home
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safra"));
        command.current_dir(self.folder.path()).args(arguments);
        for variable in [
            "MLFLOW_TRACKING_URI",
            "SAFRA_LOG",
            "RAYON_NUM_THREADS",
            "COLUMNS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    fn safra(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Standard output of a command that must succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        self.safra(arguments).ok(arguments)
    }

    /// The one JSON document that a command prints.
    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The predictions without the time at which they were made.
    fn predictions(&self) -> Vec<Value> {
        let query = "SELECT * FROM predictions.churn ORDER BY reference_date, seller_id";
        let Value::Array(mut rows) = self.json(&["sql", query]) else {
            panic!("not a list");
        };
        for row in &mut rows {
            assert!(row.as_object_mut().unwrap().remove("scored_at").is_some());
        }
        rows
    }

    /// The version of every table in some folders of the lake.
    fn versions(&self, folders: &[Folder]) -> BTreeMap<String, u64> {
        let lake = Lake::new(self.path("lake"));
        let mut versions = BTreeMap::new();
        for folder in folders {
            for name in lake.table_names(*folder).unwrap() {
                let table = lake.table(*folder, &name);
                let snapshot = block_on(table.snapshot()).unwrap().unwrap();
                versions.insert(table.name().to_owned(), snapshot.version());
            }
        }
        versions
    }

    /// The registered versions of the model, and the champion among them.
    fn models(&self) -> (Vec<u32>, Option<u32>) {
        let store = safra_mlflow::open(self.path("mlruns").to_str().unwrap()).unwrap();
        let versions = store.list_model_versions("olist-churn").unwrap();
        let champion = store.get_model_version_by_alias("olist-churn", "champion");
        (
            versions.iter().map(|version| version.version).collect(),
            champion.unwrap().map(|version| version.version),
        )
    }
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn ok(self, arguments: &[&str]) -> String {
        assert_eq!(self.code, Some(0), "{arguments:?}: {}", self.stderr);
        self.stdout
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn run_goes_from_files_to_the_report_and_a_second_run_reuses_everything() {
    let home = Home::new();
    let ran = home.safra(&["run", "--source", "data"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for step in [
        "ingest",
        "features churn",
        "train churn",
        "promote churn",
        "predict churn",
        "report",
    ] {
        assert!(
            ran.stdout.contains(&format!("\n {step} ")),
            "{step}: {}",
            ran.stdout
        );
        assert!(
            ran.stderr.contains(&format!("{step}: ")),
            "{step}: {}",
            ran.stderr
        );
    }
    let report = std::fs::read_to_string(home.path("report.html")).unwrap();
    assert!(report.starts_with("<!") && report.trim_end().ends_with("</html>"));
    assert!(report.contains("Seller churn"));
    let predictions = home.predictions();
    assert!(!predictions.is_empty());
    for row in &predictions {
        assert_eq!(row["reference_date"], "2018-06-01");
        assert_eq!(
            (&row["model"], &row["model_version"]),
            (&"olist-churn".into(), &1.into())
        );
        let score = row["score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
    assert_eq!(home.models(), (vec![1], Some(1)));

    let kept = [Folder::Sources, Folder::Features];
    let versions = home.versions(&kept);
    assert!(versions.len() >= 11 + 7, "{versions:?}");
    for arguments in [
        &["run", "--source", "data"][..],
        &["run", "--out", "again.html"],
    ] {
        let again = home.safra(arguments);
        assert_eq!(again.code, Some(0), "{}", again.stderr);
        assert!(
            again.stderr.contains(" 0 dates computed"),
            "{}",
            again.stderr
        );
        assert!(again.stderr.contains("up to date"), "{}", again.stderr);
        assert_eq!(home.versions(&kept), versions);
        assert_eq!(home.models(), (vec![1], Some(1)));
        assert_eq!(home.predictions(), predictions);
    }
    assert!(home.path("again.html").exists());
    let steps = home.json(&["run"]);
    assert_eq!(keys(&steps), ["steps", "lake", "tracking", "report"]);
    assert_eq!(keys(&steps["steps"][0]), ["name", "seconds", "detail"]);
}

/// When to kill a run, and how to tell.
type Moment<'a> = (&'static str, Box<dyn Fn() -> bool + 'a>);

/// Kills a run as soon as something is there, and says whether it was still alive.
fn kill_once(home: &Home, there: impl Fn() -> bool) -> bool {
    let mut run: Child = home
        .command(&["run", "--source", "data", "--quiet"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !there() {
        match run.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{status}");
                return false;
            }
            None => sleep(Duration::from_millis(1)),
        }
    }
    run.kill().unwrap();
    !run.wait().unwrap().success()
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Runs of the experiment of churn, the only one beside the default.
fn runs(home: &Home) -> usize {
    let folders = std::fs::read_dir(home.path("mlruns")).into_iter().flatten();
    let experiments = folders.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let numbered = experiments.filter(|name| name.parse::<u64>().is_ok_and(|number| number > 0));
    numbered
        .map(|name| entries(&home.path("mlruns").join(name)))
        .sum()
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_stopped() {
    let undisturbed = Home::finished();
    let home = Home::new();
    let version = |number: u32| home.path(&format!("mlruns/models/olist-churn/version-{number}"));
    let moments: [Moment<'_>; 8] = [
        ("at the start", Box::new(|| true)),
        (
            "in the ingest",
            Box::new(|| home.path("lake/sources/orders/_delta_log").exists()),
        ),
        (
            "late in the ingest",
            Box::new(|| home.path("lake/sources/order_reviews").exists()),
        ),
        (
            "in the features",
            Box::new(|| entries(&home.path("lake/features")) > 0),
        ),
        (
            "before the training",
            Box::new(|| entries(&home.path("lake/datasets/churn/_delta_log")) > 0),
        ),
        ("in the training", Box::new(|| runs(&home) > 3)),
        ("before the promotion", Box::new(|| version(1).exists())),
        (
            "in the scoring",
            Box::new(|| home.path("lake/predictions/churn").exists()),
        ),
    ];
    let killed: Vec<&str> = moments
        .iter()
        .filter(|(_, there)| kill_once(&home, there))
        .map(|(name, _)| *name)
        .collect();
    assert!(killed.len() >= 5, "killed only {killed:?}");
    home.ok(&["run", "--source", "data"]);
    assert_eq!(home.predictions(), undisturbed.predictions());
    assert_eq!(home.models(), (vec![1], Some(1)));
    let folders = [Folder::Sources, Folder::Features, Folder::Datasets];
    let names = |home: &Home| home.versions(&folders).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&home), names(&undisturbed));
    for table in names(&home) {
        let count = format!("SELECT COUNT(*) AS rows FROM {}", table.replace('/', "."));
        assert_eq!(
            home.json(&["sql", &count]),
            undisturbed.json(&["sql", &count]),
            "{table}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let results = ["1", "3"].map(|threads| {
        let home = Home::new();
        let ran = |arguments: &[&str]| {
            let mut command = home.command(arguments);
            Ran::of(command.env("RAYON_NUM_THREADS", threads)).ok(arguments)
        };
        ran(&["run", "--source", "data"]);
        let backtest = ran(&["backtest", "churn", "--json"]);
        (backtest, home.predictions())
    });
    let [(first, scored), (second, scored_again)] = results;
    assert_eq!(first, second);
    assert_eq!(scored, scored_again);
}

#[test]
fn json_documents_have_these_shapes() {
    let home = Home::new();
    let ingest = home.json(&["ingest", "data"]);
    assert_eq!(keys(&ingest), ["tables", "stale"]);
    let tables = ingest["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 11);
    for table in tables {
        assert_eq!(
            keys(table),
            [
                "table",
                "read",
                "new",
                "changed",
                "unchanged",
                "rejected",
                "rows",
                "note"
            ]
        );
    }
    let features = home.json(&[
        "features",
        "seller_sales",
        "--from",
        "2018-01-01",
        "--to",
        "2018-03-01",
    ]);
    assert_eq!(
        keys(&features[0]),
        ["view", "dates", "computed", "rows", "features"]
    );
    assert_eq!(
        (&features[0]["dates"], &features[0]["computed"]),
        (&3.into(), &3.into())
    );
    let dataset = home.json(&["dataset", "churn"]);
    assert_eq!(
        keys(&dataset),
        ["problem", "table", "rows", "features", "data_end", "dates"]
    );
    assert_eq!(dataset["data_end"], "2018-06-01");
    check_backtest(&home);

    let train = home.json(&["train", "churn"]);
    assert_eq!(
        keys(&train),
        [
            "problem", "model", "version", "learner", "reused", "run_id", "mean"
        ]
    );
    assert_eq!(
        (&train["version"], &train["reused"]),
        (&1.into(), &false.into())
    );
    let promote = home.json(&["promote", "churn"]);
    assert_eq!(
        keys(&promote),
        [
            "model",
            "challenger",
            "previous_champion",
            "promoted",
            "forced",
            "reason",
            "comparison"
        ]
    );
    check_predict(&home);
}

/// A row of a backtest without its intervals, for which all dates that are judged are resampled together.
fn without_intervals(row: &Value) -> Value {
    let mut row = row.clone();
    row.as_object_mut().unwrap().remove("intervals");
    row
}

fn check_backtest(home: &Home) {
    let backtest = home.json(&["backtest", "churn"]);
    assert_eq!(keys(&backtest), ["problem", "rows", "mean", "calibration"]);
    assert_eq!(backtest["problem"], "churn");
    let rows = backtest["rows"].as_array().unwrap();
    let learners = [
        "baseline",
        "recency",
        "logistic_regression",
        "lightgbm",
        "blend",
    ];
    assert_eq!(rows.len(), 7 * learners.len());
    for (row, learner) in rows.iter().zip(learners.into_iter().cycle()) {
        let counts = [
            "reference_date",
            "learner",
            "train_rows",
            "rows",
            "positives",
        ];
        assert_eq!(keys(row), [&counts[..], &METRICS, &["intervals"]].concat());
        assert_eq!(row["learner"], learner);
        assert!(row["positives"].as_u64() <= row["rows"].as_u64());
        assert!(
            METRICS
                .iter()
                .all(|metric| row[metric].is_number() || row[metric].is_null())
        );
    }
    assert_eq!(rows[0]["reference_date"], "2017-10-01");
    let mean = backtest["mean"].as_array().unwrap();
    for (row, learner) in mean.iter().zip(learners) {
        assert_eq!(
            keys(row),
            [&["learner"], &METRICS[..], &["intervals"]].concat()
        );
        assert_eq!(row["learner"], learner);
        for (metric, interval) in row["intervals"].as_object().unwrap() {
            assert_eq!(interval["estimate"], row[metric]);
            assert!(interval["lower"].as_f64() <= interval["upper"].as_f64());
        }
    }
    for (row, mean) in backtest["calibration"].as_array().unwrap().iter().zip(mean) {
        assert_eq!(keys(row), ["learner", "methods", "before", "after"]);
        assert_eq!(row["methods"].as_object().unwrap().len(), 7);
        assert_eq!(row["after"]["log_loss"], mean["log_loss"]);
    }
    let narrow = home.json(&[
        "backtest",
        "churn",
        "--learner",
        "recency",
        "--from",
        "2018-01-15",
        "--to",
        "2018-03-01",
    ]);
    let dates: Vec<&Value> = narrow["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["reference_date"])
        .collect();
    assert_eq!(dates, ["2018-02-01", "2018-03-01"]);
    let whole = rows
        .iter()
        .find(|row| row["reference_date"] == "2018-02-01" && row["learner"] == "recency");
    assert_eq!(
        without_intervals(&narrow["rows"][0]),
        without_intervals(whole.unwrap()),
        "fewer learners and dates give the same numbers"
    );
}

fn check_predict(home: &Home) {
    let predict = home.json(&["predict", "churn"]);
    assert_eq!(
        keys(&predict),
        [
            "problem",
            "reference_date",
            "model",
            "model_version",
            "rows",
            "mean_score",
            "table",
            "top"
        ]
    );
    assert_eq!(predict["table"], "predictions/churn");
    let top = predict["top"].as_array().unwrap();
    assert_eq!(keys(&top[0]), ["entity", "score", "reasons"]);
    let scores: Vec<f64> = top
        .iter()
        .map(|row| row["score"].as_f64().unwrap())
        .collect();
    assert!(
        scores.is_sorted_by(|higher, lower| higher >= lower),
        "{scores:?}"
    );
    assert_eq!(
        home.predictions().len() as u64,
        predict["rows"].as_u64().unwrap()
    );
}

#[test]
fn predicting_again_replaces_the_scores_of_that_date_only() {
    let home = Home::finished();
    let first = home.predictions();
    home.ok(&["predict", "churn"]);
    assert_eq!(home.predictions(), first);
    let may = home.json(&["predict", "churn", "--at", "2018-05-10"]);
    let both = home.predictions();
    assert_eq!(
        both.len() as u64,
        first.len() as u64 + may["rows"].as_u64().unwrap()
    );
    assert_eq!(both[both.len() - first.len()..], first);
    home.ok(&["predict", "churn", "--at", "2018-05-10"]);
    assert_eq!(home.predictions(), both);
}

#[test]
fn a_challenger_becomes_champion_only_if_it_is_better() {
    let home = Home::new();
    home.ok(&["init", "plain"]);
    let problem = home.path("plain/problems/churn.toml");
    let text = std::fs::read_to_string(&problem).unwrap();
    let (declared, _) = text.split_once("[[learners]]").unwrap();
    let baseline = format!("{declared}[[learners]]\nname = \"baseline\"\n");
    std::fs::write(&problem, baseline).unwrap();
    home.ok(&["--project", "plain", "run", "--source", "data"]);
    assert_eq!(home.models(), (vec![1], Some(1)));
    let same = home.safra(&["promote", "churn"]);
    assert_eq!(
        same.code,
        Some(0),
        "the latest version is the champion: {}",
        same.stderr
    );

    home.ok(&["train", "churn"]);
    let promoted = home.json(&["promote", "churn"]);
    assert_eq!(
        (&promoted["challenger"], &promoted["promoted"]),
        (&2.into(), &true.into())
    );
    assert_eq!(home.models(), (vec![1, 2], Some(2)));
    home.ok(&["predict", "churn"]);
    let predictions = home.predictions();
    assert!(predictions.iter().all(|row| row["model_version"] == 2));

    let earlier = ["--project", "plain", "train", "churn", "--at", "2018-03-01"];
    let trained = home.json(&earlier);
    assert_eq!(
        (&trained["version"], &trained["reused"]),
        (&3.into(), &false.into())
    );
    let refused = home.safra(&["promote", "churn"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(
        refused.stdout.contains("version 2 stays champion"),
        "{}",
        refused.stdout
    );
    assert!(
        refused.stderr.contains("version 3 stays registered"),
        "{}",
        refused.stderr
    );
    assert_eq!(home.models(), (vec![1, 2, 3], Some(2)));
    home.ok(&["predict", "churn"]);
    assert_eq!(home.predictions(), predictions);
    let again = home.json(&earlier);
    assert_eq!(
        (&again["version"], &again["reused"]),
        (&3.into(), &true.into())
    );
}

/// Commands that are refused with exit code 2, and what they say.
fn check_refused(home: &Home, cases: &[(&[&str], &str)]) {
    for (arguments, message) in cases {
        let ran = home.safra(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(message),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}

#[test]
fn wrong_usage_and_missing_tables_are_refused_with_exit_code_2() {
    let home = Home::new();
    home.ok(&["init", "broken"]);
    std::fs::write(home.path("broken/safra.toml"), "name = \"x\"\nfirst = 1\n").unwrap();
    std::fs::create_dir_all(home.path("few")).unwrap();
    check_refused(
        &home,
        &[
            (&[], "Usage"),
            (&["predictt"], "unrecognized subcommand 'predictt'"),
            (
                &["predict", "churn", "--at", "yesterday"],
                "invalid value 'yesterday'",
            ),
            (
                &["predict", "nonsense"],
                "error: no such problem: nonsense\nhint: the project declares: ",
            ),
            (
                &["predict", "churn"],
                "error: olist-churn: there is no champion\nhint: ",
            ),
            (
                &["promote", "churn"],
                "error: olist-churn: no version is registered\nhint: ",
            ),
            (
                &["backtest", "churn"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["train", "churn"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["dataset", "churn"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["features"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["report"],
                "error: there is no champion to report on\nhint: ",
            ),
            (&["ingest", "nowhere"], "error: nowhere: no such folder"),
            (
                &["ingest", "few"],
                "error: few/olist_orders_dataset.csv: no such file; the source orders needs it\nhint: ",
            ),
            (
                &["--project", "nowhere", "features"],
                "error: nowhere: no such folder\nhint: `safra init nowhere`",
            ),
            (&["--project", "broken", "features"], "error: safra.toml: "),
            (
                &["--project", "few", "features"],
                "error: safra.toml: no such file in the project\nhint: `safra init`",
            ),
            (&["sql", "SELEC 1"], "error: "),
            (&["sql", "SELECT * FROM orders"], "error: "),
        ],
    );
    assert!(!home.path("lake").exists(), "what is refused makes nothing");
    assert!(!home.path("mlruns").exists());
}

#[test]
fn dates_and_names_that_the_data_does_not_reach_are_refused_with_exit_code_2() {
    let home = Home::finished();
    let predictions = home.predictions();
    check_refused(
        &home,
        &[
            (
                &["predict", "churn", "--at", "2018-06-02"],
                "error: churn: the reference date 2018-06-02 is after the end of the data\nhint: ",
            ),
            (
                &["train", "churn", "--at", "2018-06-02"],
                "error: churn: 2018-06-02 is after the end of the data",
            ),
            (
                &["train", "churn", "--at", "2017-01-15"],
                "error: churn: no date has settled labels",
            ),
            (
                &["features", "--to", "2018-06-02"],
                "error: --to 2018-06-02 is after the end of the data\nhint: ",
            ),
            (
                &["features", "sales"],
                "error: no such feature view: sales\nhint: the project declares: ",
            ),
            (
                &["backtest", "churn", "--to", "2018-06-01"],
                "labels are not settled yet\nhint: the first and last dates that can are ",
            ),
            (
                &["backtest", "churn", "--learner", "oracle"],
                "no such learner in problems/churn.toml: oracle\nhint: it declares: baseline",
            ),
        ],
    );
    assert_eq!(home.predictions(), predictions);
    assert_eq!(home.models(), (vec![1], Some(1)));
}

#[test]
fn what_is_nobodys_fault_has_exit_code_3() {
    let home = Home::new();
    std::fs::write(home.path("file"), "").unwrap();
    let ran = home.safra(&["--lake", "file", "ingest", "data"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: file"), "{}", ran.stderr);
}

#[test]
fn results_go_to_standard_output_and_messages_to_standard_error() {
    let home = Home::new();
    let items = home.path("data/olist_order_items_dataset.csv");
    let mut text = std::fs::read_to_string(&items).unwrap();
    text.push_str("nowhere,1,nothing,nobody,2018-01-01 00:00:00,1.0,1.0\n");
    std::fs::write(&items, text).unwrap();
    let loud = home.safra(&["ingest", "data"]);
    assert_eq!(loud.code, Some(0));
    assert!(
        loud.stderr
            .starts_with("warning: order_items: 1 rows rejected\nhint: "),
        "{}",
        loud.stderr
    );
    assert!(loud.stdout.contains(" order_items ") && !loud.stdout.contains("warning"));

    let quiet = home.safra(&["-q", "ingest", "data"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    assert!(quiet.stdout.contains(" order_items "));
    let run = home.safra(&["run", "--quiet", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    serde_json::from_str::<Value>(&run.stdout).unwrap();

    let query = "SELECT line, \"column\", reason FROM rejected.order_items";
    let rejected = home.json(&["sql", query]);
    assert_eq!(rejected[0]["column"], "order_id");
    assert_eq!(
        rejected[0]["reason"],
        "no such row in orders: order_id = nowhere"
    );
    let table = home.ok(&["sql", query]);
    assert!(
        table.contains(" no such row in orders: order_id = nowhere "),
        "{table}"
    );
}

#[test]
fn a_reader_that_stops_reading_is_no_error_but_a_full_disk_is() {
    let home = Home::new();
    let mut child = home
        .command(&["ingest", "data"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );

    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: there is no /dev/full");
        return;
    };
    let mut ingest = home.command(&["ingest", "data"]);
    let output = ingest.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: standard output: "), "{message}");
}

#[test]
fn init_writes_a_project_that_is_read_and_keeps_what_is_there() {
    let home = Home::new();
    let written = home.safra(&["init", "shop"]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    assert!(
        written.stderr.starts_with("shop: ") && written.stderr.contains(" files written, 0 kept")
    );
    for file in [
        "safra.toml",
        "sources.toml",
        "problems/churn.toml",
        "features/seller_sales.sql",
    ] {
        let text = std::fs::read_to_string(home.path("shop").join(file)).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../olist")
            .join(file);
        assert_eq!(text, std::fs::read_to_string(shipped).unwrap(), "{file}");
    }
    assert_eq!(home.ok(&["-q", "init", "other"]), "");

    let settings = home.path("shop/safra.toml");
    let changed = std::fs::read_to_string(&settings)
        .unwrap()
        .replace("2017-01-01", "2018-05-01");
    std::fs::write(&settings, &changed).unwrap();
    std::fs::remove_file(home.path("shop/features/seller_sales.sql")).unwrap();
    let again = home.safra(&["init", "shop"]);
    assert!(
        again.stderr.contains("shop: 1 files written, "),
        "{}",
        again.stderr
    );
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), changed);

    home.ok(&["ingest", "data"]);
    let view = ["features", "seller_sales", "--project", "shop"];
    assert_eq!(
        home.json(&view)[0]["dates"],
        2,
        "from the first date of this project"
    );
    let inside = home.json(&["features", "seller_sales"]);
    assert_eq!(
        inside[0]["dates"], 18,
        "from that of the project in the binary"
    );
    let mut here = home.command(&["features", "seller_sales", "--lake", "../lake", "--json"]);
    let there = Ran::of(here.current_dir(home.path("shop"))).ok(&["in the project's folder"]);
    let there: Value = serde_json::from_str(&there).unwrap();
    assert_eq!(there[0]["dates"], 2, "the working directory is a project");
}

#[test]
fn monitor_tells_what_moved_and_which_promises_were_kept() {
    let home = Home::new();
    home.ok(&["ingest", "data"]);
    home.ok(&["train", "churn", "--at", "2018-03-01"]);
    home.ok(&["promote", "churn"]);
    home.ok(&["predict", "churn", "--at", "2018-03-01"]);
    home.ok(&["predict", "churn", "--at", "2018-02-01"]);
    let found = Ran::of(&mut home.command(&["monitor", "churn", "--json"]));
    let document: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(document["trained_at"], "2018-03-01");
    assert_eq!(document["reference_date"], "2018-06-01");
    assert_eq!(document["score"]["feature"], "score");
    let outcomes = document["outcomes"].as_array().unwrap();
    let predicted: Vec<&Value> = outcomes.iter().map(|held| &held["predicted"]).collect();
    assert_eq!(
        predicted,
        ["2018-03-01"],
        "a prediction of days before training has seen its own labels"
    );
    assert!(outcomes[0]["promised"].is_number() && outcomes[0]["real"]["lower"].is_number());
    let alarms = document["alarms"].as_array().unwrap();
    let said = match alarms.is_empty() {
        true => (Some(0), "nothing is beyond the thresholds"),
        false => (Some(1), alarms[0].as_str().unwrap()),
    };
    assert_eq!(found.code, said.0);
    assert!(found.stderr.contains(said.1), "{}", found.stderr);
}

#[test]
fn monitor_says_no_when_thresholds_are_passed() {
    let home = Home::new();
    home.ok(&["init", "shop"]);
    let file = home.path("shop/problems/churn.toml");
    let problem = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, problem + "\n[monitor]\npsi = 0.0\nfeatures = 1000\n").unwrap();
    let shop = |arguments: &[&str]| -> Ran {
        Ran::of(home.command(arguments).args(["--project", "shop"]))
    };
    shop(&["ingest", "data"]).ok(&["ingest"]);
    shop(&["train", "churn", "--at", "2018-01-01"]).ok(&["train"]);
    shop(&["promote", "churn"]).ok(&["promote"]);
    let found = shop(&["monitor", "churn"]);
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    assert!(
        found.stderr.contains("has moved: stability index"),
        "{}",
        found.stderr
    );
    assert!(
        found.stderr.contains("hint: `safra train churn`"),
        "{}",
        found.stderr
    );
    assert!(found.stdout.contains("stability index"), "{}", found.stdout);
}
