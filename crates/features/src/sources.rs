//! What backfills read from the lake: which sources, and for which views together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use safra_history::{Columns, Encoding, History};
use safra_lake::{Folder, Lake, Snapshot};
use safra_project::{ColumnType, Project};

use crate::{CompiledView, FeatureError};

/// Rows of all sources together up to which several views are computed at a time; from larger ones, one after the other.
pub(crate) const ROWS_TOGETHER: usize = 8 << 20;

/// Bytes of larger sources that are held for several views, about.
const BYTES_TOGETHER: usize = 2 << 30;

/// Bytes of a text, with what says where it ends: a short one, or a number and its part of a dictionary.
const TEXT_BYTES: usize = 16;

/// The sources in the lake, each opened once.
pub(crate) struct Sources<'a> {
    pub lake: &'a Lake,
    project: &'a Project,
    pub opened: BTreeMap<String, Arc<Snapshot>>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(lake: &'a Lake, project: &'a Project) -> Self {
        Self {
            lake,
            project,
            opened: BTreeMap::new(),
        }
    }

    /// Views that are computed from the same sources in memory, in their order: all, unless the columns that they read would take too
    /// much.
    pub(crate) fn together(
        &self,
        views: Vec<CompiledView>,
    ) -> Result<Vec<Vec<CompiledView>>, FeatureError> {
        let rows = self.row_counts()?;
        let few = rows.values().sum::<usize>() <= ROWS_TOGETHER;
        let mut groups: Vec<Vec<CompiledView>> = Vec::new();
        let mut held = Columns::new();
        for view in views {
            let columns = view.columns(self.project);
            let mut with_it = held.clone();
            add(&mut with_it, columns.clone());
            match groups.last_mut() {
                Some(group) if few || self.bytes(&with_it, &rows) <= BYTES_TOGETHER => {
                    group.push(view);
                    held = with_it;
                }
                _ => {
                    groups.push(vec![view]);
                    held = columns;
                }
            }
        }
        Ok(groups)
    }

    /// Rows of each source that has been opened.
    fn row_counts(&self) -> Result<BTreeMap<&str, usize>, FeatureError> {
        let opened = self.opened.iter();
        let counts = opened.map(|(name, snapshot)| Ok((name.as_str(), snapshot.row_count()?)));
        counts.collect()
    }

    /// Bytes that columns take in memory, about.
    fn bytes(&self, columns: &Columns, rows: &BTreeMap<&str, usize>) -> usize {
        let of_source = |(name, columns): (&String, &BTreeSet<String>)| {
            let rows = rows.get(name.as_str()).copied().unwrap_or_default();
            let source = self.project.sources.get(name);
            let width = |column: &String| match source.and_then(|source| source.column(column)) {
                Some(column) if column.kind == ColumnType::String => TEXT_BYTES,
                Some(_) => size_of::<i64>(),
                // What is derived has a time for each row.
                None => 2 * size_of::<i64>(),
            };
            rows * (size_of::<i64>() + columns.iter().map(width).sum::<usize>())
        };
        columns.iter().map(of_source).sum()
    }

    /// What some views read, with the texts that they only compare as numbers.
    pub(crate) async fn history(&self, views: &[CompiledView]) -> Result<History, FeatureError> {
        let (mut columns, mut texts) = (Columns::new(), Columns::new());
        for view in views {
            let of_view = view.columns(self.project);
            add(&mut texts, view.encodable.texts(&of_view));
            add(&mut columns, of_view);
        }
        let rows: usize = self.row_counts()?.values().sum();
        let encoding = Encoding {
            identities: views
                .iter()
                .flat_map(CompiledView::identities)
                .cloned()
                .collect(),
            // Of few rows all can be kept, for finding stale dates without reading them again.
            texts: (rows > ROWS_TOGETHER).then_some(texts),
        };
        let opened = &self.opened;
        Ok(History::load_encoded(self.lake, self.project, &columns, opened, encoding).await?)
    }

    /// The versions of the sources that a view depends on; `None` when one of them is not there.
    pub(crate) async fn of(
        &mut self,
        view: &CompiledView,
    ) -> Result<Option<BTreeMap<String, u64>>, FeatureError> {
        let mut found = BTreeMap::new();
        for name in self.project.with_parents(view.reads.keys())? {
            let snapshot = match self.opened.get(&name) {
                Some(snapshot) => snapshot,
                None => match self.lake.table(Folder::Sources, &name).snapshot().await? {
                    Some(snapshot) => self.opened.entry(name.clone()).or_insert(snapshot.into()),
                    None => return Ok(None),
                },
            };
            found.insert(name, snapshot.version());
        }
        Ok(Some(found))
    }
}

fn add(columns: &mut Columns, more: Columns) {
    for (source, of_source) in more {
        columns.entry(source).or_default().extend(of_source);
    }
}
