//! The tables without which a problem cannot be asked: those behind its cohort and those of its label.

use std::collections::BTreeSet;

use safra_features::CompiledView;
use safra_history::session;
use safra_lake::{Folder, Lake};
use safra_project::{Problem, Project};

use crate::{DatasetError, cohort, label};

/// Refuses a problem of which a table behind the cohort or the label is in the lake without rows, or optional and not in
/// the lake at all. A feature view that reads such a table merely has nothing to say.
pub(crate) async fn require_rows(
    lake: &Lake,
    project: &Project,
    problem: &Problem,
) -> Result<(), DatasetError> {
    let needed = needed(project, problem).await?;
    let sources = project.sources.values();
    let mut empty = Vec::new();
    for source in sources.filter(|source| needed.contains(&source.name)) {
        let table = lake.table(Folder::Sources, &source.name);
        let held = match table.snapshot().await? {
            Some(snapshot) => snapshot.row_count()? > 0,
            // A table that must be there is missed, with a hint, by whoever reads it first.
            None => !source.optional,
        };
        if !held {
            empty.push(source);
        }
    }
    if empty.is_empty() {
        return Ok(());
    }
    let words = |word: fn(&safra_project::Source) -> &str| {
        let words: Vec<&str> = empty.iter().map(|source| word(source)).collect();
        words.join(", ")
    };
    Err(DatasetError::EmptySources {
        problem: problem.name.clone(),
        tables: words(|source| &source.name),
        files: words(|source| &source.file),
        optional: empty.iter().all(|source| source.optional),
    })
}

async fn needed(project: &Project, problem: &Problem) -> Result<BTreeSet<String>, DatasetError> {
    let context = session(1);
    let tables = cohort::table_names(
        &context,
        problem.population(),
        &problem.label.sql,
        label::PART,
    )?;
    let mut needed: BTreeSet<String> = tables.into_iter().filter(|name| name != "cohort").collect();
    for view in cohort::views(&context, project, problem.population())? {
        needed.extend(
            CompiledView::new(project, project.view(&view)?)
                .await?
                .sources(),
        );
    }
    Ok(project.with_parents(&needed)?)
}
