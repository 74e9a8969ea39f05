//! The files as files: the same bytes again, whole or not at all, and what parameters do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use safra_marketplace::{MarketplaceError, Parameters, Table, generate};
use support::{Csv, date, generated, time};
use tempfile::TempDir;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            fs::read(path).unwrap(),
        )
    };
    fs::read_dir(folder).unwrap().map(entry).collect()
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let parameters = Parameters {
        scale: 0.1,
        seed: 3,
        truth: true,
        ..Parameters::default()
    };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        files(pool.install(|| generated(&parameters)).path())
    };
    let one = on(1);
    assert_eq!(one.len(), Table::ALL.len());
    assert!(one == on(2), "two threads");
    assert!(one == on(7), "seven threads");
}

#[test]
fn another_seed_is_another_marketplace() {
    let of_seed = |seed| {
        files(
            generated(&Parameters {
                scale: 0.02,
                seed,
                ..Parameters::default()
            })
            .path(),
        )
    };
    let (one, other) = (of_seed(1), of_seed(2));
    assert!(one[Table::Orders.file_name()] != other[Table::Orders.file_name()]);
    let country = Table::Geolocation.file_name();
    assert!(
        one[country] == other[country],
        "the country is the same for all seeds"
    );
}

#[test]
fn rows_are_counted_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let parameters = Parameters {
        scale: 0.05,
        truth: true,
        ..Parameters::default()
    };
    let generated = generate(&parameters, folder.path(), &|_, _| {}).unwrap();
    for table in Table::ALL {
        let rows = Csv::read(folder.path(), table).rows.len() as u64;
        assert_eq!(generated.rows[&table], rows, "{table:?}");
        assert!(rows > 0, "{table:?}");
    }
}

#[test]
fn progress_goes_from_none_to_all() {
    let calls = Mutex::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let parameters = Parameters {
        scale: 0.02,
        ..Parameters::default()
    };
    generate(&parameters, folder.path(), &|done, total| {
        calls.lock().unwrap().push((done, total))
    })
    .unwrap();
    let calls = calls.into_inner().unwrap();
    let (_, total) = calls[0];
    assert_eq!(calls.first(), Some(&(0, total)));
    assert_eq!(calls.last(), Some(&(total, total)));
    assert!(calls.is_sorted());
}

#[test]
fn rows_grow_with_the_scale() {
    let rows = |scale| {
        let folder = tempfile::tempdir().unwrap();
        let parameters = Parameters {
            scale,
            seed: 5,
            ..Parameters::default()
        };
        generate(&parameters, folder.path(), &|_, _| {})
            .unwrap()
            .rows
    };
    let (small, large) = (rows(0.1), rows(0.8));
    for table in [
        Table::Orders,
        Table::OrderItems,
        Table::OrderReviews,
        Table::Sellers,
        Table::Products,
        Table::Leads,
    ] {
        let growth = large[&table] as f64 / small[&table] as f64;
        assert!(
            (6.0..10.0).contains(&growth),
            "{table:?} grew {growth} times"
        );
    }
}

/// One marketplace on the mornings of two months.
fn may_and_june() -> [TempDir; 2] {
    let parameters = Parameters {
        scale: 0.1,
        seed: 2,
        ..Parameters::default()
    };
    ["2018-05-01", "2018-06-01"].map(|day| {
        generated(&Parameters {
            until: date(day),
            ..parameters.clone()
        })
    })
}

#[test]
fn a_month_later_nothing_known_has_changed() {
    let [may, june] = may_and_june();
    for (table, dated) in [
        (Table::OrderReviews, "review_answer_timestamp"),
        (Table::Leads, "first_contact_date"),
        (Table::Deals, "won_date"),
    ] {
        let known_in_may = |folder: &TempDir| -> BTreeSet<Vec<String>> {
            let csv = Csv::read(folder.path(), table);
            let rows = csv.rows.iter().zip(csv.column(dated));
            rows.filter(|(_, day)| *day < "2018-05-01")
                .map(|(row, _)| row.iter().map(str::to_owned).collect())
                .collect()
        };
        let all = Csv::read(may.path(), table).rows.len();
        assert_eq!(known_in_may(&may).len(), all, "{table:?}");
        assert_eq!(known_in_may(&may), known_in_may(&june), "{table:?}");
    }
}

