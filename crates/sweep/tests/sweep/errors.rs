//! What is refused, and how it is said.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, UInt64Array};
use safra_sweep::{Aggregate, Function, Rows, SweepError, Window, sweep};

use crate::oracle::DAY;

fn of(function: Function, column: usize) -> Aggregate {
    Aggregate {
        function,
        column: Some(column),
        filter: None,
    }
}

fn columns() -> Vec<ArrayRef> {
    vec![
        Arc::new(Int64Array::from(vec![i64::MAX, 1, 2])),
        Arc::new(StringArray::from(vec!["a", "b", "c"])),
        Arc::new(UInt64Array::from(vec![1, u64::MAX, 2])),
    ]
}

fn error(entity: &[u32], windows: &[Window], aggregate: Aggregate, dates: &[i32]) -> String {
    let rows = Rows {
        entity,
        time: &[0, DAY, DAY],
        valid_from: &[i64::MIN; 3],
        valid_to: &[i64::MAX; 3],
        columns: &columns(),
    };
    sweep(&rows, windows, &[of(Function::Count, 0), aggregate], dates)
        .unwrap_err()
        .to_string()
}

fn aggregate_error(aggregate: Aggregate) -> String {
    error(&[0; 3], &[Window::All], aggregate, &[5])
}

#[test]
fn a_sum_that_overflows_names_itself_and_its_place() {
    let message = error(
        &[3, 3, 4],
        &[Window::Days(1), Window::Months(2)],
        of(Function::Sum, 0),
        &[1, 2, 3],
    );
    let expected = "sum(column 0) overflows a 64-bit integer for entity 3 on day 2 in window 2mo";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_sum_that_overflows_only_on_other_dates_is_fine() {
    let rows = Rows {
        entity: &[0; 3],
        time: &[0, DAY, DAY],
        valid_from: &[i64::MIN; 3],
        valid_to: &[DAY, i64::MAX, i64::MAX],
        columns: &columns(),
    };
    assert!(sweep(&rows, &[Window::All], &[of(Function::Sum, 0)], &[1, 2]).is_ok());
}

#[test]
fn rows_and_dates_must_be_sorted() {
    let count = of(Function::Count, 0);
    let message = error(&[0, 2, 1], &[Window::All], count, &[5]);
    assert!(
        message.starts_with("rows are not sorted by entity: row 2 has entity 1 after entity 2"),
        "{message}"
    );
    let message = error(&[0; 3], &[Window::All], count, &[5, 5]);
    assert_eq!(
        message,
        "reference dates are not strictly increasing: day 5 after day 5"
    );
    let message = error(&[0; 3], &[Window::All], count, &[5, i32::MAX]);
    assert_eq!(
        message,
        "reference date is outside the calendar, in days since 1970-01-01: 2147483647"
    );
    let message = error(&[0; 3], &[Window::All, Window::Days(0)], count, &[5]);
    assert!(
        message.starts_with("window can hold no row: 0d"),
        "{message}"
    );
}

#[test]
fn lengths_must_agree() {
    let rows = Rows {
        entity: &[0; 2],
        time: &[0; 2],
        valid_from: &[0; 1],
        valid_to: &[1; 2],
        columns: &[],
    };
    let message = sweep(&rows, &[], &[], &[]).unwrap_err().to_string();
    assert_eq!(
        message,
        "valid_from has another length than the entities: 1 instead of 2"
    );
    let rows = Rows {
        valid_from: &[0; 2],
        columns: &columns()[..1],
        ..rows
    };
    let message = sweep(&rows, &[], &[], &[]).unwrap_err().to_string();
    assert_eq!(
        message,
        "column 0 has another length than the entities: 3 instead of 2"
    );
}

#[test]
fn aggregates_must_fit_their_columns() {
    let message = aggregate_error(of(Function::Average, 1));
    assert!(
        message.starts_with(
            "avg(column 1) cannot be computed of this type: Utf8\nhint: it takes integers"
        ),
        "{message}"
    );
    let message = aggregate_error(of(Function::Maximum, 9));
    assert!(
        message.starts_with("max(column 9) names a column that does not exist: 9"),
        "{message}"
    );
    let message = aggregate_error(Aggregate {
        filter: Some(1),
        ..of(Function::Maximum, 1)
    });
    assert_eq!(
        message,
        "max(column 1) filter (where column 1) has a filter that is not boolean: Utf8"
    );
    let message = aggregate_error(Aggregate {
        column: None,
        ..of(Function::Mode, 0)
    });
    assert_eq!(message, "mode(*) needs a column");
    let message = aggregate_error(of(Function::CountRows, 0));
    assert!(
        message.starts_with("count(column 0) counts rows and takes no column"),
        "{message}"
    );
    let message = aggregate_error(of(Function::Maximum, 2));
    assert_eq!(
        message,
        "max(column 2) met a value that does not fit a 64-bit integer in row 1: 18446744073709551615"
    );
}

#[test]
fn parameters_must_be_in_range() {
    let message = aggregate_error(of(Function::Quantile(1.5), 0));
    assert_eq!(
        message,
        "quantile(1.5)(column 0) needs a probability from 0 to 1: 1.5"
    );
    assert!(aggregate_error(of(Function::QuantileGap(f64::NAN), 0)).contains("probability"));
    for half_life_days in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX, 1e-12] {
        let wrong = of(Function::DecayedSum { half_life_days }, 0)
            .output_type(&[arrow::datatypes::DataType::Float64]);
        assert!(
            matches!(wrong, Err(SweepError::HalfLife { .. })),
            "{half_life_days}"
        );
    }
}
