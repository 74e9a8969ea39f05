//! Which columns of the sources are read.

use std::collections::{BTreeMap, BTreeSet};

use safra_project::{Column, ColumnKnownAt, KnownAt, Project, Source};

use crate::HistoryError;

/// Columns by source.
pub type Columns = BTreeMap<String, BTreeSet<String>>;

/// All columns of these sources, derived ones included.
pub(crate) fn all_columns(
    project: &Project,
    names: &BTreeSet<String>,
) -> Result<Columns, HistoryError> {
    let all = |name: &String| {
        let source = project.source(name)?;
        let columns = source.columns.iter().map(|column| column.name.clone());
        let derived = source.derived.iter().map(|derived| derived.name.clone());
        Ok((name.clone(), columns.chain(derived).collect()))
    };
    let names = project.with_parents(names)?;
    names.iter().map(all).collect()
}

/// The columns to read of these sources and of those from which they take their times: those asked for, and those that
/// date or derive them.
pub(crate) fn wanted_columns(project: &Project, asked: &Columns) -> Result<Columns, HistoryError> {
    let mut wanted = Columns::new();
    for name in project.with_parents(asked.keys())? {
        let source = project.source(&name)?;
        let columns = asked.get(&name).cloned().unwrap_or_default();
        let mut needed = columns.clone();
        if let KnownAt::Column(column) = &source.known_at {
            needed.insert(column.clone());
        }
        if let KnownAt::From { from, on } = &source.known_at {
            needed.insert(on.clone());
            // A source stands after its parents, but may be wanted before them in the alphabet.
            wanted.entry(from.clone()).or_default().insert(on.clone());
        }
        for column in source
            .columns
            .iter()
            .filter(|column| columns.contains(&column.name))
        {
            if let ColumnKnownAt::Column(time) = &column.known_at {
                needed.insert(time.clone());
            }
        }
        needed.extend(deriving(source, &columns));
        wanted.entry(name).or_default().extend(needed);
    }
    Ok(wanted)
}

/// The columns from which those that are asked for derive.
pub(crate) fn deriving_columns(
    project: &Project,
    asked: &Columns,
) -> Result<Columns, HistoryError> {
    let of_source = |(name, columns): (&String, &BTreeSet<String>)| {
        let source = project.source(name)?;
        Ok((name.clone(), deriving(source, columns)))
    };
    asked.iter().map(of_source).collect()
}

fn deriving(source: &Source, columns: &BTreeSet<String>) -> BTreeSet<String> {
    let derived = source.derived.iter();
    let derived = derived.filter(|derived| columns.contains(&derived.name));
    let named = derived.flat_map(|derived| {
        let named = |column: &&Column| {
            names(&derived.sql, &column.name) || names(&derived.known_at, &column.name)
        };
        source.columns.iter().filter(named)
    });
    named.map(|column| column.name.clone()).collect()
}

/// Whether SQL has a word in it. A text in quotes may look like a column, which costs no more than reading it.
pub(crate) fn names(sql: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    sql.split(|letter| !is_part(letter))
        .any(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole() {
        let sql = "LEAST(order_delivered, \"Estimated\" + INTERVAL '1 day')";
        assert!(names(sql, "order_delivered") && names(sql, "estimated"));
        assert!(!names(sql, "order") && !names(sql, "delivered"));
    }
}
