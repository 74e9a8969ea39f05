//! `safra report` on a small marketplace.

use crate::support::Home;

/// A marketplace with a champion for churn.
fn finished() -> Home {
    let home = Home::new();
    home.ok(&["run", "--scale", "0.03", "--out", "first.html"]);
    home
}

fn page(home: &Home, arguments: &[&str]) -> String {
    home.ok(&[&["report"], arguments].concat());
    let html = std::fs::read_to_string(home.path("report.html")).unwrap();
    html.replace("&#x2f;", "/")
}

/// The texts of all elements with an attribute.
fn texts(html: &str, start: &str) -> Vec<String> {
    html.split(start)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('>')?.1.split_once('<')?.0.trim().to_owned()))
        .collect()
}

#[test]
fn the_report_speaks_both_languages_in_words_and_numbers() {
    let home = finished();
    let english = page(&home, &[]);
    assert!(english.contains("<html lang=\"en\">"));
    assert!(english.contains("<h1>Olist, the Brazilian marketplace</h1>"));
    assert!(english.contains("Scores for 1 June 2018"));
    let portuguese = page(&home, &["churn", "--lang", "pt-br"]);
    assert!(portuguese.contains("<html lang=\"pt-BR\">"));
    assert!(portuguese.contains("<h1>Olist, o marketplace brasileiro</h1>"));
    assert!(portuguese.contains("Previsões para 01/06/2018"));
    assert!(portuguese.contains("<h2>Abandono de vendedores</h2>"));
    for (html, figure, reason) in [
        (&english, "Sellers with a sale", "Days since the last sale"),
        (
            &portuguese,
            "Vendedores com venda",
            "Dias desde a última venda",
        ),
    ] {
        assert!(texts(html, "<p class=\"label\"").contains(&figure.to_owned()));
        assert_eq!(html.matches("class=\"trend\"").count(), 4);
        assert!(html.contains(reason));
        assert!(html.contains("95"));
    }
    assert!(!portuguese.contains("the seller") && !portuguese.contains("last sale"));
}

#[test]
fn every_feature_in_charts_and_reasons_reads_as_words() {
    let home = finished();
    for language in ["en", "pt-BR"] {
        let html = page(&home, &["--lang", language]);
        let reasons = html.split("<ul class=\"reasons\">").skip(1);
        let reasons: Vec<&str> = reasons
            .filter_map(|rest| rest.split("</ul>").next())
            .collect();
        assert!(reasons.len() >= 25, "{}", reasons.len());
        for reason in reasons {
            assert!(!reason.contains('_') && !reason.contains("30d"), "{reason}");
            assert!(reason.matches("<li>").count() <= 3, "{reason}");
        }
    }
}

#[test]
fn the_simple_rule_stands_beside_the_champion_with_an_interval() {
    let html = page(&finished(), &[]);
    assert!(html.contains(
        "which sorts by days since the last sale (all time) alone: the difference in ROC AUC is"
    ));
    assert!(html.contains("95\u{a0}% interval "));
    assert!(html.contains("<span class=\"interval\">["));
}

#[test]
fn problems_without_a_champion_are_named_with_what_to_run() {
    let home = finished();
    home.ok(&["init", "project"]);
    let churn = std::fs::read_to_string(home.path("project/problems/churn.toml")).unwrap();
    let other = churn.replace("title = \"Seller churn\"", "title = \"Seller rest\"");
    std::fs::write(home.path("project/problems/rest.toml"), other).unwrap();
    let ran = home.safra(&["--project", "project", "report"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = "warning: rest: there is no champion to report on\nhint: run `safra train rest` and `safra promote rest`\n";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let html = std::fs::read_to_string(home.path("report.html")).unwrap();
    assert!(html.contains("<section class=\"page\" id=\"rest\">"));
    assert!(html.contains("<code>safra train rest\nsafra promote rest\n</code>"));
    let only = page(&home, &["--project", "project", "churn"]);
    assert!(!only.contains("id=\"rest\"") && only.contains("id=\"churn\""));
    let ran = home.safra(&["--project", "project", "report", "rest"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("there is no champion to report on"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_unknown_is_refused() {
    let home = Home::new();
    let ran = home.safra(&["report", "nonsense"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .starts_with("error: no such problem: nonsense\nhint: "),
        "{}",
        ran.stderr
    );
    let ran = home.safra(&["report", "--lang", "de"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("the report speaks: en, pt-BR"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_figure_that_fails_is_left_out_and_a_project_without_figures_shows_its_sources() {
    let home = finished();
    home.ok(&["init", "project"]);
    let path = home.path("project/safra.toml");
    let start = "name = \"olist\"\nlanguage = \"pt-BR\"\nfirst_date = \"2017-01-01\"\n";
    let figure =
        |label: &str, sql: &str| format!("[[figures]]\nlabel = \"{label}\"\nsql = \"{sql}\"\n");
    let broken = figure("nothing", "SELECT 1 AS value FROM nowhere");
    let whole = figure("sellers in all", "SELECT COUNT(*) AS value FROM sellers");
    std::fs::write(&path, format!("{start}{broken}{whole}")).unwrap();
    let ran = home.safra(&["--project", "project", "report"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("warning: safra.toml: figures: nothing: left out: "),
        "{}",
        ran.stderr
    );
    let html = std::fs::read_to_string(home.path("report.html")).unwrap();
    assert!(html.contains("<html lang=\"pt-BR\">"));
    assert_eq!(texts(&html, "<p class=\"label\""), ["Sellers in all"]);
    std::fs::write(&path, start).unwrap();
    let html = page(&home, &["--project", "project"]);
    assert!(texts(&html, "<p class=\"label\"").contains(&"Order items".to_owned()));
}
