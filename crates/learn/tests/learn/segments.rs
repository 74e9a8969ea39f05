//! Segments: planted clusters are found, and nothing depends on what it must not depend on.

use std::collections::BTreeSet;

use proptest::prelude::*;
use safra_learn::{
    Algorithm, Assignment, Examples, LearnError, SegmentFeature, SegmentModel, SegmentsParameters,
    adjusted_rand_index, fit_segments,
};

use crate::support::Noise;

/// Rows around three centres (40, 80 and 120 of them), and the cluster each was planted in.
fn planted(seed: u64) -> (Vec<Vec<f64>>, Vec<usize>) {
    let centres = [
        [20_000.0, 5.0, 400.0],
        [300.0, 60.0, 90.0],
        [1_500.0, 8.0, 30.0],
    ];
    let mut noise = Noise::new(seed);
    let mut columns = vec![Vec::new(); 3];
    let mut labels = Vec::new();
    for (cluster, rows) in [40, 80, 120].into_iter().enumerate() {
        for _ in 0..rows {
            labels.push(cluster);
            for (column, centre) in columns.iter_mut().zip(centres[cluster]) {
                column.push(centre * (0.85 + 0.3 * noise.next()));
            }
        }
    }
    (columns, labels)
}

fn features() -> Vec<SegmentFeature> {
    vec![
        SegmentFeature::new("revenue", "large", "small"),
        SegmentFeature::new("recency", "fading", "active"),
        SegmentFeature::new("age", "old", "new"),
    ]
}

fn examples(columns: Vec<Vec<f64>>) -> Examples {
    let names = ["revenue", "recency", "age", "extra"].map(str::to_owned);
    let rows = columns[0].len();
    Examples::new(names[..columns.len()].to_vec(), columns, vec![None; rows]).unwrap()
}

fn fit(examples: &Examples, parameters: &SegmentsParameters) -> SegmentModel {
    fit_segments(&examples.all(), &features(), Some("revenue"), parameters, 7).unwrap()
}

fn segments(model: &SegmentModel, examples: &Examples) -> Vec<usize> {
    let assignments = model.assign(&examples.all()).unwrap();
    assignments
        .iter()
        .map(|assignment| assignment.segment)
        .collect()
}

fn only(algorithm: Algorithm) -> SegmentsParameters {
    SegmentsParameters {
        algorithms: vec![algorithm],
        ..SegmentsParameters::default()
    }
}

#[test]
fn planted_clusters_are_found_by_either_algorithm() {
    let (columns, labels) = planted(1);
    let examples = examples(columns);
    for algorithm in [Algorithm::KMeans, Algorithm::GaussianMixture] {
        let model = fit(&examples, &only(algorithm));
        assert_eq!(model.algorithm(), algorithm);
        assert_eq!(model.segments().len(), 3, "{:#?}", model.choice());
        let found = segments(&model, &examples);
        assert_eq!(adjusted_rand_index(&labels, &found).unwrap(), 1.0);
        assert_eq!(
            found[..2],
            [0, 0],
            "the segment with the most revenue comes first"
        );
        assert_eq!(found[239], 1, "120 × 1,500 is more than 80 × 300");
    }
}

#[test]
fn the_choice_says_what_was_tried_and_why() {
    let (columns, _) = planted(1);
    let model = fit(&examples(columns), &SegmentsParameters::default());
    let choice = model.choice();
    assert_eq!(choice.candidates.len(), 14);
    let chosen = &choice.candidates[choice.chosen.unwrap()];
    assert_eq!(chosen.clusters, 3);
    assert!(chosen.silhouette.unwrap() > 0.6, "{chosen:?}");
    assert!(chosen.stability.unwrap().lower() > 0.95, "{chosen:?}");
    assert!(
        choice
            .reason
            .contains("with 3 clusters has the most clusters"),
        "{}",
        choice.reason
    );
    for candidate in &choice.candidates {
        let better = candidate.clusters > 3
            && candidate
                .stability
                .is_some_and(|stability| stability.lower() >= 0.8);
        assert!(!better, "{candidate:?}");
    }
}

