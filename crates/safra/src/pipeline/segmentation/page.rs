//! Segments as the report shows them.

use safra_learn::{Algorithm, SegmentFeature, SegmentModel};
use safra_project::{Segmentation, SegmentationTexts};
use safra_report::{
    Language, MapAxis, MapPoint, ProfileColumn, Segment, SegmentMovements, SegmentsCandidate,
    SegmentsPage,
};

use super::super::training::TRAINED_AT;
use super::Segmented;
use crate::error::SafraError;

/// Features whose loading is at least this share of an axis' largest say what lies at its ends.
const SHARE_OF_LARGEST: f64 = 0.6;
/// Words at an end of an axis.
const MOST_WORDS: usize = 2;

/// The page of the report on a cohort that was divided.
pub fn page(
    segmentation: &Segmentation,
    language: Language,
    segmented: &Segmented,
) -> Result<SegmentsPage, SafraError> {
    let texts = segmentation.texts(language.tag());
    let Segmented {
        model,
        version,
        profile,
        ..
    } = segmented;
    let features = segmentation.clustering.features.iter();
    Ok(SegmentsPage {
        name: segmentation.name.clone(),
        title: texts.title.to_owned(),
        question: texts.question.to_owned(),
        rows: texts.rows.to_owned(),
        feminine: texts.feminine,
        cohort: texts.cohort.to_owned(),
        reference_date: segmented.date.to_string(),
        algorithm: algorithm(model.algorithm()),
        version: version.version.to_string(),
        fitted_at: version.tags.get(TRAINED_AT).cloned().unwrap_or_default(),
        is_stable: model.choice().is_stable,
        features: features
            .map(|feature| texts.word(feature.label()))
            .collect(),
        columns: columns(&texts, segmented),
        segments: segments(&texts, segmented),
        all: profile.all.clone(),
        points: points(segmented)?,
        axes: axes(&texts, model),
        candidates: candidates(model),
        movements: movements(segmented),
    })
}

/// The name by which the report knows an algorithm.
fn algorithm(algorithm: Algorithm) -> String {
    let name = match algorithm {
        Algorithm::KMeans => "k_means",
        Algorithm::GaussianMixture => "gaussian_mixture",
    };
    name.to_owned()
}

fn columns(texts: &SegmentationTexts<'_>, segmented: &Segmented) -> Vec<ProfileColumn> {
    let column = |heading: &super::profile::Heading| ProfileColumn {
        label: texts.word(&heading.label),
        unit: texts.word(heading.unit.as_deref().unwrap_or_default()),
        of_date: heading.of_date.clone().unwrap_or_default(),
    };
    segmented.profile.columns.iter().map(column).collect()
}

fn segments(texts: &SegmentationTexts<'_>, segmented: &Segmented) -> Vec<Segment> {
    let profiles = segmented
        .profile
        .segments
        .iter()
        .zip(segmented.model.words());
    let segments = profiles.map(|(segment, words)| Segment {
        words: words.iter().map(|word| texts.word(word)).collect(),
        rows: segment.entities as u64,
        values: segment.values.clone(),
        z_scores: segment.z_scores.clone(),
    });
    segments.collect()
}

fn points(segmented: &Segmented) -> Result<Vec<MapPoint>, SafraError> {
    let places = segmented
        .model
        .coordinates(&segmented.cohort.examples.all())?;
    let rows = places.into_iter().zip(&segmented.assignments);
    let points = rows.map(|([x, y], assignment)| MapPoint {
        x,
        y,
        segment: assignment.segment,
    });
    Ok(points.collect())
}

fn axes(texts: &SegmentationTexts<'_>, model: &SegmentModel) -> [MapAxis; 2] {
    let [across, up] = model.loadings();
    let [across_share, up_share] = model.explained();
    [
        axis(texts, model, &across, across_share),
        axis(texts, model, &up, up_share),
    ]
}

fn axis(
    texts: &SegmentationTexts<'_>,
    model: &SegmentModel,
    loadings: &[f64],
    explained: f64,
) -> MapAxis {
    let mut ranked: Vec<(&SegmentFeature, f64)> = model
        .features()
        .iter()
        .zip(loadings.iter().copied())
        .collect();
    // A stable sort: of equals, the feature that is declared first.
    ranked.sort_by(|(_, one), (_, other)| other.abs().total_cmp(&one.abs()));
    let largest = ranked.first().map_or(0.0, |(_, loading)| loading.abs());
    ranked.retain(|(_, loading)| *loading != 0.0 && loading.abs() >= SHARE_OF_LARGEST * largest);
    ranked.truncate(MOST_WORDS);
    let words = |at_end: bool| -> String {
        let words = ranked.iter().filter_map(|(feature, loading)| {
            let is_high = (*loading > 0.0) == at_end;
            if is_high {
                feature.high.as_deref()
            } else {
                feature.low.as_deref()
            }
        });
        words
            .map(|word| texts.word(word))
            .collect::<Vec<_>>()
            .join(", ")
    };
    MapAxis {
        explained,
        low: words(false),
        high: words(true),
    }
}

fn candidates(model: &SegmentModel) -> Vec<SegmentsCandidate> {
    let choice = model.choice();
    let candidates = choice
        .candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| SegmentsCandidate {
            algorithm: algorithm(candidate.algorithm),
            clusters: candidate.clusters as u64,
            silhouette: candidate.silhouette,
            smallest_share: candidate.smallest_share,
            stability: candidate.stability.map(|stability| stability.mean),
            is_chosen: choice.chosen == Some(index),
        });
    candidates.collect()
}

fn movements(segmented: &Segmented) -> Option<SegmentMovements> {
    let (since, movements) = segmented.movements.as_ref()?;
    let counts = |counts: &[usize]| counts.iter().map(|&count| count as u64).collect::<Vec<_>>();
    Some(SegmentMovements {
        since: since.to_string(),
        moved: movements.moved.iter().map(|to| counts(to)).collect(),
        new: counts(&movements.new),
        gone: counts(&movements.gone),
    })
}
