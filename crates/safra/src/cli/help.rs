//! What stands below the options in the help of a command: examples, and what the command leaves behind.
//!
//! Paragraphs are one line each, which is broken where the terminal ends.

/// Of the binary.
pub(super) const ALL: &str = "\
The whole way at once:
  safra run                        on a generated marketplace, to report.html
  safra run --source olist-data    on a folder of CSV files; `safra fetch` downloads the public ones

Step by step:
  safra ingest olist-data          files into the lake
  safra features --every month     the feature store, all month starts in one pass
  safra audit                      does any feature read the future?
  safra backtest churn             how well past months would have been predicted
  safra train churn                fit, log to MLflow, register
  safra promote churn              the better of challenger and champion
  safra predict churn              score those that the question is about today
  safra report                     report.html, to read

Exit codes: 0 done, 1 the command's own \"no\", 2 wrong usage or input, 3 anything else, 130 interrupted.";

/// Of `safra init`.
pub(super) const INIT: &str = "\
Examples:
  safra init                             into the working directory, whose project commands then use
  safra init shop                        into a folder
  safra --project shop features          and from there";

/// Of `safra generate`.
pub(super) const GENERATE: &str = "\
Examples:
  safra generate --scale 0.2 --seed 7 --out marketplace
  safra generate --scale 0.2 --seed 7 --until 2018-07-01 --out july     the same, a month later
  safra run --source marketplace                                        and from there to a report";

/// Of `safra fetch`.
pub(super) const FETCH: &str = "\
Examples:
  safra fetch --out olist-data           what `[[downloads]]` in safra.toml names
  safra run --source olist-data          and from there to a report

A download that was cut off goes on where it stopped.";

/// Of `safra ingest`.
pub(super) const INGEST: &str = "\
Examples:
  safra ingest olist-data
  safra sql \"SELECT reason, COUNT(*) AS rows FROM rejected.order_items GROUP BY 1\"

Tables go to sources/TABLE of the lake, rows that break a rule to rejected/TABLE with the reason. Ingesting the same files again changes nothing; newer ones add and change what is new and different.";

/// Of `safra features`.
pub(super) const FEATURES: &str = "\
Examples:
  safra features                                           all views, all month starts
  safra features seller_sales --every day --from 2018-01-01
  safra features explain seller_sales                      what it reads, and how it is computed
  safra sql \"SELECT * FROM features.seller_sales LIMIT 5\"

Only dates are computed that are missing, or whose sources or view have changed since.";

/// Of `safra features explain`.
pub(super) const EXPLAIN: &str = "\
Example:
  safra features explain seller_reviews";

/// Of `safra lookup`.
pub(super) const LOOKUP: &str = "\
Example:
  safra lookup seller_sales seller_reviews --time order_purchase_timestamp --out orders.parquet \\
    --spine \"SELECT order_id, seller_id, order_purchase_timestamp
             FROM orders JOIN order_items USING (order_id)\"

Features of a reference date D are known from D 00:00 on. A row gets those of the latest D in the store at or before its time, if they are no older than --max-age. `safra features VIEW --every day` fills the store densely.";

/// Of `safra audit`.
pub(super) const AUDIT: &str = "\
Examples:
  safra audit                            all views of the store, a few dates each
  safra audit seller_sales --at 2018-01-01 --at 2018-04-01
  safra audit --inflation churn          what a leak would have seemed to be worth

The exit code is 1 when anything differs; a leak is named by view, feature and entity.";

/// Of `safra dataset`.
pub(super) const DATASET: &str = "\
Examples:
  safra dataset churn
  safra sql \"SELECT reference_date, COUNT(*) AS rows, AVG(label::int) AS share FROM datasets.churn GROUP BY 1 ORDER BY 1\"

The table datasets/PROBLEM holds whom the question is about, the label, the day on which it is certain (label_known_at), and the features that it needs, which are computed where they are missing.";

/// Of `safra backtest`.
pub(super) const BACKTEST: &str = "\
Examples:
  safra backtest churn
  safra backtest churn --from 2018-01-01 --to 2018-04-01 --learner lightgbm --learner recency

Nothing is logged or registered. In square brackets stand 95 % intervals, by bootstrap over entities.";

/// Of `safra train`.
pub(super) const TRAIN: &str = "\
Examples:
  safra train churn
  safra train churn --budget 10m         tune first
  safra promote churn                    and then let it meet the champion

Runs, models and charts go to MLflow, the best model into its registry as PROJECT-PROBLEM, such as olist-churn.";

/// Of `safra promote`.
pub(super) const PROMOTE: &str = "\
Examples:
  safra promote churn
  safra promote churn --force            whatever the comparison says

Challenger and champion score the same rows of the same dates. The exit code is 1 when the champion stays.";

/// Of `safra predict`.
pub(super) const PREDICT: &str = "\
Examples:
  safra predict churn
  safra predict churn --at 2018-05-01
  safra sql \"SELECT * FROM predictions.churn ORDER BY score DESC LIMIT 10\"

Scores come with the three strongest reasons each; those of the same date and model are replaced.";

/// Of `safra monitor`.
pub(super) const MONITOR: &str = "\
Examples:
  safra monitor churn
  safra monitor churn --at 2018-05-01

The stability index of a feature or of the scores is 0 when they are spread as they were; below 0.1 little has changed, above 0.25 the population is another. The exit code is 1 when the scores or one of the most important features are beyond the threshold, or a version kept its promise too badly; `[monitor]` in the problem's file sets the thresholds: psi, features (how many count) and drop (of the problem's metric).";

/// Of `safra segments`.
pub(super) const SEGMENTS: &str = "\
Examples:
  safra segments
  safra segments --at 2018-05-01
  safra segments --refit

The first run finds segments, registers them as a model and makes it champion. Later dates are divided by the champion, so that a move from one segment to another means something; --refit finds segments anew.";

/// Of `safra report`.
pub(super) const REPORT: &str = "\
Examples:
  safra report
  safra report churn --lang pt-BR --out churn.html

A problem has a page once it has a champion.";

/// Of `safra sql`.
pub(super) const SQL: &str = "\
Tables are named by folder and table: sources.orders, features.seller_sales, datasets.churn, predictions.churn, rejected.order_items. A source may go without its folder.

Examples:
  safra sql \"SELECT order_status, COUNT(*) AS orders FROM orders GROUP BY 1 ORDER BY 2 DESC\"
  safra sql \"SELECT * FROM predictions.churn ORDER BY score DESC LIMIT 10\"
  safra sql --format csv \"SELECT seller_id, score FROM predictions.churn\" > scores.csv";

/// Of `safra run`.
pub(super) const RUN: &str = "\
Examples:
  safra run                              on a generated marketplace
  safra run --source olist-data
  safra run --source july                a month later: only what is new or has changed

A run that is killed goes on where it stopped.";

/// Of `safra completions`.
pub(super) const COMPLETIONS: &str = "\
Where the script goes:
  bash: safra completions bash > ~/.local/share/bash-completion/completions/safra
  zsh:  safra completions zsh > ~/.zfunc/_safra      (with ~/.zfunc in fpath)
  fish: safra completions fish > ~/.config/fish/completions/safra.fish";
