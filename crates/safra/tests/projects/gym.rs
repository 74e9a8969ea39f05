//! A project from another trade: a gym and its members, declared in SQL and TOML alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use chrono::{Days, NaiveDate};

use crate::numbers::Numbers;
use crate::support::Home;

const TRAINERS: u64 = 6;
const MEMBERS: u64 = 120;
/// Nothing later is known.
pub const END: &str = "2021-07-01";

/// The visits of every member, by day.
pub type Visits = BTreeMap<u64, BTreeSet<NaiveDate>>;

/// A working directory with the project and a half-year of data.
pub fn gym() -> (Home, Visits) {
    let home = Home::new();
    home.declare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/gym"));
    let visits = write_data(&home);
    (home, visits)
}

/// Members come by a habit of their own, and now and then stop for some weeks, beginners sooner than others.
fn write_data(home: &Home) -> Visits {
    let mut numbers = Numbers::new(1);
    let (start, end) = (day("2021-01-04"), day(END));
    let mut trainers = "trainer_id,is_senior\n".to_owned();
    for trainer in 1..=TRAINERS {
        writeln!(trainers, "{trainer},{}", trainer <= 2).unwrap();
    }
    let mut members = "member_id,joined_on,plan,trainer_id,status\n".to_owned();
    let mut visits = "visit_id,member_id,entered_at,left_at\n".to_owned();
    let mut guests = "guest_id,member_id,came_on\n".to_owned();
    let mut days = Visits::new();
    let (mut visit, mut guest) = (0, 0);
    for member in 1..=MEMBERS {
        let joined = start + Days::new(numbers.below(100));
        let yearly = numbers.share() < 0.5;
        let trainer = 1 + numbers.below(TRAINERS);
        let plan = if yearly { "yearly" } else { "monthly" };
        writeln!(members, "{member},{joined},{plan},{trainer},active").unwrap();
        let habit = 0.1 + 0.4 * numbers.share();
        let stops = if trainer <= 2 { 0.01 } else { 0.03 } * (1.0 - habit);
        let mut away = 0;
        for date in joined.iter_days().take_while(|date| *date < end) {
            if away == 0 && numbers.share() < stops {
                away = 14 + numbers.below(40);
            }
            if away > 0 {
                away -= 1;
            } else if numbers.share() < habit {
                visit += 1;
                let hour = 7 + numbers.below(12);
                let (minute, length) = (numbers.below(60), 20 + numbers.below(35));
                let left = hour * 60 + minute + length;
                writeln!(
                    visits,
                    "{visit},{member},{date} {hour:02}:{minute:02}:00,{date} {:02}:{:02}:00",
                    left / 60,
                    left % 60
                )
                .unwrap();
                days.entry(member).or_default().insert(date);
                if numbers.share() < 0.05 {
                    guest += 1;
                    writeln!(guests, "{guest},{member},{date}").unwrap();
                }
            }
        }
    }
    for (file, text) in [
        ("trainers", trainers),
        ("members", members),
        ("visits", visits),
        ("guests", guests),
    ] {
        std::fs::write(home.path(&format!("data/{file}.csv")), text).unwrap();
    }
    days
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Who lapses, computed directly: member and outcome of each row asked about at `date`.
fn lapses(visits: &Visits, date: NaiveDate) -> Vec<(u64, bool)> {
    let asked = visits
        .iter()
        .filter(|(_, days)| days.range(date - Days::new(14)..date).next().is_some());
    asked
        .map(|(member, days)| {
            (
                *member,
                days.range(date..date + Days::new(14)).next().is_none(),
            )
        })
        .collect()
}

#[test]
fn every_step_works_and_speaks_of_this_trade_only() {
    let (home, visits) = gym();
    let mut said = String::new();
    for arguments in [
        &["ingest", "data"][..],
        &["features", "--every", "week"],
        &["features", "explain", "trainer_visits"],
        &["audit", "--at", "2021-04-05", "--at", "2021-06-28"],
        &["dataset", "lapse"],
        &["backtest", "lapse"],
        &["train", "lapse"],
        &["promote", "lapse"],
        &["predict", "lapse"],
        &["report"],
        &["run"],
    ] {
        let ran = home.ok(arguments);
        said += &ran.stdout;
        said += &ran.stderr;
    }
    said += &std::fs::read_to_string(home.path("report.html")).unwrap();
    let said = said.to_lowercase();
    for word in ["seller", "olist", "churn", "marketplace"] {
        let found = said.find(word);
        let around = found.map(|at| &said[at.saturating_sub(60)..(at + 60).min(said.len())]);
        assert_eq!(around, None, "{word}");
    }
    assert!(said.contains("lapsing members") && said.contains("members who bring guests"));
    check_dataset(&home, &visits);
    check_backtest(&home);
    check_predictions(&home, &visits);
}

fn check_dataset(home: &Home, visits: &Visits) {
    for date in ["2021-03-01", "2021-06-14"] {
        let query = format!(
            "SELECT member_id, label FROM datasets.lapse WHERE reference_date = '{date}' ORDER BY 1"
        );
        let rows: Vec<(u64, bool)> = home
            .rows(&query)
            .iter()
            .map(|row| {
                (
                    row["member_id"].as_u64().unwrap(),
                    row["label"].as_bool().unwrap(),
                )
            })
            .collect();
        assert_eq!(rows, lapses(visits, day(date)), "{date}");
    }
    let unsettled = "SELECT COUNT(*) AS rows, COUNT(label) AS labels FROM datasets.lapse WHERE reference_date > '2021-06-17'";
    let counts = &home.rows(unsettled)[0];
    assert!(counts["rows"].as_u64() > Some(100), "{counts}");
    assert_eq!(counts["labels"], 0, "the data cannot know yet");

    let joined = "SELECT lapse.trainer_visits_per_member_28d AS held, trainer.trainer_visits_per_member_28d AS own
        FROM datasets.lapse
        JOIN sources.members ON members.member_id = lapse.member_id
        JOIN features.trainer_visits AS trainer
            ON trainer.trainer_id = members.trainer_id AND trainer.reference_date = lapse.reference_date
        WHERE lapse.trainer_visits_per_member_28d IS NOT NULL";
    let rows = home.rows(joined);
    assert!(rows.len() > 1_000, "{}", rows.len());
    assert!(rows.iter().all(|row| row["held"] == row["own"]));
}

fn check_backtest(home: &Home) {
    let backtest = home.json(&["backtest", "lapse"]);
    let mean = |learner: &str| {
        let means = backtest["mean"].as_array().unwrap().iter();
        let mut found = means.filter(|mean| mean["learner"] == learner);
        found.next().unwrap()["roc_auc"].as_f64().unwrap()
    };
    assert_eq!(mean("baseline"), 0.5);
    assert!(mean("logistic_regression") > 0.6, "{backtest}");
}

fn check_predictions(home: &Home, visits: &Visits) {
    let rows = home.rows("SELECT * FROM predictions.lapse ORDER BY member_id");
    let asked: Vec<u64> = lapses(visits, day("2021-06-28"))
        .into_iter()
        .map(|(member, _)| member)
        .collect();
    let scored: Vec<u64> = rows
        .iter()
        .map(|row| row["member_id"].as_u64().unwrap())
        .collect();
    assert_eq!(scored, asked);
    for row in &rows {
        assert_eq!(row["reference_date"], "2021-06-28");
        assert_eq!(row["model"], "gym-lapse");
        let score = row["score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
}

#[test]
fn one_command_does_every_problem_and_gives_the_scores_of_single_steps() {
    let (home, _) = gym();
    let steps = home.json(&["run", "--source", "data"]);
    let names: Vec<&str> = steps["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    let problem = |name: &str| {
        ["features", "train", "promote", "predict"].map(|step| format!("{step} {name}"))
    };
    let expected = [
        vec!["ingest".to_owned()],
        problem("advocacy").to_vec(),
        problem("lapse").to_vec(),
        vec!["report".to_owned()],
    ];
    assert_eq!(names, expected.concat());
    let (single, _) = gym();
    single.ok(&["ingest", "data"]);
    for step in ["train", "promote", "predict"] {
        single.ok(&[step, "lapse"]);
    }
    let query = "SELECT member_id, score, reason_1 FROM predictions.lapse ORDER BY member_id";
    assert_eq!(home.rows(query), single.rows(query));
    let models = home.rows("SELECT DISTINCT model FROM predictions.advocacy");
    assert_eq!(models[0]["model"], "gym-advocacy");
}
