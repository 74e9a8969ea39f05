//! One module a command; each calls the crates and prints what came of it.

mod audit;
mod backtest;
mod completions;
mod dataset;
pub mod features;
mod fetch;
mod generate;
mod ingest;
mod init;
mod lookup;
mod monitor;
mod predict;
mod promote;
mod report;
mod run;
mod segments;
pub mod sql;
mod train;

use crate::cli::{Cli, Command, FeaturesAction};
use crate::context::Context;
use crate::error::SafraError;

/// Runs the command of the command line.
pub async fn run(cli: &Cli) -> Result<(), SafraError> {
    match &cli.command {
        Command::Init { folder } => return init::run(folder, cli.global.quiet),
        Command::Completions { shell } => return completions::run(*shell),
        _ => {}
    }
    let context = Context::new(&cli.global)?;
    match &cli.command {
        Command::Init { .. } | Command::Completions { .. } => Ok(()),
        Command::Fetch { url, sha256, out } => {
            let wanted = fetch::Wanted {
                url: url.as_deref(),
                sha256: sha256.as_deref(),
                out,
            };
            fetch::run(&context, &wanted)
        }
        Command::Ingest { folder } => ingest::run(&context, folder).await,
        Command::Features {
            action: Some(FeaturesAction::Explain { view }),
            ..
        } => features::explain(&context, view).await,
        Command::Audit {
            inflation: Some(problem),
            ..
        } => audit::inflation(&context, problem).await,
        Command::Audit { views, at, .. } => audit::run(&context, views, at).await,
        Command::Features {
            views,
            from,
            to,
            every,
            ..
        } => features::run(&context, views, *from, *to, (*every).into()).await,
        Command::Lookup {
            views,
            spine,
            time,
            max_age,
            out,
            format,
        } => {
            let wanted = lookup::Wanted {
                views,
                spine,
                time,
                max_age_days: *max_age,
            };
            lookup::run(&context, &wanted, out.as_deref(), *format).await
        }
        Command::Dataset { problem } => dataset::run(&context, problem).await,
        Command::Backtest {
            problem,
            from,
            to,
            learners,
        } => backtest::run(&context, problem, *from, *to, learners).await,
        Command::Train {
            problem,
            at,
            budget,
        } => train::run(&context, problem, *at, *budget).await,
        Command::Promote { problem, force } => promote::run(&context, problem, *force),
        Command::Predict { problem, at } => predict::run(&context, problem, *at).await,
        Command::Monitor { problem, at } => monitor::run(&context, problem, *at).await,
        Command::Segments { problem, at, refit } => {
            segments::run(&context, problem.as_deref(), *at, *refit).await
        }
        Command::Report {
            problems,
            language,
            out,
        } => {
            let wanted = report::Wanted {
                problems,
                language: *language,
                out,
            };
            report::run(&context, &wanted).await
        }
        Command::Sql { query, format } => sql::run(&context, query, *format).await,
        Command::Run {
            source,
            scale,
            files,
            language,
            out,
        } => {
            let wanted = report::Wanted {
                problems: &[],
                language: *language,
                out,
            };
            let generated = generate::Wanted {
                scale: *scale,
                files,
            };
            run::run(&context, source.as_deref(), &generated, &wanted).await
        }
        Command::Generate {
            scale,
            seed,
            until,
            truth,
            out,
        } => generate::run(&context, *scale, *seed, *until, *truth, out),
    }
}
