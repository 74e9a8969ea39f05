//! Declarations about events that do not fit, and data that lacks something.

use crate::library::{Library, library};

#[test]
fn declarations_that_do_not_fit_are_refused_at_their_place() {
    let cases = [
        (
            "features/loan.sql",
            "at: lent_at",
            "at: lent_at\nwindows: [7d]",
            "error: features/loan.sql:4: a view about events has at: in place of time: and windows:",
        ),
        (
            "features/loan.sql",
            "MAX(pages) ",
            "datediff(reference_date, MAX(due_on))",
            "error: features/loan.sql: line 12, column 14: reference_date: a view about events has no reference date; reference_time is the time of the event",
        ),
        (
            "features/loan.sql",
            "MAX(pages) ",
            "MAX(state)",
            "error: features/loan.sql: line 12, column 9: the view loan reads loans.state, which is never known",
        ),
        (
            "features/loan.sql",
            "entity: loan_id",
            "entity: []",
            "error: features/loan.sql:2: a view about events names whom they happen to",
        ),
        (
            "problems/overdue.toml",
            "time = \"reference_time\"\n",
            "",
            "error: problems/overdue.toml: features.views: loan is about events, each at a time of its own, and this problem about reference dates",
        ),
        (
            "problems/overdue.toml",
            "FROM loan WHERE returned = 0 AND loan_days > 0",
            "FROM reader_loans",
            "error: problems/overdue.toml: cohort.sql: reader_loans is about reference dates; a cohort of events reads views about events only",
        ),
        (
            "problems/overdue.toml",
            "    returned_at AS duration_known_at\n",
            "    1 AS nothing\n",
            "error: problems/overdue.toml: label.sql: returns duration or duration_known_at without the other",
        ),
        (
            "problems/overdue.toml",
            "date_add(due_on, 1)",
            "date_add(cohort.reference_time, 0)",
            "error: problems/overdue.toml: label.sql: label_known_at is missing or not after the day of the event for reference_time = ",
        ),
        (
            "problems/overdue.toml",
            "reader AS reader_id ",
            "pages ",
            "error: problems/overdue.toml: features: the view reader_loans is about reader_id, which the cohort does not return",
        ),
    ];
    for (file, from, to, expected) in cases {
        let Library { home, .. } = &library();
        home.ok(&["ingest", "data"]);
        home.edit(file, from, to);
        let said = home.refused(&["dataset", "overdue"]);
        assert!(said.starts_with(expected), "{to}: {said}");
    }
}

#[test]
fn events_without_their_optional_table_or_with_nobody_to_ask_have_a_clear_outcome() {
    let Library { home, .. } = &library();
    std::fs::remove_file(home.path("data/notes.csv")).unwrap();
    home.ok(&["run", "--source", "data"]);
    let notes = home.rows("SELECT SUM(notes) AS notes, COUNT(*) AS rows FROM datasets.overdue");
    assert_eq!(notes[0]["notes"], 0, "{}", notes[0]);
    assert!(home.path("report.html").exists());

    // A month of one class is named.
    home.edit(
        "problems/overdue.toml",
        "returned_at IS NULL OR CAST(returned_at AS DATE) > due_on AS label",
        "(returned_at IS NULL OR CAST(returned_at AS DATE) > due_on) AND date_part('month', cohort.reference_time) <> 5 AS label",
    );
    let said = home.ok(&["backtest", "overdue"]).stderr;
    assert!(
        said.contains("warning: overdue: 2021-05-01: 0 of "),
        "{said}"
    );
    home.edit(
        "problems/overdue.toml",
        "date_part('month', cohort.reference_time) <> 5",
        "date_part('month', cohort.reference_time) > 5",
    );
    let said = home.refused(&["train", "overdue", "--at", "2021-05-01"]);
    assert!(
        said.contains("nothing can be learned from what was known before 2021-05-01: all "),
        "{said}"
    );

    // A label that never settles.
    home.edit(
        "problems/overdue.toml",
        "date_add(due_on, 1)",
        "date_add(due_on, 900)",
    );
    let said = home.refused(&["backtest", "overdue"]);
    assert!(
        said.starts_with("error: overdue: no date has settled labels"),
        "{said}"
    );

    // Nobody.
    home.edit(
        "problems/overdue.toml",
        "returned = 0 AND",
        "returned > 1000 AND",
    );
    let said = home.refused(&["backtest", "overdue"]);
    assert!(
        said.starts_with("error: overdue: no date has settled labels"),
        "{said}"
    );
    let ran = home.ok(&["predict", "overdue"]);
    assert!(
        ran.stderr
            .contains("warning: overdue: no event before 2021-07-01 is still open"),
        "{}",
        ran.stderr
    );
}
