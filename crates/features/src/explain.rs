//! A view, taken apart: what it reads and when that becomes known, and its three parts.

use safra_project::{ColumnKnownAt, KnownAt, Project};
use serde::Serialize;

use crate::compile::Way;
use crate::{CompiledView, FeatureError, Obstacle};

/// A view, taken apart.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The view.
    pub view: String,
    /// Whom it is about.
    pub entity: Vec<String>,
    /// What decides which rows a window holds; when the event happened, in a view about events.
    pub time: String,
    /// Whether it is about events, each at its time, instead of reference dates.
    pub events: bool,
    /// The windows, as they are written; none in a view about events.
    pub windows: Vec<String>,
    /// The columns that it reads.
    pub reads: Vec<ColumnRead>,
    /// What keeps the view from being computed for all dates at once; empty when nothing does.
    pub date_by_date: Vec<Obstacle>,
    /// The columns by which its sources are divided when they are large, so that it is computed from a few pieces at a time;
    /// empty where it takes all of them at once.
    pub divided_by: Vec<String>,
    /// The columns by which a piece finds the rows that it needs of other sources.
    pub followed_by_reference: Vec<String>,
    /// What comes before the aggregates: runs once over row versions. One operator a line.
    pub row_plan: String,
    /// What the sweep computes, for every window and date.
    pub aggregates: Vec<String>,
    /// The features over the aggregates, as (name, expression).
    pub projection: Vec<(String, String)>,
}

/// A column that a view reads.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnRead {
    /// The source.
    pub table: String,
    /// The column.
    pub column: String,
    /// When its value becomes known, in words.
    pub known: String,
}

impl CompiledView {
    /// Takes the view apart.
    ///
    /// # Errors
    /// [`FeatureError::Project`] when a source is gone.
    pub fn explain(&self, project: &Project) -> Result<Explanation, FeatureError> {
        let mut reads = Vec::new();
        for (table, columns) in &self.reads {
            for column in columns {
                reads.push(ColumnRead {
                    table: table.clone(),
                    column: column.clone(),
                    known: known(project, table, column)?,
                });
            }
        }
        let features = self.features.iter().zip(&self.projection);
        Ok(Explanation {
            view: self.view.name.clone(),
            entity: self.entity.clone(),
            time: self.view.time.clone(),
            events: self.view.is_about_events(),
            windows: self.view.windows.iter().map(ToString::to_string).collect(),
            reads,
            date_by_date: self.obstacles().to_vec(),
            divided_by: self.divided_by(),
            followed_by_reference: self.followed_by_reference(),
            row_plan: match &self.way {
                Way::Sweep(input, _) | Way::Events(input) => input.display_indent().to_string(),
                Way::Dates(_) => self.input.display_indent().to_string(),
            },
            aggregates: self
                .aggregates
                .iter()
                .map(|aggregate| aggregate.output.clone())
                .collect(),
            projection: features
                .map(|(name, expr)| (name.clone(), expr.clone().unalias().to_string()))
                .collect(),
        })
    }
}

fn known(project: &Project, table: &str, column: &str) -> Result<String, FeatureError> {
    let source = project.source(table)?;
    if let Some(derived) = source.derived.iter().find(|derived| derived.name == column) {
        return Ok(format!("at {}", derived.known_at));
    }
    let own = source.column(column).map(|column| &column.known_at);
    if let Some(ColumnKnownAt::Column(time)) = own {
        return Ok(format!("at {time}"));
    }
    Ok(match &source.known_at {
        KnownAt::Always => "always".to_owned(),
        KnownAt::Column(time) => format!("with its row, at {time}"),
        KnownAt::From { from, on } => {
            format!("with its row, when the row of {from} with the same {on} is")
        }
    })
}
