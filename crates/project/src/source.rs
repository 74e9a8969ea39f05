//! `sources.toml`: the tables, and when each row and column becomes known.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::files::parse_toml;
use crate::{ProjectError, ProjectFiles};

const FILE: &str = "sources.toml";

/// A table of the marketplace: where it comes from, its key, its columns, and what was known when.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the table in the lake and in SQL.
    pub name: String,
    /// File name inside the folder that is ingested.
    pub file: String,
    /// Columns that identify a row; empty when rows have no identity, in which case each ingest replaces the table.
    pub key: Vec<String>,
    /// When a row becomes known.
    pub known_at: KnownAt,
    /// A file without which the rest of the marketplace still makes sense.
    pub optional: bool,
    /// One line on what a row is.
    pub description: String,
    /// The columns read from the file, in the order of the declaration.
    pub columns: Vec<Column>,
    /// Columns computed from the others.
    pub derived: Vec<Derived>,
    /// Columns whose values must exist in another source.
    pub references: Vec<Reference>,
}

/// When the rows of a source become known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum KnownAt {
    /// Undated reference data, written `"always"`.
    #[serde(deserialize_with = "always")]
    Always,
    /// At the time in this timestamp or date column of the row.
    Column(String),
    /// When the row of another source with the same value in column `on` became known.
    From {
        /// The other source.
        from: String,
        /// The column that both sources have.
        on: String,
    },
}

/// When the value of one column becomes known, if later than its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKnownAt {
    /// With the row.
    Row,
    /// At the time in this column of the same row.
    Column(String),
    /// No date tells when: labels may read it, features may not.
    Never,
}

/// A column read from the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in the file's header and in the lake.
    pub name: String,
    /// How the text of the file is read.
    pub kind: ColumnType,
    /// When its value becomes known.
    pub known_at: ColumnKnownAt,
    /// A row without it is rejected.
    pub required: bool,
    /// A time that is set ahead, such as a promised day; any other time in a row cannot lie after the moment at
    /// which it was known, which the audit holds the declarations to.
    pub planned: bool,
}

/// How the text of a file is read. All times are naive local times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// 64-bit signed integer; a decimal point with only zeros behind it is accepted.
    Integer,
    /// 64-bit floating point number.
    Float,
    /// `true` or `false`, in any case.
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
    /// `YYYY-MM-DD HH:MM:SS`, kept in microseconds.
    Timestamp,
}

/// A column computed from the others of the same row, known at a time of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// Name in the lake and in SQL; taken from the key of the declaration.
    #[serde(skip)]
    pub name: String,
    /// SQL expression over the columns of the row, as they stand at the end of the data.
    pub sql: String,
    /// SQL expression for the time at which the value is settled.
    pub known_at: String,
}

/// Values of these columns must exist in the key of another source, or the row is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The column of this source.
    pub column: String,
    /// The source it refers to.
    pub to: String,
    /// The column of that source; the same name when absent.
    pub on: Option<String>,
}

impl Source {
    /// The declared column of that name, derived columns excluded.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    file: String,
    #[serde(default)]
    key: Vec<String>,
    known_at: KnownAt,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    description: String,
    columns: IndexMap<String, RawColumn>,
    #[serde(default)]
    derived: IndexMap<String, Derived>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawColumn {
    Short(ColumnType),
    Long(LongColumn),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongColumn {
    #[serde(rename = "type")]
    kind: ColumnType,
    known_at: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    planned: bool,
}

pub(crate) fn read_all(files: &ProjectFiles) -> Result<IndexMap<String, Source>, ProjectError> {
    let raw: IndexMap<String, RawSource> = parse_toml(FILE, files.get(FILE)?)?;
    Ok(raw
        .into_iter()
        .map(|(name, raw)| (name.clone(), build(name, raw)))
        .collect())
}

fn build(name: String, raw: RawSource) -> Source {
    let columns = raw
        .columns
        .into_iter()
        .map(|(name, column)| match column {
            RawColumn::Short(kind) => Column {
                required: raw.key.contains(&name),
                name,
                kind,
                known_at: ColumnKnownAt::Row,
                planned: false,
            },
            RawColumn::Long(long) => Column {
                required: long.required || raw.key.contains(&name),
                name,
                kind: long.kind,
                planned: long.planned,
                known_at: match long.known_at.as_deref() {
                    None => ColumnKnownAt::Row,
                    Some("never") => ColumnKnownAt::Never,
                    Some(column) => ColumnKnownAt::Column(column.to_owned()),
                },
            },
        })
        .collect();
    let derived = raw
        .derived
        .into_iter()
        .map(|(name, derived)| Derived { name, ..derived })
        .collect();
    Source {
        name,
        file: raw.file,
        key: raw.key,
        known_at: raw.known_at,
        optional: raw.optional,
        description: raw.description,
        columns,
        derived,
        references: raw.references,
    }
}

fn always<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "always" => Ok(()),
        other => Err(serde::de::Error::custom(format!("not \"always\": {other}"))),
    }
}