#[test]
fn times_of_an_order_are_blank_until_they_are_known() {
    let [may, june] = may_and_june();
    for column in [
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
    ] {
        let times = |folder: &TempDir| -> BTreeMap<String, String> {
            let csv = Csv::read(folder.path(), Table::Orders);
            let times = csv.pairs("order_id", column);
            times
                .map(|(id, time)| (id.to_owned(), time.to_owned()))
                .collect()
        };
        let later = times(&june);
        for (id, value) in times(&may) {
            let time = later[&id].as_str();
            let known = if time < "2018-05-01" { time } else { "" };
            assert_eq!(value, known, "{column} of order {id}");
        }
    }
}

#[test]
fn the_status_is_rolled_back_to_the_last_known_step() {
    let until = |day| {
        generated(&Parameters {
            scale: 0.2,
            seed: 2,
            until: date(day),
            truth: false,
        })
    };
    let (may, end) = (until("2018-05-01"), until("2018-12-01"));
    let (may, end) = (
        Csv::read(may.path(), Table::Orders),
        Csv::read(end.path(), Table::Orders),
    );
    let finally: BTreeMap<&str, (&str, bool)> = end
        .pairs("order_id", "order_status")
        .zip(end.column("order_delivered_customer_date"))
        .map(|((id, status), delivered)| (id, (status, !delivered.is_empty())))
        .collect();
    let mut rolled_back = BTreeMap::new();
    for (id, status) in may.pairs("order_id", "order_status") {
        let (last, _) = finally[id];
        if status != last {
            *rolled_back.entry(status).or_insert(0) += 1;
        }
    }
    let statuses: Vec<&str> = rolled_back.keys().copied().collect();
    assert_eq!(statuses, ["created", "processing", "shipped"]);
    assert!(rolled_back["shipped"] > 100, "{rolled_back:?}");
    for (status, delivered) in may.pairs("order_status", "order_delivered_customer_date") {
        assert!(status != "delivered" || time(delivered).is_some());
    }
}

#[test]
fn the_truth_is_told_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut parameters = Parameters {
        scale: 0.02,
        truth: true,
        ..Parameters::default()
    };
    generate(&parameters, folder.path(), &|_, _| {}).unwrap();
    let with = files(folder.path());
    parameters.truth = false;
    let rows = generate(&parameters, folder.path(), &|_, _| {})
        .unwrap()
        .rows;
    let without = files(folder.path());
    assert!(!rows.contains_key(&Table::TruthSellers));
    assert!(with.len() == Table::ALL.len() && without.len() == Table::ALL.len() - 2);
    assert!(without.iter().all(|(name, bytes)| with[name] == *bytes));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let attempt = |parameters: Parameters| generate(&parameters, &out, &|_, _| {}).unwrap_err();
    for scale in [0.0, -1.0, f64::NAN] {
        let error = attempt(Parameters {
            scale,
            ..Parameters::default()
        });
        assert!(matches!(error, MarketplaceError::Scale(_)), "{error}");
    }
    let error = attempt(Parameters {
        scale: f64::INFINITY,
        ..Parameters::default()
    });
    assert!(
        matches!(error, MarketplaceError::ScaleTooLarge { .. }),
        "{error}"
    );
    let error = attempt(Parameters {
        until: date("2016-09-01"),
        ..Parameters::default()
    });
    assert!(error.to_string().contains("2016-09-01"), "{error}");
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let parameters = Parameters {
        scale: 0.01,
        ..Parameters::default()
    };
    let error = generate(&parameters, &file.join("out"), &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("file/out"), "{error}");
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join(Table::Orders.file_name());
    fs::create_dir(&blocked).unwrap();
    fs::write(blocked.join("inside"), "in the way").unwrap();
    let parameters = Parameters {
        scale: 0.01,
        ..Parameters::default()
    };
    let error = generate(&parameters, folder.path(), &|_, _| {}).unwrap_err();
    assert!(
        error.to_string().contains(Table::Orders.file_name()),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
