//! A view, parsed, checked and split at its aggregates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Once};

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::prelude::SessionContext;
use safra_history::{Columns, History, Identity, session};
use safra_project::{Project, View, Window};
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::aggregates::ViewAggregate;
use crate::division::{self, Division};
use crate::encodable::Encodable;
use crate::links::Links;
use crate::obstacle::Obstacle;
use crate::reads::{Known, check_reads, reads, register};
use crate::split::{Parts, split};
use crate::swept::Swept;
use crate::{FeatureError, Place, oracle, rows};

/// A view that has been parsed, checked and split; see the [crate] for the parts.
#[derive(Debug, Clone)]
pub struct CompiledView {
    /// The declaration.
    pub view: View,
    /// The columns that it reads, by source.
    pub reads: BTreeMap<String, BTreeSet<String>>,
    /// The names of the entity's columns in the store.
    pub entity: Vec<String>,
    /// The names of the features, without window.
    pub features: Vec<String>,
    /// What comes before the aggregates.
    pub(crate) input: LogicalPlan,
    /// The entity and the time over `input`.
    pub(crate) entity_expressions: Vec<Expr>,
    pub(crate) time_expression: Expr,
    /// The aggregates over `input`, and the column of the grouped relation that each fills.
    pub(crate) aggregates: Vec<ViewAggregate>,
    /// How its features are computed.
    pub(crate) way: Way,
    /// By which columns its sources may be divided, so that it is computed from a few pieces at a time.
    pub(crate) division: Option<Division>,
    /// Of which of the other sources a piece takes only some rows.
    pub(crate) links: Links,
    /// Its texts that may be numbers.
    pub(crate) encodable: Encodable,
    /// Rows of the divided sources in a piece, about.
    pub(crate) piece_rows: usize,
    /// Whether its rows are held even where totals would do, or never then; `None` for what takes less memory.
    pub(crate) holds_rows: Option<bool>,
    /// The columns of the grouped relation that hold the entity.
    pub(crate) entity_outputs: Vec<String>,
    /// The column of the grouped relation that holds the time.
    pub(crate) time_output: String,
    /// The features over the grouped relation.
    pub(crate) projection: Vec<Expr>,
    fingerprint: String,
    warning: Arc<Once>,
}

/// Rows of the divided sources in a piece: many enough that a piece costs nothing, and few enough that their versions fit into
/// memory.
const PIECE_ROWS: usize = 1 << 18;

/// How the features of a view are computed.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// For all dates at once: this input, which reads no column that it does not need, and these parts of
    /// the aggregates.
    Sweep(LogicalPlan, Swept),
    /// For all events at once: this input, which reads no column that it does not need.
    Events(LogicalPlan),
    /// By one query a date, because of these parts of it.
    Dates(Vec<Obstacle>),
}

impl CompiledView {
    /// Parses, checks and splits a view.
    ///
    /// # Errors
    /// [`FeatureError`] names the file, and the expression or column at fault.
    pub async fn new(project: &Project, view: &View) -> Result<Self, FeatureError> {
        let context = session(1);
        let sources = register(&context, project).await?;
        let parts = split(&context, view).await?;
        check_time(view, &parts)?;
        let mut compiled = Self {
            entity: view
                .entity
                .iter()
                .map(|name| last_part(name).to_owned())
                .collect(),
            features: feature_names(view, &parts.projection)?,
            fingerprint: String::new(),
            view: view.clone(),
            reads: BTreeMap::new(),
            input: parts.input,
            entity_expressions: parts.entity,
            time_expression: parts.time,
            aggregates: parts.aggregates,
            way: match parts.swept {
                Ok((input, _)) if view.is_about_events() => Way::Events(input),
                Ok((input, swept)) => Way::Sweep(input, swept),
                Err(obstacles) => Way::Dates(obstacles),
            },
            division: None,
            links: Links::new(),
            encodable: Encodable::default(),
            piece_rows: PIECE_ROWS,
            holds_rows: None,
            entity_outputs: parts.entity_outputs,
            time_output: parts.time_output,
            projection: parts.projection,
            warning: Arc::new(Once::new()),
        };
        compiled.settle(&context, &sources).await?;
        compiled.encodable = compiled.find_encodable();
        if let Some((division, links)) = compiled.find_division(project)? {
            compiled.division = Some(division);
            compiled.links = links;
        }
        compiled.fingerprint = fingerprint(project, view, &compiled.reads);
        Ok(compiled)
    }

