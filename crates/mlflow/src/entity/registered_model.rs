//! Registered models: names with numbered versions, and aliases that point to them.

use std::collections::BTreeMap;

/// What is needed to register a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRegisteredModel {
    /// The name, unique in the store.
    pub name: String,
    /// A description in Markdown.
    pub description: Option<String>,
    /// Its first tags.
    pub tags: BTreeMap<String, String>,
    /// When it is made, in milliseconds since the Unix epoch.
    pub creation_timestamp: i64,
}

/// A name in the model registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredModel {
    /// The name.
    pub name: String,
    /// A description in Markdown.
    pub description: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub creation_timestamp: i64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub last_updated_timestamp: i64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The version each alias points to.
    pub aliases: BTreeMap<String, u32>,
}

/// What is needed to register a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewModelVersion {
    /// The registered model it is a version of.
    pub name: String,
    /// The URI of the model: `models:/<model_id>` for a logged model, or the URI of a folder.
    pub source: String,
    /// The run that made the model; that of the logged model if none is given.
    pub run_id: Option<String>,
    /// The logged model, which then has a tag that names the version.
    pub model_id: Option<String>,
    /// A description in Markdown.
    pub description: Option<String>,
    /// Its first tags.
    pub tags: BTreeMap<String, String>,
    /// When it is made, in milliseconds since the Unix epoch.
    pub creation_timestamp: i64,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// The registered model it is a version of.
    pub name: String,
    /// The number, from 1 up.
    pub version: u32,
    /// The URI it was registered from.
    pub source: String,
    /// The URI of the folder that holds the model.
    pub storage_location: String,
    /// The run that made the model.
    pub run_id: Option<String>,
    /// The logged model.
    pub model_id: Option<String>,
    /// A description in Markdown.
    pub description: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub creation_timestamp: i64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub last_updated_timestamp: i64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The aliases that point to it, sorted.
    pub aliases: Vec<String>,
}
