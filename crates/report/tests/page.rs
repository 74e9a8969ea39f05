//! The HTML page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{base_rate, bin, churn, mean, metric_row, outline, parse, small_report, text, texts};
use roxmltree::Node;
use safra_report::{
    Champion, MetricRow, Metrics, ProblemReport, Reason, Report, Scored, ScoredRow, render,
};

#[test]
fn a_small_report_reads_well() {
    let html = render(&small_report()).unwrap();
    insta::assert_snapshot!(outline(&parse(&html)));
}

#[test]
fn an_empty_report_says_what_is_missing() {
    let html = render(&Report::default()).unwrap();
    insta::assert_snapshot!(outline(&parse(&html)));
}

#[test]
fn a_problem_about_which_nothing_is_known_says_so() {
    let report = Report {
        problems: vec![ProblemReport::default()],
        ..Default::default()
    };
    let html = render(&report).unwrap();
    insta::assert_snapshot!(outline(&parse(&html)));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = small_report();
    assert_eq!(render(&report).unwrap(), render(&report).unwrap());
}

#[test]
fn the_page_loads_nothing() {
    let html = render(&small_report()).unwrap();
    let document = parse(&html);
    for node in document.descendants() {
        assert!(
            !["link", "img", "iframe", "object", "image", "use"].contains(&node.tag_name().name())
        );
        for attribute in node.attributes() {
            assert!(!["src", "srcset", "data", "action", "poster"].contains(&attribute.name()));
            if attribute.name() == "href" {
                assert!(attribute.value().starts_with('#'), "{}", attribute.value());
            }
        }
    }
    let style = texts(&document, "style").concat();
    assert!(!style.contains("url(") && !style.contains("@import"));
    let without_namespace = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!without_namespace.contains("http://") && !without_namespace.contains("https://"));
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let mut report = small_report();
    report.problems.push(churn());
    let html = render(&report).unwrap();
    let document = parse(&html);
    let ids: Vec<&str> = document
        .descendants()
        .filter_map(|n| n.attribute("id"))
        .collect();
    let targets: Vec<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("href"))
        .map(|href| href.trim_start_matches('#'))
        .collect();
    assert_eq!(targets.len(), 3 + 2 * 4);
    assert!(
        targets
            .iter()
            .all(|target| ids.iter().filter(|id| id == &target).count() == 1)
    );
}

#[test]
fn text_from_the_data_is_never_markup() {
    const HOSTILE: &str =
        "</title></style><script>alert(1)</script><img src=x onerror='a'>\"&amp;\u{0}";
    let hostile = || HOSTILE.to_owned();
    let mut report = small_report();
    report.title = hostile();
    report.project = hostile();
    report.data_from = hostile();
    report.data_until = hostile();
    report.generated_for = hostile();
    report.steps[0].name = hostile();
    report.steps[0].detail = hostile();
    report.tables[0].name = hostile();
    report.tables[0].path = hostile();
    report.problems.push(hostile_problem(HOSTILE));
    let html = render(&report).unwrap();
    let document = parse(&html);
    let count = |name: &str| texts(&document, name).len();
    assert_eq!(
        (count("script"), count("img"), count("style"), count("body")),
        (1, 0, 1, 1)
    );
    let attributes: Vec<_> = document
        .descendants()
        .flat_map(|node| node.attributes())
        .collect();
    assert!(
        attributes
            .iter()
            .all(|attribute| attribute.name() != "onerror")
    );
    let shown = HOSTILE.replace('\u{0}', "\u{fffd}");
    assert_eq!(texts(&document, "h1"), [shown.as_str()]);
    let ids = document
        .descendants()
        .filter(|n| n.attribute("class") == Some("id"));
    assert!(ids.map(text).any(|id| id == shown));
}

fn hostile_problem(hostile: &str) -> ProblemReport {
    let hostile = || hostile.to_owned();
    let mut problem = churn();
    problem.name = hostile();
    problem.title = hostile();
    problem.question = hostile();
    problem.entity = hostile();
    problem.rows = hostile();
    problem.positive = hostile();
    problem.cohort = hostile();
    problem.label = hostile();
    problem.champion = Some(Champion {
        learner: hostile(),
        version: hostile(),
        trained_until: hostile(),
        ..Default::default()
    });
    problem.metrics[0].learner = hostile();
    problem.metrics[0].reference_date = hostile();
    problem.means[0].learner = hostile();
    problem.roc_curves[0].learner = hostile();
    problem.importances[0].feature = hostile();
    problem.importances[0].meaning = hostile();
    problem.base_rates[0].reference_date = hostile();
    problem.scored.reference_date = hostile();
    problem.scored.extra_columns[0] = hostile();
    problem.scored.top[0].entity_id = hostile();
    problem.scored.top[0].reasons[0].feature = hostile();
    problem.scored.top[0].reasons[0].meaning = hostile();
    problem
}

#[test]
fn long_lists_are_cut_and_the_page_stays_small() {
    let problem = ProblemReport {
        metrics: (0..1_000).flat_map(metrics_of_day).collect(),
        scored: many_scores(),
        ..churn()
    };
    let report = Report {
        problems: vec![problem; 4],
        ..small_report()
    };
    let html = render(&report).unwrap();
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains("The 200 highest of 100,000 are listed."));
    assert!(html.contains("The latest 300 of 5,000 rows."));
}

