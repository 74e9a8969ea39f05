//! Two relations of features, held against each other cell by cell.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Date32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use safra_features::{CompiledView, REFERENCE_DATE, REFERENCE_TIME};

/// How equal two floating-point numbers must be.
#[derive(Clone, Copy)]
pub enum Tolerance {
    /// Bit for bit.
    Exact,
    /// Up to this share of the greater one.
    Relative(f64),
}

/// The differences at a date, each with view, column, entity, date and both values.
pub fn differences(
    view: &CompiledView,
    computed: &RecordBatch,
    expected: &RecordBatch,
    date: NaiveDate,
    tolerance: Tolerance,
) -> Vec<String> {
    let name = &view.view.name;
    let columns = |batch: &RecordBatch| -> Vec<(String, DataType)> {
        let schema = batch.schema();
        let fields = schema.fields().iter();
        fields
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect()
    };
    if columns(computed) != columns(expected) {
        let (computed, expected) = (columns(computed), columns(expected));
        return vec![format!(
            "{name}: columns {computed:?}, expected {expected:?}"
        )];
    }
    let computed = at_date(computed, date);
    let expected = at_date(expected, date);
    let (left, right) = (entities(view, &computed), entities(view, &expected));
    if left != right {
        let missing = right.iter().find(|entity| !left.contains(entity));
        let extra = left.iter().find(|entity| !right.contains(entity));
        return vec![format!(
            "{name} at {date}: {} rows, expected {}; missing {missing:?}, too many {extra:?}",
            left.len(),
            right.len()
        )];
    }
    let mut found = Vec::new();
    for (i, (column, _)) in columns(&computed).iter().enumerate() {
        for (row, left, right) in unequal(computed.column(i), expected.column(i), tolerance) {
            let entity = entities_of(view, &computed, row).join("/");
            found.push(format!(
                "{name}.{column} of {entity} at {date}: {left}, expected {right}"
            ));
        }
    }
    found
}

fn entities(view: &CompiledView, batch: &RecordBatch) -> Vec<Vec<String>> {
    let rows = 0..batch.num_rows();
    rows.map(|row| entities_of(view, batch, row)).collect()
}

fn entities_of(view: &CompiledView, batch: &RecordBatch, row: usize) -> Vec<String> {
    // Of an event, its time tells it from others of the same entity.
    let keys = view.entity.len() + usize::from(view.view.is_about_events());
    let columns = batch.columns()[..keys].iter();
    columns.map(|column| cell(column, row)).collect()
}

/// The rows at a date, or the events on that day.
fn at_date(batch: &RecordBatch, date: NaiveDate) -> RecordBatch {
    let times = batch.column_by_name(REFERENCE_DATE);
    let times = times.or(batch.column_by_name(REFERENCE_TIME)).unwrap();
    let days = cast(times, &DataType::Date32).unwrap();
    let days = days.as_primitive::<Date32Type>().values().iter();
    let wanted: BooleanArray = days.map(|day| Some(*day == date.to_epoch_days())).collect();
    filter_record_batch(batch, &wanted).unwrap()
}

fn unequal(
    left: &ArrayRef,
    right: &ArrayRef,
    tolerance: Tolerance,
) -> Vec<(usize, String, String)> {
    let floats = left
        .as_primitive_opt::<Float64Type>()
        .zip(right.as_primitive_opt::<Float64Type>());
    let equal = |row: usize| match floats {
        _ if left.is_null(row) || right.is_null(row) => left.is_null(row) == right.is_null(row),
        Some((left, right)) => close(left.value(row), right.value(row), tolerance),
        None => cell(left, row) == cell(right, row),
    };
    let rows = (0..left.len()).filter(|&row| !equal(row));
    rows.map(|row| (row, cell(left, row), cell(right, row)))
        .collect()
}

fn close(left: f64, right: f64, tolerance: Tolerance) -> bool {
    match tolerance {
        Tolerance::Exact => left.to_bits() == right.to_bits(),
        Tolerance::Relative(share) => (left - right).abs() <= share * left.abs().max(right.abs()),
    }
}

fn cell(column: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let formatter = ArrayFormatter::try_new(column, &options).unwrap();
    formatter.value(row).to_string()
}
