//! Columns of every type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use safra_sweep::{Aggregate, Function, Rows, SweepError, Swept, Window};

use crate::oracle::DAY;
use crate::values::{floats, integers};

const ORDERED: [Function; 5] = [
    Function::Minimum,
    Function::Maximum,
    Function::First,
    Function::Last,
    Function::Mode,
];

fn sweep(column: ArrayRef, functions: &[Function]) -> Result<Swept, SweepError> {
    let length = column.len();
    let time: Vec<_> = (0..length as i64).map(|day| day * DAY).collect();
    let rows = Rows {
        entity: &vec![0; length],
        time: &time,
        valid_from: &vec![i64::MIN; length],
        valid_to: &vec![i64::MAX; length],
        columns: &[column],
    };
    let aggregates: Vec<_> = functions
        .iter()
        .map(|&function| Aggregate {
            function,
            column: Some(0),
            filter: None,
        })
        .collect();
    safra_sweep::sweep(&rows, &[Window::Days(3)], &aggregates, &[2, 4, 6])
}

/// Digits, so that strings order as the numbers do.
fn integers_column() -> ArrayRef {
    Arc::new(Int64Array::from(vec![
        Some(5),
        None,
        Some(9),
        Some(2),
        Some(2),
        Some(7),
    ]))
}

#[test]
fn values_keep_their_type() {
    use DataType::*;
    let numbers = [
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float32,
        Float64,
        Decimal128(20, 0),
    ];
    let texts = [Utf8, LargeUtf8, Utf8View];
    let times = [
        TimeUnit::Second,
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ];
    let times = times.map(|unit| Timestamp(unit, None));
    let plain = sweep(integers_column(), &ORDERED).unwrap();
    for data_type in numbers.iter().chain(&texts).chain(&times) {
        let swept = sweep(cast(&integers_column(), data_type).unwrap(), &ORDERED).unwrap();
        for (found, plain) in swept.values[0].iter().zip(&plain.values[0]) {
            assert_eq!(found, &cast(plain, data_type).unwrap(), "{data_type}");
        }
    }
}

#[test]
fn dates_and_booleans_keep_their_type() {
    let dates = cast(
        &cast(&integers_column(), &DataType::Int32).unwrap(),
        &DataType::Date32,
    )
    .unwrap();
    let swept = sweep(dates, &[Function::Maximum]).unwrap();
    assert_eq!(swept.values[0][0].data_type(), &DataType::Date32);
    assert_eq!(
        integers(
            &cast(
                &cast(&swept.values[0][0], &DataType::Int32).unwrap(),
                &DataType::Int64
            )
            .unwrap()
        ),
        [Some(5), Some(9), Some(7)]
    );
    let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![
        Some(true),
        Some(false),
        Some(true),
        None,
        None,
        None,
    ]));
    let swept = sweep(booleans, &[Function::Minimum, Function::Mode]).unwrap();
    let expected = |values: Vec<Option<bool>>| Arc::new(BooleanArray::from(values)) as ArrayRef;
    assert_eq!(
        &swept.values[0][0],
        &expected(vec![Some(false), Some(false), None])
    );
    assert_eq!(
        &swept.values[0][1],
        &expected(vec![Some(false), Some(false), None])
    );
}

#[test]
fn all_numbers_are_summed() {
    use DataType::*;
    for data_type in [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64] {
        let swept = sweep(
            cast(&integers_column(), &data_type).unwrap(),
            &[Function::Sum, Function::Average],
        )
        .unwrap();
        assert_eq!(
            integers(&swept.values[0][0]),
            [Some(5), Some(11), Some(11)],
            "{data_type}"
        );
        assert_eq!(
            floats(&swept.values[0][1]),
            [Some(5.0), Some(5.5), Some(11.0 / 3.0)],
            "{data_type}"
        );
    }
    for data_type in [Float32, Float64, Decimal128(20, 3)] {
        let swept = sweep(
            cast(&integers_column(), &data_type).unwrap(),
            &[Function::Sum, Function::Quantile(0.5)],
        )
        .unwrap();
        assert_eq!(
            floats(&swept.values[0][0]),
            [Some(5.0), Some(11.0), Some(11.0)],
            "{data_type}"
        );
        assert_eq!(
            floats(&swept.values[0][1]),
            [Some(5.0), Some(5.5), Some(2.0)],
            "{data_type}"
        );
    }
}

#[test]
fn decimals_are_told_apart_where_floats_are_not() {
    let large = [
        123_456_789_012_345_678_901_234_567_890_i128,
        123_456_789_012_345_678_901_234_567_891,
    ];
    let column = arrow::array::Decimal128Array::from(large.to_vec())
        .with_precision_and_scale(38, 2)
        .unwrap();
    let swept = sweep(
        Arc::new(column.clone()),
        &[Function::CountDistinct, Function::Maximum],
    )
    .unwrap();
    assert_eq!(integers(&swept.values[0][0]), [Some(2), Some(1)]);
    assert_eq!(
        &swept.values[0][1].slice(0, 1),
        &(Arc::new(column.slice(1, 1)) as ArrayRef)
    );
}

#[test]
fn values_of_any_type_are_counted() {
    let lists = vec![Some(vec![Some(1)]), Some(vec![]), None, Some(vec![None])];
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(lists);
    let swept = sweep(Arc::new(lists), &[Function::Count, Function::LongestGap]).unwrap();
    assert_eq!(integers(&swept.values[0][0]), [Some(2), Some(2), Some(1)]);
    assert_eq!(floats(&swept.values[0][1]), [Some(1.0), Some(2.0), None]);
}

#[test]
fn outputs_have_the_type_foretold() {
    let functions = [
        Function::Count,
        Function::Sum,
        Function::Average,
        Function::Mode,
        Function::Quantile(0.1),
        Function::LongestGap,
        Function::DecayedCount {
            half_life_days: 1.0,
        },
        Function::DecayedSum {
            half_life_days: 1.0,
        },
    ];
    for column in [
        integers_column(),
        cast(&integers_column(), &DataType::Float32).unwrap(),
    ] {
        let swept = sweep(Arc::clone(&column), &functions).unwrap();
        for (function, array) in functions.into_iter().zip(&swept.values[0]) {
            let aggregate = Aggregate {
                function,
                column: Some(0),
                filter: None,
            };
            let foretold = aggregate
                .output_type(&[column.data_type().clone()])
                .unwrap();
            assert_eq!(array.data_type(), &foretold, "{aggregate}");
        }
    }
}

#[test]
fn sliced_columns_are_read_from_their_offset() {
    let whole: ArrayRef = Arc::new(arrow::array::PrimitiveArray::<Float64Type>::from(vec![
        Some(100.0),
        None,
        Some(1.0),
        Some(2.0),
        None,
    ]));
    let swept = sweep(
        whole.slice(2, 3),
        &[Function::Sum, Function::Maximum, Function::Count],
    )
    .unwrap();
    assert_eq!(floats(&swept.values[0][0]), [Some(3.0), Some(2.0)]);
    assert_eq!(floats(&swept.values[0][1]), [Some(2.0), Some(2.0)]);
    assert_eq!(integers(&swept.values[0][2]), [Some(2), Some(1)]);
}
