//! Every output is a function of the active rows and the date, to the last bit.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use safra_sweep::{Aggregate, Function, Window};

use crate::cases::{Case, FILTER, FLOAT, INTEGER, PRICE, TEXT, case};
use crate::oracle::{DAY, Row, Value};
use crate::values::{Input, table};

fn outputs(rows: &[Row], case: &Case, dates: &[i32]) -> Vec<(u32, i32, Vec<String>)> {
    table(
        &Input::of(rows)
            .sweep(&case.windows, &case.aggregates, dates)
            .unwrap(),
    )
}

/// The rows as they were known at a date: nothing that happened or was learnt later.
fn known_at(rows: &[Row], date: i32) -> Vec<Row> {
    let midnight = i64::from(date) * DAY;
    let known = rows
        .iter()
        .filter(|row| row.time < midnight && row.valid_from < midnight);
    let forget = |row: &Row| Row {
        valid_to: if row.valid_to >= midnight {
            i64::MAX
        } else {
            row.valid_to
        },
        ..row.clone()
    };
    known.map(forget).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_order_of_rows_does_not_matter(case in case(), order in any::<u64>()) {
        let mut shuffled: Vec<_> = case.rows.iter().cloned().enumerate().collect();
        let key = |index: usize| (index as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        shuffled.sort_by_key(|(index, row)| (row.entity, key(*index)));
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, row)| row).collect();
        prop_assert_eq!(outputs(&shuffled, &case, &case.dates), outputs(&case.rows, &case, &case.dates));
    }

    #[test]
    fn other_dates_do_not_matter(case in case()) {
        let single = case.dates.iter().flat_map(|&date| outputs(&case.rows, &case, &[date]));
        let mut single: Vec<_> = single.collect();
        single.sort();
        prop_assert_eq!(single, outputs(&case.rows, &case, &case.dates));
    }

    #[test]
    fn what_was_not_known_yet_does_not_matter(case in case()) {
        for &date in &case.dates {
            let mut all = outputs(&case.rows, &case, &case.dates);
            all.retain(|row| row.1 == date);
            prop_assert_eq!(outputs(&known_at(&case.rows, date), &case, &[date]), all);
        }
    }

    #[test]
    fn other_windows_and_aggregates_do_not_matter(case in case()) {
        let input = Input::of(&case.rows);
        let together = input.sweep(&case.windows, &case.aggregates, &case.dates).unwrap();
        let keys: BTreeSet<_> = together.entity.iter().zip(&together.date).collect();
        for (window, values) in case.windows.iter().zip(&together.values) {
            for (aggregate, array) in case.aggregates.iter().zip(values) {
                let alone = input.sweep(&[*window], &[*aggregate], &case.dates).unwrap();
                let mut rows = keys.iter().zip(crate::values::bits(array));
                for (entity, date, bits) in table(&alone) {
                    let same = rows.find(|(key, _)| **key == (&entity, &date));
                    prop_assert_eq!(same.map(|(_, bits)| bits), bits.into_iter().next());
                }
            }
        }
    }
}

/// Many entities, some of them large, in no order of time.
fn entities() -> Vec<Row> {
    let sizes = (0..300).map(|entity| {
        if entity == 150 {
            20_000
        } else {
            1 + entity * 13 % 60
        }
    });
    let rows = sizes
        .enumerate()
        .flat_map(|(entity, size)| (0..size).map(move |index| (entity, index)));
    let row = |(entity, index): (usize, usize)| {
        let scattered = (entity * 31 + index * 7_919) as i64 % 400;
        Row {
            entity: entity as u32,
            time: scattered * DAY + index as i64,
            valid_from: if index.is_multiple_of(4) {
                (scattered + 3) * DAY
            } else {
                i64::MIN
            },
            valid_to: i64::MAX,
            values: vec![
                Value::Float(scattered as f64 / 3.0),
                Value::Float(index as f64 / 100.0),
                if index.is_multiple_of(9) {
                    Value::Null
                } else {
                    Value::Integer(scattered % 17)
                },
                Value::Text(format!("t{}", scattered % 5)),
                Value::Boolean(true),
                Value::Boolean(index.is_multiple_of(3)),
            ],
        }
    };
    rows.map(row).collect()
}

fn aggregates() -> Vec<Aggregate> {
    let deviation = Function::StandardDeviation { sample: true };
    let decayed = Function::DecayedSum {
        half_life_days: 9.0,
    };
    let of = |(function, column, filter)| Aggregate {
        function,
        column,
        filter,
    };
    let aggregates = [
        (Function::CountRows, None, Some(FILTER)),
        (Function::Sum, Some(FLOAT), None),
        (deviation, Some(PRICE), None),
        (Function::Quantile(0.5), Some(FLOAT), Some(FILTER)),
        (Function::Last, Some(TEXT), None),
        (Function::Mode, Some(INTEGER), None),
        (Function::MeanGap, None, None),
        (decayed, Some(PRICE), None),
    ];
    aggregates.into_iter().map(of).collect()
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let input = Input::of(&entities());
    let windows = [Window::Days(30), Window::Months(6), Window::All];
    let dates: Vec<_> = (0..430).step_by(10).collect();
    let run = |threads: usize| {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let swept = pool.install(|| input.sweep(&windows, &aggregates(), &dates));
        table(&swept.unwrap())
    };
    let one = run(1);
    assert!(one.len() > 5_000, "{}", one.len());
    assert!(one == run(2) && one == run(7), "outputs differ");
}