/// Five learners on one of a thousand days.
fn metrics_of_day(day: u32) -> [MetricRow; 5] {
    let (year, month) = (day / 336, day / 28 % 12 + 1);
    let date = format!("20{year:02}-{month:02}-{:02}", day % 28 + 1);
    [
        "baseline",
        "lightgbm",
        "logistic_regression",
        "recency",
        "random_forest",
    ]
    .map(|learner| metric_row(&date, learner, 0.8))
}

fn many_scores() -> Scored {
    let reason = Reason {
        feature: "share_of_orders_from_the_state_of_sao_paulo_6mo".to_owned(),
        meaning: "Share of orders from the state of São Paulo in the last 6 months".to_owned(),
        value: Some(0.123_456_789),
        ..Default::default()
    };
    let row = |rank: u32| ScoredRow {
        entity_id: format!("{rank:032x}"),
        score: 0.9,
        reasons: vec![reason.clone(); 5],
        extra: Vec::new(),
    };
    Scored {
        scores: (0..100_000)
            .map(|rank| f64::from(rank) / 100_000.0)
            .collect(),
        top: (0..5_000).map(row).collect(),
        ..Default::default()
    }
}

#[test]
fn undefined_values_are_dashes_everywhere() {
    let undefined = Metrics {
        roc_auc: Some(f64::NAN),
        brier: Some(f64::INFINITY),
        ..Default::default()
    };
    let mut problem = churn();
    problem.metrics.push(MetricRow {
        reference_date: "2018-02-01".to_owned(),
        learner: "lightgbm".to_owned(),
        metrics: undefined,
        ..Default::default()
    });
    problem.base_rates.push(base_rate("2018-02-01", 0, 0));
    problem.scored.scores.push(f64::NAN);
    let report = Report {
        problems: vec![problem],
        ..Default::default()
    };
    let html = render(&report).unwrap();
    assert!(!html.contains("NaN") && !html.contains(">inf"));
    let document = parse(&html);
    let rows: Vec<String> = document
        .descendants()
        .filter(|n| n.has_tag_name("tr"))
        .map(row)
        .collect();
    assert!(
        rows.contains(&"1 Feb 2018 LightGBM 0 0 0 – – – – – –".to_owned()),
        "{rows:?}"
    );
}

fn row(node: Node) -> String {
    let cells: Vec<String> = node.children().filter(Node::is_element).map(text).collect();
    cells.join(" ")
}

fn answer(problem: ProblemReport) -> String {
    let report = Report {
        problems: vec![problem],
        ..Default::default()
    };
    let html = render(&report).unwrap();
    let document = parse(&html);
    let mut nodes = document.descendants();
    text(
        nodes
            .find(|node| node.attribute("class") == Some("answer"))
            .unwrap(),
    )
}

#[test]
fn the_answer_compares_with_more_decimals_where_two_would_look_equal() {
    let mut problem = churn();
    problem.means = vec![
        mean("lightgbm", 0.8712),
        mean("recency", 0.8668),
        mean("baseline", 0.5),
    ];
    let said = answer(problem);
    assert!(said.contains("a mean ROC AUC of 0.871,"), "{said}");
    assert!(
        said.contains("sorting by recency alone gives 0.867."),
        "{said}"
    );
    assert!(
        !said.contains("base rate"),
        "a learner at chance is no comparison: {said}"
    );
}

#[test]
fn the_answer_fits_one_learner_one_date_and_one_row() {
    let problem = ProblemReport {
        metrics: vec![metric_row("2018-05-07", "lightgbm", 0.9)],
        means: vec![mean("lightgbm", 0.9)],
        scored: Scored {
            reference_date: "2018-06-04".to_owned(),
            scores: vec![0.33],
            ..Default::default()
        },
        champion: None,
        ..churn()
    };
    assert_eq!(
        answer(problem),
        "One seller was asked about on 4 June 2018: the probability that the seller stops selling is 33\u{a0}%. \
         On 1 past Monday (7 May 2018), the best learner, LightGBM, ranked the sellers with a mean ROC AUC of \
         0.90, where 0.5 is chance and 1 is perfect. For the tenth of the sellers that it ranked highest, it \
         came true 2.7 times as often as on average."
            .replace('\u{a0}', " ")
    );
}

fn cautions(problem: ProblemReport) -> Vec<String> {
    let report = Report {
        problems: vec![problem],
        ..Default::default()
    };
    let html = render(&report).unwrap();
    let document = parse(&html);
    let list = document
        .descendants()
        .find(|n| n.attribute("class") == Some("cautions"));
    list.map_or_else(Vec::new, |list| {
        list.descendants()
            .filter(|n| n.has_tag_name("li"))
            .map(text)
            .collect()
    })
}

#[test]
fn a_sound_result_carries_no_caution() {
    let mut problem = churn();
    problem.scored.scores = vec![0.25; 40];
    assert_eq!(cautions(problem), Vec::<String>::new());
}

#[test]
fn weak_results_carry_their_cautions() {
    let mut problem = churn();
    problem
        .metrics
        .retain(|row| row.reference_date != "2018-03-01");
    problem.means = vec![mean("lightgbm", 0.81), mean("recency", 0.82)];
    problem.calibration = vec![bin(0.3, 0.2, 100)];
    problem.scored.scores = vec![0.9; 40];
    assert_eq!(
        cautions(problem),
        [
            "Only 2 past month starts were tested: a good or bad result may be luck.",
            "Recency rule has a higher mean ROC AUC than the champion: 0.820 against 0.810.",
            "The probabilities were off by 10.0 percentage points on average: trust the order of the sellers more than the number.",
            "The mean probability now, 90 %, lies far outside the base rates of the past, 23 % to 26 %.",
        ]
    );
}
