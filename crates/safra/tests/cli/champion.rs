//! `safra predict` and `safra promote`: scores of a date, and who is champion.

use crate::marketplace::{finished, with_data};

#[test]
fn predicting_again_replaces_the_scores_of_that_date_only() {
    let home = finished();
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
    let home = with_data();
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
