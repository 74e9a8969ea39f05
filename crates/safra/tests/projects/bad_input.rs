//! Data and declarations that lack something: each has a clear outcome.

use crate::gym::gym;
use crate::support::Home;

fn remove(home: &Home, file: &str) {
    std::fs::remove_file(home.path(file)).unwrap();
}

/// The gym with one problem only.
fn lapse_only() -> Home {
    let (home, _) = gym();
    remove(&home, "problems/advocacy.toml");
    home
}

#[test]
fn a_problem_without_its_optional_tables_is_skipped_and_the_others_go_on() {
    let (home, _) = gym();
    remove(&home, "data/guests.csv");
    let ran = home.ok(&["run", "--source", "data"]);
    for message in [
        "warning: guests: the table holds no rows: no guests.csv in data",
        "warning: advocacy: its cohort and label need rows in guests, of which the lake has none\nhint: `safra ingest DIR` reads them from guests.csv",
    ] {
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    assert!(
        ran.stdout.contains(
            " advocacy         skipped: advocacy: its cohort and label need rows in guests"
        ),
        "{}",
        ran.stdout
    );
    let scored = home.rows("SELECT COUNT(*) AS rows FROM predictions.lapse");
    assert!(scored[0]["rows"].as_u64() > Some(50));
    let guests = home.rows("SELECT COUNT(guests_all) AS known FROM datasets.lapse");
    assert_eq!(
        guests[0]["known"], 0,
        "a view without rows has nothing to say"
    );

    let again = home.json(&["run"]);
    assert_eq!(again["skipped"][0]["name"], "advocacy");
    assert_eq!(again.get("failed"), None);
    for command in ["dataset", "backtest", "train"] {
        let said = home.refused(&[command, "advocacy"]);
        assert!(
            said.starts_with("error: advocacy: its cohort and label need rows in guests"),
            "{command}: {said}"
        );
    }
}

#[test]
fn a_problem_that_fails_does_not_stop_the_others_but_the_run_says_so() {
    let (home, _) = gym();
    home.edit("sources.toml", "optional = true\n", "");
    std::fs::write(home.path("data/guests.csv"), "guest_id,member_id,came_on\n").unwrap();
    let ran = home.safra(&["run", "--source", "data"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("error: advocacy: its cohort and label need rows in guests"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("error: not done: advocacy\nhint: the errors above say why"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains(" predict lapse "), "{}", ran.stdout);
    assert!(home.path("report.html").exists());

    remove(&home, "data/guests.csv");
    let missing = home.refused(&["run", "--source", "data"]);
    assert!(
        missing.starts_with("error: data/guests.csv: no such file; the source guests needs it"),
        "{missing}"
    );
}

#[test]
fn a_run_that_can_do_nothing_says_so() {
    let (home, _) = gym();
    remove(&home, "problems/lapse.toml");
    remove(&home, "data/guests.csv");
    let said = home.refused(&["run", "--source", "data"]);
    assert!(
        said.contains("error: no problem of the project could be done: advocacy"),
        "{said}"
    );
    assert!(!home.path("report.html").exists());
}

#[test]
fn a_training_window_of_one_class_judges_nothing_and_trains_nothing() {
    let home = lapse_only();
    home.edit(
        "problems/lapse.toml",
        "COUNT(visits.visit_id) = 0 AS label",
        "COUNT(visits.visit_id) = 0 AND cohort.reference_date BETWEEN '2021-04-05' AND '2021-04-19' AS label",
    );
    home.ok(&["ingest", "data"]);
    let range = [
        "backtest",
        "lapse",
        "--from",
        "2021-03-29",
        "--to",
        "2021-05-03",
    ];
    let ran = home.ok(&range);
    for message in [
        "warning: lapse: not judged on 2021-03-29: all ",
        " training rows are negative\n",
        "warning: lapse: 2021-04-26: 0 of ",
        " rows are positive; metrics that need both classes are not defined",
    ] {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    let report = home.json(&range);
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["reference_date"] != "2021-03-29"));
    let quiet = rows
        .iter()
        .filter(|row| row["reference_date"] == "2021-04-26");
    assert!(quiet.clone().count() > 0);
    for row in quiet {
        assert!(
            row["roc_auc"].is_null() && row["log_loss"].is_number(),
            "{row}"
        );
    }
    assert_eq!(report["unjudged"][0]["reference_date"], "2021-03-29");

    let early = home.refused(&["train", "lapse", "--at", "2021-04-05"]);
    assert!(
        early.starts_with(
            "error: lapse: nothing can be learned from what was known before 2021-04-05: all "
        ) && early.contains(" training rows are negative"),
        "{early}"
    );
}

#[test]
fn a_date_without_anyone_to_ask_about_is_passed_over_and_predicts_nobody() {
    let home = lapse_only();
    home.edit(
        "problems/lapse.toml",
        "WHERE visits.visits_14d > 0",
        "WHERE visits.visits_14d > 0 AND visits.reference_date NOT IN ('2021-05-10', '2021-06-28')",
    );
    home.ok(&["run", "--source", "data"]);
    let predictions = home.json(&["predict", "lapse"]);
    assert_eq!(
        (&predictions["reference_date"], &predictions["rows"]),
        (&"2021-06-28".into(), &0.into())
    );
    let ran = home.ok(&["predict", "lapse"]);
    assert!(
        ran.stderr
            .contains("warning: lapse: nobody is asked about on 2021-06-28"),
        "{}",
        ran.stderr
    );
    let report = home.json(&[
        "backtest",
        "lapse",
        "--from",
        "2021-05-03",
        "--to",
        "2021-05-17",
    ]);
    let mut dates: Vec<&str> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["reference_date"].as_str().unwrap())
        .collect();
    dates.dedup();
    assert_eq!(dates, ["2021-05-03", "2021-05-17"]);
    let alone = home.refused(&[
        "backtest",
        "lapse",
        "--from",
        "2021-05-10",
        "--to",
        "2021-05-10",
    ]);
    assert!(
        alone.starts_with("error: lapse: 2021-05-10 cannot be judged: nobody is asked about then"),
        "{alone}"
    );
}

#[test]
fn a_label_that_never_settles_is_refused_with_the_day_on_which_it_would() {
    let home = lapse_only();
    home.edit(
        "problems/lapse.toml",
        "date_add(cohort.reference_date, 14)",
        "date_add(cohort.reference_date, 1400)",
    );
    home.ok(&["ingest", "data"]);
    for arguments in [&["backtest", "lapse"][..], &["train", "lapse"], &["run"]] {
        let said = home.refused(arguments);
        assert!(
            said.contains("error: lapse: no date has settled labels and settled labels before it to learn from\nhint: 0 of ")
                && said.contains(" labels are settled, the first of all settles on 2024-12-02, and the data is complete for days before 2021-07-01"),
            "{arguments:?}: {said}"
        );
    }
    let dataset = home.json(&["dataset", "lapse"]);
    let dates = dataset["dates"].as_array().unwrap();
    assert!(dates.iter().all(|date| date["settled"] == 0));
}

#[test]
fn rows_without_any_feature_are_scored_all_the_same() {
    let home = lapse_only();
    home.edit(
        "problems/lapse.toml",
        "views = [\"member\", \"member_visits\", \"trainer_visits\", \"gym_visits\", \"member_guests\"]",
        "views = [\"member_guests\"]",
    );
    home.edit(
        "problems/lapse.toml",
        "show = [\"days_since_last_visit_all\"]\n",
        "",
    );
    home.edit(
        "problems/lapse.toml",
        "feature = \"days_since_last_visit_all\"",
        "feature = \"guests_28d\"",
    );
    home.ok(&["run", "--source", "data"]);
    let query = "SELECT COUNT(*) AS rows, COUNT(guests_all) AS with_features FROM datasets.lapse";
    let counts = &home.rows(query)[0];
    assert!(counts["with_features"].as_u64() < counts["rows"].as_u64());
    for learner in ["baseline", "recency", "logistic_regression", "lightgbm"] {
        let report = home.json(&["backtest", "lapse", "--learner", learner]);
        assert!(report["mean"][0]["log_loss"].is_number(), "{report}");
    }
    let scores = home.rows("SELECT MIN(score) AS low, MAX(score) AS high, COUNT(score) AS scores, COUNT(*) AS rows FROM predictions.lapse");
    assert_eq!(scores[0]["scores"], scores[0]["rows"]);
    assert!(scores[0]["low"].as_f64() >= Some(0.0) && scores[0]["high"].as_f64() <= Some(1.0));
}

#[test]
fn a_view_about_something_that_the_cohort_does_not_return_is_refused() {
    let home = lapse_only();
    home.edit(
        "problems/lapse.toml",
        ", member.trainer_all AS trainer_id",
        "",
    );
    home.ok(&["ingest", "data"]);
    assert_eq!(
        home.refused(&["dataset", "lapse"]).lines().next().unwrap(),
        "error: problems/lapse.toml: features: the view trainer_visits is about trainer_id, which the cohort does not return"
    );
}
