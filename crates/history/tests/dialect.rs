//! The SQL of a project: what its functions and aggregates give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;
use num_bigint::BigInt;
use proptest::prelude::*;
use safra_history::session;

/// The cells of the result of a query, row after row.
fn cells(context: &SessionContext, sql: &str) -> Result<Vec<String>, String> {
    let run = async { context.sql(sql).await?.collect().await };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let batches = runtime.unwrap().block_on(run).map_err(|e| e.to_string())?;
    let cell = |column: &ArrayRef, row: usize| match column.is_null(row) {
        true => "NULL".to_owned(),
        false => array_value_to_string(column, row).unwrap(),
    };
    let rows = |batch: &RecordBatch| -> Vec<String> {
        let rows = 0..batch.num_rows();
        let of_row = |row| batch.columns().iter().map(move |column| cell(column, row));
        rows.flat_map(of_row).collect()
    };
    Ok(batches.iter().flat_map(rows).collect())
}

fn query(sql: &str) -> String {
    cells(&session(1), sql).unwrap().join(" ")
}

fn refused(sql: &str) -> String {
    cells(&session(1), sql).unwrap_err()
}

#[test]
fn division_is_of_fractions_and_by_zero_it_is_null() {
    assert_eq!(query("SELECT 7 / 2"), "3.5");
    assert_eq!(query("SELECT COALESCE(7 / 0, -1)"), "-1.0");
}

#[test]
fn dates_move_by_any_integer() {
    let days = "date_add(DATE '2018-02-27', 2), date_sub(DATE '2018-03-01', 1)";
    assert_eq!(query(&format!("SELECT {days}")), "2018-03-01 2018-02-28");
    let column =
        "SELECT date_add(d, n) FROM (VALUES (TIMESTAMP '2018-01-31 23:59:59', 1)) AS r(d, n)";
    assert_eq!(query(column), "2018-02-01");
    assert_eq!(
        query("SELECT date_add(DATE '2018-01-01', CAST(NULL AS INT))"),
        "NULL"
    );
    assert_eq!(
        query("SELECT date_add(DATE '2018-01-01', CAST(3 AS SMALLINT))"),
        "2018-01-04"
    );
    let error = refused("SELECT date_add(DATE '2018-01-01', 1.5)");
    assert!(
        error.contains("date_add takes a date and an integer: Date32, Float64"),
        "{error}"
    );
}

#[test]
fn times_and_dates_count_from_1970() {
    let times = "(VALUES (TIMESTAMP '1969-12-31 23:59:59.5'), (TIMESTAMP '2018-01-02 12:00:00'), (NULL)) AS r(t)";
    // Of all times before 1970 the part of a second counts towards it, and the day is the one that it is on.
    let counted = |calls: &str| query(&format!("SELECT {calls} FROM {times}"));
    for precision in ["Microsecond", "Nanosecond", "Second"] {
        let time = format!("arrow_cast(t, 'Timestamp({precision}, None)')");
        let seconds = counted(&format!("unix_seconds({time})"));
        assert_eq!(seconds, "0 1514894400 NULL", "{precision}");
        let days = counted(&format!("unix_date(CAST({time} AS DATE))"));
        let first = if precision == "Second" { "0" } else { "-1" };
        assert_eq!(days, format!("{first} 17533 NULL"), "{precision}");
    }
    let time = "arrow_cast(t, 'Timestamp(Microsecond, None)')";
    assert_eq!(
        counted(&format!("unix_micros({time}), unix_millis({time})")),
        "-500000 -500 1514894400000000 1514894400000 NULL NULL"
    );
    let dates = "(VALUES (DATE '1969-12-30'), (DATE '2018-01-02'), (NULL)) AS r(d)";
    assert_eq!(
        query(&format!("SELECT unix_date(d) FROM {dates}")),
        "-2 17533 NULL"
    );
    // A time of a zone counts from 1970 in UTC.
    let zoned = "arrow_cast(t, 'Timestamp(Microsecond, Some(\"-03:00\"))')";
    assert_eq!(
        counted(&format!("unix_seconds({zoned})")),
        "10799 1514905200 NULL"
    );
    assert!(refused("SELECT unix_micros(1)").contains("unix_micros"));
}

