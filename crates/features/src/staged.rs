//! What comes before the aggregates of a view, as a query over the versions of a piece of its sources. Nested aggregates in which
//! pieces do not differ, such as those of a table that every piece reads whole, are computed once.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use safra_history::{Form, History, Moments};

use crate::reads::reads;
use crate::sequenced::{Rewriter, Sequenced, Versions};
use crate::stages::Stages;
use crate::{CompiledView, FeatureError};

/// The query of a view, ready for any piece of its sources.
pub(crate) struct Staged {
    view: CompiledView,
    stages: Stages,
    /// The results of the nested aggregates that are the same in all pieces.
    shared: BTreeMap<String, Versions>,
    /// The sources that anything else reads.
    reads: BTreeSet<String>,
}

impl Staged {
    /// Computes what the pieces of these sources have in common. `input` comes before the aggregates of the view.
    ///
    /// # Errors
    /// [`FeatureError`] names the file of the view.
    pub(crate) async fn new(
        view: &CompiledView,
        input: &LogicalPlan,
        history: &History,
    ) -> Result<Self, FeatureError> {
        let failed = |error: DataFusionError| FeatureError::datafusion(&view.view.file, error);
        let stages = Stages::of(input).map_err(failed)?;
        let divided = view.division.iter().flat_map(|division| division.keys());
        let divided: BTreeSet<&str> = divided
            .chain(view.links.keys())
            .map(String::as_str)
            .collect();
        let common = stages.without(&divided)?;
        let mut shared = BTreeMap::new();
        for group in &common {
            for source in reads(&group.input)?.into_keys() {
                if view.reads.contains_key(&source) && !shared.contains_key(&source) {
                    shared.insert(source.clone(), versions(view, &source, history)?);
                }
            }
            group.collect(&mut shared).await.map_err(failed)?;
        }
        shared.retain(|name, _| common.iter().any(|group| group.table == *name));
        let mut read: BTreeSet<String> = reads(&stages.rest)?.into_keys().collect();
        for group in &stages.groups {
            if !shared.contains_key(&group.table) {
                read.extend(reads(&group.input)?.into_keys());
            }
        }
        read.retain(|table| view.reads.contains_key(table));
        Ok(Self {
            view: view.clone(),
            stages,
            shared,
            reads: read,
        })
    }

    /// The query over a piece.
    ///
    /// # Errors
    /// [`FeatureError`] names the file of the view.
    pub(crate) async fn sequenced(&self, piece: &History) -> Result<Sequenced, FeatureError> {
        let failed = |error: DataFusionError| FeatureError::datafusion(&self.view.view.file, error);
        let mut held = self.shared.clone();
        for source in &self.reads {
            held.insert(source.clone(), versions(&self.view, source, piece)?);
        }
        self.stages.collect(&mut held).await.map_err(failed)?;
        Rewriter::new(&held)
            .rewrite(&self.stages.rest)
            .map_err(failed)
    }
}

/// The versions of a source, with the columns that a view reads of it.
fn versions(
    view: &CompiledView,
    source: &str,
    history: &History,
) -> Result<Versions, FeatureError> {
    let missing = || {
        let message = format!("{source}: the source was not loaded");
        FeatureError::shape(&view.view.file, message)
    };
    let dated = history.source(source).ok_or_else(missing)?;
    let columns = view.reads.get(source).ok_or_else(missing)?;
    let form = Form {
        encoded: view.encodable.of_source(source),
        moments: match view.view.is_about_events() {
            true => Moments::Any,
            false => Moments::Midnights,
        },
    };
    Ok(Versions {
        rows: dated.versions_as(columns, &form)?,
        grows: !dated.splits(columns),
    })
}
