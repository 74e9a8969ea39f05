//! The HTML page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{
    base_rate, bin, churn, days_since_last_order, interval, mean, metric_row, outline, pages,
    parse, small_report, text, texts,
};
use roxmltree::Node;
use safra_report::{
    Cell, Champion, Estimate, KeyFigure, Language, MetricRow, Metrics, Page, PeriodValue,
    ProblemReport, Reason, Report, Rule, Scored, ScoredRow, Untrained, Window, render,
};

#[test]
fn a_small_report_reads_well() {
    let html = render(&small_report()).unwrap();
    insta::assert_snapshot!(outline(&parse(&html)));
}

#[test]
fn a_small_report_reads_well_in_portuguese() {
    let html = render(&in_portuguese()).unwrap();
    let document = parse(&html);
    assert_eq!(document.root_element().attribute("lang"), Some("pt-BR"));
    insta::assert_snapshot!(outline(&document));
}

/// The small report, with the texts of the input in Portuguese as well, and an event as the row.
fn in_portuguese() -> Report {
    let mut problem = churn();
    problem.title = "Entregas atrasadas".to_owned();
    problem.question = "Quais entregas vão atrasar?".to_owned();
    problem.entity = "entrega".to_owned();
    problem.rows = "entregas".to_owned();
    problem.positive = "chega atrasada".to_owned();
    problem.feminine = true;
    problem.events = true;
    problem.scored.act_on_lowest = true;
    problem.scored.top[0].time = "2018-05-31T14:05:00".to_owned();
    Report {
        language: Language::Portuguese,
        title: "Relatório do marketplace".to_owned(),
        pages: pages([problem]),
        ..small_report()
    }
}

#[test]
fn an_empty_report_says_what_is_missing() {
    let html = render(&Report::default()).unwrap();
    insta::assert_snapshot!(outline(&parse(&html)));
}

#[test]
fn a_problem_about_which_nothing_is_known_says_so() {
    let report = Report {
        pages: pages([ProblemReport::default()]),
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
    report.pages.extend(pages([churn()]));
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
    let (pages, problems) = (3, 2);
    assert_eq!(targets.len(), (2 + pages) + 2 * pages + 4 * problems);
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
    report.figures[0].label = hostile();
    report.figures[0].unit = hostile();
    report.figures[0].values[2].period = hostile();
    report.pages.extend(pages([hostile_problem(HOSTILE)]));
    report.pages.push(Page::Untrained(Untrained {
        name: hostile(),
        title: hostile(),
        question: hostile(),
        commands: vec![hostile()],
    }));
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
    problem.importances[0].feature.name = hostile();
    problem.importances[0].feature.meaning = hostile();
    problem.rule = Some(Rule {
        learner: hostile(),
        feature: problem.importances[0].feature.clone(),
        ..Default::default()
    });
    problem.base_rates[0].reference_date = hostile();
    problem.scored.reference_date = hostile();
    problem.scored.extra_columns[0].meaning = hostile();
    problem.scored.extra_columns[1].unit = hostile();
    problem.scored.top[0].entity_id = hostile();
    problem.scored.top[0].time = hostile();
    problem.scored.top[0].extra[0] = Cell::Text(hostile());
    problem.scored.top[0].reasons[0].feature.meaning = hostile();
    problem.scored.top[0].reasons[1].feature.none = hostile();
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
        pages: pages(vec![problem; 4]),
        ..small_report()
    };
    let html = render(&report).unwrap();
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains("The 200 sellers with the highest probability, of 100,000."));
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
        feature: days_since_last_order(Window::Months(6)),
        value: Cell::Number(0.123_456_789),
        ..Default::default()
    };
    let row = |rank: u32| ScoredRow {
        entity_id: format!("{rank:032x}"),
        score: 0.9,
        reasons: vec![reason.clone(); 5],
        ..Default::default()
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
        pages: pages([problem]),
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
        pages: pages([problem]),
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
    let value = "a mean ROC AUC of 0.871 (95 % interval 0.861 to 0.881),";
    assert!(said.contains(value), "{said}");
    assert!(said.contains("the simple rule gives 0.867."), "{said}");
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
        rule: None,
        ..churn()
    };
    assert_eq!(
        answer(problem),
        "One seller was asked about on 4 June 2018: the probability that the seller stops selling is 33\u{a0}%. \
         On 1 past Monday (7 May 2018), the best learner, LightGBM, ranked the sellers with a mean ROC AUC of \
         0.90 (95 % interval 0.89 to 0.91), where 0.5 is chance and 1 is perfect. For the tenth of the sellers that it ranked highest, it \
         came true 2.7 times as often as on average."
            .replace('\u{a0}', " ")
    );
}

