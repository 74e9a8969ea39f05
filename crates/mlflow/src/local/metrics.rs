//! The folder of metrics of a run or of a logged model: a file for each metric, with a line for each value.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::entries;
use super::writer::Writer;
use crate::{Error, Metric, Result};

/// Adds values to the files. The lines of a logged model name the run that measured it; those of a run name nothing.
pub(crate) fn append<'a>(
    writer: &Writer,
    folder: &Path,
    metrics: impl Iterator<Item = &'a Metric>,
    measured_by: Option<&str>,
) -> Result<()> {
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for metric in metrics {
        lines
            .entry(&metric.key)
            .or_default()
            .push_str(&line(metric, measured_by));
    }
    for (key, added) in lines {
        let path = folder.join(key);
        // The whole file is written anew: a program killed while it appends could leave half a line, on which MLflow
        // fails to read the run.
        let text = existing(&path)? + &added;
        writer.write(&path, text.as_bytes())?;
    }
    Ok(())
}

/// All values of one metric in the order of logging; none if there is no such metric.
pub(crate) fn history(folder: &Path, key: &str) -> Result<Vec<Metric>> {
    let path = folder.join(key);
    existing(&path)?
        .lines()
        .map(|line| parse(line, key, &path))
        .collect()
}

/// The latest value of each metric.
pub(crate) fn latest(folder: &Path) -> Result<BTreeMap<String, Metric>> {
    let mut latest = BTreeMap::new();
    for key in entries::files(folder)?.into_keys() {
        let order = |a: &Metric, b: &Metric| {
            a.step
                .cmp(&b.step)
                .then(a.timestamp.cmp(&b.timestamp))
                .then(a.value.total_cmp(&b.value))
        };
        if let Some(metric) = history(folder, &key)?.into_iter().max_by(order) {
            latest.insert(key, metric);
        }
    }
    Ok(latest)
}

fn line(metric: &Metric, measured_by: Option<&str>) -> String {
    // `{:?}` gives the shortest digits that read back as the same number, also to Python.
    let Metric {
        value,
        timestamp,
        step,
        ..
    } = metric;
    match measured_by {
        None => format!("{timestamp} {value:?} {step}\n"),
        Some(run_id) => format!("{timestamp} {value:?} {step} {run_id}\n"),
    }
}

/// Reads `timestamp value`, then perhaps the step, then perhaps the run, the name and the digest of a dataset.
fn parse(line: &str, key: &str, path: &Path) -> Result<Metric> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let metric = match fields.as_slice() {
        [timestamp, value] => (timestamp.parse().ok(), value.parse().ok(), Some(0)),
        [timestamp, value, step, ..] => (
            timestamp.parse().ok(),
            value.parse().ok(),
            step.parse().ok(),
        ),
        _ => (None, None, None),
    };
    let (Some(timestamp), Some(value), Some(step)) = metric else {
        return Err(Error::malformed(
            path,
            format!("not a value of a metric: {line:?}"),
        ));
    };
    Ok(Metric {
        key: key.to_owned(),
        value,
        timestamp,
        step,
        model_id: None,
    })
}

/// The text of a file, nothing if there is none; a metric `a` may be missing beside a folder `a` of others.
fn existing(path: &Path) -> Result<String> {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match fs::read_to_string(path) {
        Err(error) if matches!(error.kind(), NotFound | IsADirectory | NotADirectory) => {
            Ok(String::new())
        }
        other => other.map_err(Error::io("read", path)),
    }
}
