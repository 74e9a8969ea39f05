//! `safra segments` on a small marketplace.

use std::process::Command;

use serde_json::Value;

use crate::support::Home;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/segments.py");

/// A lake with a marketplace whose data ends before 2018-06-01.
fn filled() -> Home {
    let home = Home::new();
    home.ok(&["generate", "--scale", "0.02", "--out", "data"]);
    home.ok(&["ingest", "data"]);
    home
}

fn segments(home: &Home, arguments: &[&str]) -> Value {
    let document = home.ok(&[&["--json", "segments"], arguments].concat());
    serde_json::from_str(&document).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn sum(values: &Value) -> u64 {
    values.as_array().unwrap().iter().map(number).sum()
}

/// How many rows of a date the table holds, and how many of them lack a segment or its name.
fn written(home: &Home, date: &str) -> (u64, u64) {
    let query = format!(
        "SELECT COUNT(*) AS rows, COUNT(*) - COUNT(segment_name) AS unnamed FROM predictions.segments \
         WHERE reference_date = DATE '{date}' AND segment >= 1 AND distance >= 0"
    );
    let rows: Value = serde_json::from_str(&home.ok(&["--json", "sql", &query])).unwrap();
    (number(&rows[0]["rows"]), number(&rows[0]["unnamed"]))
}

#[test]
fn a_cohort_is_divided_once_and_then_by_the_champion() {
    let home = filled();
    let may = segments(&home, &["--at", "2018-05-01"]);
    assert_eq!(may["model"], "olist-segments");
    assert_eq!(
        (number(&may["model_version"]), &may["is_new"]),
        (1, &Value::Bool(true))
    );
    let june = segments(&home, &[]);
    assert_eq!(june["reference_date"], "2018-06-01");
    assert_eq!(
        june["fitted_at"], "2018-05-01",
        "the champion of May divides June too"
    );
    assert_eq!(
        (number(&june["model_version"]), &june["is_new"]),
        (1, &Value::Bool(false))
    );
    assert_eq!(segments(&home, &[]), june, "a second time changes nothing");
    assert_eq!(written(&home, "2018-05-01"), (number(&may["rows"]), 0));
    assert_eq!(written(&home, "2018-06-01"), (number(&june["rows"]), 0));
}

#[test]
fn profiles_and_movements_add_up() {
    let home = filled();
    let may = segments(&home, &["--at", "2018-05-01"]);
    let june = segments(&home, &["--at", "2018-06-01"]);
    let profile = &june["profile"];
    let rows = profile["segments"].as_array().unwrap();
    assert!(rows.len() >= 2, "{profile:#}");
    assert_eq!(
        rows.iter().map(|row| number(&row["entities"])).sum::<u64>(),
        number(&june["rows"])
    );
    let revenue_share: f64 = rows
        .iter()
        .map(|row| row["values"][0].as_f64().unwrap())
        .sum();
    assert!((revenue_share - 1.0).abs() < 1e-9, "{revenue_share}");
    let sizes = rows.iter().map(|row| row["values"][0].as_f64().unwrap());
    let sizes: Vec<f64> = sizes.collect();
    assert!(
        sizes.first() >= sizes.last(),
        "numbered by revenue when they were found"
    );
    let names: std::collections::BTreeSet<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names.len(),
        rows.len(),
        "every segment has a name of its own"
    );
    let churn = profile["columns"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (churn["label"].as_str(), churn["unit"].as_str()),
        (Some("churn rate"), Some("%"))
    );
    assert!(
        churn["of_date"].as_str() < Some("2018-06-01"),
        "a settled date: {churn}"
    );
    let movements = &june["movements"];
    assert_eq!(movements["since"], "2018-05-01");
    let moved = movements["moved"].as_array().unwrap();
    let both: u64 = moved.iter().map(sum).sum();
    assert_eq!(both + sum(&movements["new"]), number(&june["rows"]));
    assert_eq!(both + sum(&movements["gone"]), number(&may["rows"]));
    for (from, row) in moved.iter().enumerate() {
        let before = number(&may["profile"]["segments"][from]["entities"]);
        assert_eq!(
            sum(row) + number(&movements["gone"][from]),
            before,
            "segment {}",
            from + 1
        );
    }
}

