//! What is refused, with which exit code, and what is said of it.

use crate::marketplace::{finished, with_data};
use crate::support::Home;

/// Commands that are refused with exit code 2, and what they say.
fn check_refused(home: &Home, cases: &[(&[&str], &str)]) {
    for (arguments, message) in cases {
        let ran = home.safra(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(message),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}

#[test]
fn wrong_usage_and_missing_tables_are_refused_with_exit_code_2() {
    let home = with_data();
    home.ok(&["init", "broken"]);
    std::fs::write(home.path("broken/safra.toml"), "name = \"x\"\nfirst = 1\n").unwrap();
    std::fs::create_dir_all(home.path("few")).unwrap();
    check_refused(
        &home,
        &[
            (&[], "Usage"),
            (&["predictt"], "unrecognized subcommand 'predictt'"),
            (
                &["predict", "churn", "--at", "yesterday"],
                "invalid value 'yesterday' for '--at <DATE>': not a day: write year, month and day, such as 2018-06-01",
            ),
            (
                &["predict", "nonsense"],
                "error: no such problem: nonsense\nhint: the project declares: ",
            ),
            (
                &["predict", "churn"],
                "error: olist-churn: there is no champion\nhint: ",
            ),
            (
                &["promote", "churn"],
                "error: olist-churn: no version is registered\nhint: ",
            ),
            (
                &["backtest", "churn"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["train", "churn"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["dataset", "churn"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["features"],
                ": no such table in the lake at lake\nhint: `safra ingest DIR`",
            ),
            (
                &["report"],
                "error: there is no champion to report on\nhint: ",
            ),
            (&["ingest", "nowhere"], "error: nowhere: no such folder"),
            (
                &["ingest", "few"],
                "error: few: none of the files that sources.toml names, such as olist_orders_dataset.csv\nhint: name the folder",
            ),
            (
                &["--project", "nowhere", "features"],
                "error: nowhere: no such folder\nhint: `safra init nowhere`",
            ),
            (&["--project", "broken", "features"], "error: safra.toml: "),
            (
                &["--project", "few", "features"],
                "error: safra.toml: no such file in the project\nhint: `safra init`",
            ),
            (
                &["predict", "chrun"],
                "error: no such problem: chrun\nhint: did you mean churn? the project declares: ",
            ),
            (
                &["ingest", "data/olist_orders_dataset.csv"],
                "error: data/olist_orders_dataset.csv: not a folder\nhint: ",
            ),
            (
                &["ingest", "."],
                "error: .: none of the files that sources.toml names, such as olist_orders_dataset.csv\nhint: there are such files in ./data",
            ),
            (
                &["sql", "SELEC 1"],
                "error: Expected: an SQL statement, found: SELEC at Line: 1, Column: 1",
            ),
            (
                &["sql", "SELECT * FROM orders"],
                "error: no such table in the lake: orders\nhint: `safra ingest DIR` reads the files of a folder",
            ),
        ],
    );
    assert!(!home.path("lake").exists(), "what is refused makes nothing");
    assert!(!home.path("mlruns").exists());
}

#[test]
fn dates_and_names_that_the_data_does_not_reach_are_refused_with_exit_code_2() {
    let home = finished();
    let predictions = home.predictions();
    check_refused(
        &home,
        &[
            (
                &["predict", "churn", "--at", "2018-06-02"],
                "error: churn: the reference date 2018-06-02 is after the end of the data\nhint: ",
            ),
            (
                &["train", "churn", "--at", "2018-06-02"],
                "error: churn: 2018-06-02 is after the end of the data",
            ),
            (
                &["train", "churn", "--at", "2017-01-15"],
                "error: churn: no date has settled labels",
            ),
            (
                &["features", "--to", "2018-06-02"],
                "error: --to 2018-06-02 is after the end of the data\nhint: ",
            ),
            (
                &["features", "sales"],
                "error: no such feature view: sales\nhint: the project declares: ",
            ),
            (
                &["features", "--from", "2018-05-01", "--to", "2018-01-01"],
                "error: --from 2018-05-01 is after the last reference date, 2018-01-01\nhint: ",
            ),
            (
                &[
                    "backtest",
                    "churn",
                    "--from",
                    "2018-04-01",
                    "--to",
                    "2018-01-01",
                ],
                "error: --from 2018-04-01 is after --to 2018-01-01\nhint: ",
            ),
            (
                &["sql", "SELECT * FROM features.seller_sale"],
                "error: no such table in the lake: features.seller_sale\nhint: did you mean features.seller_sales?",
            ),
            (
                &["sql", "SELECT orderid FROM orders"],
                "error: No field named orderid. Did you mean 'orders.order_id'?\nhint: there are: orders.order_id, ",
            ),
            (
                &["sql", "DROP TABLE orders"],
                "not supported: DropTable\nhint: `safra sql` only reads",
            ),
            (
                &["backtest", "churn", "--to", "2018-06-01"],
                "labels are not settled yet\nhint: the first and last dates that can are ",
            ),
            (
                &["backtest", "churn", "--learner", "oracle"],
                "no such learner in problems/churn.toml: oracle\nhint: it declares: baseline",
            ),
        ],
    );
    assert_eq!(home.predictions(), predictions);
    assert_eq!(home.models(), (vec![1], Some(1)));
}

#[test]
fn what_is_nobodys_fault_has_exit_code_3() {
    let home = with_data();
    std::fs::write(home.path("file"), "").unwrap();
    let ran = home.safra(&["--lake", "file", "ingest", "data"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: file"), "{}", ran.stderr);
}
