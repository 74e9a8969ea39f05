//! Writes a report with invented but plausible numbers, to look at in a browser:
//! `cargo run --release -p safra-report --example sample_report -- sample.html [pt-BR] [charts-folder]`.

use std::error::Error;
use std::path::Path;

use safra_report::{
    BaseRate, CalibrationBin, Cell, Champion, Direction, Estimate, FeatureText, Importance,
    Interval, Intervals, KeyFigure, Language, LearnerMean, MetricRow, Metrics, Page, PeriodValue,
    ProblemReport, Reason, Report, RocCurve, RocPoint, Rule, Scored, ScoredRow, StepTime,
    TableSummary, Untrained, Window, charts, render,
};

const LEARNERS: [&str; 4] = ["baseline", "recency", "logistic_regression", "lightgbm"];

/// Reference date, rows and positives of the cohort, and ROC AUC of the last three learners.
const BACKTEST: [(&str, u64, u64, [f64; 3]); 7] = [
    ("2017-11-01", 1_012, 243, [0.812, 0.851, 0.848]),
    ("2017-12-01", 1_176, 331, [0.826, 0.858, 0.871]),
    ("2018-01-01", 1_195, 318, [0.809, 0.856, 0.869]),
    ("2018-02-01", 1_291, 302, [0.831, 0.872, 0.884]),
    ("2018-03-01", 1_367, 329, [0.818, 0.866, 0.863]),
    ("2018-04-01", 1_452, 362, [0.822, 0.868, 0.879]),
    ("2018-05-01", 1_534, 411, [0.824, 0.861, 0.876]),
];

/// Feature, meaning, unit, what a missing value means, share of importance, a typical value for a seller about
/// to leave, and window.
type Described = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    f64,
    f64,
    Window,
);

