//! `safra sql`: queries on the lake.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use safra_history::session;
use safra_lake::Folder;

use crate::context::Context;
use crate::error::SafraError;
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
    let frame = session.sql(query).await.map_err(boxed)?;
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
    let statement = state.sql_to_statement(query, &dialect).map_err(boxed)?;
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
        let rows = snapshot.read(None)?;
        let schema = rows
            .first()
            .map_or_else(|| snapshot.schema(), RecordBatch::schema);
        let table = MemTable::try_new(schema, vec![rows]).map_err(boxed)?;
        session
            .register_table(name, Arc::new(table))
            .map_err(boxed)?;
    }
    Ok(())
}

fn boxed(error: datafusion::error::DataFusionError) -> SafraError {
    SafraError::Sql(Box::new(error))
}
