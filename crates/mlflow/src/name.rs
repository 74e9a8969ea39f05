//! Which names, keys and values MLflow accepts (`mlflow/utils/validation.py`). What it refuses would make the whole
//! run, model or registry unreadable for it once written.

use std::collections::BTreeMap;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::entity::{Batch, NewRun};
use crate::{Error, Metric, Result, tags};

const MAX_KEY_LENGTH: usize = 250;
const MAX_PARAM_VALUE_LENGTH: usize = 6_000;
const MAX_RUN_TAG_VALUE_LENGTH: usize = 8_000;
const MAX_EXPERIMENT_TAG_VALUE_LENGTH: usize = 20_000;
const MAX_REGISTRY_TAG_VALUE_LENGTH: usize = 100_000;
const MAX_EXPERIMENT_NAME_LENGTH: usize = 500;
const MAX_ALIAS_LENGTH: usize = 255;

/// Checks what is to be logged in a run.
pub(crate) fn check_batch(batch: &Batch) -> Result<()> {
    check_params(&batch.params)?;
    batch.metrics.iter().try_for_each(check_metric)?;
    check_run_tags(&batch.tags)
}

/// Checks that no param gets another value than the one it has.
pub(crate) fn check_unchanged(
    run_id: &str,
    logged: &BTreeMap<String, String>,
    params: &BTreeMap<String, String>,
) -> Result<()> {
    for (key, new) in params {
        if let Some(current) = logged.get(key).filter(|current| *current != new) {
            return Err(Error::ParamChanged {
                run_id: run_id.to_owned(),
                key: key.clone(),
                current: current.clone(),
                new: new.clone(),
            });
        }
    }
    Ok(())
}

/// The tags a run is made with, its name among them.
pub(crate) fn first_run_tags(run: &NewRun) -> Result<BTreeMap<String, String>> {
    let mut first = run.tags.clone();
    let other = first
        .insert(tags::RUN_NAME.to_owned(), run.run_name.clone())
        .filter(|other| *other != run.run_name);
    if let Some(value) = other {
        return Err(Error::Invalid {
            kind: "tag mlflow.runName",
            value,
            hint: "it must be the run name, or be left out",
        });
    }
    check_run_tags(&first)?;
    Ok(first)
}

/// Checks params of a run or of a logged model.
pub(crate) fn check_params(params: &BTreeMap<String, String>) -> Result<()> {
    check_entries(params, ["param key", "param value"], MAX_PARAM_VALUE_LENGTH)
}

/// Checks tags of a run or of a logged model.
pub(crate) fn check_run_tags(tags: &BTreeMap<String, String>) -> Result<()> {
    check_entries(tags, ["tag key", "tag value"], MAX_RUN_TAG_VALUE_LENGTH)
}

/// Checks tags of an experiment.
pub(crate) fn check_experiment_tags(tags: &BTreeMap<String, String>) -> Result<()> {
    check_entries(
        tags,
        ["experiment tag key", "experiment tag value"],
        MAX_EXPERIMENT_TAG_VALUE_LENGTH,
    )
}

/// Checks tags of a registered model or of a version.
pub(crate) fn check_registry_tags(tags: &BTreeMap<String, String>) -> Result<()> {
    check_entries(
        tags,
        ["registry tag key", "registry tag value"],
        MAX_REGISTRY_TAG_VALUE_LENGTH,
    )
}

/// Checks the key of a metric.
pub(crate) fn check_metric_key(key: &str) -> Result<()> {
    check_key("metric key", key)
}

/// Checks the key and the time of a metric.
fn check_metric(metric: &Metric) -> Result<()> {
    check_metric_key(&metric.key)?;
    if metric.timestamp < 0 {
        return Err(Error::Invalid {
            kind: "metric timestamp",
            value: format!("{} of {}", metric.timestamp, metric.key),
            hint: "give milliseconds since the Unix epoch, not negative",
        });
    }
    Ok(())
}

