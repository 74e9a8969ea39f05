//! The sweep against its definition.

use proptest::prelude::*;
use safra_sweep::{Aggregate, Function, Window};

use crate::cases::{Case, FILTER, FLOAT, PRICE, case};
use crate::oracle::{self, DAY, Row, Value};
use crate::values::{Input, agrees, value};

fn check(case: &Case) -> Result<(), TestCaseError> {
    let swept = Input::of(&case.rows).sweep(&case.windows, &case.aggregates, &case.dates);
    let swept = swept.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let expected = oracle::sweep(&case.rows, &case.windows, &case.aggregates, &case.dates);
    let keys: Vec<_> = swept
        .entity
        .iter()
        .copied()
        .zip(swept.date.iter().copied())
        .collect();
    let expected_keys: Vec<_> = expected
        .iter()
        .map(|(entity, date, _)| (*entity, *date))
        .collect();
    prop_assert_eq!(keys, expected_keys);
    for (row, (entity, date, windows)) in expected.iter().enumerate() {
        for (window, aggregates) in windows.iter().enumerate() {
            for (aggregate, expected) in aggregates.iter().enumerate() {
                let found = value(&swept.values[window][aggregate], row);
                prop_assert!(
                    agrees(&found, expected),
                    "{} in {} of entity {entity} on {date}: found {found:?}, expected {expected:?}",
                    case.aggregates[aggregate],
                    case.windows[window],
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn agrees_with_its_definition(case in case()) {
        check(&case)?;
    }
}

/// Rows that enter late, are replaced and leave, in no order of time.
fn many_rows(length: usize) -> Vec<Row> {
    let row = |index: usize| {
        let scattered = index as i64 * 7_919 % 10_007;
        let time = scattered * DAY / 100;
        let replaced = index.is_multiple_of(5);
        Row {
            entity: 3,
            time,
            valid_from: if index.is_multiple_of(3) {
                time + 2 * DAY
            } else {
                i64::MIN
            },
            valid_to: if replaced { time + 20 * DAY } else { i64::MAX },
            values: vec![
                if index.is_multiple_of(11) {
                    Value::Null
                } else {
                    Value::Float(scattered as f64 / 7.0)
                },
                Value::Float((index % 100) as f64 / 100.0),
                Value::Integer(scattered % 50),
                Value::Text(format!("t{}", index % 13)),
                Value::Boolean(index.is_multiple_of(2)),
                Value::Boolean(index.is_multiple_of(7)),
            ],
        }
    };
    (0..length).map(row).collect()
}

#[test]
fn an_entity_large_enough_for_several_threads_agrees() {
    let functions = [
        Function::Sum,
        Function::Average,
        Function::CountDistinct,
        Function::Minimum,
        Function::Quantile(0.9),
        Function::Mode,
        Function::First,
        Function::Last,
        Function::Variance { sample: true },
        Function::DecayedSum {
            half_life_days: 5.0,
        },
        Function::LongestGap,
    ];
    let aggregate = |column, filter| {
        move |function| Aggregate {
            function,
            column: Some(column),
            filter,
        }
    };
    let aggregates = functions.into_iter().map(aggregate(FLOAT, None));
    let filtered = functions.into_iter().map(aggregate(PRICE, Some(FILTER)));
    check(&Case {
        rows: many_rows(20_000),
        windows: vec![Window::Days(10), Window::Months(1), Window::All],
        aggregates: aggregates.chain(filtered).collect(),
        dates: vec![-5, 3, 30, 31, 90],
    })
    .unwrap();
}