#[test]
fn refitting_earlier_dates_and_other_declarations_make_versions() {
    let home = filled();
    home.ok(&["init", "project"]);
    let run = |arguments: &[&str]| {
        let document =
            home.ok(&[&["--project", "project", "--json", "segments"], arguments].concat());
        let document: Value = serde_json::from_str(&document).unwrap();
        (
            number(&document["model_version"]),
            document["is_new"] == true,
        )
    };
    assert_eq!(run(&["--at", "2018-05-01"]), (1, true));
    assert_eq!(run(&["--at", "2018-06-01", "--refit"]), (2, true));
    assert_eq!(
        run(&["--at", "2018-06-01", "--refit"]),
        (2, false),
        "the same data give the same version"
    );
    assert_eq!(
        run(&["--at", "2018-04-01"]),
        (3, true),
        "what was found in June was not known in April"
    );
    assert_eq!(
        run(&["--at", "2018-06-01"]),
        (2, false),
        "and June keeps its champion"
    );
    let file = home.path("project/problems/segments.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("most = 8", "most = 3")).unwrap();
    assert_eq!(
        run(&["--at", "2018-06-01"]),
        (4, true),
        "another declaration asks for other segments"
    );
    assert_eq!(run(&["--at", "2018-06-01"]), (4, false));
}

#[test]
fn the_profile_is_a_table_and_the_rest_is_said() {
    let home = filled();
    let ran = home.safra(&["segments"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let headings: Vec<&str> = ran
        .stdout
        .lines()
        .skip(1)
        .take(5)
        .map(str::trim_end)
        .collect();
    insta::assert_snapshot!("segments_headings", headings.join("\n"));
    assert!(
        ran.stdout.contains("from \\ to") && ran.stdout.contains("gone"),
        "{}",
        ran.stdout
    );
    for said in [
        "predictions/segments: ",
        "why these: ",
        "since 2018-05-01: ",
    ] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn the_report_has_a_page_in_both_languages() {
    let home = filled();
    home.ok(&["segments"]);
    for (language, title, heading) in [
        ("en", "Seller segments", "What the segments are"),
        ("pt-BR", "Segmentos de vendedores", "O que são os segmentos"),
    ] {
        home.ok(&["report", "segments", "--lang", language]);
        let html = std::fs::read_to_string(home.path("report.html")).unwrap();
        assert!(html.contains(&format!("<h2>{title}</h2>")) && html.contains(heading));
        assert_eq!(
            html.matches("<div class=\"narrow\"><svg").count(),
            3,
            "three charts"
        );
    }
}

#[test]
fn what_cannot_be_divided_is_refused_with_exit_code_2() {
    let home = filled();
    let cases: [(&[&str], &str); 6] = [
        (
            &["segments", "--at", "2018-07-01"],
            "is after the end of the data",
        ),
        (
            &["segments", "--at", "2015-01-01"],
            "nobody is in the cohort on 2015-01-01",
        ),
        (&["segments", "nothing"], "nothing"),
        (&["segments", "churn"], "churn"),
        (
            &["train", "segments"],
            "hint: `safra segments segments` finds them",
        ),
        (
            &["report", "segments"],
            "hint: run `safra segments segments`",
        ),
    ];
    for (arguments, message) in cases {
        let ran = home.safra(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(message),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn declarations_that_are_wrong_are_named() {
    let home = filled();
    home.ok(&["init", "project"]);
    let file = home.path("project/problems/segments.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to, message) in [
        (
            "kind = \"segments\"",
            "kind = \"tribes\"",
            "no such kind of problem: tribes",
        ),
        (
            "most = 8",
            "most = 2",
            "parameter `most` of learner `segments` must be at least 3",
        ),
        (
            "most = 8",
            "deepest = 8",
            "unknown parameter of learner `segments`: `deepest`",
        ),
        (
            "name = \"revenue_6mo\"",
            "name = \"income\"",
            "features that are not there: income",
        ),
        (
            "feature = \"orders_6mo\"",
            "feature = \"orders_9mo\"",
            "no such feature: orders_9mo",
        ),
        (
            "outcome = \"churn\"",
            "outcome = \"fame\"",
            "profile.churn rate: ",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let ran = home.safra(&["--project", "project", "segments"]);
        assert_eq!(ran.code, Some(2), "{to}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{to}: {}", ran.stderr);
    }
}

#[test]
fn python_assigns_what_safra_assigns() {
    let Ok(python) = std::env::var("SAFRA_MLFLOW_PYTHON") else {
        eprintln!("skipped: SAFRA_MLFLOW_PYTHON does not name a Python with mlflow and deltalake");
        return;
    };
    let home = filled();
    home.ok(&["init", "project"]);
    let file = home.path("project/problems/segments.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    for algorithm in ["k_means", "gaussian_mixture"] {
        let only = format!("most = 8\nalgorithms = [\"{algorithm}\"]");
        std::fs::write(&file, text.replace("most = 8", &only)).unwrap();
        home.ok(&["--project", "project", "segments"]);
        let output = Command::new(&python)
            .env("MLFLOW_ALLOW_FILE_STORE", "true")
            .args(["-W", "ignore", SCRIPT])
            .args([home.path("lake"), home.path("mlruns")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("compared"), "{algorithm}: {complaint}");
    }
}