const FEATURES: [Described; 12] = [
    (
        "days_since_last_order",
        "days since the last sale",
        "",
        "no sale",
        0.238,
        36.0,
        Window::All,
    ),
    (
        "orders",
        "orders",
        "",
        "no order",
        0.121,
        1.0,
        Window::Days(30),
    ),
    (
        "avg_days_between_sales",
        "mean days between consecutive days with a sale",
        "",
        "fewer than two days with a sale",
        0.094,
        18.4,
        Window::Months(6),
    ),
    (
        "days_with_sale",
        "days with a sale",
        "",
        "no sale",
        0.081,
        3.0,
        Window::Days(90),
    ),
    (
        "days_since_first_order",
        "days since the first sale",
        "",
        "no sale",
        0.058,
        71.0,
        Window::All,
    ),
    (
        "revenue",
        "sales",
        "R$",
        "no sale",
        0.043,
        412.8,
        Window::Months(6),
    ),
    (
        "avg_review_score",
        "mean review score",
        "",
        "no review",
        0.036,
        3.25,
        Window::Months(6),
    ),
    (
        "late_share",
        "share of orders delivered late",
        "%",
        "no settled order",
        0.031,
        0.25,
        Window::Months(6),
    ),
    (
        "customer_states",
        "customer states reached",
        "",
        "",
        0.027,
        3.0,
        Window::Months(6),
    ),
    (
        "avg_freight",
        "mean freight per order",
        "R$",
        "no order",
        0.025,
        21.74,
        Window::Months(6),
    ),
    (
        "avg_ticket",
        "mean order value",
        "R$",
        "no order",
        0.022,
        103.2,
        Window::Days(90),
    ),
    (
        "credit_card_value_share",
        "share of value paid by credit card",
        "%",
        "no payment",
        0.019,
        0.714,
        Window::Months(6),
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let page = arguments.next().unwrap_or_else(|| "sample.html".to_owned());
    let tag = arguments.next().unwrap_or_default();
    let report = sample(Language::of_tag(&tag).unwrap_or_default());
    std::fs::write(&page, render(&report)?)?;
    if let Some(folder) = arguments.next() {
        std::fs::create_dir_all(&folder)?;
        for (name, svg) in charts::files(&churn())? {
            std::fs::write(Path::new(&folder).join(name), svg)?;
        }
    }
    Ok(())
}

fn sample(language: Language) -> Report {
    Report {
        language,
        title: "Olist, the Brazilian marketplace".to_owned(),
        project: "olist".to_owned(),
        data_from: "2016-09-04".to_owned(),
        data_until: "2018-05-31".to_owned(),
        generated_for: "2018-06-01".to_owned(),
        figures: figures(),
        pages: vec![
            Page::Problem(Box::new(churn())),
            Page::Problem(Box::new(late_orders())),
            Page::Untrained(Untrained {
                name: "activation".to_owned(),
                title: "Seller activation".to_owned(),
                question: "Which signed sellers may never make a sale?".to_owned(),
                commands: vec![
                    "safra train activation".to_owned(),
                    "safra promote activation".to_owned(),
                ],
            }),
        ],
        steps: steps(),
        tables: tables(),
    }
}

fn figures() -> Vec<KeyFigure> {
    let figure = |label: &str, unit: &str, values: [f64; 8]| KeyFigure {
        label: label.to_owned(),
        unit: unit.to_owned(),
        values: (1..)
            .zip(values)
            .map(|(month, value)| PeriodValue {
                period: format!("2018-{month:02}-01"),
                value,
            })
            .collect(),
    };
    let orders = [
        4_631.0, 4_285.0, 7_544.0, 5_673.0, 7_269.0, 6_728.0, 7_211.0, 6_873.0,
    ];
    vec![
        figure("orders", "", orders),
        figure("sales", "R$", orders.map(|orders| orders * 137.4)),
        figure(
            "sellers with a sale",
            "",
            orders.map(|orders| (orders * 0.17).round()),
        ),
        figure(
            "late orders",
            "%",
            [0.043, 0.052, 0.136, 0.081, 0.067, 0.157, 0.211, 0.049],
        ),
    ]
}

/// The same numbers as a problem whose rows have a time of their own.
fn late_orders() -> ProblemReport {
    let mut problem = ProblemReport {
        name: "delay".to_owned(),
        title: "Late orders".to_owned(),
        question: "Which approved orders will miss their promise?".to_owned(),
        entity: "order".to_owned(),
        rows: "orders".to_owned(),
        positive: "is not delivered by the end of its promised day".to_owned(),
        events: true,
        ..churn()
    };
    problem.rule = None;
    for (rank, row) in (0..).zip(&mut problem.scored.top) {
        row.time = format!("2018-05-{:02}T{:02}:15:00", 31 - rank % 9, 8 + rank % 12);
    }
    problem
}

fn churn() -> ProblemReport {
    ProblemReport {
        name: "churn".to_owned(),
        title: "Seller churn".to_owned(),
        question: "Which sellers who sold in the last 45 days are about to complete 45 days without a sale?".to_owned(),
        entity: "seller".to_owned(),
        rows: "sellers".to_owned(),
        positive: "goes on to complete 45 days without a sale".to_owned(),
        cohort: "Sellers with a sale in the last 45 days, on the first day of each month."
            .to_owned(),
        label: "The seller completes 45 days without a sale, counted from the last one.".to_owned(),
        champion: Some(Champion {
            learner: "lightgbm".to_owned(),
            version: "3".to_owned(),
            train_rows: 11_482,
            features: 214,
            trained_until: "2018-06-01".to_owned(),
        }),
        rule: Some(Rule {
            learner: "recency".to_owned(),
            feature: feature(FEATURES[0], Window::All),
            difference: Some(Estimate {
                value: 0.050,
                interval: interval(0.050, 0.012),
            }),
        }),
        metrics: metric_rows(),
        means: means(),
        roc_curves: LEARNERS.map(roc_curve).to_vec(),
        calibration: calibration(),
        importances: FEATURES
            .map(|described| Importance {
                feature: feature(described, Window::Unsaid),
                share: described.4,
            })
            .to_vec(),
        base_rates: base_rates(),
        scored: scored(),
        ..ProblemReport::default()
    }
}

fn interval(value: f64, half: f64) -> Option<Interval> {
    Some(Interval {
        low: value - half,
        high: (value + half * 0.9).min(1.0),
    })
}

fn intervals(roc_auc: f64, half: f64) -> Intervals {
    Intervals {
        roc_auc: interval(roc_auc, half).filter(|_| roc_auc != 0.5),
        ..Intervals::default()
    }
}

fn feature((name, meaning, unit, none, ..): Described, window: Window) -> FeatureText {
    FeatureText {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        unit: unit.to_owned(),
        none: none.to_owned(),
        window,
    }
}

/// ROC AUC of a learner on one date of the backtest.
fn roc_auc(learner: &str, ranked: [f64; 3]) -> f64 {
    match learner {
        "recency" => ranked[0],
        "logistic_regression" => ranked[1],
        "lightgbm" => ranked[2],
        _ => 0.5,
    }
}

/// Metrics that go with a ROC AUC and a base rate.
fn metrics(roc_auc: f64, base_rate: f64) -> Metrics {
    let skill = (roc_auc - 0.5) * 2.0;
    let entropy = -(base_rate * base_rate.ln() + (1.0 - base_rate) * (1.0 - base_rate).ln());
    Metrics {
        roc_auc: Some(roc_auc),
        average_precision: Some(base_rate + (1.0 - base_rate) * skill * 0.62),
        log_loss: Some(entropy * (1.0 - 0.42 * skill)),
        brier: Some(base_rate * (1.0 - base_rate) * (1.0 - 0.48 * skill)),
        ece: Some(0.012 + 0.02 * (1.0 - skill)),
        lift_at_10: Some(1.0 + 2.6 * skill),
    }
}

fn metric_rows() -> Vec<MetricRow> {
    let mut rows = Vec::new();
    let mut train_rows = 2_914;
    for (date, cohort, positives, ranked) in BACKTEST {
        for learner in LEARNERS {
            let base_rate = positives as f64 / cohort as f64;
            rows.push(MetricRow {
                reference_date: date.to_owned(),
                learner: learner.to_owned(),
                train_rows,
                rows: cohort,
                positives,
                metrics: metrics(roc_auc(learner, ranked), base_rate),
                intervals: intervals(roc_auc(learner, ranked), 0.021),
            });
        }
        train_rows += cohort;
    }
    rows
}

fn means() -> Vec<LearnerMean> {
    let dates = BACKTEST.len() as f64;
    let base_rate = BACKTEST
        .iter()
        .map(|row| row.2 as f64 / row.1 as f64)
        .sum::<f64>()
        / dates;
    let mean = |learner: &str| {
        BACKTEST
            .iter()
            .map(|row| roc_auc(learner, row.3))
            .sum::<f64>()
            / dates
    };
    LEARNERS
        .map(|learner| LearnerMean {
            learner: learner.to_owned(),
            metrics: metrics(mean(learner), base_rate),
            intervals: intervals(mean(learner), 0.009),
        })
        .to_vec()
}

/// The curve `y = x^k` whose area is the learner's mean ROC AUC, with many points as a real one has.
fn roc_curve(learner: &str) -> RocCurve {
    let area = roc_auc(learner, [0.819, 0.861, 0.869]);
    let points = if area == 0.5 { 1 } else { 6_000 };
    let exponent = (1.0 - area) / area;
    let point = |index: i32| {
        let x = f64::from(index) / f64::from(points);
        RocPoint {
            false_positive_rate: x,
            true_positive_rate: x.powf(exponent),
        }
    };
    RocCurve {
        learner: learner.to_owned(),
        points: (0..=points).map(point).collect(),
    }
}

fn calibration() -> Vec<CalibrationBin> {
    [
        (0.012, 0.009, 903),
        (0.031, 0.028, 903),
        (0.058, 0.066, 903),
        (0.093, 0.085, 903),
        (0.142, 0.153, 903),
        (0.211, 0.197, 902),
        (0.302, 0.316, 902),
        (0.418, 0.392, 902),
        (0.556, 0.571, 903),
        (0.748, 0.726, 903),
    ]
    .map(|(mean_predicted, observed_rate, count)| CalibrationBin {
        mean_predicted,
        observed_rate,
        count,
    })
    .to_vec()
}

fn base_rates() -> Vec<BaseRate> {
    let earlier = [
        ("2017-04-01", 488, 118),
        ("2017-05-01", 566, 131),
        ("2017-06-01", 640, 171),
        ("2017-07-01", 711, 170),
        ("2017-08-01", 803, 181),
        ("2017-09-01", 889, 224),
        ("2017-10-01", 941, 219),
    ];
    let backtest = BACKTEST.map(|(date, rows, positives, _)| (date, rows, positives));
    earlier
        .into_iter()
        .chain(backtest)
        .map(|(date, rows, positives)| BaseRate {
            reference_date: date.to_owned(),
            rows,
            positives,
        })
        .collect()
}

fn scored() -> Scored {
    const SELLERS: u32 = 1_612;
    let score = |rank: u32| {
        0.012 + 0.93 * ((f64::from(SELLERS - rank) - 0.5) / f64::from(SELLERS)).powf(3.1)
    };
    Scored {
        reference_date: "2018-06-01".to_owned(),
        scores: (0..SELLERS).map(score).collect(),
        extra_columns: vec![
            FeatureText {
                name: "state".to_owned(),
                ..FeatureText::default()
            },
            feature(FEATURES[5], Window::Months(6)),
        ],
        top: (0..25).map(|rank| scored_row(rank, score(rank))).collect(),
        ..Scored::default()
    }
}

fn scored_row(rank: u32, score: f64) -> ScoredRow {
    let states = ["SP", "MG", "PR", "SP", "RJ", "SC", "SP", "RS"];
    let number = hash(u64::from(rank));
    let reason = |place: u64| {
        let described = FEATURES[((number % 4 + place * (1 + number % 3)) % 10) as usize];
        let (value, window) = (described.5, described.6);
        let is_whole = value == value.round();
        let scaled = value * (0.75 + f64::from((number >> place) as u8) / 512.0);
        let value = if is_whole { scaled.round() } else { scaled };
        Reason {
            feature: feature(described, window),
            value: if number % 11 == place {
                Cell::Missing
            } else {
                Cell::Number(value)
            },
            direction: if place == 2 {
                Direction::Lowers
            } else {
                Direction::Raises
            },
        }
    };
    ScoredRow {
        entity_id: format!("{number:016x}{:016x}", hash(number)),
        score,
        time: String::new(),
        reasons: (0..3).map(reason).collect(),
        extra: vec![
            Cell::Text(states[(number % 8) as usize].to_owned()),
            if rank == 6 {
                Cell::Missing
            } else {
                Cell::Number((number % 90_000) as f64 / 10.0)
            },
        ],
    }
}

/// The finaliser of SplitMix64.
fn hash(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn steps() -> Vec<StepTime> {
    [
        ("ingest", 4.82, "11 files, 1,496,301 rows read, 3 rejected"),
        ("features", 6.31, "7 views, 14 month starts, 17,605 rows"),
        (
            "dataset",
            0.74,
            "13,116 rows with 214 features, 1,612 without a label yet",
        ),
        ("backtest", 38.6, "4 learners on 7 dates"),
        (
            "train",
            71.4,
            "challenger fitted, compared with version 2 and promoted",
        ),
        ("predict", 0.38, "1,612 scores"),
    ]
    .map(|(name, seconds, detail)| StepTime {
        name: name.to_owned(),
        seconds,
        detail: detail.to_owned(),
    })
    .to_vec()
}

fn tables() -> Vec<TableSummary> {
    [
        ("sources/orders", 85_472, 0),
        ("sources/order_items", 97_013, 0),
        ("sources/payments", 89_220, 1),
        ("sources/reviews", 84_310, 2),
        ("sources/sellers", 3_095, 0),
        ("sources/products", 32_951, 0),
        ("features/seller_sales", 17_605, 0),
        ("datasets/churn", 13_116, 0),
        ("predictions/churn", 1_612, 0),
    ]
    .map(|(name, rows, rejected)| TableSummary {
        name: name.to_owned(),
        rows,
        rejected,
    })
    .to_vec()
}
