//! Ctrl-C: a short message, no half-written files, exit code 130.

use std::path::{Path, PathBuf};
use std::process::exit;

use crate::cli::{Cli, Command};
use crate::error::SafraError;
use crate::output;

/// What shells expect of a program that ended by Ctrl-C: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;
/// How files that are not complete yet are called.
const PARTIAL: &str = "partial";

/// Waits for Ctrl-C in a thread of its own, so that no computation can hold it up, and then ends the program.
///
/// Tables of the lake change in one commit or not at all, and a download is meant to go on; what is left to clean up
/// are the partial files of this command.
pub fn watch(cli: &Cli) -> Result<(), SafraError> {
    let quiet = cli.global.quiet;
    let places = places(&cli.command);
    let failed = |source| SafraError::Io {
        path: "the thread that waits for Ctrl-C".into(),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let wait = move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            places.iter().for_each(Place::clean);
            output::print_interrupted(quiet);
            // The computation has not stopped, and may have begun a file since.
            places.iter().for_each(Place::clean);
            exit(INTERRUPTED);
        }
    };
    std::thread::Builder::new()
        .name("ctrl-c".to_owned())
        .spawn(wait)
        .map_err(failed)?;
    Ok(())
}

/// Where a command may leave partial files.
enum Place {
    Folder(PathBuf),
    File(PathBuf),
}

fn places(command: &Command) -> Vec<Place> {
    match command {
        Command::Generate { out, .. } => vec![Place::Folder(out.clone())],
        Command::Init { folder } => ["", "features", "features/parts", "problems"]
            .map(|inside| Place::Folder(folder.join(inside)))
            .into(),
        Command::Report { out, .. } | Command::Lookup { out: Some(out), .. } => {
            vec![Place::File(partial(out))]
        }
        Command::Run { files, out, .. } => {
            vec![Place::Folder(files.clone()), Place::File(partial(out))]
        }
        _ => Vec::new(),
    }
}

/// Where a file is written before it is complete.
pub fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(PARTIAL);
    path.with_file_name(name)
}

impl Place {
    /// Removes what can be removed: there is nobody left to tell about the rest.
    fn clean(&self) {
        let is_partial = |path: &PathBuf| path.extension().is_some_and(|end| end == PARTIAL);
        let files: Vec<PathBuf> = match self {
            Self::File(path) => vec![path.clone()],
            Self::Folder(folder) => std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(is_partial)
                .collect(),
        };
        for file in files {
            let _ = std::fs::remove_file(file);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn only_partial_files_are_removed() {
        let home = tempfile::tempdir().unwrap();
        for name in ["orders.csv", "items.csv.partial", "notes.partial.txt"] {
            std::fs::write(home.path().join(name), "x").unwrap();
        }
        Place::Folder(home.path().to_owned()).clean();
        Place::File(partial(&home.path().join("report.html"))).clean();
        let mut names: Vec<_> = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["notes.partial.txt", "orders.csv"]);
    }
}
