//! Totals of rows in any order against the sweep of all of them.

use std::ops::Range;

use proptest::prelude::*;
use safra_sweep::{Aggregate, Function, Reach, Totals, Window};

use crate::cases::{Case, FILTER, FLAG, FLOAT, INTEGER, PRICE, TEXT, TYPES, case};
use crate::oracle::{DAY, Row, Value};
use crate::values::{Input, table};

fn of(function: Function, column: usize, filter: Option<usize>) -> Aggregate {
    Aggregate {
        function,
        column: Some(column),
        filter,
    }
}

/// Counts, sums and averages, some of the same rows and some filtered.
fn aggregates() -> Vec<Aggregate> {
    let rows = |filter| Aggregate {
        function: Function::CountRows,
        column: None,
        filter,
    };
    vec![
        of(Function::Average, FLOAT, Some(FLAG)),
        of(Function::Sum, INTEGER, None),
        rows(None),
        of(Function::Count, TEXT, Some(FILTER)),
        of(Function::Sum, FLOAT, None),
        of(Function::Average, INTEGER, Some(FILTER)),
        of(Function::Count, FLOAT, None),
        rows(Some(FLAG)),
        of(Function::Sum, PRICE, Some(FILTER)),
        of(Function::Count, PRICE, None),
    ]
}

/// Entities are numbered from 0 to this.
const LAST: u32 = 3;

/// Adds some rows, a few at a time.
fn add(totals: &mut Totals, rows: &[Row], at_once: usize) {
    for batch in rows.chunks(at_once) {
        totals.add(&Input::of(batch).rows()).unwrap();
    }
}

fn totals(case: &Case) -> Totals {
    let totals = Totals::new(&TYPES, &case.windows, &case.aggregates, &case.dates);
    totals.unwrap().unwrap()
}

fn steps(totals: &Totals, case: &Case, dates: Range<usize>) -> Vec<(u32, i32, Vec<String>)> {
    let entities = totals.entity_count() as u32;
    let steps = totals.steps(0..entities, dates).unwrap();
    table(&steps.expand(&case.aggregates).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn totals_are_those_of_the_sweep(
        case in case(),
        order in any::<u64>(),
        at_once in 1..8_usize,
        cut in 0..10_usize,
    ) {
        let case = Case { aggregates: aggregates(), ..case };
        let key = |index: usize| (index as u64 ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rows: Vec<_> = case.rows.iter().cloned().enumerate().collect();
        rows.sort_by_key(|(index, _)| key(*index));
        let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
        let (some, others) = rows.split_at(rows.len() / 3);
        // The others have their entities numbered from behind.
        let reversed = others.iter().map(|row| Row { entity: LAST - row.entity, ..row.clone() });
        let (mut whole, mut rest) = (totals(&case), totals(&case));
        add(&mut whole, some, at_once);
        add(&mut rest, &reversed.collect::<Vec<_>>(), at_once);
        let numbers: Vec<u32> = (0..rest.entity_count() as u32).map(|entity| LAST - entity).collect();
        whole.merge(rest, &numbers);

        let expected = Input::of(&case.rows).sweep(&case.windows, &case.aggregates, &case.dates);
        let expected = table(&expected.unwrap());
        prop_assert_eq!(&steps(&whole, &case, 0..case.dates.len()), &expected);

        // Some of the dates, and the entities in another order.
        let cut = cut.min(case.dates.len());
        let last = whole.entity_count() as u32;
        whole.arrange(&(0..last).rev().collect::<Vec<_>>());
        for dates in [0..cut, cut..case.dates.len()] {
            let wanted = &case.dates[dates.clone()];
            let expected = expected.iter().filter(|(_, date, _)| wanted.contains(date)).cloned();
            let mut expected: Vec<_> = expected.map(|(entity, date, values)| (last - 1 - entity, date, values)).collect();
            expected.sort();
            prop_assert_eq!(steps(&whole, &case, dates), expected);
        }
    }
}

fn row(entity: u32, day: i64, integer: i64) -> Row {
    Row {
        entity,
        time: day * DAY,
        valid_from: i64::MIN,
        valid_to: i64::MAX,
        values: vec![
            Value::Float(0.1),
            Value::Float(0.2),
            Value::Integer(integer),
            Value::Null,
            Value::Null,
            Value::Null,
        ],
    }
}

#[test]
fn a_value_stands_once_for_as_long_as_it_lasts() {
    let case = Case {
        rows: vec![row(0, 0, 1), row(0, 7, 2)],
        windows: vec![Window::Days(30), Window::All],
        aggregates: vec![of(Function::Sum, INTEGER, None)],
        dates: (1..60).collect(),
    };
    let mut totals = totals(&case);
    add(&mut totals, &case.rows, 1);
    let steps = totals.steps(0..1, 0..case.dates.len()).unwrap();
    // The row of day 0 leaves the window on day 31, that of day 7 on day 38, and the entity stays.
    assert_eq!(&steps.windows[0].ends[..], [7, 30, 37, 59]);
    assert_eq!(&steps.windows[1].ends[..], [7, 59]);
}

#[test]
fn totals_of_nothing_have_the_types_of_some() {
    let case = Case {
        rows: Vec::new(),
        windows: vec![Window::All],
        aggregates: aggregates(),
        dates: vec![1],
    };
    let steps = totals(&case).steps(0..0, 0..1).unwrap();
    let swept = steps.expand(&case.aggregates).unwrap();
    for (values, aggregate) in swept.values[0].iter().zip(&case.aggregates) {
        assert_eq!(*values.data_type(), aggregate.output_type(&TYPES).unwrap());
    }
}

#[test]
fn what_needs_rows_together_has_no_totals() {
    for function in [Function::CountDistinct, Function::Maximum] {
        let aggregates = [of(Function::Sum, PRICE, None), of(function, PRICE, None)];
        let none = Totals::new(&TYPES, &[Window::All], &aggregates, &[1]);
        assert!(none.unwrap().is_none());
    }
}

#[test]
fn a_sum_that_overflows_names_itself_and_its_place() {
    let case = Case {
        rows: vec![row(2, 0, i64::MAX), row(1, 0, 5), row(2, 1, 1)],
        windows: vec![Window::Days(1), Window::Months(2)],
        aggregates: vec![
            of(Function::Count, INTEGER, None),
            of(Function::Sum, INTEGER, None),
        ],
        dates: vec![1, 2, 3],
    };
    let mut totals = totals(&case);
    add(&mut totals, &case.rows, 3);
    let message = totals.steps(0..3, 0..3).unwrap_err().to_string();
    let expected = "sum(column 2) overflows a 64-bit integer for entity 2 on day 2 in window 2mo";
    assert!(message.starts_with(expected), "{message}");
}

proptest! {
    #[test]
    fn rows_out_of_reach_change_nothing(case in case()) {
        let reach = Reach::new(&case.windows, &case.dates).unwrap();
        let holds = |row: &Row| reach.holds(row.time, row.valid_from, row.valid_to);
        let (within, beyond): (Vec<Row>, Vec<Row>) = case.rows.iter().cloned().partition(holds);
        let swept = |rows: &[Row]| {
            table(&Input::of(rows).sweep(&case.windows, &case.aggregates, &case.dates).unwrap())
        };
        prop_assert_eq!(swept(&within), swept(&case.rows));
        prop_assert!(swept(&beyond).is_empty());
        // No row within reach could be left out, too.
        for row in &within {
            prop_assert!(!swept(std::slice::from_ref(row)).is_empty());
        }
    }
}
