//! The page and the charts of a cohort that was divided into segments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{parse, texts};
use proptest::prelude::*;
use safra_report::{
    Language, MapAxis, MapPoint, Page, ProfileColumn, Report, Segment, SegmentMovements,
    SegmentsCandidate, SegmentsPage, charts, render,
};

fn segment(words: &[&str], rows: u64, z_scores: [f64; 2], share: f64) -> Segment {
    Segment {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        rows,
        values: vec![Some(share), None],
        z_scores: z_scores.map(Some).to_vec(),
    }
}

fn divided() -> SegmentsPage {
    let axis = |low: &str, high: &str| MapAxis {
        explained: 0.3,
        low: low.to_owned(),
        high: high.to_owned(),
    };
    let point = |index: u32| MapPoint {
        x: f64::from(index % 7),
        y: f64::from(index % 5),
        segment: usize::from(index >= 30),
    };
    SegmentsPage {
        name: "segments".to_owned(),
        title: "Seller segments".to_owned(),
        question: "Which kinds of sellers are there?".to_owned(),
        rows: "sellers".to_owned(),
        cohort: "Sellers with a sale".to_owned(),
        reference_date: "2018-06-01".to_owned(),
        algorithm: "k_means".to_owned(),
        version: "1".to_owned(),
        fitted_at: "2018-05-01".to_owned(),
        is_stable: true,
        features: vec!["revenue".to_owned(), "late <orders>".to_owned()],
        columns: vec![
            ProfileColumn {
                label: "revenue share".to_owned(),
                unit: "%".to_owned(),
                of_date: String::new(),
            },
            ProfileColumn {
                label: "churn rate".to_owned(),
                unit: "%".to_owned(),
                of_date: "2018-04-01".to_owned(),
            },
        ],
        segments: vec![
            segment(&["large", "steady"], 30, [1.2, -0.1], 0.9),
            segment(&[], 20, [-0.4, 0.3], 0.1),
        ],
        all: vec![Some(1.0), None],
        points: (0..50).map(point).collect(),
        axes: [axis("small", "large"), axis("", "late")],
        candidates: vec![SegmentsCandidate {
            algorithm: "k_means".to_owned(),
            clusters: 2,
            silhouette: Some(0.4),
            smallest_share: Some(0.4),
            stability: None,
            is_chosen: true,
        }],
        movements: Some(SegmentMovements {
            since: "2018-05-01".to_owned(),
            moved: vec![vec![25, 3], vec![2, 12]],
            new: vec![3, 5],
            gone: vec![1, 4],
        }),
        ..SegmentsPage::default()
    }
}

fn report(page: SegmentsPage, language: Language) -> Report {
    Report {
        language,
        pages: vec![Page::Segments(Box::new(page))],
        ..Report::default()
    }
}

#[test]
fn titles_state_what_the_data_show() {
    let title = |svg: String| texts(&parse(&svg), "title").remove(0);
    let page = divided();
    assert_eq!(
        title(charts::segments_map(&page).unwrap()),
        "50 sellers in 2 segments"
    );
    assert_eq!(
        title(charts::segments_heatmap(&page).unwrap()),
        "Stands out most: “large and steady” by high revenue"
    );
    assert_eq!(
        title(charts::segments_flows(&page).unwrap()),
        "88 % of the sellers stayed in their segment"
    );
    let files = charts::segments_files(&page).unwrap();
    let names: Vec<&str> = files.into_keys().collect();
    assert_eq!(
        names,
        [
            "segments_flows.svg",
            "segments_heatmap.svg",
            "segments_map.svg"
        ]
    );
}

#[test]
fn thousands_of_dots_are_one_mark_a_segment() {
    let svg = charts::segments_map(&divided()).unwrap();
    let document = parse(&svg);
    let dots: Vec<usize> = document
        .descendants()
        .filter(|node| node.attribute("stroke-linecap") == Some("round"))
        .map(|node| node.attribute("d").unwrap().matches("h0").count())
        .collect();
    assert_eq!(dots, [30, 20]);
}

#[test]
fn the_heatmap_prints_every_value_and_the_flows_every_count() {
    let svg = charts::segments_heatmap(&divided()).unwrap();
    let printed = texts(&parse(&svg), "text").join(" ");
    for value in [
        "+1.2",
        "\u{2212}0.1",
        "\u{2212}0.4",
        "+0.3",
        "late <orders>",
    ] {
        assert!(printed.contains(value), "{value}: {printed}");
    }
    let svg = charts::segments_flows(&divided()).unwrap();
    let tips = texts(&parse(&svg), "title").join("; ");
    for tip in [
        "large and steady → typical: 3",
        "new → typical: 5",
        "typical → gone: 4",
    ] {
        assert!(tips.contains(tip), "{tip}: {tips}");
    }
}

#[test]
fn the_page_says_it_in_both_languages() {
    let english = render(&report(divided(), Language::English)).unwrap();
    for said in [
        "the <strong>50</strong> sellers fall into <strong>2</strong> segments",
        "The first, <strong>large and steady</strong>, holds 30 of them",
        "<strong>37</strong> of the 42 sellers that were there on both dates stayed",
        "k-means, version 1; found among the sellers of 1 May 2018",
        "k-means with 2 clusters was chosen",
        "Churn rate of 1 Apr 2018",
    ] {
        assert!(english.contains(said), "{said}");
    }
    let portuguese = render(&report(divided(), Language::Portuguese)).unwrap();
    for said in [
        "os <strong>50</strong> sellers se dividem em <strong>2</strong> segmentos",
        "<strong>large e steady</strong>",
        "A escolha foi k-means com 2 grupos",
    ] {
        assert!(portuguese.contains(said), "{said}");
    }
}

#[test]
fn what_is_not_known_is_said_to_be_missing() {
    let html = render(&report(SegmentsPage::default(), Language::English)).unwrap();
    for said in [
        "No rows have been divided.",
        "No profile is known.",
        "No earlier date is known.",
    ] {
        assert!(html.contains(said), "{said}");
    }
    let unstable = SegmentsPage {
        is_stable: false,
        ..divided()
    };
    let html = render(&report(unstable, Language::English)).unwrap();
    assert!(html.contains("read the segments with care"));
    assert!(
        charts::segments_files(&SegmentsPage::default())
            .unwrap()
            .is_empty()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever does not fit together or is not finite, the page and its charts can be read.
    #[test]
    fn any_input_makes_charts_that_can_be_read(
        points in prop::collection::vec((any::<f64>(), any::<f64>(), 0_usize..5), 0..20),
        scores in prop::collection::vec(prop::option::of(any::<f64>()), 0..4),
        moved in prop::collection::vec(prop::collection::vec(0_u64..1_000_000, 0..4), 0..4),
        rows in prop::collection::vec(0_u64..100_000, 0..10),
        text in "\\PC{0,20}",
    ) {
        let mut page = divided();
        page.points = points.into_iter().map(|(x, y, segment)| MapPoint { x, y, segment }).collect();
        page.segments[0].z_scores = scores.clone();
        page.segments[1].values = scores;
        page.segments[1].words = vec![text.clone()];
        page.features.push(text);
        page.segments.extend(rows.into_iter().map(|rows| Segment { rows, ..Segment::default() }));
        page.movements.as_mut().unwrap().moved = moved;
        for svg in [charts::segments_map(&page), charts::segments_heatmap(&page), charts::segments_flows(&page)] {
            parse(&svg.unwrap());
        }
        let html = render(&report(page, Language::Portuguese)).unwrap();
        prop_assert!(html.contains("</html>"));
    }
}
