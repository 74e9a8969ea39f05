//! The documents that `--json` prints.

use serde_json::Value;

use crate::marketplace::{keys, with_data};
use crate::support::Home;

/// The metrics of a backtest, in the order in which they are printed.
const METRICS: [&str; 6] = [
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
    "lift_at_10",
];

#[test]
fn json_documents_have_these_shapes() {
    let home = with_data();
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
