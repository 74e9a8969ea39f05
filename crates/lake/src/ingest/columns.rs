//! Text to typed values, one builder a column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use safra_project::ColumnType;

/// Builds one column. A value is checked first, which parses it, and then committed.
pub(super) enum ColumnBuilder {
    Text(StringBuilder),
    Integer(Int64Builder, Option<i64>),
    Float(Float64Builder, Option<f64>),
    Boolean(BooleanBuilder, Option<bool>),
    Date(Date32Builder, Option<i32>),
    Timestamp(TimestampMicrosecondBuilder, Option<i64>),
}

impl ColumnBuilder {
    pub(super) fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::String => Self::Text(StringBuilder::new()),
            ColumnType::Integer => Self::Integer(Int64Builder::new(), None),
            ColumnType::Float => Self::Float(Float64Builder::new(), None),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new(), None),
            ColumnType::Date => Self::Date(Date32Builder::new(), None),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new(), None),
        }
    }

    /// Parses a value; an empty one is NULL. Returns it as text; the error says what was expected.
    pub(super) fn check<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b str, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        let fail = |what: &str| Err(format!("not {what}: {text}"));
        let empty = text.is_empty();
        match self {
            Self::Text(_) => {}
            Self::Integer(_, value) => {
                *value = integer(text);
                if value.is_none() && !empty {
                    return fail("an integer");
                }
            }
            Self::Float(_, value) => {
                *value = Float64Type::parse(text).filter(|number| number.is_finite());
                if value.is_none() && !empty {
                    return fail("a finite number");
                }
            }
            Self::Boolean(_, value) => {
                *value = boolean(text);
                if value.is_none() && !empty {
                    return fail("true or false");
                }
            }
            Self::Date(_, value) => {
                *value = Date32Type::parse(text);
                if value.is_none() && !empty {
                    return fail("a date YYYY-MM-DD");
                }
            }
            Self::Timestamp(_, value) => {
                *value = timestamp(text);
                if value.is_none() && !empty {
                    return fail("a timestamp YYYY-MM-DD HH:MM:SS");
                }
            }
        }
        Ok(text)
    }

    /// Adds the value that was checked last, which is this text.
    pub(super) fn commit(&mut self, text: &str) {
        match self {
            Self::Text(builder) => builder.append_option(Some(text).filter(|t| !t.is_empty())),
            Self::Integer(builder, value) => builder.append_option(*value),
            Self::Float(builder, value) => builder.append_option(*value),
            Self::Boolean(builder, value) => builder.append_option(*value),
            Self::Date(builder, value) => builder.append_option(*value),
            Self::Timestamp(builder, value) => builder.append_option(*value),
        }
    }

    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder, _) => Arc::new(builder.finish()),
            Self::Float(mut builder, _) => Arc::new(builder.finish()),
            Self::Boolean(mut builder, _) => Arc::new(builder.finish()),
            Self::Date(mut builder, _) => Arc::new(builder.finish()),
            Self::Timestamp(mut builder, _) => Arc::new(builder.finish()),
        }
    }
}

/// An integer; tools that know only floats write 3 as 3.0, which is accepted.
fn integer(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    };
    Int64Type::parse(digits)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A naive time: one with an offset would silently be moved, so it is refused.
fn timestamp(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        || (bytes.len() >= 19 && bytes[19..].iter().all(|b| b.is_ascii_digit() || *b == b'.'));
    if shaped {
        TimestampMicrosecondType::parse(text)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict() {
        assert_eq!(integer("12"), Some(12));
        assert_eq!(integer("12.00"), Some(12));
        assert_eq!(integer("12.5"), None);
        assert_eq!(integer(""), None);
        assert_eq!(integer("1e3"), None);
    }

    #[test]
    fn times_are_naive() {
        assert_eq!(timestamp("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(timestamp("1970-01-02"), Some(86_400_000_000));
        assert_eq!(timestamp("1970-01-01 00:00:00.5"), Some(500_000));
        assert_eq!(timestamp("1970-01-01 00:00:00+03:00"), None);
        assert_eq!(timestamp("1970-01-01T00:00:00Z"), None);
        assert_eq!(timestamp("1970-13-01 00:00:00"), None);
    }
}