#[test]
fn names_say_what_stands_out() {
    let (columns, _) = planted(1);
    let model = fit(&examples(columns), &SegmentsParameters::default());
    let names: Vec<&str> = model.segments().collect();
    assert_eq!(names, ["large and old", "new", "small and fading"]);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn a_declared_number_of_clusters_is_kept_to() {
    let (columns, _) = planted(2);
    let parameters = SegmentsParameters {
        fewest: 5,
        most: 5,
        ..only(Algorithm::KMeans)
    };
    let model = fit(&examples(columns), &parameters);
    assert_eq!(model.segments().len(), 5);
    assert_eq!(model.choice().candidates.len(), 1);
}

#[test]
fn the_order_of_rows_and_other_columns_change_no_bit() {
    let (columns, _) = planted(3);
    let straight = examples(columns.clone());
    let rows = columns[0].len();
    // 77 has no common divisor with 240, so every row comes up once.
    let order: Vec<usize> = (0..rows).map(|row| row * 77 % rows).collect();
    let mut shuffled: Vec<Vec<f64>> = columns
        .iter()
        .map(|column| order.iter().map(|&row| column[row]).collect())
        .collect();
    shuffled.push((0..rows).map(|row| row as f64).collect());
    let shuffled = examples(shuffled);
    let (one, other) = (
        fit(&straight, &SegmentsParameters::default()),
        fit(&shuffled, &SegmentsParameters::default()),
    );
    assert_eq!(one.save().unwrap(), other.save().unwrap());
    let found = segments(&one, &straight);
    let expected: Vec<usize> = order.iter().map(|&row| found[row]).collect();
    assert_eq!(segments(&other, &shuffled), expected);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (columns, _) = planted(4);
    let examples = examples(columns);
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            fit(&examples, &SegmentsParameters::default())
                .save()
                .unwrap()
        })
    };
    assert_eq!(with_threads(1), with_threads(5));
}

#[test]
fn a_saved_model_assigns_as_before_and_new_rows_too() {
    let (columns, _) = planted(5);
    let (fitted, fresh) = (examples(columns), examples(planted(6).0));
    for algorithm in [Algorithm::KMeans, Algorithm::GaussianMixture] {
        let model = fit(&fitted, &only(algorithm));
        let loaded = SegmentModel::load(&model.save().unwrap()).unwrap();
        assert_eq!(loaded, model);
        let assignments = loaded.assign(&fresh.all()).unwrap();
        assert_eq!(assignments, model.assign(&fresh.all()).unwrap());
        let is_mixture = algorithm == Algorithm::GaussianMixture;
        for Assignment {
            distance,
            probability,
            ..
        } in assignments
        {
            assert!(distance.is_finite() && distance >= 0.0);
            assert_eq!(probability.is_some(), is_mixture);
            assert!(probability.is_none_or(|probability| (1.0 / 3.0..=1.0).contains(&probability)));
        }
    }
}

#[test]
fn constant_and_missing_columns_change_nothing() {
    let (mut columns, labels) = planted(7);
    columns[1] = vec![5.0; 240];
    columns[2] = vec![f64::NAN; 240];
    let examples = examples(columns);
    let model = fit(&examples, &SegmentsParameters::default());
    assert_eq!(
        adjusted_rand_index(&labels, &segments(&model, &examples)).unwrap(),
        1.0
    );
    let assignments = model.assign(&examples.all()).unwrap();
    for scores in model.z_scores(&examples.all(), &assignments).unwrap() {
        assert!(scores[0].is_some() && scores[1].is_none() && scores[2].is_none());
    }
    assert_eq!(model.loadings(), [vec![1.0, 0.0, 0.0], vec![0.0, 0.0, 0.0]]);
    assert_eq!(model.explained(), [1.0, 0.0]);
}

#[test]
fn rows_that_cannot_be_told_apart_are_one_segment() {
    for columns in [
        vec![vec![3.0]; 3],
        vec![vec![3.0; 50]; 3],
        vec![vec![f64::NAN; 4]; 3],
    ] {
        let examples = examples(columns);
        let model = fit(&examples, &SegmentsParameters::default());
        assert_eq!(model.segments().collect::<Vec<_>>(), ["typical"]);
        assert!(
            segments(&model, &examples)
                .iter()
                .all(|&segment| segment == 0)
        );
        assert_eq!(model.choice().chosen, None);
        assert!(model.choice().reason.contains("one segment"));
        assert!(
            model
                .coordinates(&examples.all())
                .unwrap()
                .iter()
                .all(|place| *place == [0.0, 0.0])
        );
        assert_eq!(SegmentModel::load(&model.save().unwrap()).unwrap(), model);
    }
}

