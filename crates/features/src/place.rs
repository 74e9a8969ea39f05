//! Where in the file of a view something is wrong, and what may have been meant.

use std::fmt;

use datafusion::common::SchemaError;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};
use safra_project::View;

use crate::FeatureError;

/// A place in a file, with the colon that parts it from what is said about it; empty where none is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place(String);

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => Ok(()),
            false => write!(formatter, "{}: ", self.0),
        }
    }
}

/// The place of a line and column of the rendered SQL, both counted from 1.
pub(crate) fn of_location(view: &View, line: u64, column: u64) -> Place {
    Place(view.place(line as usize, column as usize))
}

/// The place where a name first stands in the SQL.
pub(crate) fn of_name(view: &View, name: &str) -> Place {
    let tokens = Tokenizer::new(&GenericDialect {}, &view.sql).tokenize_with_location();
    let is_name =
        |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(name));
    let found = tokens.unwrap_or_default().into_iter();
    let found = found.map(|token| (is_name(&token.token), token.span.start));
    match found.into_iter().find(|(is_name, _)| *is_name) {
        Some((_, Location { line, column })) => of_location(view, line, column),
        None => of_header(view, name),
    }
}

/// The line of the header that names an entity or time.
fn of_header(view: &View, name: &str) -> Place {
    let is_it = |part: &String| last_part(part).eq_ignore_ascii_case(name);
    if view.entity.iter().any(is_it) {
        return Place(format!("line {}, entity", view.entity_line));
    }
    match is_it(&view.time) {
        true => Place(format!("line {}, {}", view.time_line, view.time_key())),
        false => Place::default(),
    }
}

/// What the parser says, at its place in the file.
pub(crate) fn parser_error(view: &View, error: &ParserError) -> FeatureError {
    let text = error.to_string();
    let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
    let located = text.rsplit_once(" at Line: ").and_then(|(message, after)| {
        let (line, column) = after.split_once(", Column: ")?;
        let place = of_location(view, line.parse().ok()?, column.parse().ok()?);
        Some((place, message.to_owned()))
    });
    let (place, message) = located.unwrap_or_else(|| (Place::default(), text.to_owned()));
    FeatureError::Sql {
        file: view.file.clone(),
        place,
        message,
    }
}

/// What the planner says, at its place in the file, with what may have been meant.
pub(crate) fn planner_error(
    view: &View,
    state: &SessionState,
    error: &DataFusionError,
) -> FeatureError {
    let Said {
        message,
        name,
        known,
    } = said(state, error);
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let place = match (span, &name) {
        (Some(span), _) => of_location(view, span.start.line, span.start.column),
        (None, Some(name)) => of_name(view, name),
        (None, None) => Place::default(),
    };
    let hint = name.and_then(|name| hint(&name, known));
    FeatureError::Sql {
        file: view.file.clone(),
        place,
        message: message + &hint.unwrap_or_default(),
    }
}

/// What is wrong, the name at fault, and the names that exist.
struct Said {
    message: String,
    name: Option<String>,
    known: Vec<String>,
}

fn said(state: &SessionState, error: &DataFusionError) -> Said {
    if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
        && let Some(said) = said_of_columns(schema_error)
    {
        return said;
    }
    let text = plain(error);
    let name = quoted(&text);
    let text = own_words(text);
    if text.starts_with("table '") {
        let name = name.map(|name| last_part(&name).to_owned());
        return Said {
            message: format!("no table named {}", name.as_deref().unwrap_or_default()),
            name,
            known: table_names(state),
        };
    }
    match (text.starts_with("Invalid function '"), name) {
        (true, Some(name)) => Said {
            message: format!("no function named {name}"),
            name: Some(name),
            known: function_names(state),
        },
        (_, name) => Said {
            message: text,
            name,
            known: Vec::new(),
        },
    }
}

fn said_of_columns(error: &SchemaError) -> Option<Said> {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => Some(Said {
            message: format!("no column named {}", field.flat_name()),
            name: Some(field.name.clone()),
            known: valid_fields
                .iter()
                .map(|column| column.name.clone())
                .collect(),
        }),
        SchemaError::AmbiguousReference { field } => {
            let name = field.name.clone();
            Some(Said {
                message: format!("{name} is a column of several tables\nhint: write table.{name}"),
                name: Some(name),
                known: Vec::new(),
            })
        }
        _ => None,
    }
}

/// The message without the names of errors around it.
fn plain(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let prefixes = [
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
    ];
    let stripped = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
    stripped.unwrap_or(&text).trim_end().to_owned()
}

/// What a function of the dialect says of its arguments, without the words of the planner around it.
fn own_words(text: String) -> String {
    let Some((_, words)) = text.split_once("user-defined coercion failed with: ") else {
        return text;
    };
    let words = words.split(" No function matches").next().unwrap_or(words);
    let stripped = words.strip_prefix("Error during planning: ");
    stripped.unwrap_or(words).trim_end_matches('.').to_owned()
}

/// The first name in quotes.
fn quoted(text: &str) -> Option<String> {
    text.split('\'').nth(1).map(str::to_owned)
}

fn table_names(state: &SessionState) -> Vec<String> {
    let catalogs = state.catalog_list();
    let schemas = catalogs.catalog_names().into_iter().filter_map(|name| {
        let catalog = catalogs.catalog(&name)?;
        catalog
            .schema_names()
            .first()
            .and_then(|schema| catalog.schema(schema))
    });
    schemas.flat_map(|schema| schema.table_names()).collect()
}

fn function_names(state: &SessionState) -> Vec<String> {
    let scalar = state.scalar_functions().keys();
    scalar
        .chain(state.aggregate_functions().keys())
        .cloned()
        .collect()
}

/// The known name that is nearest to one that is not; of several, the first in the alphabet.
fn hint(name: &str, mut known: Vec<String>) -> Option<String> {
    known.sort();
    let name = name.to_lowercase();
    let distance = |other: &String| levenshtein(&name, &other.to_lowercase());
    let nearest = known.iter().min_by_key(|other| distance(other))?;
    (distance(nearest) <= name.chars().count().div_ceil(3))
        .then(|| format!("\nhint: did you mean {nearest}?"))
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
