//! The charts as files of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{base_rate, bin, churn, curve, metric_row, pages, parse, small_report, texts};
use proptest::prelude::*;
use safra_report::{
    BaseRate, CalibrationBin, FeatureText, Importance, Language, LearnerMean, MetricRow, Metrics,
    ProblemReport, Report, ReportError, RocCurve, RocPoint, Scored, charts, render,
};

type Draw = fn(&ProblemReport) -> Result<String, ReportError>;

const CHARTS: [Draw; 6] = [
    charts::backtest_lines,
    charts::base_rate,
    charts::roc,
    charts::calibration,
    charts::importance,
    charts::histogram,
];

/// The title that a chart draws above itself.
fn title(draw: Draw, problem: &ProblemReport) -> String {
    let svg = draw(problem).unwrap();
    texts(&parse(&svg), "title").remove(0)
}

#[test]
fn a_chart_is_a_complete_file() {
    insta::assert_snapshot!(charts::histogram(&churn()).unwrap());
}

#[test]
fn charts_have_a_name_for_those_who_do_not_see_them() {
    for draw in CHARTS {
        let svg = draw(&churn()).unwrap();
        let document = parse(&svg);
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let title = root.first_element_child().unwrap();
        assert!(title.has_tag_name("title"));
        assert!(
            root.attribute("aria-label")
                .unwrap()
                .starts_with(title.text().unwrap())
        );
    }
}

#[test]
fn titles_state_what_the_data_show() {
    let problem = churn();
    let titles = CHARTS.map(|draw| title(draw, &problem));
    assert_eq!(
        titles,
        [
            "LightGBM ranks best on 2 of 3 past month starts",
            "The base rate lay between 23 % and 26 %",
            "At 10 % false alarms, LightGBM finds 35 % of the positives",
            "Probabilities were off by 2.5 percentage points on average",
            "Most weight: Days since last order (75 %)",
            "4 of 40 sellers have a probability of 58 % or more",
        ]
    );
}

#[test]
fn charts_without_data_say_so() {
    let empty = ProblemReport::default();
    for draw in CHARTS {
        let svg = draw(&empty).unwrap();
        let document = parse(&svg);
        assert!(texts(&document, "title")[0].starts_with("No"), "{svg}");
        assert!(texts(&document, "path").is_empty());
    }
    assert!(charts::files(&empty).unwrap().is_empty());
}

#[test]
fn files_are_the_charts_that_have_data() {
    let problem = churn();
    let files = charts::files(&problem).unwrap();
    let names: Vec<&str> = files.keys().copied().collect();
    assert_eq!(
        names,
        [
            "backtest_lines.svg",
            "base_rate.svg",
            "calibration.svg",
            "histogram.svg",
            "importance.svg",
            "roc.svg"
        ]
    );
    assert_eq!(files["roc.svg"], charts::roc(&problem).unwrap());
}

#[test]
fn one_learner_on_one_date_is_a_point() {
    let problem = ProblemReport {
        metrics: vec![metric_row("2018-05-01", "recency", 0.82)],
        base_rates: vec![base_rate("2018-05-01", 10, 3)],
        ..Default::default()
    };
    assert_eq!(
        title(charts::backtest_lines, &problem),
        "The simple rule ranks with a ROC AUC of 0.82"
    );
    assert_eq!(title(charts::base_rate, &problem), "The base rate was 30 %");
}

#[test]
fn two_learners_on_one_date_are_compared_on_that_date() {
    let problem = ProblemReport {
        metrics: vec![
            metric_row("2018-05-01", "recency", 0.82),
            metric_row("2018-05-01", "lightgbm", 0.81),
        ],
        ..Default::default()
    };
    assert_eq!(
        title(charts::backtest_lines, &problem),
        "The simple rule ranks best on 1 May 2018"
    );
}

#[test]
fn learners_at_chance_are_named_but_not_drawn() {
    let mut problem = churn();
    let drawn = charts::backtest_lines(&problem).unwrap();
    for date in ["2018-03-01", "2018-04-01"] {
        problem.metrics.push(metric_row(date, "baseline", 0.5));
    }
    let svg = charts::backtest_lines(&problem).unwrap();
    assert!(svg.contains("Not drawn, at 0.5 by construction: Constant base rate."));
    let paths = |svg: &str| texts(&parse(svg), "path").len();
    assert_eq!(paths(&svg), paths(&drawn));
    problem.metrics.retain(|row| row.learner == "baseline");
    let alone = charts::backtest_lines(&problem).unwrap();
    assert!(paths(&alone) > 0 && !alone.contains("Not drawn"));
}

#[test]
fn a_long_curve_is_thinned_without_losing_its_ends() {
    let mut long = curve("lightgbm", 0.5);
    long.points = (0..=100_000)
        .map(|index| f64::from(index) / 100_000.0)
        .map(|rate| RocPoint {
            false_positive_rate: rate,
            true_positive_rate: rate.sqrt(),
        })
        .collect();
    let problem = ProblemReport {
        roc_curves: vec![long],
        ..Default::default()
    };
    let svg = charts::roc(&problem).unwrap();
    assert!(svg.len() < 20_000, "{} bytes", svg.len());
    let points = longest_line(&svg);
    assert!(
        points
            .windows(2)
            .all(|p| p[0].0 <= p[1].0 && p[0].1 >= p[1].1)
    );
    let (first, last) = (points[0], points[points.len() - 1]);
    let diagonal = format!("M{} {}L{} {}", first.0, first.1, last.0, last.1);
    assert!(svg.contains(&diagonal), "{diagonal}");
}