/// Checks the name of an experiment.
pub(crate) fn check_experiment_name(name: &str) -> Result<()> {
    let kind = "experiment name";
    check(!name.is_empty(), kind, name, "it must not be empty")?;
    check_length(kind, name, name, MAX_EXPERIMENT_NAME_LENGTH)
}

/// Checks the name of a logged model.
pub(crate) fn check_logged_model_name(name: &str) -> Result<()> {
    let allowed = !name.is_empty() && !name.contains(['/', ':', '.', '%', '"', '\'']);
    check(
        allowed,
        "logged model name",
        name,
        "it must not be empty nor contain any of / : . % \" '",
    )
}

/// Checks the name of a registered model, which is also the name of its folder.
pub(crate) fn check_registered_model_name(name: &str) -> Result<()> {
    let allowed = !name.trim().is_empty() && !name.starts_with("..") && name != ".";
    let allowed = allowed && !name.contains(['/', '\\', ':', '%', '\0']);
    check(
        allowed,
        "registered model name",
        name,
        "it must not be empty nor contain any of / \\ : %, nor start with ..",
    )
}

/// Checks an alias that is read or removed.
pub(crate) fn check_alias(alias: &str) -> Result<()> {
    let allowed = !alias.is_empty() && alias.chars().all(|c| is_word(c) || c == '-');
    check(allowed, "alias", alias, "use letters, digits, _ and -")?;
    check_length("alias", alias, alias, MAX_ALIAS_LENGTH)
}

/// Checks an alias that is set: some are reserved.
pub(crate) fn check_new_alias(alias: &str) -> Result<()> {
    check_alias(alias)?;
    let number = alias
        .strip_prefix(['v', 'V'])
        .filter(|rest| !rest.is_empty());
    let like_a_version = number.is_some_and(|rest| rest.chars().all(char::is_numeric));
    let reserved = is_latest(alias) || like_a_version;
    check(
        !reserved,
        "alias",
        alias,
        "latest and v1, v2, … are reserved",
    )
}

/// Whether an alias is the one that always points to the last version.
pub(crate) fn is_latest(alias: &str) -> bool {
    alias.eq_ignore_ascii_case("latest")
}

/// Whether a text can be the id of an experiment, run or logged model, and so the name of its folder.
pub(crate) fn is_id(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.chars().all(|c| is_word(c) || c == '-')
        && id.chars().count() <= 256
}

/// Checks that a path stays within the artifacts.
pub(crate) fn check_artifact_path(path: &str) -> Result<()> {
    check(
        is_normal_path(path),
        "artifact path",
        path,
        "give a relative path without empty parts, . or ..",
    )
}

/// Checks that a path can be given to an artifact: it stays within the artifacts, and MLflow will find it again.
pub(crate) fn check_new_artifact_path(path: &str) -> Result<()> {
    check_artifact_path(path)?;
    let allowed = !path.contains(|c: char| matches!(c, '#' | '%' | ':' | '\\') || c.is_control());
    check(
        allowed,
        "artifact path",
        path,
        "it must not contain any of # % : \\ nor control characters",
    )
}

