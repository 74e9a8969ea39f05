//! Where a model comes from: its views, the tables they and the labels were read from, and the code.

use std::collections::BTreeMap;

use safra_lake::Folder;
use safra_mlflow::tags;
use safra_project::{Population, View, ViewKind, Window};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::prepared::views_of;
use crate::context::Context;
use crate::error::SafraError;

/// Tag with the version of Safra.
const VERSION: &str = "safra.version";
/// Tag with the views, as a JSON object of SHA-256 sums by name.
const VIEWS: &str = "safra.views";
/// Tag with the tables of the lake, as a JSON object of Delta versions by name.
const TABLES: &str = "safra.tables";

/// Where a model comes from.
pub struct Provenance {
    /// The SHA-256 sum of what each view declares, by name.
    views: BTreeMap<String, String>,
    /// The Delta version of each table that was read: sources, features, and the training set itself.
    tables: BTreeMap<String, u64>,
}

impl Provenance {
    /// The views of a problem and the tables as they are now.
    pub async fn of(context: &Context, population: Population<'_>) -> Result<Self, SafraError> {
        let views = views_of(context, population)?;
        let sources = context.lake.table_names(Folder::Sources)?;
        let sources = sources.into_iter().map(|name| (Folder::Sources, name));
        let features = views
            .iter()
            .map(|view| (Folder::Features, view.name.clone()));
        let dataset = [(Folder::Datasets, population.name.clone())];
        let mut tables = BTreeMap::new();
        for (folder, name) in sources.chain(features).chain(dataset) {
            let table = context.lake.table(folder, &name);
            if let Some(snapshot) = table.snapshot().await? {
                tables.insert(table.name().to_owned(), snapshot.version());
            }
        }
        let views = views.into_iter();
        Ok(Self {
            views: views.map(|view| (view.name.clone(), sum(view))).collect(),
            tables,
        })
    }

    /// As tags of a run, of a logged model and of a version.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::from([
            (VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            (VIEWS.to_owned(), json!(self.views).to_string()),
            (TABLES.to_owned(), json!(self.tables).to_string()),
        ]);
        if let Some(commit) = commit() {
            tags.insert(tags::SOURCE_GIT_COMMIT.to_owned(), commit.to_owned());
        }
        tags
    }

    /// As metadata of a model that takes these features.
    pub fn metadata(&self, features: &[String]) -> BTreeMap<String, Value> {
        let safra = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "commit": commit(),
            "features": features,
            "views": self.views,
            "tables": self.tables,
        });
        BTreeMap::from([("safra".to_owned(), safra)])
    }
}

/// The commit from which the binary was built, if the build was told.
fn commit() -> Option<&'static str> {
    option_env!("SAFRA_COMMIT").filter(|commit| !commit.is_empty())
}

/// The SHA-256 sum of what decides the values of a view's features: not of its description.
fn sum(view: &View) -> String {
    let View {
        entity,
        kind,
        time,
        windows,
        sql,
        ..
    } = view;
    let windows: Vec<String> = windows.iter().map(Window::to_string).collect();
    let (entity, windows) = (entity.join(", "), windows.join(", "));
    let moments = match kind {
        ViewKind::Dates => format!("time: {time}\nwindows: {windows}"),
        ViewKind::Events => format!("at: {time}"),
    };
    let text = format!("entity: {entity}\n{moments}\n---\n{sql}");
    let sum = Sha256::digest(text);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
