//! What goes to standard output and what to standard error.

use std::process::Stdio;

use serde_json::Value;

use crate::marketplace::with_data;

#[test]
fn results_go_to_standard_output_and_messages_to_standard_error() {
    let home = with_data();
    let items = home.path("data/olist_order_items_dataset.csv");
    let mut text = std::fs::read_to_string(&items).unwrap();
    text.push_str("nowhere,1,nothing,nobody,2018-01-01 00:00:00,1.0,1.0\n");
    std::fs::write(&items, text).unwrap();
    let loud = home.safra(&["ingest", "data"]);
    assert_eq!(loud.code, Some(0));
    assert!(
        loud.stderr
            .starts_with("warning: order_items: 1 rows rejected\nhint: "),
        "{}",
        loud.stderr
    );
    assert!(loud.stdout.contains(" order_items ") && !loud.stdout.contains("warning"));

    let quiet = home.safra(&["-q", "ingest", "data"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    assert!(quiet.stdout.contains(" order_items "));
    let run = home.safra(&["run", "--quiet", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    serde_json::from_str::<Value>(&run.stdout).unwrap();

    let query = "SELECT line, \"column\", reason FROM rejected.order_items";
    let rejected = home.json(&["sql", query]);
    assert_eq!(rejected[0]["column"], "order_id");
    assert_eq!(
        rejected[0]["reason"],
        "no such row in orders: order_id = nowhere"
    );
    let table = home.ok(&["sql", query]);
    assert!(
        table.contains(" no such row in orders: order_id = nowhere "),
        "{table}"
    );
}

#[test]
fn a_reader_that_stops_reading_is_no_error_but_a_full_disk_is() {
    let home = with_data();
    let mut child = home
        .command(&["ingest", "data"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );

    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: there is no /dev/full");
        return;
    };
    let mut ingest = home.command(&["ingest", "data"]);
    let output = ingest.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: standard output: "), "{message}");
}
