//! Texts as numbers: the columns that hold the same identity, such as the number of an order, share one dictionary.
//!
//! Where a text is only ever compared with others, its number in the dictionary says as much, in 4 bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, new_empty_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt32Type};
use arrow::error::ArrowError;

use crate::columns::Columns;

/// Text columns, as source and column, whose values may be compared with one another.
pub type Identity = BTreeSet<(String, String)>;

/// Which texts are read as numbers.
#[derive(Debug, Clone, Default)]
pub struct Encoding {
    /// The columns that are compared with one another get the same number for the same text.
    pub identities: Vec<Identity>,
    /// The columns whose texts are needed none the less; those of the others are let go. `None` when all are kept.
    pub texts: Option<Columns>,
}

/// Identities that have a column in common as one.
pub(crate) fn merged(identities: impl IntoIterator<Item = Identity>) -> Vec<Identity> {
    let mut merged: Vec<Identity> = Vec::new();
    for mut identity in identities {
        let (same, others) = merged
            .into_iter()
            .partition(|held| !held.is_disjoint(&identity));
        merged = others;
        let same: Vec<Identity> = same;
        identity.extend(same.into_iter().flatten());
        merged.push(identity);
    }
    merged
}

/// The numbers of a column, and the texts that they stand for; `None` for a column that is not encoded.
pub(crate) fn codes(column: &ArrayRef) -> Option<&DictionaryArray<UInt32Type>> {
    column.as_dictionary_opt::<UInt32Type>()
}

/// A column as it was before it was encoded.
///
/// # Errors
/// [`ArrowError::InvalidArgumentError`] when its texts were let go.
pub(crate) fn decoded(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match codes(column) {
        // The texts of an empty column may be many.
        Some(_) if column.is_empty() => Ok(new_empty_array(&DataType::Utf8)),
        Some(codes) if codes.values().data_type().is_null() => {
            Err(ArrowError::InvalidArgumentError(
                "the texts of an encoded column were not kept".to_owned(),
            ))
        }
        Some(_) => cast(column, &DataType::Utf8),
        None => Ok(Arc::clone(column)),
    }
}

/// The numbers of some columns, if all of them are encoded and equal texts have equal numbers.
pub(crate) fn comparable<'a>(
    columns: impl IntoIterator<Item = &'a ArrayRef>,
) -> Option<Vec<&'a DictionaryArray<UInt32Type>>> {
    let columns: Vec<_> = columns.into_iter().map(codes).collect::<Option<_>>()?;
    let shares =
        |pair: &[&DictionaryArray<UInt32Type>]| Arc::ptr_eq(pair[0].values(), pair[1].values());
    columns.windows(2).all(shares).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(columns: &[&str]) -> Identity {
        let columns = columns.iter();
        columns
            .map(|column| ("t".to_owned(), (*column).to_owned()))
            .collect()
    }

    #[test]
    fn identities_with_a_column_in_common_are_one() {
        let found = merged(["ab", "cd", "e", "bc"].map(|names| {
            let names: Vec<String> = names.chars().map(String::from).collect();
            identity(&names.iter().map(String::as_str).collect::<Vec<_>>())
        }));
        assert_eq!(found, [identity(&["e"]), identity(&["a", "b", "c", "d"])]);
    }
}
