//! The public data: all dates at once equal the oracle at each, and a month later they are still the same.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::NaiveDate;
use safra_features::{CompiledView, REFERENCE_TIME, compute, event_oracle};
use safra_history::History;
use safra_lake::{Lake, ingest};
use safra_project::Project;

use crate::comparison::{Tolerance, differences};
use crate::extracts::extract;
use crate::functions::functions_against_oracle;
use crate::support::{OLIST, OLIST_VIEWS, against_oracle, dates, run};

#[test]
fn shipped_views_equal_the_oracle() {
    let Some(folder) = extract("2018-06-01") else {
        return;
    };
    let lake = tempfile::tempdir().unwrap();
    let history = load(&Lake::new(lake.path()), &folder, &OLIST);
    let dates = dates(&[
        "2017-02-01",
        "2017-06-15",
        "2017-12-01",
        "2018-03-01",
        "2018-06-01",
    ]);
    let about_dates = OLIST_VIEWS
        .iter()
        .filter(|view| !view.view.is_about_events());
    let about_dates: Vec<CompiledView> = about_dates.cloned().collect();
    let mut found = against_oracle(&about_dates, &history, &dates);
    found.extend(functions_against_oracle(&history, &dates[1..2]));
    assert!(
        found.is_empty(),
        "{} differences, such as\n{}",
        found.len(),
        some(&found)
    );
}

/// The extract of a morning is the extract of a later one cut at that morning, so that features of days
/// until then must not tell which of the two they were computed from.
#[test]
fn features_are_the_same_a_month_later() {
    let (Some(before), Some(after)) = (extract("2018-05-01"), extract("2018-06-01")) else {
        return;
    };
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = load(&Lake::new(first.path()), &before, &OLIST);
    let after = load(&Lake::new(second.path()), &after, &OLIST);
    // Nothing is known of the events of the last day.
    let dates = dates(&["2017-06-01", "2018-01-01", "2018-04-30"]);
    let mut found = Vec::new();
    // Places are known always, and the extract of the first morning has none.
    let undated = |view: &&CompiledView| view.reads.contains_key("geolocation");
    for view in OLIST_VIEWS.iter().filter(|view| !undated(view)) {
        found.extend(changed(view, &before, &after, &dates));
    }
    assert!(
        found.is_empty(),
        "{} differences, such as\n{}",
        found.len(),
        some(&found)
    );
}

/// Some events, each from the sources cut at its own time.
#[test]
fn shipped_views_about_events_equal_the_oracle() {
    let Some(folder) = extract("2018-06-01") else {
        return;
    };
    let lake = tempfile::tempdir().unwrap();
    let history = load(&Lake::new(lake.path()), &folder, &OLIST);
    let (mut found, mut compared) = (Vec::new(), 0);
    for view in OLIST_VIEWS
        .iter()
        .filter(|view| view.view.is_about_events())
    {
        for day in dates(&["2017-02-10", "2018-03-08"]) {
            let computed = run(compute(view, &history, &[day])).unwrap();
            for row in [0, computed.num_rows() / 2, computed.num_rows() - 1] {
                let times = computed.column_by_name(REFERENCE_TIME).unwrap();
                let times = times.as_primitive::<TimestampMicrosecondType>();
                let expected = run(event_oracle(view, &history, times.value(row))).unwrap();
                let same_time = |other: &usize| times.value(*other) == times.value(row);
                let rows: Vec<usize> = (0..computed.num_rows()).filter(same_time).collect();
                let computed = computed.slice(rows[0], rows.len());
                found.extend(differences(
                    view,
                    &computed,
                    &expected,
                    day,
                    Tolerance::Exact,
                ));
                compared += expected.num_rows();
            }
        }
    }
    assert!(found.is_empty(), "{}", some(&found));
    assert!(compared >= 18, "{compared}");
}

fn changed(
    view: &CompiledView,
    before: &History,
    after: &History,
    dates: &[NaiveDate],
) -> Vec<String> {
    let before = run(compute(view, before, dates)).unwrap();
    let after = run(compute(view, after, dates)).unwrap();
    assert!(before.num_rows() > 0, "{}", view.view.name);
    let at = |date: &NaiveDate| differences(view, &after, &before, *date, Tolerance::Exact);
    dates.iter().flat_map(at).collect()
}

fn load(lake: &Lake, folder: &Path, project: &Project) -> History {
    run(ingest(lake, project, folder, &|_| {})).unwrap();
    let tables = OLIST_VIEWS
        .iter()
        .flat_map(|view| view.reads.keys().cloned());
    let names: BTreeSet<String> = tables.collect();
    run(History::load(lake, project, &names)).unwrap()
}

fn some(found: &[String]) -> String {
    found[..found.len().min(20)].join("\n")
}
