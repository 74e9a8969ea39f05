//! Where the data of a lake ends.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use futures::future::try_join_all;
use safra_lake::{Folder, Lake};
use safra_project::{KnownAt, Project};

use crate::HistoryError;
use crate::history::INGEST;

/// The first day of which none of these sources knows anything: the day after the last fact of any of them. A source that takes
/// its times from another knows of no later day than that one. `None` where there is no dated row. No rows are read.
///
/// # Errors
/// [`HistoryError`] names the source that is not in the project, or not in the lake and not optional.
pub async fn data_end(
    lake: &Lake,
    project: &Project,
    names: &BTreeSet<String>,
) -> Result<Option<NaiveDate>, HistoryError> {
    let names = project.with_parents(names)?;
    let last_days = names.iter().map(async |name| {
        let source = project.source(name)?;
        let KnownAt::Column(column) = &source.known_at else {
            return Ok(None);
        };
        let table = lake.table(Folder::Sources, name);
        let snapshot = match source.optional {
            true => table.snapshot().await?,
            false => Some(table.require(INGEST).await?),
        };
        match snapshot {
            Some(snapshot) => Ok::<_, HistoryError>(snapshot.last_day(column)?),
            None => Ok(None),
        }
    });
    let last = try_join_all(last_days).await?.into_iter().max().flatten();
    Ok(last.and_then(|day| day.checked_add_days(Days::new(1))))
}