/// The points of the line with the longest path data.
fn longest_line(svg: &str) -> Vec<(f64, f64)> {
    let document = parse(svg);
    let paths = document
        .descendants()
        .filter_map(|node| node.attribute("d"));
    let longest = paths.max_by_key(|path| path.len()).unwrap();
    let pairs = longest.trim_start_matches('M').split('L');
    pairs
        .map(|pair| pair.split_once(' ').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect()
}

#[test]
fn the_champion_is_drawn_on_top() {
    let svg = charts::roc(&churn()).unwrap();
    let curves: Vec<&str> = svg
        .lines()
        .filter(|line| {
            line.contains("stroke-width=\"2.5\"") || line.contains("stroke-width=\"1.75\"")
        })
        .collect();
    assert!(curves.last().unwrap().contains("#0072b2"));
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..1.0_f64, 1 => any::<f64>()]
}

fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (2016..2019, 1..13, 1..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}")),
        1 => any::<String>(),
    ]
}

fn learner() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("lightgbm".to_owned()), 3 => Just("recency".to_owned()), 1 => any::<String>()]
}

prop_compose! {
    fn any_metrics()(roc_auc in prop::option::of(number()), lift in prop::option::of(number())) -> Metrics {
        Metrics { roc_auc, lift_at_10: lift, ..Default::default() }
    }
}

prop_compose! {
    fn any_backtest()(
        rows in prop::collection::vec((date(), learner(), any_metrics()), 0..60),
        means in prop::collection::vec((learner(), any_metrics()), 0..4),
        curves in prop::collection::vec((learner(), prop::collection::vec((number(), number()), 0..8)), 0..4),
    ) -> ProblemReport {
        ProblemReport {
            metrics: rows
                .into_iter()
                .map(|(reference_date, learner, metrics)| MetricRow { reference_date, learner, metrics, ..Default::default() })
                .collect(),
            means: means.into_iter().map(|(learner, metrics)| LearnerMean { learner, metrics, ..Default::default() }).collect(),
            roc_curves: curves
                .into_iter()
                .map(|(learner, points)| RocCurve {
                    learner,
                    points: points
                        .into_iter()
                        .map(|(false_positive_rate, true_positive_rate)| RocPoint { false_positive_rate, true_positive_rate })
                        .collect(),
                })
                .collect(),
            ..Default::default()
        }
    }
}

prop_compose! {
    fn any_problem()(
        problem in any_backtest(),
        names in (any::<String>(), any::<String>(), any::<String>()),
        bins in prop::collection::vec((number(), number(), any::<u64>()), 0..12),
        rates in prop::collection::vec((date(), any::<u64>(), any::<u64>()), 0..60),
        importances in prop::collection::vec((any::<String>(), number(), any::<String>()), 0..15),
        scores in prop::collection::vec(number(), 0..60),
    ) -> ProblemReport {
        ProblemReport {
            entity: names.0,
            rows: names.1,
            positive: names.2,
            calibration: bins.into_iter().map(|(predicted, observed, count)| bin(predicted, observed, count)).collect::<Vec<CalibrationBin>>(),
            base_rates: rates.into_iter().map(|(date, rows, positives)| base_rate(&date, rows, positives)).collect::<Vec<BaseRate>>(),
            importances: importances
                .into_iter()
                .map(|(feature, share, meaning)| Importance { feature: FeatureText { name: feature, meaning, ..Default::default() }, share })
                .collect(),
            scored: Scored { scores, ..Default::default() },
            ..problem
        }
    }
}

/// Every number of an attribute that places a mark.
fn places(node: roxmltree::Node) -> Vec<(bool, f64)> {
    let number = |name: &str| {
        node.attribute(name)
            .map(|value| value.parse::<f64>().unwrap())
    };
    let start = [("x", true), ("y", false)];
    let mut places: Vec<(bool, f64)> = start
        .into_iter()
        .filter_map(|(name, is_x)| Some((is_x, number(name)?)))
        .collect();
    if let (Some(x), Some(y), Some(width), Some(height)) =
        (number("x"), number("y"), number("width"), number("height"))
    {
        places.extend([(true, x + width), (false, y + height)]);
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_input_gives_a_picture_within_its_frame(problem in any_problem()) {
        for draw in CHARTS {
            let svg = draw(&problem).unwrap();
            let document = parse(&svg);
            let root = document.root_element();
            let size = |name: &str| root.attribute(name).unwrap().parse::<f64>().unwrap();
            let (width, height) = (size("width"), size("height"));
            for node in document.descendants() {
                prop_assert!(node.attribute("d").is_none_or(|d| !d.contains("NaN") && !d.contains("inf")));
                for (is_x, place) in places(node) {
                    let end = if is_x { width } else { height };
                    prop_assert!((-12.0..=end + 12.0).contains(&place), "{place} of {end}: {svg}");
                }
            }
        }
    }

    #[test]
    fn any_input_gives_a_page(problem in any_problem(), language in prop::sample::select(&Language::ALL[..])) {
        let report = Report { language, pages: pages([problem]), ..small_report() };
        let html = render(&report).unwrap();
        prop_assert_eq!(texts(&parse(&html), "script").len(), 1);
        prop_assert_eq!(&html, &render(&report).unwrap());
    }
}
