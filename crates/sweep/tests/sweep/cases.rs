//! Random inputs that meet the corners: ties, boundaries, month ends, NULL, NaN and infinities.

use arrow::datatypes::DataType;
use proptest::prelude::*;
use safra_sweep::{Aggregate, Function, Window};

use crate::oracle::{DAY, Row, Value};

/// 2016-02-01: the days around it cross the end of a leap February.
const BASE: i64 = 16_832;

/// Columns of the random rows.
pub const FLOAT: usize = 0;
pub const PRICE: usize = 1;
pub const INTEGER: usize = 2;
pub const TEXT: usize = 3;
pub const FLAG: usize = 4;
pub const FILTER: usize = 5;

/// Their types.
pub const TYPES: [DataType; 6] = [
    DataType::Float64,
    DataType::Float64,
    DataType::Int64,
    DataType::Utf8,
    DataType::Boolean,
    DataType::Boolean,
];

/// Everything that a sweep is asked.
#[derive(Debug, Clone)]
pub struct Case {
    pub rows: Vec<Row>,
    pub windows: Vec<Window>,
    pub aggregates: Vec<Aggregate>,
    pub dates: Vec<i32>,
}

pub fn case() -> impl Strategy<Value = Case> {
    let floats = prop_oneof![Just(Floats::Cents), Just(Floats::Finite), Just(Floats::Any)];
    let rows = (0..40_usize, floats)
        .prop_flat_map(|(length, floats)| prop::collection::vec(row(floats), length));
    let dates = prop::collection::btree_set(BASE as i32 - 10..BASE as i32 + 100, 1..10);
    let windows = prop::collection::vec(window(), 1..4);
    (
        rows,
        windows,
        prop::collection::vec(aggregate(), 1..12),
        dates,
    )
        .prop_map(|(mut rows, windows, aggregates, dates)| {
            rows.sort_by_key(|row| row.entity);
            Case {
                rows,
                windows,
                aggregates,
                dates: dates.into_iter().collect(),
            }
        })
}

#[derive(Debug, Clone, Copy)]
enum Floats {
    Cents,
    Finite,
    Any,
}

fn row(floats: Floats) -> impl Strategy<Value = Row> {
    let valid_from = prop_oneof![2 => Just(i64::MIN), 2 => time()];
    let valid_to = prop_oneof![2 => Just(i64::MAX), 1 => time()];
    let keys = (0..4_u32, time(), valid_from, valid_to);
    (keys, values(floats)).prop_map(|((entity, time, valid_from, valid_to), values)| Row {
        entity,
        time,
        valid_from,
        valid_to,
        values,
    })
}

/// Times on, just before and just after midnight, and anywhere in a day.
fn time() -> impl Strategy<Value = i64> {
    let offset = prop_oneof![Just(0), Just(-1), Just(1), 0..DAY];
    (BASE - 20..BASE + 90, offset).prop_map(|(day, offset)| day * DAY + offset)
}

fn values(floats: Floats) -> impl Strategy<Value = Vec<Value>> {
    let integer = prop_oneof![
        -3..4_i64,
        -1_000_000..1_000_000_i64,
        Just(i64::MAX / 64),
        Just(i64::MIN / 64)
    ];
    (
        or_null(float(floats).prop_map(Value::Float)),
        (0..100_000_i64).prop_map(|cents| Value::Float(cents as f64 / 100.0)),
        or_null(integer.prop_map(Value::Integer)),
        or_null("[a-c]{0,2}|é".prop_map(Value::Text)),
        or_null(any::<bool>().prop_map(Value::Boolean)),
        or_null(any::<bool>().prop_map(Value::Boolean)),
    )
        .prop_map(|values| vec![values.0, values.1, values.2, values.3, values.4, values.5])
}

fn or_null(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 5 => values]
}

fn float(floats: Floats) -> BoxedStrategy<f64> {
    let cents = prop_oneof![
        Just(0.1),
        Just(0.2),
        Just(-0.3),
        (-5000..5000_i32).prop_map(|cents| f64::from(cents) / 100.0)
    ];
    let extremes = prop::sample::select(vec![
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        f64::MIN_POSITIVE,
        1e16,
        1.0,
        -1e16,
        1e300,
        -1e300,
        f64::MAX,
        f64::MIN,
        1e-300,
    ]);
    let specials =
        prop::sample::select(vec![f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
    match floats {
        Floats::Cents => cents.boxed(),
        Floats::Finite => prop_oneof![cents, extremes, finite].boxed(),
        Floats::Any => prop_oneof![2 => cents, 2 => extremes, 1 => specials].boxed(),
    }
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        (1..40_u32).prop_map(Window::Days),
        (1..4_u32).prop_map(Window::Months),
        Just(Window::All)
    ]
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    let filter = prop_oneof![Just(None), Just(Some(FLAG)), Just(Some(FILTER))];
    let gap_column = prop_oneof![Just(None), Just(Some(TEXT))];
    let function_and_column = prop_oneof![
        1 => Just((Function::CountRows, None)),
        1 => (0..6_usize).prop_map(|column| (Function::Count, Some(column))),
        6 => (ordered(), 0..6_usize).prop_map(|(function, column)| (function, Some(column))),
        6 => (numeric(), 0..3_usize).prop_map(|(function, column)| (function, Some(column))),
        3 => (of_rows(), gap_column),
    ];
    (function_and_column, filter).prop_map(|((function, column), filter)| Aggregate {
        function,
        column,
        filter,
    })
}

fn ordered() -> impl Strategy<Value = Function> {
    prop::sample::select(vec![
        Function::CountDistinct,
        Function::Minimum,
        Function::Maximum,
        Function::First,
        Function::Last,
        Function::Mode,
    ])
}

fn numeric() -> impl Strategy<Value = Function> {
    prop_oneof![
        Just(Function::Sum),
        Just(Function::Average),
        probability().prop_map(Function::Quantile),
        any::<bool>().prop_map(|sample| Function::StandardDeviation { sample }),
        any::<bool>().prop_map(|sample| Function::Variance { sample }),
        half_life().prop_map(|half_life_days| Function::DecayedSum { half_life_days }),
    ]
}

fn of_rows() -> impl Strategy<Value = Function> {
    prop_oneof![
        Just(Function::MeanGap),
        Just(Function::LongestGap),
        probability().prop_map(Function::QuantileGap),
        half_life().prop_map(|half_life_days| Function::DecayedCount { half_life_days }),
    ]
}

fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(0.25), Just(0.5), Just(1.0), 0.0..1.0]
}

fn half_life() -> impl Strategy<Value = f64> {
    prop_oneof![Just(7.0), Just(30.0), 0.05..1.0, Just(1e4)]
}
