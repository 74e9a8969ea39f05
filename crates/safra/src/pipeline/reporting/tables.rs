//! The tables of the lake.

use safra_lake::{Folder, Lake};
use safra_report::TableSummary;

use crate::error::SafraError;

/// The tables of a lake, folder by folder.
pub async fn tables(lake: &Lake) -> Result<Vec<TableSummary>, SafraError> {
    let mut summaries = Vec::new();
    for folder in Folder::ALL
        .into_iter()
        .filter(|folder| *folder != Folder::Rejected)
    {
        for name in lake.table_names(folder)? {
            let table = lake.table(folder, &name);
            let Some(snapshot) = table.snapshot().await? else {
                continue;
            };
            let rejected = match folder {
                Folder::Sources => rejected_rows(lake, &name).await?,
                _ => 0,
            };
            summaries.push(TableSummary {
                name: table.name().to_owned(),
                rows: snapshot.row_count()? as u64,
                rejected,
            });
        }
    }
    Ok(summaries)
}

async fn rejected_rows(lake: &Lake, name: &str) -> Result<u64, SafraError> {
    Ok(match lake.table(Folder::Rejected, name).snapshot().await? {
        Some(snapshot) => snapshot.row_count()? as u64,
        None => 0,
    })
}
