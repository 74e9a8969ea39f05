//! A project about events, from another trade: the loans of a library, declared in SQL and TOML alone.

use std::fmt::Write;
use std::path::Path;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

use crate::numbers::Numbers;
use crate::support::Home;

const READERS: u64 = 60;
const BRANCHES: u64 = 4;
/// Nothing later is known.
pub const END: &str = "2021-07-01";

/// A loan as the data has it.
pub struct Loan {
    pub id: u64,
    pub reader: u64,
    pub lent: Option<NaiveDateTime>,
    pub due: NaiveDate,
    pub returned: Option<NaiveDateTime>,
}

/// What the staff wrote down: of whom, and when.
pub type Notes = Vec<(u64, NaiveDateTime)>;

pub struct Library {
    pub home: Home,
    pub loans: Vec<Loan>,
    pub notes: Notes,
}

/// A working directory with the project and a half-year of data.
pub fn library() -> Library {
    let home = Home::new();
    home.declare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/library"));
    let (loans, notes) = write_data(&home);
    Library { home, loans, notes }
}

/// Readers borrow by a habit of their own, and are late by a habit of their own, with thick books more often.
fn write_data(home: &Home) -> (Vec<Loan>, Notes) {
    let mut numbers = Numbers::new(3);
    let (start, end) = (day("2021-01-04"), day(END).and_hms_opt(0, 0, 0).unwrap());
    let known = |time: NaiveDateTime| (time < end).then_some(time);
    let text = |time: Option<NaiveDateTime>| time.map(|t| t.to_string()).unwrap_or_default();
    let mut file =
        "loan_id,reader_id,branch_id,pages,asked_at,lent_at,due_on,returned_at,state\n".to_owned();
    let mut noted = "note_id,reader_id,written_at\n".to_owned();
    let (mut loans, mut notes) = (Vec::new(), Notes::new());
    for reader in 1..=READERS {
        let (habit, laxness) = (0.1 + 0.25 * numbers.share(), numbers.share());
        for date in start.iter_days().take_while(|date| *date < end.date()) {
            if numbers.share() > habit {
                continue;
            }
            let id = loans.len() as u64 + 1;
            let (branch, pages) = (1 + numbers.below(BRANCHES), 80 + numbers.below(900));
            let asked = date.and_hms_opt(0, 0, 0).unwrap() + minutes(540 + numbers.below(400));
            let lent = asked + minutes(numbers.below(2_000));
            let due = lent.date() + Days::new(5 + numbers.below(16));
            let is_late = numbers.share() < 0.05 + 0.4 * laxness + pages as f64 / 4_000.0;
            let until_due = (due - lent.date()).num_days() as u64 * 1_440;
            let kept = match is_late {
                true => until_due + 1_500 + numbers.below(10_000),
                false => 30 + (until_due as f64 * numbers.share()) as u64,
            };
            // Some books never come back.
            let returned = (numbers.share() > 0.02)
                .then(|| lent + minutes(kept))
                .and_then(known);
            let lent = known(lent);
            writeln!(
                file,
                "{id},{reader},{branch},{pages},{asked},{},{due},{},{}",
                text(lent),
                text(returned),
                if returned.is_some() { "back" } else { "out" }
            )
            .unwrap();
            loans.push(Loan {
                id,
                reader,
                lent,
                due,
                returned,
            });
            if let Some(lent) = lent.filter(|_| numbers.share() < 0.1) {
                // Half of the notes are written at the very moment of a loan.
                let written = lent + minutes(numbers.below(2) * numbers.below(5_000));
                if let Some(written) = known(written) {
                    notes.push((reader, written));
                    writeln!(noted, "{},{reader},{written}", notes.len()).unwrap();
                }
            }
        }
    }
    let branches = "branch_id,district\n1,harbour\n2,harbour\n3,hill\n4,old town\n";
    for (name, text) in [
        ("loans", file.as_str()),
        ("notes", noted.as_str()),
        ("branches", branches),
    ] {
        std::fs::write(home.path(&format!("data/{name}.csv")), text).unwrap();
    }
    (loans, notes)
}

