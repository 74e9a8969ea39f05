//! The shipped project on a marketplace of which some tables are absent.

use safra_marketplace::{Parameters, generate};

use crate::support::Home;

fn marketplace() -> Home {
    let home = Home::new();
    let parameters = Parameters {
        scale: 0.05,
        seed: 7,
        ..Parameters::default()
    };
    generate(&parameters, &home.path("data"), &|_, _| {}).unwrap();
    home
}

#[test]
fn activation_goes_the_whole_way() {
    let home = marketplace();
    home.ok(&["ingest", "data"]);
    let backtest = home.json(&["backtest", "activation"]);
    assert!(backtest["mean"][0]["log_loss"].is_number(), "{backtest}");
    for step in ["train", "promote", "predict"] {
        home.ok(&[step, "activation"]);
    }
    let asked =
        "SELECT COUNT(*) AS rows, COUNT(DISTINCT seller_id) AS sellers FROM predictions.activation";
    let counts = &home.rows(asked)[0];
    assert!(counts["rows"].as_u64() > Some(5));
    assert_eq!(counts["rows"], counts["sellers"]);
    let sold = "SELECT COUNT(*) AS rows FROM predictions.activation AS asked
        JOIN order_items USING (seller_id) JOIN orders USING (order_id)
        WHERE order_purchase_timestamp < asked.reference_date";
    assert_eq!(home.rows(sold)[0]["rows"], 0, "none of them has sold yet");
    home.ok(&["report"]);
    let report = std::fs::read_to_string(home.path("report.html")).unwrap();
    assert!(report.contains("Seller activation"));
}

#[test]
fn without_funnel_and_geolocation_the_rest_is_done_and_what_is_missing_is_said() {
    let home = marketplace();
    for file in [
        "olist_marketing_qualified_leads_dataset.csv",
        "olist_closed_deals_dataset.csv",
        "olist_geolocation_dataset.csv",
    ] {
        std::fs::remove_file(home.path(&format!("data/{file}"))).unwrap();
    }
    let ran = home.ok(&["run", "--source", "data"]);
    for message in [
        "warning: geolocation: the table holds no rows: no olist_geolocation_dataset.csv in data",
        "warning: activation: its cohort and label need rows in leads, deals, of which the lake has none",
    ] {
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    assert!(ran.stdout.contains(" predict churn "), "{}", ran.stdout);
    assert!(ran.stdout.contains(" predict delay "), "{}", ran.stdout);
    let orders = home.rows(
        "SELECT COUNT(*) AS rows, COUNT(distance_km) AS with_distance, COUNT(promised_days) AS with_promise FROM datasets.delay",
    );
    assert!(orders[0]["rows"].as_u64() > Some(1_000), "{}", orders[0]);
    assert_eq!(orders[0]["with_distance"], 0);
    assert_eq!(orders[0]["with_promise"], orders[0]["rows"]);
    assert!(
        ran.stdout.contains("skipped: activation: "),
        "{}",
        ran.stdout
    );
    let report = std::fs::read_to_string(home.path("report.html")).unwrap();
    assert!(report.contains("<section class=\"page\" id=\"churn\">"));
    assert!(report.contains("<code>safra train activation\n"));
}
