//! The folders of the versions of a registered model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::experiments::WORKSPACE;
use super::meta::Meta;
use super::writer::Writer;
use super::{META_FILE, TAGS_FOLDER, entries};
use crate::Result;
use crate::entity::{ModelVersion, NewModelVersion};
use crate::yaml::{self, Mapping, Node};

const FOLDER_PREFIX: &str = "version-";
/// The stage of a deleted version, whose number is not given again.
const STAGE_DELETED: &str = "Deleted_Internal";

/// Makes the folder of a version under the lowest number above all others, and gives the number.
pub(crate) fn create(
    writer: &Writer,
    model: &Path,
    version: &NewModelVersion,
    run_id: Option<&str>,
    storage_location: &str,
) -> Result<u32> {
    let folder = writer.stage()?;
    entries::stage(&folder, TAGS_FOLDER, &version.tags)?;
    let mut number = folders(model)?
        .last_key_value()
        .map_or(1, |(last, _)| last + 1);
    loop {
        folder.write(
            META_FILE,
            &yaml::to_string(&first_fields(version, number, run_id, storage_location)),
        )?;
        // MLflow takes no lock: it may have made this number meanwhile.
        if folder.publish(&folder_of(model, number))? {
            return Ok(number);
        }
        number += 1;
    }
}

/// The folder of a version, whether it is there or not.
pub(crate) fn folder_of(model: &Path, number: u32) -> PathBuf {
    model.join(format!("{FOLDER_PREFIX}{number}"))
}

/// The versions that are not deleted, by number.
pub(crate) fn list(model: &Path, aliases: &BTreeMap<String, u32>) -> Result<Vec<ModelVersion>> {
    folders(model)?
        .into_keys()
        .filter_map(|number| read(model, number, aliases).transpose())
        .collect()
}

/// A version; nothing if it is missing, half-made or deleted.
pub(crate) fn read(
    model: &Path,
    number: u32,
    aliases: &BTreeMap<String, u32>,
) -> Result<Option<ModelVersion>> {
    let folder = folder_of(model, number);
    let Some(meta) = Meta::read(&folder)? else {
        return Ok(None);
    };
    if meta.optional_text("current_stage").as_deref() == Some(STAGE_DELETED) {
        return Ok(None);
    }
    let source = meta.optional_text("source").unwrap_or_default();
    let creation_timestamp = meta.integer("creation_timestamp")?;
    Ok(Some(ModelVersion {
        name: meta.text("name")?,
        version: number,
        storage_location: meta
            .optional_text("storage_location")
            .unwrap_or_else(|| source.clone()),
        source,
        run_id: meta.optional_text("run_id"),
        model_id: meta.optional_text("model_id"),
        description: meta.optional_text("description"),
        creation_timestamp,
        last_updated_timestamp: meta
            .optional_integer("last_updated_timestamp")
            .unwrap_or(creation_timestamp),
        tags: entries::read(&folder.join(TAGS_FOLDER))?,
        aliases: aliases
            .iter()
            .filter(|(_, version)| **version == number)
            .map(|(alias, _)| alias.clone())
            .collect(),
    }))
}

/// The folders of all complete versions, deleted ones too, by number.
fn folders(model: &Path) -> Result<BTreeMap<u32, PathBuf>> {
    let mut folders = BTreeMap::new();
    for (name, path) in entries::folders(model)? {
        let number = name
            .strip_prefix(FOLDER_PREFIX)
            .and_then(|number| number.parse().ok());
        if let Some(number) = number.filter(|_| path.join(META_FILE).is_file()) {
            folders.insert(number, path);
        }
    }
    Ok(folders)
}

fn first_fields(
    version: &NewModelVersion,
    number: u32,
    run_id: Option<&str>,
    storage_location: &str,
) -> Mapping {
    yaml::mapping([
        ("creation_timestamp", Node::from(version.creation_timestamp)),
        ("current_stage", Node::from("None")),
        ("deployment_job_state", Node::null()),
        ("description", Node::from(version.description.as_deref())),
        (
            "last_updated_timestamp",
            Node::from(version.creation_timestamp),
        ),
        ("model_id", Node::from(version.model_id.as_deref())),
        ("name", Node::from(version.name.as_str())),
        ("run_id", Node::from(run_id)),
        ("run_link", Node::null()),
        ("source", Node::from(version.source.as_str())),
        ("status", Node::from("READY")),
        ("status_message", Node::null()),
        ("storage_location", Node::from(storage_location)),
        ("user_id", Node::null()),
        ("version", Node::from(i64::from(number))),
        ("workspace", Node::from(WORKSPACE)),
    ])
}
