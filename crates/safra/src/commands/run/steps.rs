//! What a run has done so far, what it could not do, and what is said of it at the end.

use std::path::Path;
use std::time::Instant;

use safra_dataset::DatasetError;
use safra_report::StepTime;
use serde::Serialize;

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{Column, print_error, print_json, print_table};

/// The steps of a run.
pub struct Steps<'a> {
    context: &'a Context,
    taken: Vec<StepTime>,
    finished: Vec<String>,
    skipped: Vec<Stopped>,
    failed: Vec<Stopped>,
    exit_code: u8,
}

/// A problem, or the report, that was not done.
#[derive(Serialize)]
struct Stopped {
    name: String,
    reason: String,
}

#[derive(Serialize)]
struct Report<'a> {
    steps: &'a [StepTime],
    lake: String,
    tracking: String,
    report: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    skipped: &'a [Stopped],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    failed: &'a [Stopped],
}

impl<'a> Steps<'a> {
    /// No step yet.
    pub fn new(context: &'a Context) -> Self {
        Self {
            context,
            taken: Vec::new(),
            finished: Vec::new(),
            skipped: Vec::new(),
            failed: Vec::new(),
            exit_code: 0,
        }
    }

    /// A step that was done, and what it made.
    pub fn add(&mut self, name: &str, started: Instant, detail: String) {
        let seconds = started.elapsed().as_secs_f64();
        self.context
            .say(&format!("{name}: {detail} ({seconds:.1} s)"));
        self.take(name, seconds, detail);
    }

    /// A problem of which every step was done.
    pub fn finished(&mut self, problem: &str) {
        self.finished.push(problem.to_owned());
    }

    /// A problem, or the report, that cannot be done. That the tables it needs are absent is no failure where the
    /// project says that they may be.
    pub fn stopped(&mut self, name: &str, error: SafraError) {
        let reason = error.to_string();
        let stopped = Stopped {
            name: name.to_owned(),
            reason: reason.clone(),
        };
        let first_line = reason.lines().next().unwrap_or_default();
        let optional = matches!(
            error,
            SafraError::Dataset(DatasetError::EmptySources { optional: true, .. })
        );
        match optional {
            true => {
                self.context.say(&format!("warning: {reason}"));
                self.take(name, 0.0, format!("skipped: {first_line}"));
                self.skipped.push(stopped);
            }
            false => {
                print_error(&error);
                self.take(name, 0.0, format!("failed: {first_line}"));
                self.exit_code = self.exit_code.max(error.exit_code());
                self.failed.push(stopped);
            }
        }
    }

    /// Whether at least one problem was done.
    pub fn any_finished(&self) -> bool {
        !self.finished.is_empty()
    }

    /// The steps so far.
    pub fn taken(&self) -> &[StepTime] {
        &self.taken
    }

    fn take(&mut self, name: &str, seconds: f64, detail: String) {
        self.taken.push(StepTime {
            name: name.to_owned(),
            seconds,
            detail,
        });
    }

    /// Prints the table of the steps, and what to do next.
    pub fn print(&self, out: &Path) -> Result<(), SafraError> {
        let lake = self.context.lake.root().display().to_string();
        if self.context.json {
            return print_json(&Report {
                steps: &self.taken,
                lake,
                tracking: self.context.shown_tracking(),
                report: out.display().to_string(),
                skipped: &self.skipped,
                failed: &self.failed,
            });
        }
        let columns = [
            Column("step", false),
            Column("made", false),
            Column("seconds", true),
        ];
        let rows = self.taken.iter().map(|step| {
            vec![
                step.name.clone(),
                step.detail.clone(),
                format!("{:.1}", step.seconds),
            ]
        });
        let total: f64 = self.taken.iter().map(|step| step.seconds).sum();
        let total = vec!["all".to_owned(), String::new(), format!("{total:.1}")];
        print_table(&columns, rows.chain([total]));
        if let Some(problem) = self.finished.first() {
            self.context.say(&format!(
                "open {} to read the result\n`safra sql \"SELECT * FROM predictions.{problem} ORDER BY score DESC LIMIT 10\"` asks the lake in {lake}\n{} shows the runs",
                out.display(),
                runs_page(&self.context.shown_tracking())
            ));
        }
        Ok(())
    }

    /// An error when something failed, or when there was nothing that could be done.
    pub fn verdict(&self) -> Result<(), SafraError> {
        let names = |stopped: &[Stopped]| {
            let names: Vec<&str> = stopped
                .iter()
                .map(|stopped| stopped.name.as_str())
                .collect();
            names.join(", ")
        };
        match (self.failed.is_empty(), self.finished.is_empty()) {
            (false, _) => Err(SafraError::Unfinished {
                what: names(&self.failed),
                exit_code: self.exit_code,
            }),
            (true, true) => Err(SafraError::Usage(format!(
                "no problem of the project could be done: {}",
                names(&self.skipped)
            ))),
            (true, false) => Ok(()),
        }
    }
}

/// What shows the runs: the pages of the server, or those that MLflow serves from a folder.
fn runs_page(tracking: &str) -> String {
    if tracking.starts_with("http") {
        return tracking.to_owned();
    }
    format!("`MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {tracking}`")
}
