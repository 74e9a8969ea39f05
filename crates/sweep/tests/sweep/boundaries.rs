//! Rows exactly on the edges of windows, intervals, calendars and numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array};
use safra_sweep::{Aggregate, Function, Window};

use crate::oracle::{DAY, Value};
use crate::values::{Input, floats, integers, values};

const COUNT: Aggregate = Aggregate {
    function: Function::CountRows,
    column: None,
    filter: None,
};

fn of(function: Function, column: usize) -> Aggregate {
    Aggregate {
        function,
        column: Some(column),
        filter: None,
    }
}

/// Rows of one entity that were always known.
fn known(time: Vec<i64>, columns: Vec<ArrayRef>) -> Input {
    let length = time.len();
    Input {
        entity: vec![0; length],
        time,
        valid_from: vec![i64::MIN; length],
        valid_to: vec![i64::MAX; length],
        columns,
    }
}

fn float_column(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// One row a day whose value is active for that day alone.
fn one_at_a_time(values: &[f64]) -> Input {
    let time = (0..values.len() as i64).map(|day| day * DAY).collect();
    known(time, vec![float_column(values)])
}

#[test]
fn a_window_holds_its_first_instant_and_not_its_last() {
    let input = known(vec![0, DAY - 1, DAY], vec![]);
    let swept = input
        .sweep(&[Window::Days(1)], &[COUNT], &[0, 1, 2, 3])
        .unwrap();
    assert_eq!(swept.date, [1, 2]);
    assert_eq!(integers(&swept.values[0][0]), [Some(2), Some(1)]);
}

#[test]
fn a_version_is_valid_after_its_start_and_through_its_end() {
    let mut input = known(vec![0; 3], vec![]);
    input.valid_from = vec![DAY, DAY - 1, 5 * DAY];
    input.valid_to = vec![2 * DAY, 2 * DAY - 1, 5 * DAY];
    let swept = input
        .sweep(&[Window::All], &[COUNT], &[1, 2, 3, 5, 6])
        .unwrap();
    assert_eq!(swept.date, [1, 2]);
    assert_eq!(integers(&swept.values[0][0]), [Some(1), Some(1)]);
}

#[test]
fn months_end_at_the_last_day_of_a_shorter_month() {
    // 2024-02-28, 2024-02-29 and 2024-03-01 at 00:00, seen from 2024-03-29, -30, -31 and 2024-04-01.
    let days = [19_781, 19_782, 19_783];
    let input = known(days.map(|day| day * DAY).into(), vec![]);
    let dates = [19_811, 19_812, 19_813, 19_814];
    let swept = input.sweep(&[Window::Months(1)], &[COUNT], &dates).unwrap();
    assert_eq!(
        integers(&swept.values[0][0]),
        [Some(2), Some(2), Some(2), Some(1)]
    );
}

#[test]
fn a_late_value_replaces_the_null_before_it() {
    let mut input = known(
        vec![0, 0],
        vec![Arc::new(Float64Array::from(vec![None, Some(4.0)]))],
    );
    input.valid_from = vec![i64::MIN, 3 * DAY];
    input.valid_to = vec![3 * DAY, i64::MAX];
    let aggregates = [COUNT, of(Function::Count, 0), of(Function::Average, 0)];
    let swept = input.sweep(&[Window::All], &aggregates, &[3, 4]).unwrap();
    assert_eq!(integers(&swept.values[0][0]), [Some(1), Some(1)]);
    assert_eq!(integers(&swept.values[0][1]), [Some(0), Some(1)]);
    assert_eq!(floats(&swept.values[0][2]), [None, Some(4.0)]);
}

#[test]
fn dates_without_active_rows_have_no_output() {
    let input = known(vec![0, 10 * DAY], vec![]);
    let windows = [Window::Days(2), Window::Days(3)];
    let swept = input
        .sweep(&windows, &[COUNT], &[-1, 1, 2, 3, 4, 11, 14])
        .unwrap();
    assert_eq!(swept.date, [1, 2, 3, 11]);
    assert_eq!(
        integers(&swept.values[0][0]),
        [Some(1), Some(1), Some(0), Some(1)]
    );
    assert_eq!(integers(&swept.values[1][0]), [Some(1); 4]);
}

#[test]
fn a_filter_that_is_null_is_false() {
    let filter: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]));
    let input = known(vec![0; 3], vec![filter]);
    let filtered = Aggregate {
        filter: Some(0),
        ..COUNT
    };
    let swept = input
        .sweep(&[Window::All], &[filtered, COUNT], &[1])
        .unwrap();
    assert_eq!(integers(&swept.values[0][0]), [Some(1)]);
    assert_eq!(integers(&swept.values[0][1]), [Some(3)]);
}