fn minutes(minutes: u64) -> TimeDelta {
    TimeDelta::minutes(minutes as i64)
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl Library {
    /// The loans that began before a date, with the time at which they did.
    pub fn begun(&self, before: &str) -> Vec<(&Loan, NaiveDateTime)> {
        let end = day(before);
        let begun = self
            .loans
            .iter()
            .filter_map(|loan| Some((loan, loan.lent?)));
        begun.filter(|(_, lent)| lent.date() < end).collect()
    }

    /// The loans that began before a date, and are neither back nor over by then.
    fn open(&self, at: &str) -> Vec<u64> {
        let midnight = day(at).and_hms_opt(0, 0, 0).unwrap();
        let open = self.begun(at).into_iter().filter(|(loan, _)| {
            loan.due >= day(at) && loan.returned.is_none_or(|back| back >= midnight)
        });
        let mut open: Vec<u64> = open.map(|(loan, _)| loan.id).collect();
        open.sort_unstable();
        open
    }

    fn predicted(&self, at: &str) -> Vec<u64> {
        let query = format!(
            "SELECT loan_id FROM predictions.overdue WHERE reference_date = '{at}' ORDER BY 1"
        );
        let rows = self.home.rows(&query);
        rows.iter()
            .map(|row| row["loan_id"].as_u64().unwrap())
            .collect()
    }
}

#[test]
fn every_step_works_and_speaks_of_this_trade_only() {
    let Library { home, .. } = &library();
    let mut said = String::new();
    for arguments in [
        &["ingest", "data"][..],
        &["features", "--every", "day"],
        &["features", "explain", "loan"],
        &["audit"],
        &["dataset", "overdue"],
        &["backtest", "overdue"],
        &["train", "overdue"],
        &["promote", "overdue"],
        &["predict", "overdue"],
        &["report"],
        &["run"],
    ] {
        let ran = home.ok(arguments);
        said += &ran.stdout;
        said += &ran.stderr;
    }
    said += &std::fs::read_to_string(home.path("report.html")).unwrap();
    let said = said.to_lowercase();
    for word in [
        "seller",
        "olist",
        "churn",
        "marketplace",
        "order_id",
        "delivery",
    ] {
        let found = said.find(word);
        let around = found.map(|at| &said[at.saturating_sub(60)..(at + 60).min(said.len())]);
        assert_eq!(around, None, "{word}");
    }
    assert!(said.contains("overdue loans") && said.contains("\nat: lent_at\n"));
}

#[test]
fn the_training_set_holds_each_loan_as_it_was_when_it_began() {
    let library = library();
    let home = &library.home;
    home.ok(&["ingest", "data"]);
    home.ok(&["dataset", "overdue"]);
    let rows = home.rows("SELECT * FROM datasets.overdue ORDER BY loan_id");
    let begun = library.begun(END);
    assert_eq!(rows.len(), begun.len());
    let mut known_labels = 0;
    for (row, (loan, lent)) in rows.iter().zip(begun) {
        let number = |name: &str| row[name].as_f64();
        assert_eq!(row["loan_id"].as_u64(), Some(loan.id));
        assert_eq!(
            row["reference_time"],
            lent.format("%Y-%m-%dT%H:%M:%S").to_string()
        );
        let is_late = loan.returned.is_none_or(|back| back.date() > loan.due);
        let label = (loan.due < day(END)).then_some(is_late);
        assert_eq!(row["label"].as_bool(), label, "{row}");
        known_labels += usize::from(label.is_some());
        let days = |time: NaiveDateTime| (time - lent).num_seconds() as f64 / 86_400.0;
        let close = |held: Option<f64>, expected: Option<f64>| match (held, expected) {
            (Some(held), Some(expected)) => (held - expected).abs() < 1e-6,
            (held, expected) => held == expected,
        };
        assert!(close(number("duration"), loan.returned.map(days)), "{row}");
        let over = (loan.due + Days::new(1)).and_hms_opt(0, 0, 0).unwrap();
        assert!(close(number("loan_days"), Some(days(over))), "{row}");
        // What was noted at the very moment is known, what was noted later is not.
        let noted = library
            .notes
            .iter()
            .filter(|(reader, _)| *reader == loan.reader);
        let times: Vec<NaiveDateTime> = noted
            .map(|(_, time)| *time)
            .filter(|time| *time <= lent)
            .collect();
        assert_eq!(number("notes"), Some(times.len() as f64), "{row}");
        let now = times.iter().max().map(|time| *time == lent);
        assert_eq!(row["noted_now"].as_bool(), now, "{row}");
        // Features of reference dates are those of the day, which know what was before it.
        let earlier = library.begun(&lent.date().to_string());
        let midnight = lent.date().and_hms_opt(0, 0, 0).unwrap();
        let own = earlier
            .iter()
            .filter(|(other, _)| other.reader == loan.reader);
        let out = own
            .clone()
            .filter(|(other, _)| other.returned.is_none_or(|back| back >= midnight));
        let expected = (own.clone().count() > 0).then(|| own.clone().count() as f64);
        assert_eq!(number("reader_loans_all"), expected, "{row}");
        assert_eq!(
            number("reader_open_loans_all"),
            expected.map(|_| out.count() as f64),
            "{row}"
        );
    }
    assert!(known_labels > 1_000 && known_labels < rows.len());
}

#[test]
fn months_judge_the_loans_that_begin_in_them() {
    let library = library();
    let home = &library.home;
    home.ok(&["ingest", "data"]);
    let report = home.json(&["backtest", "overdue"]);
    let rows = report["rows"].as_array().unwrap();
    let dates: Vec<&str> = rows
        .iter()
        .map(|row| row["reference_date"].as_str().unwrap())
        .collect();
    // Too many of the loans of June were not over when the data ended.
    assert_eq!(dates.first(), Some(&"2021-04-01"));
    assert_eq!(dates.last(), Some(&"2021-05-01"));
    let may = rows
        .iter()
        .filter(|row| row["reference_date"] == "2021-05-01");
    let of_may = library
        .begun("2021-06-01")
        .into_iter()
        .filter(|(_, lent)| lent.date() >= day("2021-05-01"));
    let trained = library
        .begun("2021-05-01")
        .into_iter()
        .filter(|(loan, _)| loan.due + Days::new(1) < day("2021-05-01"));
    let (of_may, trained) = (of_may.count(), trained.count());
    for row in may {
        assert_eq!(row["rows"].as_u64(), Some(of_may as u64), "{row}");
        assert_eq!(row["train_rows"].as_u64(), Some(trained as u64), "{row}");
    }
    let auc = |learner: &str| {
        let mut means = report["mean"].as_array().unwrap().iter();
        means.find(|mean| mean["learner"] == learner).unwrap()["roc_auc"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(auc("baseline"), 0.5);
    assert!(auc("lightgbm") > 0.55, "{report}");

    let june = home.refused(&[
        "backtest",
        "overdue",
        "--from",
        "2021-06-01",
        "--to",
        "2021-06-01",
    ]);
    assert!(
        june.starts_with("error: overdue: 2021-06-01 cannot be judged: ")
            && june.contains("labels are not settled yet, and at most 5 % may be"),
        "{june}"
    );
}

#[test]
fn what_is_open_is_scored_and_replaced_by_date() {
    let library = library();
    let home = &library.home;
    home.ok(&["ingest", "data"]);
    home.ok(&["train", "overdue", "--at", "2021-06-01"]);
    home.ok(&["promote", "overdue"]);
    for (at, arguments) in [
        (
            "2021-06-02",
            &["predict", "overdue", "--at", "2021-06-02"][..],
        ),
        ("2021-06-10", &["predict", "overdue", "--at", "2021-06-10"]),
        (END, &["predict", "overdue"]),
    ] {
        let report = home.json(arguments);
        let open = library.open(at);
        assert_eq!(report["rows"].as_u64(), Some(open.len() as u64), "{at}");
        assert!(report["top"][0]["reference_time"].is_string(), "{report}");
        assert_eq!(library.predicted(at), open, "{at}");
    }
    let scores = "SELECT loan_id, reference_time, reference_date, score, reason_1 FROM predictions.overdue ORDER BY 1, 3";
    let before = home.rows(scores);
    home.ok(&["predict", "overdue"]);
    assert_eq!(home.rows(scores), before);
    // The same loan on two dates has the same score: it is that of its beginning.
    let twice = home.rows("SELECT loan_id, COUNT(DISTINCT score) AS scores FROM predictions.overdue GROUP BY 1 HAVING COUNT(*) > 1");
    assert!(!twice.is_empty() && twice.iter().all(|row| row["scores"] == 1));
    let late = home.refused(&["predict", "overdue", "--at", "2021-07-02"]);
    assert!(
        late.contains("2021-07-02 is after the end of the data"),
        "{late}"
    );
}

#[test]
fn a_month_predicted_day_by_day_is_held_against_what_happened() {
    let library = library();
    let home = &library.home;
    home.ok(&["ingest", "data"]);
    home.ok(&["train", "overdue", "--at", "2021-05-01"]);
    home.ok(&["promote", "overdue"]);
    let monitored = || home.safra(&["monitor", "overdue", "--json"]);
    home.ok(&["predict", "overdue", "--at", "2021-06-01"]);
    let alone: serde_json::Value = serde_json::from_str(&monitored().stdout).unwrap();
    // Those still open at the end of a month are not like the others.
    assert_eq!(alone["outcomes"], serde_json::json!([]));
    for date in day("2021-05-02").iter_days().take(31) {
        home.ok(&["predict", "overdue", "--at", &date.to_string()]);
    }
    let found: serde_json::Value = serde_json::from_str(&monitored().stdout).unwrap();
    let outcome = &found["outcomes"][0];
    assert_eq!(outcome["predicted"], "2021-05-01", "{found}");
    assert!(outcome["rows"].as_u64() > Some(300), "{found}");
    assert!(
        outcome["real"]["estimate"].is_number() && outcome["promised"].is_number(),
        "{found}"
    );
    assert_eq!(found["reference_date"], END);
}