const CALLS: &[&str] = &[
    "avg(v)",
    "sum(v)",
    "sum(n)",
    "avg(n)",
    "min(v)",
    "max(v)",
    "count(v)",
    "count(DISTINCT v)",
    "median(v)",
    "stddev(v)",
    "stddev_pop(v)",
    "var_samp(v)",
    "var_pop(v)",
    "percentile(v, 0.9)",
    "mode(v)",
    "max_by(k, v)",
    "min_by(n, t)",
    "sum(DISTINCT v)",
    "avg(DISTINCT v)",
    "avg_gap_days(t)",
    "percentile_gap_days(t, 0.5)",
    "max_gap_days(t)",
    "decayed_count(2, t, DATE '2018-01-20')",
    "decayed_sum(v, 2, t, DATE '2018-01-20')",
];

const ROWS: &str = "(VALUES
    ('a', 1.5, 1, DATE '2018-01-01'), ('a', 2.0, 2, DATE '2018-01-02'), ('a', 2.0, 5, DATE '2018-01-09'),
    ('b', 9.0, 4, DATE '2018-01-03'), ('b', NULL, 3, NULL), ('c', 0.1, NULL, DATE '2018-01-19')
) AS r(k, v, n, t)";

/// `call(x) FILTER (WHERE c)`, and the same over nothing but the rows that pass.
#[test]
fn every_aggregate_heeds_its_filter() {
    for call in CALLS {
        let kept = query(&format!("SELECT {call} FROM {ROWS} WHERE n < 5"));
        assert_eq!(
            query(&format!("SELECT {call} FILTER (WHERE n < 5) FROM {ROWS}")),
            kept,
            "{call}"
        );
        let by_group = |select: &str, condition: &str| {
            query(&format!(
                "SELECT k, {select} FROM {ROWS} {condition} GROUP BY k ORDER BY k"
            ))
        };
        let filtered = by_group(&format!("{call} FILTER (WHERE n < 5)"), "WHERE k < 'c'");
        assert_eq!(
            filtered,
            by_group(call, "WHERE k < 'c' AND n < 5"),
            "{call}"
        );
    }
}

