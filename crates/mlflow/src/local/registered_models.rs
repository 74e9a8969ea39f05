//! The folder of a registered model: its fields, tags and aliases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::experiments::WORKSPACE;
use super::meta::Meta;
use super::writer::Writer;
use super::{META_FILE, TAGS_FOLDER, entries};
use crate::entity::{NewRegisteredModel, RegisteredModel};
use crate::yaml::{self, Mapping, Node};
use crate::{Error, Result};

pub(crate) const KIND: &str = "registered model";
const ALIASES_FOLDER: &str = "aliases";

/// A registered model on the disk.
pub(crate) struct RegisteredModelFolder {
    pub(crate) path: PathBuf,
    meta: Meta,
}

impl RegisteredModelFolder {
    /// Makes the folder of a registered model.
    pub(crate) fn create(writer: &Writer, path: &Path, model: &NewRegisteredModel) -> Result<()> {
        let folder = writer.stage()?;
        folder.write(META_FILE, &yaml::to_string(&first_fields(model)))?;
        entries::stage(&folder, TAGS_FOLDER, &model.tags)?;
        folder.publish_new(path, KIND, &model.name)
    }

    /// Opens the folder of a registered model; nothing if it is missing or half-made.
    pub(crate) fn open(path: PathBuf) -> Result<Option<Self>> {
        Ok(Meta::read(&path)?.map(|meta| Self { path, meta }))
    }

    pub(crate) fn read(&self) -> Result<RegisteredModel> {
        let creation_timestamp = self.meta.integer("creation_timestamp")?;
        let last_updated_timestamp = self.meta.optional_integer("last_updated_timestamp");
        Ok(RegisteredModel {
            name: self.meta.text("name")?,
            description: self.meta.optional_text("description"),
            creation_timestamp,
            last_updated_timestamp: last_updated_timestamp.unwrap_or(creation_timestamp),
            tags: entries::read(&self.path.join(TAGS_FOLDER))?,
            aliases: self.aliases()?,
        })
    }

    pub(crate) fn aliases(&self) -> Result<BTreeMap<String, u32>> {
        let files = entries::files(&self.path.join(ALIASES_FOLDER))?;
        let version = |(alias, path): (String, PathBuf)| {
            let text = entries::read_file(&path)?;
            let version = text
                .trim()
                .parse()
                .map_err(|_| Error::malformed(&path, format!("not a version: {text:?}")))?;
            Ok((alias, version))
        };
        files.into_iter().map(version).collect()
    }

    /// The file that holds the version to which an alias points.
    pub(crate) fn alias_path(&self, alias: &str) -> PathBuf {
        self.path.join(ALIASES_FOLDER).join(alias)
    }

    /// Notes when the model was last changed.
    pub(crate) fn touch(&mut self, writer: &Writer, last_updated_timestamp: i64) -> Result<()> {
        let aliases = self
            .aliases()?
            .into_iter()
            .map(|(alias, version)| (alias, Node::Text(version.to_string())));
        // MLflow reads the aliases from their own files, but keeps a copy here.
        let aliases: Mapping = aliases.collect();
        self.meta.set("aliases", aliases);
        self.meta
            .set("last_updated_timestamp", last_updated_timestamp);
        self.meta.write(writer)
    }
}

fn first_fields(model: &NewRegisteredModel) -> Mapping {
    yaml::mapping([
        ("aliases", Node::from(Mapping::new())),
        ("creation_timestamp", Node::from(model.creation_timestamp)),
        ("deployment_job_id", Node::null()),
        ("deployment_job_state", Node::null()),
        ("description", Node::from(model.description.as_deref())),
        (
            "last_updated_timestamp",
            Node::from(model.creation_timestamp),
        ),
        ("name", Node::from(model.name.as_str())),
        ("workspace", Node::from(WORKSPACE)),
    ])
}
