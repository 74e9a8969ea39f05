//! `safra sql`: queries on the lake.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::SessionContext;
use safra_history::session;
use safra_lake::Folder;
use safra_project::nearest;

use crate::context::Context;
use crate::error::SafraError;
use crate::lake_table::LakeTable;
use crate::rows::{Format, print_rows};

/// What a query returned.
pub struct Rows {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Their types.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// Runs a query and prints its rows.
pub async fn run(context: &Context, query: &str, format: Option<Format>) -> Result<(), SafraError> {
    let Rows {
        header, batches, ..
    } = self::query(context, query).await?;
    let format = match context.json {
        true => Some(Format::Json),
        false => format,
    };
    print_rows(&header, &batches, format)
}

/// Runs a query.
pub async fn query(context: &Context, query: &str) -> Result<Rows, SafraError> {
    let session = session(rayon::current_num_threads());
    register(context, &session, query).await?;
    let reading = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let frame = session.sql_with_options(query, reading).await;
    let frame = frame.map_err(|error| refused(context, &error))?;
    let header = frame
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let batches = frame.collect().await.map_err(boxed)?;
    Ok(Rows {
        header,
        schema,
        batches,
    })
}

/// Registers the tables that the query names, and reads no others.
async fn register(
    context: &Context,
    session: &SessionContext,
    query: &str,
) -> Result<(), SafraError> {
    let state = session.state();
    let dialect = state.config_options().sql_parser.dialect;
    let statement = state.sql_to_statement(query, &dialect);
    let statement = statement.map_err(|error| refused(context, &error))?;
    let catalog = session
        .catalog("datafusion")
        .ok_or_else(|| SafraError::Usage("the query engine has no default catalog".to_owned()))?;
    for folder in Folder::ALL {
        let provider = Arc::new(MemorySchemaProvider::new());
        catalog
            .register_schema(folder.name(), provider)
            .map_err(boxed)?;
    }
    for name in state.resolve_table_references(&statement).map_err(boxed)? {
        let wanted = name.schema();
        let folder = Folder::ALL
            .into_iter()
            .find(|folder| wanted.is_none_or(|schema| schema == folder.name()))
            .unwrap_or(Folder::Sources);
        let Some(snapshot) = context.lake.table(folder, name.table()).snapshot().await? else {
            continue;
        };
        session
            .register_table(name, Arc::new(LakeTable(snapshot)))
            .map_err(boxed)?;
    }
    Ok(())
}

fn boxed(error: DataFusionError) -> SafraError {
    SafraError::Sql(Box::new(error))
}

/// What is wrong with a query, in fewer words than the engine's, and what may have been meant.
fn refused(context: &Context, error: &DataFusionError) -> SafraError {
    let text = match error.find_root() {
        DataFusionError::SQL(error, _) => error.to_string(),
        root => root.strip_backtrace(),
    };
    let prefixes = [
        "Error during planning: ",
        "Schema error: ",
        "sql parser error: ",
    ];
    let text = prefixes
        .iter()
        .fold(text.as_str(), |text, prefix| {
            text.strip_prefix(prefix).unwrap_or(text)
        })
        .trim_end();
    let missing = text.strip_prefix("table 'datafusion.");
    let missing = missing.and_then(|rest| rest.strip_suffix("' not found"));
    SafraError::Usage(match missing {
        Some(name) => no_such_table(context, name.trim_start_matches("public.")),
        None if text.contains("not supported: ") => {
            format!("{text}\nhint: `safra sql` only reads; write a SELECT")
        }
        None => text.replace("\nValid fields are ", "\nhint: there are: "),
    })
}

fn no_such_table(context: &Context, name: &str) -> String {
    let mut known = Vec::new();
    for folder in Folder::ALL {
        let names = context.lake.table_names(folder).unwrap_or_default();
        known.extend(names.iter().map(|name| format!("{}.{name}", folder.name())));
        if folder == Folder::Sources {
            known.extend(names);
        }
    }
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.is_empty() => "`safra ingest DIR` reads the files of a folder".to_owned(),
        None => {
            known.retain(|name| name.contains('.'));
            format!("there are: {}", known.join(", "))
        }
    };
    format!("no such table in the lake: {name}\nhint: {hint}")
}
