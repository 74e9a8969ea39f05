//! The `safra` binary: parses the command line, calls the crates, prints.

mod cli;
mod commands;
mod context;
mod embedded;
mod error;
mod interrupt;
mod lake_table;
mod output;
mod pipeline;
mod rows;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use error::SafraError;

fn main() -> ExitCode {
    start_log();
    let cli = Cli::parse();
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Warnings of our own crates go to standard error; `SAFRA_LOG` asks for more or less.
fn start_log() {
    let asked = std::env::var("SAFRA_LOG");
    let filter = asked.unwrap_or_else(|_| "error,safra=warn".to_owned());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .init();
}

fn start(cli: &Cli) -> Result<(), SafraError> {
    interrupt::watch(cli)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| SafraError::Io {
            path: "the thread pool".into(),
            source,
        })?;
    runtime.block_on(commands::run(cli))
}
