//! The shipped project, as people read it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use safra_project::{Project, ProjectFiles};

const LANGUAGE: &str = "pt-BR";

fn olist() -> Project {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../olist");
    Project::from_files(&ProjectFiles::from_folder(&folder).unwrap()).unwrap()
}

#[test]
fn features_that_are_described_are_described_in_both_languages() {
    let project = olist();
    let mut described = 0;
    for view in project.views.values() {
        for (feature, meanings) in &view.meanings {
            let name = format!("{}: {feature}", view.file);
            let (own, other) = (&meanings[""], meanings.get(LANGUAGE));
            let other = other.unwrap_or_else(|| panic!("{name}: not described in {LANGUAGE}"));
            assert!(!own.text.is_empty() && !other.text.is_empty(), "{name}");
            assert_eq!(own.none.is_empty(), other.none.is_empty(), "{name}");
            assert_eq!(own.unit.is_empty(), other.unit.is_empty(), "{name}");
            assert!(
                !own.text.contains("{{") && !own.text.contains('_'),
                "{name}"
            );
            described += 1;
        }
        assert!(
            !view.sql.contains(LANGUAGE),
            "{}: descriptions are no part of the query",
            view.file
        );
    }
    assert!(described > 100, "{described}");
}

#[test]
fn templates_fill_in_descriptions() {
    let project = olist();
    let text = |view: &str, feature: &str| {
        let views = [view.to_owned()];
        project.feature_text(&views, feature, LANGUAGE).meaning
    };
    let share = text("seller_customers", "order_share_sp_6mo");
    assert_eq!(
        (share.text.as_str(), share.unit.as_str()),
        ("parcela de pedidos de SP", "%")
    );
    let category = text("seller_products", "category_share_bebes_6mo");
    assert_eq!(category.text, "parcela de produtos em bebês");
    assert_eq!(
        text("seller_sales", "days_since_last_order_30d").none,
        "nenhuma venda"
    );
}

#[test]
fn churn_speaks_portuguese() {
    let project = olist();
    let churn = project.problem("churn").unwrap();
    let (own, other) = (churn.texts("en"), churn.texts(LANGUAGE));
    assert_eq!((own.row, other.row), ("seller", "vendedor"));
    for (own, other) in [
        (own.title, other.title),
        (own.question, other.question),
        (own.positive, other.positive),
        (own.rows, other.rows),
        (own.cohort, other.cohort),
        (own.label, other.label),
    ] {
        assert_ne!(own, other);
    }
    assert_eq!(churn.texts("de"), own);
    assert_ne!(
        project.settings.description_in("en"),
        project.settings.description_in(LANGUAGE)
    );
}
