//! The command line.

mod help;

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use safra_report::Language;

use crate::rows::Format;

/// From the tables of a marketplace to predictive models one can trust: tables, lake, features, training
/// set, models, champion, scores. A feature for a day is computed from what was known before that day.
#[derive(Debug, Parser)]
#[command(name = "safra", version, max_term_width = 100, after_help = help::ALL)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of all commands")]
pub struct Global {
    /// Folder of the project [default: the working directory if it has a safra.toml, else the Olist project inside the binary]
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Folder of the lake
    #[arg(long, global = true, value_name = "DIR", default_value = "lake")]
    pub lake: PathBuf,
    /// MLflow tracking store: a folder in MLflow's own layout, or the address of a server, http://…
    #[arg(
        long,
        global = true,
        value_name = "URI",
        env = "MLFLOW_TRACKING_URI",
        default_value = "mlruns"
    )]
    pub tracking: String,
    /// Print one JSON document on standard output instead of tables
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results only: neither progress nor messages
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// The commands, in the order of the data's way.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write out the Olist project, to read and to change
    #[command(after_help = help::INIT)]
    Init {
        /// Folder to write to; files that are there are kept
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Write a synthetic marketplace: the Olist tables, any size, from one seed
    #[command(after_help = help::GENERATE)]
    Generate {
        /// Size; 1 is about Olist's, with 100,000 orders
        #[arg(
            long,
            value_name = "X",
            default_value_t = 1.0,
            allow_negative_numbers = true
        )]
        scale: f64,
        /// The same seed gives the same bytes
        #[arg(long, value_name = "N", default_value_t = 42)]
        seed: u64,
        /// The morning on which the marketplace is seen; nothing later is known
        #[arg(long, value_name = "DATE", value_parser = date, default_value = "2018-06-01")]
        until: NaiveDate,
        /// Also write the true probabilities behind churn and lateness
        #[arg(long)]
        truth: bool,
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Download the raw data that the project names, checked, and unpack it
    #[command(after_help = help::FETCH)]
    Fetch {
        /// Folder to write to
        #[arg(long, value_name = "DIR", default_value = "data")]
        out: PathBuf,
        /// Another address in place of the project's
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// SHA-256 of what is at that address
        #[arg(long, value_name = "HEX", requires = "url")]
        sha256: Option<String>,
    },
    /// Read files into the lake: typed, checked, merged by key
    #[command(after_help = help::INGEST)]
    Ingest {
        /// Folder with the files that sources.toml names
        folder: PathBuf,
    },
    /// Compute features into the feature store, for all dates in one pass
    #[command(args_conflicts_with_subcommands = true, after_help = help::FEATURES)]
    Features {
        /// Something other than computing
        #[command(subcommand)]
        action: Option<FeaturesAction>,
        /// Feature views [default: all]
        views: Vec<String>,
        /// First reference date [default: the project's first date]
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Option<NaiveDate>,
        /// Last reference date, before which events happen [default: the end of the data]
        #[arg(long, value_name = "DATE", value_parser = date)]
        to: Option<NaiveDate>,
        /// Which dates between them
        #[arg(long, value_enum, default_value_t = Every::Month)]
        every: Every,
    },
    /// Look features up as of arbitrary times: for each row of a query, the latest that were known by then
    #[command(after_help = help::LOOKUP)]
    Lookup {
        /// Feature views
        #[arg(required = true)]
        views: Vec<String>,
        /// Query on the lake: its rows get the features; it returns the entity of each view, and the time
        #[arg(long, value_name = "QUERY")]
        spine: String,
        /// The column of the query with the time of each row
        #[arg(long, value_name = "COLUMN")]
        time: String,
        /// How many whole days old features may be; what is older is NULL
        #[arg(long, value_name = "DAYS", default_value_t = 31)]
        max_age: u32,
        /// Parquet file to write [default: the rows are printed]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// How rows are printed [default: a table where it fits the width of the terminal, else vertical]
        #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "out")]
        format: Option<Format>,
    },
    /// Compute past dates again from sources cut at each, and compare with the store bit by bit
    #[command(after_help = help::AUDIT)]
    Audit {
        /// Feature views [default: all in the store]
        views: Vec<String>,
        /// Dates to compute again; of events, those of the day before [default: a few of those in the store]
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Vec<NaiveDate>,
        /// Instead, backtest this problem on features that read the future, beside the honest ones
        #[arg(long, value_name = "PROBLEM", conflicts_with_all = ["views", "at"])]
        inflation: Option<String>,
    },
    /// Build the training set of a problem (also known as analytical base table)
    #[command(after_help = help::DATASET)]
    Dataset {
        /// The problem, such as churn
        problem: String,
    },
    /// For past dates, train on what was known, score, and compare with what happened
    #[command(after_help = help::BACKTEST)]
    Backtest {
        /// The problem, such as churn
        problem: String,
        /// First date to judge [default: as many dates before the last as the problem says]
        #[arg(long, value_name = "DATE", value_parser = date)]
        from: Option<NaiveDate>,
        /// Last date to judge [default: the last with settled labels]
        #[arg(long, value_name = "DATE", value_parser = date)]
        to: Option<NaiveDate>,
        /// Only these learners [default: those of the problem]
        #[arg(long = "learner", value_name = "NAME")]
        learners: Vec<String>,
    },
    /// Backtest the learners, fit them on all that is known, log to MLflow, register the best
    #[command(after_help = help::TRAIN)]
    Train {
        /// The problem, such as churn
        problem: String,
        /// As if it were this day [default: the end of the data]
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Option<NaiveDate>,
        /// Tune parameters for so long, such as 60s or 10m, on dates before the reported ones; what was tried is not tried again [default: the declared parameters]
        #[arg(long, value_name = "TIME", value_parser = duration)]
        budget: Option<Duration>,
    },
    /// Make the latest version champion if it beats the champion on the same dates by more than chance
    #[command(after_help = help::PROMOTE)]
    Promote {
        /// The problem, such as churn
        problem: String,
        /// Whatever the comparison says; it is recorded that the comparison was overruled
        #[arg(long)]
        force: bool,
    },
    /// Score with the champion, into predictions/PROBLEM
    #[command(after_help = help::PREDICT)]
    Predict {
        /// The problem, such as churn
        problem: String,
        /// Reference date; of events, the day before which they happened [default: the last date of the problem's cadence in the data; of events, the end of the data]
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Option<NaiveDate>,
    },
    /// Compare a cohort with what the champion was trained on, and its promises with what happened
    #[command(after_help = help::MONITOR)]
    Monitor {
        /// The problem, such as churn
        problem: String,
        /// Reference date; of events, the day before which their period ends [default: the last date of the problem's cadence in the data; of events, the end of the data]
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Option<NaiveDate>,
    },
    /// Divide a cohort into segments, with their profile and how entities moved since the date before
    #[command(after_help = help::SEGMENTS)]
    Segments {
        /// The problem, such as segments [default: the only one of its kind]
        problem: Option<String>,
        /// Reference date [default: the last date of the problem's cadence in the data]
        #[arg(long, value_name = "DATE", value_parser = date)]
        at: Option<NaiveDate>,
        /// Find segments anew, instead of using those of the champion
        #[arg(long)]
        refit: bool,
    },
    /// Write the HTML report: one file with a page for each problem
    #[command(after_help = help::REPORT)]
    Report {
        /// The problems, such as churn [default: all]
        problems: Vec<String>,
        /// Language of the report, en or pt-BR [default: the project's]
        #[arg(long = "lang", value_name = "LANG", value_parser = language)]
        language: Option<Language>,
        /// File to write
        #[arg(long, value_name = "FILE", default_value = "report.html")]
        out: PathBuf,
    },
    /// Query the lake
    #[command(after_help = help::SQL)]
    Sql {
        /// The query
        query: String,
        /// How rows are printed [default: a table where it fits the width of the terminal, else vertical]
        #[arg(long, value_enum, value_name = "FORMAT")]
        format: Option<Format>,
    },
    /// All of it: files to report; a second run does only what is missing
    #[command(after_help = help::RUN)]
    Run {
        /// Folder with the files that sources.toml names [default: what the lake holds; if it is empty, a generated marketplace]
        #[arg(long, value_name = "DIR")]
        source: Option<PathBuf>,
        /// Size of the generated marketplace; 1 is about Olist's
        #[arg(
            long,
            value_name = "X",
            default_value_t = 0.2,
            allow_negative_numbers = true,
            conflicts_with = "source"
        )]
        scale: f64,
        /// Where the files of the generated marketplace go
        #[arg(
            long,
            value_name = "DIR",
            default_value = "marketplace",
            conflicts_with = "source"
        )]
        files: PathBuf,
        /// Language of the report, en or pt-BR [default: the project's]
        #[arg(long = "lang", value_name = "LANG", value_parser = language)]
        language: Option<Language>,
        /// File of the report
        #[arg(long, value_name = "FILE", default_value = "report.html")]
        out: PathBuf,
    },
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