fn cautions(problem: ProblemReport) -> Vec<String> {
    let report = Report {
        pages: pages([problem]),
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
    problem.means[0].intervals.roc_auc = interval(0.7, 0.9);
    problem.rule.as_mut().unwrap().difference = Some(Estimate {
        value: -0.01,
        interval: interval(-0.03, 0.01),
    });
    problem.calibration = vec![bin(0.3, 0.2, 100)];
    problem.scored.scores = vec![0.9; 40];
    assert_eq!(
        cautions(problem),
        [
            "Only 2 past month starts were tested: a good or bad result may be luck.",
            "The ROC AUC is known only roughly, with a 95 % interval from 0.70 to 0.90: there were few sellers to judge it by.",
            "The champion does not rank better than the simple rule by more than chance.",
            "The simple rule has a higher mean ROC AUC than the champion: 0.820 against 0.810.",
            "The probabilities were off by 10.0 percentage points on average: trust the order of the sellers more than the number.",
            "The mean probability now, 90 %, lies far outside the base rates of the past, 23 % to 26 %.",
        ]
    );
}

#[test]
fn an_order_that_may_be_chance_is_not_to_be_trusted_either() {
    let mut problem = churn();
    problem.means = vec![mean("lightgbm", 0.53)];
    problem.means[0].intervals.roc_auc = interval(0.48, 0.59);
    problem.calibration = vec![bin(0.3, 0.2, 100)];
    problem.scored.scores = vec![0.25; 40];
    assert_eq!(
        cautions(problem),
        [
            "The order may be no better than chance: the 95 % interval of the ROC AUC, from 0.48 to 0.59, holds 0.5.",
            "The probabilities were off by 10.0 percentage points on average.",
        ]
    );
}

#[test]
fn the_answer_says_whether_the_simple_rule_is_beaten() {
    let with = |value, low, high| {
        let mut problem = churn();
        problem.rule.as_mut().unwrap().difference = Some(Estimate {
            value,
            interval: interval(low, high),
        });
        answer(problem)
    };
    assert!(with(0.05, 0.04, 0.06).contains(
        "it ranks better than the simple rule, which sorts by days since the last sale (all time) alone: \
         the difference in ROC AUC is 0.050 (95 % interval 0.040 to 0.060)."
    ));
    assert!(
        with(0.05, -0.01, 0.11).contains("it ranks no better, beyond chance, than the simple rule")
    );
    assert!(with(-0.05, -0.06, -0.04).contains("it ranks worse than the simple rule"));
}

#[test]
fn a_figure_is_compared_with_the_period_before() {
    let said = |unit: &str, values: &[(&str, f64)]| {
        let values = values.iter().map(|(period, value)| PeriodValue {
            period: (*period).to_owned(),
            value: *value,
        });
        let report = Report {
            figures: vec![KeyFigure {
                label: "orders".to_owned(),
                unit: unit.to_owned(),
                values: values.collect(),
            }],
            ..Default::default()
        };
        let html = render(&report).unwrap();
        let document = parse(&html);
        let list = document
            .descendants()
            .find(|n| n.attribute("class") == Some("numbers"));
        let list = list.unwrap().children().find(|n| n.has_tag_name("li"));
        let parts = list.unwrap().children().filter(|n| n.has_tag_name("p"));
        parts.map(text).collect::<Vec<_>>().join(" | ")
    };
    assert_eq!(
        said("", &[("2018-04-01", 200.0), ("2018-05-01", 210.0)]),
        "Orders | 210 | in May 2018, 5.0 % more than in April 2018"
    );
    assert_eq!(
        said("%", &[("2018-05-21", 0.07), ("2018-05-28", 0.05)]),
        "Orders | 5.0 % | in 28 May 2018, 2.0 percentage points less than in 21 May 2018"
    );
    assert_eq!(
        said("R$", &[("2018-04-01", 5.0), ("2018-05-01", 5.0)]),
        "Orders | R$ 5.00 | in May 2018, as in April 2018"
    );
    assert_eq!(said("", &[("", 12.0)]), "Orders | 12");
    assert_eq!(said("", &[("", f64::NAN)]), "Orders | –");
    assert_eq!(said("", &[]), "Orders | –");
}
