//! What can be wrong with the input of a sweep.

use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use crate::{Aggregate, Window};

/// Why a sweep was refused or could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The slices and columns of [`Rows`](crate::Rows) differ in length.
    #[error("{name} has another length than the entities: {found} instead of {expected}")]
    Length {
        /// The slice or column at fault, such as `time` or `column 3`.
        name: String,
        /// The number of entities, one for each row.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// There are more rows than one sweep can number.
    #[error(
        "too many rows for one sweep: {rows}\nhint: at most {limit} rows; split them by entity"
    )]
    TooManyRows {
        /// The number of rows given.
        rows: usize,
        /// The largest number of rows allowed.
        limit: usize,
    },
    /// There are more pairs of an entity and a date than one sweep can number.
    #[error(
        "too many output rows for one sweep: {rows}\nhint: at most 2147483647 rows; ask for fewer dates at a time, or split the rows by entity"
    )]
    TooManyOutputRows {
        /// The number of output rows that there would be.
        rows: usize,
    },
    /// The rows are not sorted by entity.
    #[error(
        "rows are not sorted by entity: row {row} has entity {entity} after entity {previous}\n\
        hint: sort the rows by entity; their order inside an entity is free"
    )]
    UnsortedEntities {
        /// Index of the first row out of order.
        row: usize,
        /// Entity of the row before it.
        previous: u32,
        /// Entity of the row.
        entity: u32,
    },
    /// The reference dates are not strictly increasing.
    #[error("reference dates are not strictly increasing: day {date} after day {previous}")]
    UnsortedDates {
        /// The date before, in days since 1970-01-01.
        previous: i32,
        /// The first date out of order, in days since 1970-01-01.
        date: i32,
    },
    /// A reference date lies outside the calendar.
    #[error("reference date is outside the calendar, in days since 1970-01-01: {date}")]
    DateOutOfRange {
        /// The date, in days since 1970-01-01.
        date: i32,
    },
    /// A window has no length and can hold no row.
    #[error("window can hold no row: {window}\nhint: give it at least one day or month")]
    EmptyWindow {
        /// The window at fault.
        window: Window,
    },
    /// An aggregate names a column or filter that does not exist.
    #[error(
        "{aggregate} names a column that does not exist: {column}\n\
        hint: there are {columns} columns, counted from 0"
    )]
    UnknownColumn {
        /// The aggregate at fault.
        aggregate: Aggregate,
        /// The index it names.
        column: usize,
        /// The number of columns given.
        columns: usize,
    },
    /// An aggregate of values names no column.
    #[error("{aggregate} needs a column")]
    MissingColumn {
        /// The aggregate at fault.
        aggregate: Aggregate,
    },
    /// A count of rows names a column.
    #[error(
        "{aggregate} counts rows and takes no column\n\
        hint: use `Function::Count` for the non-null values of a column"
    )]
    UnexpectedColumn {
        /// The aggregate at fault.
        aggregate: Aggregate,
    },
    /// An aggregate cannot be computed of a column of this type.
    #[error(
        "{aggregate} cannot be computed of this type: {data_type}\n\
        hint: it takes {expected}"
    )]
    UnsupportedType {
        /// The aggregate at fault.
        aggregate: Aggregate,
        /// The type of its column.
        data_type: DataType,
        /// The types it can be computed of.
        expected: &'static str,
    },
    /// A filter column is not boolean.
    #[error("{aggregate} has a filter that is not boolean: {data_type}")]
    FilterType {
        /// The aggregate at fault.
        aggregate: Aggregate,
        /// The type of its filter column.
        data_type: DataType,
    },
    /// The probability of a quantile is not in `[0, 1]`.
    #[error("{aggregate} needs a probability from 0 to 1: {probability}")]
    Probability {
        /// The aggregate at fault.
        aggregate: Aggregate,
        /// The probability given.
        probability: f64,
    },
    /// The half-life of a decayed aggregate is not usable.
    #[error(
        "{aggregate} needs a finite half-life of at least one microsecond, in days: {half_life_days}"
    )]
    HalfLife {
        /// The aggregate at fault.
        aggregate: Aggregate,
        /// The half-life given, in days.
        half_life_days: f64,
    },
    /// An unsigned value is larger than the largest 64-bit signed integer.
    #[error("{aggregate} met a value that does not fit a 64-bit integer in row {row}: {value}")]
    ValueOutOfRange {
        /// The first aggregate that reads the column.
        aggregate: Aggregate,
        /// Index of the row.
        row: usize,
        /// The value.
        value: u64,
    },
    /// A sum of integers does not fit its output type.
    #[error(
        "{aggregate} overflows a 64-bit integer for entity {entity} on day {date} in window {window}\n\
        hint: sum the column as a 64-bit float"
    )]
    Overflow {
        /// Index of the aggregate among those given.
        index: usize,
        /// The aggregate at fault.
        aggregate: Aggregate,
        /// The window of the sum.
        window: Window,
        /// The entity of the sum.
        entity: u32,
        /// The reference date of the sum, in days since 1970-01-01.
        date: i32,
    },
    /// Arrow could not build an output array, such as one of more than 2 GiB of `Utf8`.
    #[error("cannot build the output of {aggregate}: {source}")]
    Output {
        /// The aggregate whose output it is.
        aggregate: Aggregate,
        /// What Arrow says.
        source: ArrowError,
    },
}