#[test]
fn empty_values_count_zero_and_are_null_otherwise() {
    let nulls: ArrayRef = Arc::new(Float64Array::from(vec![None]));
    let input = known(vec![0], vec![nulls]);
    let counts = [
        of(Function::Count, 0),
        of(Function::CountDistinct, 0),
        of(
            Function::DecayedCount {
                half_life_days: 1.0,
            },
            0,
        ),
    ];
    let others = [
        of(Function::Sum, 0),
        of(Function::Minimum, 0),
        of(Function::Quantile(0.5), 0),
        of(Function::Variance { sample: false }, 0),
        of(Function::Mode, 0),
        of(Function::First, 0),
        of(
            Function::DecayedSum {
                half_life_days: 1.0,
            },
            0,
        ),
        of(Function::MeanGap, 0),
    ];
    let swept = input
        .sweep(&[Window::All], &[&counts[..], &others[..]].concat(), &[1])
        .unwrap();
    let found: Vec<_> = swept.values[0].iter().flat_map(values).collect();
    assert_eq!(
        found[..3],
        [Value::Integer(0), Value::Integer(0), Value::Float(0.0)]
    );
    assert_eq!(found[3..], vec![Value::Null; 8]);
}

#[test]
fn sums_are_finite_again_when_a_nan_has_left() {
    let input = one_at_a_time(&[1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.5]);
    let swept = input
        .sweep(
            &[Window::Days(1), Window::Days(2)],
            &[of(Function::Sum, 0)],
            &[1, 2, 3, 4, 5],
        )
        .unwrap();
    let alone = floats(&swept.values[0][0]);
    assert_eq!(
        (alone[0], alone[2], alone[3], alone[4]),
        (
            Some(1.5),
            Some(f64::INFINITY),
            Some(f64::NEG_INFINITY),
            Some(2.5)
        )
    );
    assert!(alone[1].unwrap().is_nan());
    let pairs: Vec<_> = floats(&swept.values[1][0]).into_iter().flatten().collect();
    assert!(pairs[1].is_nan() && pairs[2].is_nan() && pairs[3].is_nan());
    assert_eq!(pairs[4], f64::NEG_INFINITY);
}

#[test]
fn nan_is_the_largest_value_and_negative_zero_is_zero() {
    let input = known(
        vec![0; 4],
        vec![float_column(&[f64::INFINITY, -f64::NAN, -0.0, f64::NAN])],
    );
    let aggregates = [
        Function::Maximum,
        Function::Minimum,
        Function::CountDistinct,
        Function::Mode,
    ]
    .map(|function| of(function, 0));
    let swept = input.sweep(&[Window::All], &aggregates, &[1]).unwrap();
    let bits = |aggregate: usize| floats(&swept.values[0][aggregate])[0].unwrap().to_bits();
    assert_eq!(bits(0), f64::NAN.to_bits());
    assert_eq!(bits(1), 0.0_f64.to_bits());
    assert_eq!(integers(&swept.values[0][2]), [Some(3)]);
    assert_eq!(bits(3), f64::NAN.to_bits());
}

#[test]
fn sums_are_rounded_once() {
    let input = known(vec![0; 4], vec![float_column(&[1e16, 1.0, -1e16, 1e-30])]);
    let swept = input
        .sweep(&[Window::All], &[of(Function::Sum, 0)], &[1])
        .unwrap();
    assert_eq!(floats(&swept.values[0][0]), [Some(1.0)]);
    let input = known(
        vec![0; 3],
        vec![float_column(&[f64::MAX, f64::MAX, -f64::MAX])],
    );
    let swept = input
        .sweep(&[Window::All], &[of(Function::Sum, 0)], &[1])
        .unwrap();
    assert_eq!(floats(&swept.values[0][0]), [Some(f64::MAX)]);
}

