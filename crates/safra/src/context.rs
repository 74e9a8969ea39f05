//! What every command needs: the project, the lake, the tracking store, and a way to talk.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use safra_lake::Lake;
use safra_mlflow::Store;
use safra_project::{Problem, Project, ProjectFiles};

use crate::cli::Global;
use crate::embedded;
use crate::error::SafraError;
use crate::output::print_warning;

/// What every command needs.
pub struct Context {
    /// The declarations.
    pub project: Project,
    /// The tables.
    pub lake: Lake,
    /// Where the MLflow store is, as the user wrote it.
    tracking: String,
    /// Whether one JSON document is to be printed.
    pub json: bool,
    quiet: bool,
}

impl Context {
    /// Reads the project.
    pub fn new(global: &Global) -> Result<Self, SafraError> {
        let here = Path::new(".");
        let files = match &global.project {
            Some(folder) if folder.is_dir() => ProjectFiles::from_folder(folder)?,
            Some(folder) => {
                return Err(SafraError::Usage(format!(
                    "{}: no such folder\nhint: `safra init {}` writes a project there",
                    folder.display(),
                    folder.display()
                )));
            }
            None if here.join("safra.toml").is_file() => ProjectFiles::from_folder(here)?,
            None => embedded::olist(),
        };
        Ok(Self {
            project: Project::from_files(&files)?,
            lake: Lake::new(&global.lake),
            tracking: global.tracking.clone(),
            json: global.json,
            quiet: global.quiet,
        })
    }

    /// The tracking store.
    pub fn store(&self) -> Result<Box<dyn Store>, SafraError> {
        Ok(safra_mlflow::open(&self.tracking)?)
    }

    /// Where the tracking store is, to be shown: without credentials.
    pub fn shown_tracking(&self) -> String {
        safra_mlflow::without_credentials(&self.tracking)
    }

    /// A problem of the project.
    pub fn problem(&self, name: &str) -> Result<&Problem, SafraError> {
        if self.project.segmentations.contains_key(name) {
            return Err(SafraError::Usage(format!(
                "{name} has segments and no label\nhint: `safra segments {name}` finds them"
            )));
        }
        Ok(self.project.problem(name)?)
    }

    /// Name of the registered model and of the experiment of a problem.
    pub fn model_name(&self, problem: &Problem) -> String {
        self.registered_name(&problem.name)
    }

    /// Name of the registered model and of the experiment of a problem of any kind, by the problem's name.
    pub fn registered_name(&self, problem: &str) -> String {
        format!("{}-{problem}", self.project.settings.name)
    }

    /// Says something to the user, on standard error.
    pub fn say(&self, message: &str) {
        if !self.quiet {
            eprintln!("{message}");
        }
    }

    /// Says that something is not as it should be, on standard error.
    pub fn warn(&self, message: &str) {
        if !self.quiet {
            print_warning(message);
        }
    }

    /// A progress bar on standard error; silent when that is no terminal.
    pub fn progress(&self, length: usize, what: &str) -> ProgressBar {
        let template = "{prefix:>12} [{bar:30}] {pos}/{len} {msg} {elapsed}";
        self.bar(length as u64, what, template)
    }

    /// A progress bar for bytes, likewise.
    pub fn byte_progress(&self, what: &str) -> ProgressBar {
        let template = "{prefix:>12} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {msg}";
        self.bar(0, what, template)
    }

    fn bar(&self, length: u64, what: &str, template: &str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template);
        ProgressBar::new(length)
            .with_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            )
            .with_prefix(what.to_owned())
    }
}

/// Milliseconds since 1970-01-01 UTC, for MLflow's records of when something ran; no result depends on it.
pub fn now_millis() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