fn check_entries(
    entries: &BTreeMap<String, String>,
    [key_kind, value_kind]: [&'static str; 2],
    limit: usize,
) -> Result<()> {
    entries.iter().try_for_each(|(key, value)| {
        check_key(key_kind, key)?;
        check_length(value_kind, key, value, limit)
    })
}

/// Checks the key of a param, metric or tag, which is also the path of its file.
fn check_key(kind: &'static str, key: &str) -> Result<()> {
    let allowed =
        |c: char| is_word(c) || matches!(c, '/' | '.' | '-' | ' ') || (c == ':' && !cfg!(windows));
    check(
        key.chars().all(allowed),
        kind,
        key,
        "use letters, digits, spaces and _ - . : /",
    )?;
    check(
        is_normal_path(key),
        kind,
        key,
        "parts between / must not be empty, . or .., nor may it start with ..",
    )?;
    check_length(kind, key, key, MAX_KEY_LENGTH)
}

fn check(allowed: bool, kind: &'static str, value: &str, hint: &'static str) -> Result<()> {
    if allowed {
        Ok(())
    } else {
        Err(Error::Invalid {
            kind,
            value: value.to_owned(),
            hint,
        })
    }
}

fn check_length(kind: &'static str, name: &str, value: &str, limit: usize) -> Result<()> {
    let length = value.chars().count();
    if length <= limit {
        return Ok(());
    }
    Err(Error::TooLong {
        kind,
        name: name.chars().take(50).collect(),
        length,
        limit,
    })
}

/// Whether a path of `/` parts is relative and does not change when `.` and `..` are resolved.
fn is_normal_path(path: &str) -> bool {
    !path.starts_with("..") && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Whether Python's `\w` matches the character: a letter, a digit or `_`. Marks are not letters to it, though
/// [`char::is_alphabetic`] counts some.
fn is_word(c: char) -> bool {
    let group = c.general_category_group();
    c == '_'
        || matches!(
            group,
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn param(key: &str, value: &str) -> Result<()> {
        check_params(&BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    #[test]
    fn keys_are_checked_as_mlflow_does() {
        for key in ["a", "região/ano 2", "a:b-c.d_e", ".hidden", "a/..b", "x².5"] {
            assert!(param(key, "").is_ok(), "{key:?}");
        }
        for key in [
            "", ".", "..", "/a", "a/", "a//b", "a/./b", "a/../b", "..a", "a=b", "a\nb", "a\n",
            "a\u{301}", "é\0",
        ] {
            assert!(
                matches!(param(key, ""), Err(Error::Invalid { .. })),
                "{key:?}"
            );
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(param(&"é".repeat(250), &"ã".repeat(6_000)).is_ok());
        assert!(matches!(
            param(&"é".repeat(251), ""),
            Err(Error::TooLong {
                length: 251,
                limit: 250,
                ..
            })
        ));
        let error = param("notes", &"ã".repeat(6_001)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "param value is too long: \"notes\" has 6001 characters\nhint: at most 6000 are allowed"
        );
    }

    #[test]
    fn names_are_checked_as_mlflow_does() {
        assert!(check_registered_model_name("churn v2.1 (São Paulo)").is_ok());
        for name in ["", "  ", "a/b", "a:b", "a%b", ".", "..", "..a"] {
            assert!(check_registered_model_name(name).is_err(), "{name:?}");
        }
        assert!(check_logged_model_name("boosted trees").is_ok());
        for name in ["", "a/b", "a.b", "it's"] {
            assert!(check_logged_model_name(name).is_err(), "{name:?}");
        }
        assert!(check_experiment_name("any / name: at all").is_ok());
        assert!(check_experiment_name("").is_err());
        assert!(check_experiment_name(&"x".repeat(501)).is_err());
    }

    #[test]
    fn some_aliases_are_reserved() {
        for alias in ["champion", "champion-2", "v", "v1a", "vice"] {
            assert!(check_new_alias(alias).is_ok(), "{alias:?}");
        }
        for alias in [
            "",
            "a b",
            "a/b",
            "latest",
            "Latest",
            "v1",
            "V23",
            &"a".repeat(256),
        ] {
            assert!(check_new_alias(alias).is_err(), "{alias:?}");
        }
        assert!(check_alias("latest").is_ok());
    }

    #[test]
    fn artifact_paths_stay_inside() {
        assert!(check_new_artifact_path("plots/gain (1).svg").is_ok());
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/"] {
            assert!(check_artifact_path(path).is_err(), "{path:?}");
        }
        assert!(check_artifact_path("50%.txt").is_ok());
        assert!(check_new_artifact_path("50%.txt").is_err());
    }
}