#[test]
fn sums_are_exact_at_any_width() {
    for width in 52..300 {
        let large = 2_f64.powi(width);
        let values = [large, large, large, large, large, large, large, 1.0];
        let input = known(vec![0; 8], vec![float_column(&values)]);
        let aggregates = [
            of(Function::Sum, 0),
            of(Function::Variance { sample: false }, 0),
        ];
        let swept = input.sweep(&[Window::All], &aggregates, &[1]).unwrap();
        assert_eq!(floats(&swept.values[0][0]), [Some(7.0 * large)], "{width}");
        // (8 * 7 - 7^2) / 8^2 of the square, and nearly so with the 1.
        let variance = floats(&swept.values[0][1])[0].unwrap();
        let expected = 7.0 / 64.0 * large * large;
        assert!(
            (variance / expected - 1.0).abs() < 1e-12,
            "{width}: {variance}"
        );
    }
}

#[test]
fn a_variance_of_equal_values_is_zero() {
    let input = known(vec![0; 3], vec![float_column(&[0.1; 3])]);
    let functions = [
        Function::Variance { sample: true },
        Function::StandardDeviation { sample: false },
    ];
    let swept = input
        .sweep(
            &[Window::All],
            &functions.map(|function| of(function, 0)),
            &[1],
        )
        .unwrap();
    assert_eq!(floats(&swept.values[0][0]), [Some(0.0)]);
    assert_eq!(floats(&swept.values[0][1]), [Some(0.0)]);
}

#[test]
fn a_weight_halves_with_each_half_life() {
    let input = known(vec![0, 0], vec![float_column(&[3.0, -1.0])]);
    let aggregates = [
        of(
            Function::DecayedSum {
                half_life_days: 10.0,
            },
            0,
        ),
        Aggregate {
            function: Function::DecayedCount {
                half_life_days: 10.0,
            },
            ..COUNT
        },
    ];
    let swept = input
        .sweep(&[Window::All], &aggregates, &[10, 20, 40])
        .unwrap();
    assert_eq!(
        floats(&swept.values[0][0]),
        [Some(1.0), Some(0.5), Some(0.125)]
    );
    assert_eq!(
        floats(&swept.values[0][1]),
        [Some(1.0), Some(0.5), Some(0.125)]
    );
}

#[test]
fn weights_of_a_short_half_life_fade_and_come_back_when_newer_rows_leave() {
    let mut input = known(vec![0, 900 * DAY], vec![]);
    input.valid_to[1] = 901 * DAY;
    let count = Aggregate {
        function: Function::DecayedCount {
            half_life_days: 1.0,
        },
        ..COUNT
    };
    let swept = input
        .sweep(&[Window::All], &[count], &[1, 901, 902])
        .unwrap();
    assert_eq!(
        floats(&swept.values[0][0]),
        [Some(0.5), Some(0.5), Some(2_f64.powi(-902))]
    );
}

#[test]
fn no_input_gives_no_output() {
    let empty = known(vec![], vec![float_column(&[])]);
    let swept = empty
        .sweep(&[Window::All], &[of(Function::Maximum, 0)], &[1])
        .unwrap();
    assert!(swept.entity.is_empty() && swept.values[0][0].is_empty());
    let input = known(vec![0], vec![float_column(&[1.0])]);
    assert!(
        input
            .sweep(&[Window::All], &[COUNT], &[])
            .unwrap()
            .date
            .is_empty()
    );
    assert!(input.sweep(&[], &[COUNT], &[1]).unwrap().date.is_empty());
    let swept = input.sweep(&[Window::All], &[], &[1]).unwrap();
    assert_eq!(
        (swept.date.len(), swept.values.len(), swept.values[0].len()),
        (1, 1, 0)
    );
}

#[test]
fn the_ends_of_time_are_days_too() {
    let input = known(
        vec![i64::MIN, i64::MAX],
        vec![Arc::new(Int64Array::from(vec![1, 2]))],
    );
    let windows = [
        Window::All,
        Window::Days(u32::MAX),
        Window::Months(u32::MAX),
    ];
    let swept = input
        .sweep(
            &windows,
            &[of(Function::Maximum, 0)],
            &[-90_000_000, 0, 90_000_000],
        )
        .unwrap();
    for window in &swept.values {
        assert_eq!(integers(&window[0]), [Some(1); 3]);
    }
}