#[test]
fn fewer_rows_than_clusters_make_fewer_clusters() {
    let few = examples(vec![
        vec![1.0, 1.1, 90.0],
        vec![5.0, 5.0, 80.0],
        vec![1.0, 1.0, 1.0],
    ]);
    let parameters = SegmentsParameters {
        fewest: 4,
        ..SegmentsParameters::default()
    };
    let model = fit(&few, &parameters);
    assert_eq!(model.segments().len(), 2);
    assert_eq!(segments(&model, &few), [1, 1, 0]);
}

#[test]
fn outliers_make_no_segment_of_their_own() {
    let (mut columns, _) = planted(8);
    columns[0][0] = 1e15;
    let model = fit(&examples(columns), &SegmentsParameters::default());
    assert_eq!(model.segments().len(), 3);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let empty = examples(vec![Vec::new(); 3]);
    let three = examples(planted(1).0);
    let parameters = SegmentsParameters::default();
    let refuse = |examples: &Examples,
                  features: &[SegmentFeature],
                  order_by,
                  parameters: &SegmentsParameters| {
        fit_segments(&examples.all(), features, order_by, parameters, 0).unwrap_err()
    };
    assert!(matches!(
        refuse(&empty, &features(), None, &parameters),
        LearnError::NoTrainingRows
    ));
    assert!(matches!(
        refuse(&three, &[], None, &parameters),
        LearnError::NoFeatures { .. }
    ));
    let unknown = [SegmentFeature::new("height", "tall", "short")];
    assert_eq!(
        refuse(&three, &unknown, None, &parameters).to_string(),
        "learner `segments` needs features that are not there: height"
    );
    assert!(matches!(
        refuse(&three, &features(), Some("width"), &parameters),
        LearnError::MissingFeatures { .. }
    ));
    let wrong = SegmentsParameters {
        fewest: 9,
        ..parameters
    };
    assert_eq!(
        refuse(&three, &features(), None, &wrong).to_string(),
        "parameter `most` of learner `segments` must be at least 9, the fewest: 8"
    );
}

#[test]
fn a_damaged_model_is_refused() {
    let model = fit(&examples(planted(1).0), &only(Algorithm::KMeans));
    let mut saved = model.save().unwrap();
    let text = String::from_utf8(saved.files[0].1.clone()).unwrap();
    saved.files[0].1 = text
        .replacen("\"feature\": 2", "\"feature\": 9", 1)
        .into_bytes();
    let error = SegmentModel::load(&saved).unwrap_err();
    assert_eq!(
        error.to_string(),
        "saved model of learner `segments`: file `model.json` scales a feature it does not name"
    );
    saved.files.clear();
    assert!(SegmentModel::load(&saved).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the values, missing ones included: every row has one segment, and every segment a name of its own.
    #[test]
    fn any_rows_have_segments(values in prop::collection::vec(prop::option::of(-1e12_f64..1e12), 3..90)) {
        let value = |index: usize| values.get(index).copied().flatten().unwrap_or(f64::NAN);
        let rows = values.len() / 3;
        let columns = (0..3).map(|column| (0..rows).map(|row| value(3 * row + column)).collect()).collect();
        let examples = examples(columns);
        let parameters = SegmentsParameters { most: 4, restarts: 2, resampled_pairs: 2, ..SegmentsParameters::default() };
        let model = fit(&examples, &parameters);
        let found = segments(&model, &examples);
        prop_assert!(found.iter().all(|&segment| segment < model.segments().len()));
        prop_assert_eq!(model.segments().collect::<BTreeSet<_>>().len(), model.segments().len());
        prop_assert!(model.coordinates(&examples.all()).unwrap().iter().flatten().all(|value| value.is_finite()));
    }
}