    /// Sees whether the rows can be computed over versions, and what the view reads in either way.
    async fn settle(
        &mut self,
        context: &SessionContext,
        sources: &BTreeMap<String, Known>,
    ) -> Result<(), FeatureError> {
        if let Way::Sweep(input, _) | Way::Events(input) = &self.way {
            self.reads = reads(input)?;
            check_reads(&self.view, &self.reads, sources)?;
            let schemas = sources.iter();
            let schemas = schemas.map(|(name, source)| (name.clone(), Arc::clone(&source.schema)));
            if let Some(obstacle) = rows::obstacle(self, input, &schemas.collect()) {
                self.way = Way::Dates(vec![obstacle]);
            }
        }
        if let Way::Dates(obstacles) = &self.way {
            if self.view.is_about_events() {
                return Err(not_at_once(&self.view, obstacles));
            }
            let plan = oracle::optimized(self, context).await?;
            self.reads = reads(&plan)?;
            check_reads(&self.view, &self.reads, sources)?;
        }
        Ok(())
    }

    /// By which columns the sources may be divided, and of which of the others a piece takes only some rows. The features of an event take
    /// all its rows.
    fn find_division(&self, project: &Project) -> Result<Option<(Division, Links)>, FeatureError> {
        let (input, group) = match &self.way {
            Way::Sweep(input, _) => (input, None),
            Way::Events(input) => (input, Some(&self.entity_expressions[..])),
            Way::Dates(_) => return Ok(None),
        };
        division::find(project, &self.sources(), self.identities(), input, group)
            .map_err(|error| FeatureError::datafusion(&self.view.file, error))
    }

    /// Which of its texts may be numbers.
    fn find_encodable(&self) -> Encodable {
        match &self.way {
            Way::Sweep(input, swept) => Encodable::of_parts(
                input,
                &self.entity_expressions,
                &self.time_expression,
                swept,
            ),
            Way::Events(input) => Encodable::of_events(
                input,
                &self.entity_expressions,
                &self.time_expression,
                &self.aggregates,
                (&self.projection, &self.entity_outputs),
            ),
            Way::Dates(_) => Encodable::default(),
        }
    }

    /// The columns of the sources whose texts are only compared with one another, as source and column, those together that are: a
    /// history may hold them as numbers ([`safra_history::History::load_encoded`]), and then they are computed with as such.
    pub fn identities(&self) -> &[Identity] {
        &self.encodable.identities
    }

    /// The keys by which a piece of its sources finds the rows that it needs of others, each with the column that refers to it: it does
    /// where a history holds them as numbers, whether they are computed with as such or as texts.
    pub fn followed(&self) -> impl Iterator<Item = Identity> {
        let links = self.links.iter();
        links.map(|(source, link)| {
            let key = (source.clone(), link.key.clone());
            Identity::from([key, (link.from.clone(), link.column.clone())])
        })
    }

    /// The same view, computed from texts whatever its sources hold.
    pub(crate) fn over_texts(&self) -> Self {
        Self {
            encodable: Encodable::default(),
            ..self.clone()
        }
    }

    /// The same view, computed from numbers only if these sources hold all of them.
    pub(crate) fn over(&self, history: &History) -> Self {
        match history.encodes(self.identities()) {
            true => self.clone(),
            false => self.over_texts(),
        }
    }

    /// Computes the rows of the view from pieces of its sources with about so many rows, a few at a time, if it is a view
    /// of which that gives the same. The fewer rows, the less memory.
    pub fn in_pieces_of(mut self, rows: usize) -> Self {
        self.piece_rows = rows.max(1);
        self
    }

    /// Holds the rows of the view in memory until they are aggregated, or, where it asks for nothing but counts, sums and averages,
    /// never does. Left alone, it does what takes less memory. The features are the same.
    pub fn holding_rows(mut self, holds: bool) -> Self {
        self.holds_rows = Some(holds);
        self
    }

    /// The windows, as the sweep has them.
    pub(crate) fn sweep_windows(&self) -> Vec<safra_sweep::Window> {
        let windows = self.view.windows.iter();
        let windows = windows.map(|window| match *window {
            Window::Days(days) => safra_sweep::Window::Days(days),
            Window::Months(months) => safra_sweep::Window::Months(months),
            Window::All => safra_sweep::Window::All,
        });
        windows.collect()
    }

    /// The columns by which its sources are divided when they are large, as `source.column`; empty where it takes all of them at
    /// once.
    pub fn divided_by(&self) -> Vec<String> {
        let columns = self.division.iter().flatten();
        columns
            .map(|(source, column)| format!("{source}.{column}"))
            .collect()
    }

    /// The columns by which a piece finds the rows that it needs of other sources, as `source.column`, where its sources are
    /// divided: what nothing in the piece refers to is left out.
    pub fn followed_by_reference(&self) -> Vec<String> {
        let links = self.links.iter();
        links
            .map(|(source, link)| format!("{source}.{}", link.key))
            .collect()
    }

    /// What keeps the features from being computed for all dates at once; empty when nothing does.
    pub fn obstacles(&self) -> &[Obstacle] {
        match &self.way {
            Way::Sweep(..) | Way::Events(_) => &[],
            Way::Dates(obstacles) => obstacles,
        }
    }

