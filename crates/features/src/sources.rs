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
const BYTES_TOGETHER: usize = 3 << 30;

/// Bytes of a text, with what says where it ends: a short one, or a number and its part of a dictionary.
const TEXT_BYTES: usize = 16;

/// What some views read.
#[derive(Clone, Default)]
struct Needs {
    columns: Columns,
    /// Those of the columns whose texts are needed; of others, numbers do.
    texts: Columns,
}

impl Needs {
    fn of(view: &CompiledView, project: &Project) -> Self {
        let columns = view.columns(project);
        let texts = view.encodable.texts(&columns);
        Self { columns, texts }
    }

    fn and(mut self, more: Self) -> Self {
        add(&mut self.columns, more.columns);
        add(&mut self.texts, more.texts);
        self
    }
}

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

    /// Views that are computed from the same sources in memory: all, unless the columns that they read would take too much. Then a view
    /// goes with those to whose columns it adds the least.
    pub(crate) fn together(
        &self,
        views: Vec<CompiledView>,
    ) -> Result<Vec<Vec<CompiledView>>, FeatureError> {
        let rows = self.row_counts()?;
        let most = match rows.values().sum::<usize>() <= ROWS_TOGETHER {
            true => usize::MAX,
            false => BYTES_TOGETHER,
        };
        let mut groups: Vec<(Needs, Vec<CompiledView>)> = Vec::new();
        for view in views {
            let needs = Needs::of(&view, self.project);
            let with_it = groups.iter().enumerate().map(|(number, (held, _))| {
                let together = held.clone().and(needs.clone());
                let bytes = self.bytes(&together, &rows);
                (bytes - self.bytes(held, &rows), bytes, number, together)
            });
            let fitting = with_it.filter(|(_, bytes, ..)| *bytes <= most);
            match fitting.min_by_key(|(added, ..)| *added) {
                Some((.., number, together)) => {
                    groups[number].0 = together;
                    groups[number].1.push(view);
                }
                None => groups.push((needs, vec![view])),
            }
        }
        Ok(groups.into_iter().map(|(_, views)| views).collect())
    }

    /// Rows of each source that has been opened.
    fn row_counts(&self) -> Result<BTreeMap<&str, usize>, FeatureError> {
        let opened = self.opened.iter();
        let counts = opened.map(|(name, snapshot)| Ok((name.as_str(), snapshot.row_count()?)));
        counts.collect()
    }

    /// Bytes that columns take in memory, about.
    fn bytes(&self, needs: &Needs, rows: &BTreeMap<&str, usize>) -> usize {
        let of_source = |(name, columns): (&String, &BTreeSet<String>)| {
            let rows = rows.get(name.as_str()).copied().unwrap_or_default();
            let source = self.project.sources.get(name);
            let texts = needs.texts.get(name);
            let is_text = |column: &String| texts.is_some_and(|texts| texts.contains(column));
            let width = |column: &String| match source.and_then(|source| source.column(column)) {
                Some(held) if held.kind == ColumnType::String => match is_text(column) {
                    true => TEXT_BYTES,
                    false => size_of::<u32>(),
                },
                Some(_) => size_of::<i64>(),
                // What is derived has a time for each row.
                None => 2 * size_of::<i64>(),
            };
            rows * (size_of::<i64>() + columns.iter().map(width).sum::<usize>())
        };
        needs.columns.iter().map(of_source).sum()
    }

    /// What some views read, with the texts that they only compare as numbers.
    pub(crate) async fn history(&self, views: &[CompiledView]) -> Result<History, FeatureError> {
        let needs = views.iter().map(|view| Needs::of(view, self.project));
        let Needs { columns, texts } = needs.fold(Needs::default(), Needs::and);
        let rows: usize = self.row_counts()?.values().sum();
        let compared = views.iter().flat_map(CompiledView::identities);
        let followed = views.iter().flat_map(CompiledView::followed);
        let encoding = Encoding {
            identities: compared.cloned().chain(followed).collect(),
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