/// Several threads aggregate in two stages, and hand over what they have.
#[test]
fn two_stages_give_what_one_does() {
    let (one, several) = (session(1), session(4));
    for context in [&one, &several] {
        let values: Vec<f64> = (0..20_000).map(|i| f64::from(i % 977) * 0.1).collect();
        let keys: Vec<i64> = (0..20_000).map(|i| i % 31).collect();
        let columns: [(&str, ArrayRef); 2] = [
            ("k", Arc::new(Int64Array::from(keys))),
            ("v", Arc::new(Float64Array::from(values))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        context.register_batch("t", batch).unwrap();
    }
    for call in [
        "sum(v)",
        "avg(v)",
        "sum(k)",
        "stddev(v)",
        "percentile(v, 0.3)",
        "mode(v)",
        "sum(DISTINCT v)",
    ] {
        for group in ["", "GROUP BY k ORDER BY k"] {
            let sql = format!("SELECT {call} FROM t {group}");
            assert_eq!(cells(&several, &sql), cells(&one, &sql), "{sql}");
        }
    }
}

#[test]
fn nothing_is_null_and_counts_are_zero() {
    for call in CALLS {
        let nothing = query(&format!("SELECT {call} FROM {ROWS} WHERE n > 99"));
        let expected = match *call {
            _ if call.starts_with("count") => "0",
            _ if call.starts_with("decayed_count") => "0.0",
            _ => "NULL",
        };
        assert_eq!(nothing, expected, "{call}");
    }
}

#[test]
fn percentiles_interpolate() {
    let of = |call: &str| {
        query(&format!(
            "SELECT {call} FROM (VALUES (4), (1), (2), (NULL)) AS r(v)"
        ))
    };
    assert_eq!(
        of("percentile(v, 0), percentile(v, 1), median(v)"),
        "1.0 4.0 2.0"
    );
    assert_eq!(of("percentile(v, 0.75), quantile(v, 0.25)"), "3.0 1.5");
    assert_eq!(of("median(v) FILTER (WHERE v < 4)"), "1.5");
    let error = refused("SELECT percentile(v, 1.5) FROM (VALUES (1)) AS r(v)");
    assert!(
        error.contains("percentile needs a share from 0 to 1: 1.5"),
        "{error}"
    );
    let error = refused("SELECT percentile(v, v) FROM (VALUES (0.1), (0.2)) AS r(v)");
    assert!(
        error.contains("percentile needs a constant as its last argument"),
        "{error}"
    );
    let error = refused("SELECT percentile(v) FROM (VALUES (0.1)) AS r(v)");
    assert!(
        error.contains("percentile takes a number and a share from 0 to 1: Float64"),
        "{error}"
    );
}

#[test]
fn ties_are_decided_by_the_value() {
    let rows = "(VALUES ('b', 1), ('a', 1), (NULL, 1), ('z', 5), ('y', 5), (NULL, 5), ('m', NULL), ('m', 3)) AS r(x, t)";
    let of = |call: &str| query(&format!("SELECT {call} FROM {rows}"));
    assert_eq!(of("min_by(x, t), max_by(x, t)"), "a z");
    assert_eq!(of("max_by(x, t) FILTER (WHERE x IS NULL OR t < 5)"), "NULL");
    assert_eq!(of("mode(x), mode(t)"), "m 1");
    assert_eq!(of("mode(x) FILTER (WHERE t = 5)"), "y");
}

#[test]
fn infinities_and_nan_are_extremes() {
    let rows = "(VALUES ('a', CAST('-Infinity' AS DOUBLE)), ('b', CAST('NaN' AS DOUBLE)), ('c', CAST('Infinity' AS DOUBLE)), ('d', 1.0), ('d', CAST('NaN' AS DOUBLE))) AS r(k, v)";
    let of = |call: &str| query(&format!("SELECT {call} FROM {rows} GROUP BY k ORDER BY k"));
    assert_eq!(of("min(v)"), "-inf NaN inf 1.0");
    assert_eq!(of("max(v)"), "-inf NaN inf NaN");
    assert_eq!(
        query(&format!("SELECT min(v), max(v) FROM {rows}")),
        "-inf NaN"
    );
}

#[test]
fn gaps_are_between_distinct_days() {
    let rows = "(VALUES (TIMESTAMP '2018-01-05 23:00:00'), (TIMESTAMP '2018-01-01 10:00:00'),
        (TIMESTAMP '2018-01-01 23:59:59'), (NULL), (TIMESTAMP '2018-01-12 00:00:00')) AS r(t)";
    let of = |call: &str| query(&format!("SELECT {call} FROM {rows}"));
    assert_eq!(of("avg_gap_days(t), max_gap_days(t)"), "5.5 7.0");
    assert_eq!(
        of("percentile_gap_days(t, 0.5), percentile_gap_days(t, 0)"),
        "5.5 4.0"
    );
    assert_eq!(
        of("avg_gap_days(t) FILTER (WHERE t < TIMESTAMP '2018-01-02')"),
        "NULL"
    );
}

#[test]
fn weights_halve_with_age() {
    let rows = "(VALUES (DATE '2018-01-31', 3.0), (DATE '2018-01-01', 8.0), (DATE '2017-12-02', NULL)) AS r(t, v)";
    let of = |call: &str| query(&format!("SELECT {call} FROM {rows}"));
    assert_eq!(of("decayed_count(30, t, DATE '2018-01-31')"), "1.75");
    assert_eq!(of("decayed_sum(v, 30, t, DATE '2018-01-31')"), "7.0");
    let error = refused(&format!("SELECT decayed_count(30) FROM {rows}"));
    assert!(
        error.contains("decayed_count needs the time of each row and a date"),
        "{error}"
    );
}

#[test]
fn sums_of_integers_must_fit() {
    let rows = |last: &str| {
        format!("SELECT SUM(v) FROM (VALUES (9223372036854775807), (1), ({last})) AS r(v)")
    };
    assert_eq!(query(&rows("-1")), "9223372036854775807");
    let error = refused(&rows("0"));
    assert!(
        error.contains("a sum of integers does not fit 64 bits: 9223372036854775808"),
        "{error}"
    );
}

#[test]
fn sums_slide_exactly() {
    let rows = "(VALUES (1, 1e300), (2, 0.1), (3, CAST('NaN' AS DOUBLE)), (4, 0.2), (5, 1e16), (6, 1.0), (7, 1.0)) AS r(n, v)";
    let frame = "OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)";
    let sums = query(&format!("SELECT SUM(v) {frame} FROM {rows} ORDER BY n"));
    assert_eq!(sums, "1e300 1e300 NaN NaN 1e16 1e16 2.0");
}

fn special() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN])
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-100_000..100_000_i64).prop_map(|cents| cents as f64 / 100.0),
        3 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        1 => prop::sample::select(vec![f64::MAX, f64::MIN, 5e-324, 1e308, 0.1, 1e16, 1.0]),
    ]
}

