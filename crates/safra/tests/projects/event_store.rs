//! The store of views about events: what a backfill leaves, and what the audit sees.

use chrono::NaiveDate;

use crate::library::{END, Library, day, library};

#[test]
fn a_rerun_changes_nothing_and_a_new_month_only_what_it_brings() {
    let library = library();
    let home = &library.home;
    let files = ["loans", "notes"];
    let whole =
        files.map(|name| std::fs::read_to_string(home.path(&format!("data/{name}.csv"))).unwrap());
    let version = || {
        let log = home.path("lake/features/loan_notes/_delta_log");
        std::fs::read_dir(log)
            .unwrap()
            .filter(|file| {
                file.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|kind| kind == "json")
            })
            .count()
    };
    for (name, text) in files.iter().zip(&whole) {
        std::fs::write(
            home.path(&format!("data/{name}.csv")),
            cut(text, "2021-06-01"),
        )
        .unwrap();
    }
    home.ok(&["ingest", "data"]);
    let fill = ["features", "loan_notes", "--from", "2021-01-04"];
    let first = home.json(&fill);
    assert_eq!(first[0]["computed"], first[0]["dates"]);
    assert_eq!(home.json(&fill)[0]["computed"], 0);
    assert_eq!(version(), 1);
    for (name, text) in files.iter().zip(&whole) {
        std::fs::write(home.path(&format!("data/{name}.csv")), text).unwrap();
    }
    let said = home.ok(&["ingest", "data"]).stderr;
    assert!(
        !said.contains("loan_notes"),
        "no day of May changed: {said}"
    );
    assert_eq!(home.json(&fill)[0]["computed"], 30);
    assert_eq!(version(), 2);
    // A fact that arrives late makes the days stale that it changes.
    let note = whole[1].clone() + "9999,1,2021-03-01 00:00:00\n";
    std::fs::write(home.path("data/notes.csv"), note).unwrap();
    home.ok(&["ingest", "data"]);
    let later = library
        .begun(END)
        .into_iter()
        .filter(|(loan, lent)| loan.reader == 1 && lent.date() >= day("2021-03-01"));
    let days: std::collections::BTreeSet<NaiveDate> = later.map(|(_, lent)| lent.date()).collect();
    assert_eq!(home.json(&fill)[0]["computed"], days.len());
    assert_eq!(version(), 3);
    assert!(!days.is_empty());
    let audit = home.json(&["audit", "loan_notes"]);
    assert!(audit[0]["cells"].as_u64() > Some(0) && audit[0]["leaks"] == serde_json::json!([]));
}

/// The lines of a file as they stood before a date.
fn cut(text: &str, date: &str) -> String {
    let lines = text.lines().enumerate().filter_map(|(i, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        // The due day is the only time that lies ahead.
        let known = |cell: &str| cell.len() < 19 || cell < date;
        let asked = cells.iter().position(|cell| cell.len() == 19);
        if i > 0 && asked.is_some_and(|place| !known(cells[place])) {
            return None;
        }
        cells
            .iter_mut()
            .filter(|cell| i > 0 && !known(cell))
            .for_each(|cell| *cell = "");
        Some(cells.join(",") + "\n")
    });
    lines.collect()
}

/// A return that is said to be known with its loan: on the same day or on any later one, the audit sees it.
#[test]
fn a_planted_leak_is_found() {
    let Library { home, .. } = &library();
    let honest = "returned_at = { type = \"timestamp\", known_at = \"returned_at\" }";
    home.edit("sources.toml", honest, "returned_at = \"timestamp\"");
    home.ok(&["ingest", "data"]);
    home.ok(&["features", "loan"]);
    let ran = home.safra(&["audit", "loan", "--json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let audit: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let columns: Vec<&str> = audit[0]["leaks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leak| leak["column"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["row"], "{audit}");
}

/// A note that is said to be known from midnight of its day on, of which only the hours tell that it leaks.
#[test]
fn a_leak_within_the_day_is_found() {
    let Library { home, .. } = &library();
    home.edit(
        "sources.toml",
        "known_at = \"written_at\"",
        "known_at = \"written_on\"",
    );
    home.edit(
        "sources.toml",
        "written_at = { type = \"timestamp\", required = true }",
        "written_on = { type = \"date\", required = true }\nwritten_at = { type = \"timestamp\", required = true }",
    );
    let notes = std::fs::read_to_string(home.path("data/notes.csv")).unwrap();
    let dated = notes.lines().map(|line| {
        let (start, time) = line.rsplit_once(',').unwrap();
        let day = time
            .get(..10)
            .filter(|_| time != "written_at")
            .unwrap_or("written_on");
        format!("{start},{day},{time}\n")
    });
    std::fs::write(home.path("data/notes.csv"), dated.collect::<String>()).unwrap();
    home.ok(&["ingest", "data"]);
    home.ok(&["features", "loan_notes"]);
    let at: Vec<String> = (1..=28).map(|day| format!("2021-03-{day:02}")).collect();
    let dates = at.iter().flat_map(|date| ["--at", date.as_str()]);
    let arguments: Vec<&str> = ["audit", "loan_notes", "--json"]
        .into_iter()
        .chain(dates)
        .collect();
    let ran = home.safra(&arguments);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let audit: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(audit[0]["leaks"][0]["column"], "notes", "{audit}");
}
