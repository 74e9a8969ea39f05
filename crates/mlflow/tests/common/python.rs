//! The Python with MLflow.

use std::iter::once;
use std::path::PathBuf;
use std::process::Command;

use super::{scripts, text};

/// The Python with MLflow.
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// The Python that the environment variable names; without one, says that the test is skipped.
    pub fn find() -> Option<Self> {
        let program = std::env::var_os("SAFRA_MLFLOW_PYTHON").map(PathBuf::from);
        if program.is_none() {
            eprintln!("SKIPPED: set SAFRA_MLFLOW_PYTHON to a Python with mlflow and lightgbm");
        }
        program.map(|program| Self { program })
    }

    pub fn script(&self, name: &str, arguments: &[&str]) -> String {
        let script = scripts().join(name);
        let all: Vec<&str> = once(text(&script))
            .chain(arguments.iter().copied())
            .collect();
        self.run(&all)
    }

    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}:\n{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether MLflow has a command; says that the test is skipped if not.
    pub fn has_command(&self, name: &str) -> bool {
        let help = self.command(&["-m", "mlflow", name, "--help"]).output();
        let found = help.unwrap().status.success();
        if !found {
            eprintln!("SKIPPED: this MLflow has no command {name}");
        }
        found
    }

    /// Whether there is a module; says that the test is skipped if not.
    pub fn has_module(&self, name: &str) -> bool {
        let import = self.command(&["-c", &format!("import {name}")]).output();
        let found = import.unwrap().status.success();
        if !found {
            eprintln!("SKIPPED: this Python has no module {name}");
        }
        found
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        // MLflow starts programs that are installed beside its Python.
        let beside = self.program.parent().unwrap().to_path_buf();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(once(beside).chain(std::env::split_paths(&path)));
        let mut command = Command::new(&self.program);
        command.env("PATH", path.unwrap());
        command
            .args(arguments)
            .env("MLFLOW_ALLOW_FILE_STORE", "true")
            .env("MLFLOW_DISABLE_TELEMETRY", "true");
        command
    }
}
