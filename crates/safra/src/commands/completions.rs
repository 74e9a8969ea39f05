//! `safra completions`: what a shell needs to complete command lines.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::error::SafraError;

/// Prints the script of a shell.
pub fn run(shell: Shell) -> Result<(), SafraError> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "safra", &mut script);
    let written = std::io::stdout().lock().write_all(&script);
    written.or_else(|source| match source.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(SafraError::Io {
            path: "standard output".into(),
            source,
        }),
    })
}
