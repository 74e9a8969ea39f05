//! A small report, and a way to read pages and charts.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use roxmltree::{Document, Node, ParsingOptions};
use safra_report::{
    BaseRate, CalibrationBin, Cell, Champion, Direction, Estimate, FeatureText, Importance,
    Interval, Intervals, KeyFigure, Language, LearnerMean, MetricRow, Metrics, Page, PeriodValue,
    ProblemReport, Reason, Report, RocCurve, RocPoint, Rule, Scored, ScoredRow, StepTime,
    TableSummary, Untrained, Window,
};

/// A report with two learners on three dates.
pub fn small_report() -> Report {
    Report {
        title: "Seller report".to_owned(),
        project: "Olist".to_owned(),
        data_from: "2016-09-04".to_owned(),
        data_until: "2018-05-31".to_owned(),
        generated_for: "2018-06-01".to_owned(),
        language: Language::English,
        figures: figures(),
        pages: vec![Page::Problem(Box::new(churn())), untrained()],
        steps: vec![StepTime {
            name: "ingest".to_owned(),
            seconds: 75.2,
            detail: "11 files".to_owned(),
        }],
        tables: vec![TableSummary {
            name: "sources/orders".to_owned(),
            rows: 85_472,
            rejected: 2,
        }],
    }
}

/// A page for each of some problems.
pub fn pages(problems: impl IntoIterator<Item = ProblemReport>) -> Vec<Page> {
    let page = |problem| Page::Problem(Box::new(problem));
    problems.into_iter().map(page).collect()
}

fn untrained() -> Page {
    Page::Untrained(Untrained {
        name: "activation".to_owned(),
        title: "Seller activation".to_owned(),
        question: "Who signed but may never sell?".to_owned(),
        commands: vec![
            "safra train activation".to_owned(),
            "safra promote activation".to_owned(),
        ],
    })
}

fn figures() -> Vec<KeyFigure> {
    let months = |values: &[f64]| {
        let month = |(month, &value): (usize, &f64)| PeriodValue {
            period: format!("2018-{:02}-01", month + 1),
            value,
        };
        values.iter().enumerate().map(month).collect()
    };
    let figure = |label: &str, unit: &str, values| KeyFigure {
        label: label.to_owned(),
        unit: unit.to_owned(),
        values,
    };
    vec![
        figure("orders", "", months(&[7_069.0, 6_555.0, 7_003.0])),
        figure("sales", "R$", months(&[924_645.1, 826_437.1])),
        figure("late orders", "%", months(&[0.067, 0.141])),
        figure(
            "sellers",
            "",
            vec![PeriodValue {
                period: String::new(),
                value: 2_890.0,
            }],
        ),
    ]
}

/// Seller churn with two learners on three dates.
pub fn churn() -> ProblemReport {
    ProblemReport {
        name: "churn".to_owned(),
        title: "Seller churn".to_owned(),
        question: "Which sellers stop selling?".to_owned(),
        entity: "seller".to_owned(),
        rows: "sellers".to_owned(),
        positive: "stops selling".to_owned(),
        rule: Some(Rule {
            learner: "recency".to_owned(),
            feature: days_since_last_order(Window::All),
            difference: Some(Estimate {
                value: 0.054,
                interval: interval(0.043, 0.066),
            }),
        }),
        cohort: "Sellers with a sale in the last 45 days.".to_owned(),
        label: "45 days without a sale.".to_owned(),
        champion: Some(Champion {
            learner: "lightgbm".to_owned(),
            version: "3".to_owned(),
            train_rows: 11_482,
            features: 214,
            trained_until: "2018-06-01".to_owned(),
        }),
        metrics: vec![
            metric_row("2018-05-01", "lightgbm", 0.88),
            metric_row("2018-03-01", "lightgbm", 0.86),
            metric_row("2018-03-01", "recency", 0.87),
            metric_row("2018-04-01", "lightgbm", 0.87),
            metric_row("2018-04-01", "recency", 0.80),
            metric_row("2018-05-01", "recency", 0.79),
        ],
        means: vec![mean("lightgbm", 0.87), mean("recency", 0.82)],
        roc_curves: vec![curve("lightgbm", 0.7), curve("recency", 0.5)],
        calibration: vec![bin(0.1, 0.12, 500), bin(0.6, 0.57, 500)],
        importances: vec![
            importance("orders_30d", 0.25, "orders"),
            importance("days_since_last_order", 0.75, ""),
        ],
        base_rates: vec![
            base_rate("2018-03-01", 1_000, 230),
            base_rate("2018-04-01", 1_100, 275),
            base_rate("2018-05-01", 1_200, 312),
        ],
        scored: scored(),
        ..Default::default()
    }
}

/// An interval that is there.
pub fn interval(low: f64, high: f64) -> Option<Interval> {
    Some(Interval { low, high })
}

/// A feature whose missing value has a meaning.
pub fn days_since_last_order(window: Window) -> FeatureText {
    FeatureText {
        name: "days_since_last_order_30d".to_owned(),
        meaning: "days since the last sale".to_owned(),
        none: "no sale".to_owned(),
        window,
        ..Default::default()
    }
}