    /// Says once that the features take one query a date.
    pub(crate) fn warn(&self) {
        let obstacles = self.obstacles().iter().map(ToString::to_string);
        let obstacles = obstacles.collect::<Vec<_>>().join("; ");
        let (file, name) = (&self.view.file, &self.view.name);
        self.warning.call_once(|| {
            warn!("{file}: {name} is computed by one query a date, which is slow: {obstacles}");
        });
    }

    /// Changes when the declaration of the view or of what it reads changes, or the way in which features
    /// are computed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The sources that it reads.
    pub fn sources(&self) -> BTreeSet<String> {
        self.reads.keys().cloned().collect()
    }

    /// The columns of the sources that computing it takes, and those by which its sources are divided: where that is done by one query
    /// a date, all of them.
    pub(crate) fn columns(&self, project: &Project) -> Columns {
        let mut columns = self.read_columns();
        if let Way::Dates(_) = &self.way {
            for (table, of_table) in &mut columns {
                if let Some(source) = project.sources.get(table) {
                    let derived = source.derived.iter().map(|derived| derived.name.clone());
                    of_table.extend(source.columns.iter().map(|column| column.name.clone()));
                    of_table.extend(derived);
                }
            }
        }
        columns
    }

    /// The columns of the sources that its query reads, and those by which its sources are divided.
    pub(crate) fn read_columns(&self) -> Columns {
        let mut columns = self.reads.clone();
        for (table, key) in self.division.iter().flatten() {
            columns
                .entry(table.clone())
                .or_default()
                .insert(key.clone());
        }
        columns
    }

    /// The names of the features in the store, window by window.
    pub fn stored_features(&self) -> Vec<String> {
        if self.view.is_about_events() {
            return self.features.clone();
        }
        let names = |window| {
            self.features
                .iter()
                .map(move |name| View::feature_name(name, window))
        };
        self.view
            .windows
            .iter()
            .flat_map(|&window| names(window))
            .collect()
    }
}

fn check_time(view: &View, parts: &Parts) -> Result<(), FeatureError> {
    match parts.time.get_type(parts.input.schema()) {
        Ok(DataType::Timestamp(_, None) | DataType::Date32) => Ok(()),
        Ok(other) => {
            let (line, key, time) = (view.time_line, view.time_key(), &view.time);
            let message =
                format!("line {line}, {key}: {time} is {other}, not a timestamp or a date");
            Err(FeatureError::shape(&view.file, message))
        }
        Err(error) => Err(FeatureError::datafusion(&view.file, error)),
    }
}

/// A query for each event would never end.
fn not_at_once(view: &View, obstacles: &[Obstacle]) -> FeatureError {
    let obstacle = obstacles.first();
    let text = |part: fn(&Obstacle) -> &String| obstacle.map(part).cloned().unwrap_or_default();
    FeatureError::Unsupported {
        file: view.file.clone(),
        place: Place::default(),
        expression: text(|obstacle| &obstacle.expression),
        reason: format!(
            "{}\nhint: a view about events is computed for all of them at once, or not at all",
            text(|obstacle| &obstacle.reason)
        ),
    }
}

fn feature_names(view: &View, projection: &[Expr]) -> Result<Vec<String>, FeatureError> {
    let mut names: Vec<String> = Vec::new();
    for expr in projection {
        let name = match expr {
            Expr::Alias(alias) => alias.name.clone(),
            // The planner drops an alias that a column has as its name anyway.
            Expr::Column(column) => column.name.clone(),
            other => other.schema_name().to_string(),
        };
        if names.contains(&name) {
            let message = format!("{name}: named twice");
            return Err(FeatureError::shape(&view.file, message));
        }
        names.push(name);
    }
    Ok(names)
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Changes when the same view gives other bits from the same sources.
const COMPUTATION: &str = "exact sums";

fn fingerprint(
    project: &Project,
    view: &View,
    reads: &BTreeMap<String, BTreeSet<String>>,
) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(COMPUTATION);
    hash.update(format!(
        "{:?}{:?}{:?}{}",
        view.entity, view.time, view.windows, view.sql
    ));
    for table in reads.keys() {
        hash.update(format!("{:?}", project.sources.get(table)));
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use safra_project::ProjectFiles;

    use super::*;

    #[test]
    fn the_keys_of_pieces_are_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../olist");
        let project = Project::from_files(&ProjectFiles::from_folder(&folder).unwrap()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut divided = 0;
        for view in project.views.values() {
            let view = runtime.block_on(CompiledView::new(&project, view)).unwrap();
            let columns = view.columns(&project);
            for (source, key) in view.division.iter().flatten() {
                assert!(
                    columns[source].contains(key),
                    "{}: {source}.{key}",
                    view.view.name
                );
                divided += 1;
            }
        }
        assert!(divided > 0);
    }
}
