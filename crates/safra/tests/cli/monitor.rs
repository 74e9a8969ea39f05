//! `safra monitor`: what has moved since training, and which promises were kept.

use serde_json::Value;

use crate::marketplace::with_data;
use crate::support::Ran;

#[test]
fn monitor_tells_what_moved_and_which_promises_were_kept() {
    let home = with_data();
    home.ok(&["ingest", "data"]);
    home.ok(&["train", "churn", "--at", "2018-03-01"]);
    home.ok(&["promote", "churn"]);
    home.ok(&["predict", "churn", "--at", "2018-03-01"]);
    home.ok(&["predict", "churn", "--at", "2018-02-01"]);
    let found = Ran::of(
        home.command(&["monitor", "churn", "--json"])
            .output()
            .unwrap(),
    );
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
    let home = with_data();
    home.ok(&["init", "shop"]);
    let file = home.path("shop/problems/churn.toml");
    let problem = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, problem + "\n[monitor]\npsi = 0.0\nfeatures = 1000\n").unwrap();
    let shop = |arguments: &[&str]| -> Ran {
        Ran::of(
            home.command(arguments)
                .args(["--project", "shop"])
                .output()
                .unwrap(),
        )
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