/// One row of a backtest whose only metric is ROC AUC.
pub fn metric_row(date: &str, learner: &str, roc_auc: f64) -> MetricRow {
    MetricRow {
        reference_date: date.to_owned(),
        learner: learner.to_owned(),
        train_rows: 4_000,
        rows: 1_000,
        positives: 250,
        metrics: Metrics {
            roc_auc: Some(roc_auc),
            ..Default::default()
        },
        intervals: Intervals {
            roc_auc: interval(roc_auc - 0.015, roc_auc + 0.0125),
            ..Default::default()
        },
    }
}

/// The means of a learner.
pub fn mean(learner: &str, roc_auc: f64) -> LearnerMean {
    LearnerMean {
        learner: learner.to_owned(),
        metrics: Metrics {
            roc_auc: Some(roc_auc),
            average_precision: Some(roc_auc - 0.2),
            log_loss: Some(1.2 - roc_auc),
            brier: Some(1.0 - roc_auc),
            ece: None,
            lift_at_10: Some(roc_auc * 3.0),
        },
        intervals: Intervals {
            roc_auc: interval(roc_auc - 0.01, roc_auc + 0.01),
            ..Default::default()
        },
    }
}

/// A curve with one bend, at a false positive rate of 20 %.
pub fn curve(learner: &str, true_positive_rate: f64) -> RocCurve {
    let point = |(false_positive_rate, true_positive_rate)| RocPoint {
        false_positive_rate,
        true_positive_rate,
    };
    RocCurve {
        learner: learner.to_owned(),
        points: [(0.0, 0.0), (0.2, true_positive_rate), (1.0, 1.0)]
            .map(point)
            .to_vec(),
    }
}

/// A bin of the reliability diagram.
pub fn bin(mean_predicted: f64, observed_rate: f64, count: u64) -> CalibrationBin {
    CalibrationBin {
        mean_predicted,
        observed_rate,
        count,
    }
}

/// The base rate of one date.
pub fn base_rate(date: &str, rows: u64, positives: u64) -> BaseRate {
    BaseRate {
        reference_date: date.to_owned(),
        rows,
        positives,
    }
}

fn importance(feature: &str, share: f64, meaning: &str) -> Importance {
    Importance {
        feature: FeatureText {
            name: feature.to_owned(),
            meaning: meaning.to_owned(),
            window: Window::Days(30),
            ..Default::default()
        },
        share,
    }
}

fn scored() -> Scored {
    let reason = |value, direction| Reason {
        feature: days_since_last_order(Window::Days(30)),
        value,
        direction,
    };
    let column = |meaning: &str, unit: &str, window| FeatureText {
        name: meaning.to_owned(),
        meaning: meaning.to_owned(),
        unit: unit.to_owned(),
        window,
        ..Default::default()
    };
    Scored {
        reference_date: "2018-06-01".to_owned(),
        scores: (0..40)
            .map(|rank| 0.645 - 0.02 * f64::from(rank.min(30)))
            .collect(),
        extra_columns: vec![
            column("state", "", Window::Unsaid),
            column("sales", "R$", Window::Months(6)),
        ],
        top: vec![
            ScoredRow {
                entity_id: "e220a839".to_owned(),
                score: 0.645,
                reasons: vec![
                    reason(Cell::Number(28.0), Direction::Raises),
                    reason(Cell::Missing, Direction::Lowers),
                ],
                extra: vec![Cell::Text("SP".to_owned()), Cell::Number(1_234.56)],
                ..Default::default()
            },
            ScoredRow {
                entity_id: "910a2dec".to_owned(),
                score: 0.625,
                extra: vec![Cell::Missing],
                ..Default::default()
            },
        ],
        ..Default::default()
    }
}

/// Parses a page or a chart, which proves that it is well-formed.
pub fn parse(markup: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    Document::parse_with_options(markup, options).unwrap()
}

/// All text within a node, with single spaces.
pub fn text(node: Node) -> String {
    let texts: Vec<&str> = node
        .descendants()
        .filter(Node::is_text)
        .filter_map(|text| text.text())
        .collect();
    texts
        .concat()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text of all elements of that name.
pub fn texts(document: &Document, name: &str) -> Vec<String> {
    document
        .descendants()
        .filter(|node| node.has_tag_name(name))
        .map(text)
        .collect()
}

/// What a reader sees, one line for each heading, paragraph, item and table row; charts by their label.
pub fn outline(document: &Document) -> String {
    let mut lines = String::new();
    for node in document.descendants() {
        let line = match node.tag_name().name() {
            name @ ("h1" | "h2" | "h3" | "h4" | "p" | "dt" | "dd") => {
                format!("{name}: {}", text(node))
            }
            "a" => format!("a {}: {}", node.attribute("href").unwrap(), text(node)),
            "li" if !node
                .children()
                .any(|child| ["a", "p", "h4"].contains(&child.tag_name().name())) =>
            {
                format!("li: {}", text(node))
            }
            "svg" => format!("svg: {}", node.attribute("aria-label").unwrap()),
            "pre" => format!("pre: {}", text(node)),
            "tr" => {
                let cells = node.children().filter(Node::is_element);
                cells.map(text).collect::<Vec<_>>().join(" | ")
            }
            _ => continue,
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}
