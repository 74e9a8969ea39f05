//! A view that takes a query a date is computed, and says so once.
use std::path::Path;
use std::process::{Command, Output};

const SLOW: &str = "---
entity: seller_id
time: order_purchase_timestamp
windows: [30d, all]
---
SELECT corr(price, freight_value) AS correlation
FROM order_items JOIN orders USING (order_id)
";

const WHY: &str = "corr(order_items.price,order_items.freight_value): \
    not among the aggregates that are computed for all dates at once";

fn safra(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_safra"));
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove("SAFRA_LOG");
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    output
}

fn warnings(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let output = safra(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    let lines = text.lines().filter(|line| line.contains("WARN"));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_view_that_takes_a_query_a_date_says_so_once() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    safra(
        home,
        &[
            "generate", "--scale", "0.01", "--seed", "1", "--out", "data",
        ],
    );
    safra(home, &["init", "shop"]);
    std::fs::write(home.join("shop/features/slow.sql"), SLOW).unwrap();
    safra(home, &["--project", "shop", "ingest", "data"]);

    let slow = ["--project", "shop", "features", "slow", "--every", "month"];
    let line = format!(
        "WARN features/slow.sql: slow is computed by one query a date, which is slow: {WHY}"
    );
    assert_eq!(warnings(home, &slow), [line]);
    assert_eq!(warnings(home, &slow), [""; 0], "nothing is computed again");
    assert_eq!(
        warnings(home, &["--project", "shop", "features", "seller_sales"]),
        [""; 0]
    );

    let explained = safra(home, &["--project", "shop", "features", "explain", "slow"]);
    let explained = String::from_utf8(explained.stdout).unwrap();
    let said = format!("computed by one query a date, which is slow:\n  {WHY}\n");
    assert!(explained.contains(&said), "{explained}");
}
