//! `safra run`: from files to the report, again, after a kill, and on any number of threads.

use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use safra_lake::Folder;

use crate::marketplace::{finished, keys, with_data};
use crate::support::{Home, Ran};

#[test]
fn run_goes_from_files_to_the_report_and_a_second_run_reuses_everything() {
    let home = with_data();
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
    let undisturbed = finished();
    let home = with_data();
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
        let home = with_data();
        let ran = |arguments: &[&str]| {
            let mut command = home.command(arguments);
            Ran::of(command.env("RAYON_NUM_THREADS", threads).output().unwrap()).ok(arguments)
        };
        ran(&["run", "--source", "data"]);
        let backtest = ran(&["backtest", "churn", "--json"]);
        (backtest, home.predictions())
    });
    let [(first, scored), (second, scored_again)] = results;
    assert_eq!(first, second);
    assert_eq!(scored, scored_again);
}