fn language(tag: &str) -> Result<Language, String> {
    let known = Language::ALL.map(Language::tag).join(", ");
    Language::of_tag(tag).ok_or_else(|| format!("the report speaks: {known}"))
}

/// What else can be done with features.
#[derive(Debug, Subcommand)]
pub enum FeaturesAction {
    /// Show what a view reads, when that becomes known, and how it is computed
    #[command(after_help = help::EXPLAIN)]
    Explain {
        /// The feature view
        view: String,
    },
}

/// The dates of a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Every {
    /// Every day
    Day,
    /// Every Monday
    Week,
    /// The first day of every month
    Month,
}

impl From<Every> for safra_project::Cadence {
    fn from(every: Every) -> Self {
        match every {
            Every::Day => Self::Day,
            Every::Week => Self::Week,
            Every::Month => Self::Month,
        }
    }
}

/// A day such as `2018-06-01`.
fn date(text: &str) -> Result<NaiveDate, String> {
    let wrong = |_| "not a day: write year, month and day, such as 2018-06-01".to_owned();
    text.parse().map_err(wrong)
}

/// A duration such as `60s`, `10m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("not a number with a unit s, m or h, such as 60s".to_owned()),
    };
    let seconds = number
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(unit));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "not a whole number with a unit s, m or h, such as 60s".to_owned())
}