/// The sum in units of the smallest float, rounded as the text of a number is.
fn expected_sum(values: &[f64]) -> f64 {
    if values.iter().any(|value| !value.is_finite()) {
        let signs = [f64::INFINITY, f64::NEG_INFINITY].map(|sign| values.contains(&sign));
        return match signs {
            _ if values.iter().any(|value| value.is_nan()) => f64::NAN,
            [true, true] => f64::NAN,
            [true, _] => f64::INFINITY,
            _ => f64::NEG_INFINITY,
        };
    }
    let integer = |value: &f64| {
        let bits = value.abs().to_bits();
        let exponent = (bits >> 52).saturating_sub(1);
        let magnitude = if bits >> 52 == 0 {
            bits
        } else {
            bits & ((1 << 52) - 1) | 1 << 52
        };
        (BigInt::from(magnitude) << exponent) * if *value < 0.0 { -1 } else { 1 }
    };
    // n / 2^1074 = n * 5^1074 / 10^1074
    let sum = values.iter().map(integer).sum::<BigInt>() * BigInt::from(5).pow(1074);
    format!("{sum}e-1074").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_exact_in_any_order(
        values in prop::collection::vec(prop_oneof![30 => number(), 1 => special()], 1..40),
        shift in any::<prop::sample::Index>(),
    ) {
        let expected = expected_sum(&values);
        let mut other = values.clone();
        other.rotate_left(shift.index(values.len()));
        for values in [values, other] {
            let count = values.len() as f64;
            let context = session(1);
            let column: ArrayRef = Arc::new(Float64Array::from(values));
            context.register_batch("t", RecordBatch::try_from_iter([("v", column)]).unwrap()).unwrap();
            let run = async { context.sql("SELECT sum(v), avg(v) FROM t").await?.collect().await };
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let batches = runtime.unwrap().block_on(run).unwrap();
            let found = |i: usize| batches[0].column(i).as_primitive::<Float64Type>().value(0);
            prop_assert_eq!((found(0) + 0.0).to_bits(), (expected + 0.0).to_bits());
            prop_assert_eq!((found(1) + 0.0).to_bits(), (expected / count + 0.0).to_bits());
        }
    }
}
