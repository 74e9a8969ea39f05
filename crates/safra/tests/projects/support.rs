//! A working directory with a project and data, and the binary in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// A working directory; the data is in `data`, the project beside it, if there is one.
pub struct Home {
    folder: TempDir,
}

/// What came of a command.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self { folder }
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Puts a project into the working directory.
    pub fn declare(&self, project: &Path) {
        for inside in ["", "features", "problems"] {
            std::fs::create_dir_all(self.path(inside)).unwrap();
            for entry in std::fs::read_dir(project.join(inside)).unwrap() {
                let file = entry.unwrap().path();
                if file.is_file() {
                    let name = file.file_name().unwrap();
                    std::fs::copy(&file, self.path(inside).join(name)).unwrap();
                }
            }
        }
    }

    /// Changes a file of the project; what is replaced must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        std::fs::write(self.path(file), text.replace(from, to)).unwrap();
    }

    pub fn safra(&self, arguments: &[&str]) -> Ran {
        self.safra_in(None, arguments)
    }

    /// As [`Home::safra`], with lines of so many characters.
    pub fn safra_in(&self, columns: Option<usize>, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safra"));
        command.current_dir(self.folder.path()).args(arguments);
        for variable in ["MLFLOW_TRACKING_URI", "SAFRA_LOG", "COLUMNS"] {
            command.env_remove(variable);
        }
        command.envs(columns.map(|columns| ("COLUMNS", columns.to_string())));
        let output = command.output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command that must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.safra(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
        ran
    }

    /// The one JSON document that a command prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["--json"]].concat()).stdout;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The rows of a query.
    pub fn rows(&self, query: &str) -> Vec<Value> {
        match self.json(&["sql", query]) {
            Value::Array(rows) => rows,
            other => panic!("{other}"),
        }
    }

    /// What a command says on standard error when it is refused with exit code 2.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let ran = self.safra(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        ran.stderr
    }
}
