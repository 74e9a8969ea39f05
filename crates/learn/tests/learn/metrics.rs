//! Metrics and curves against scikit-learn, hand-worked values and definitions.

use proptest::prelude::*;
use safra_learn::*;

/// `[i * i % 7 in (1, 2) for i in range(40)]` and `[(i * 37 % 23) / 23 for i in range(40)]` in Python.
fn sample() -> Scored {
    let labels: Vec<bool> = (0..40).map(|i| matches!(i * i % 7, 1 | 2)).collect();
    let scores: Vec<f64> = (0..40).map(|i| f64::from(i * 37 % 23) / 23.0).collect();
    Scored::new(&labels, &scores).unwrap()
}

fn close(found: Option<f64>, expected: f64) {
    assert!(
        (found.unwrap() - expected).abs() < 1e-12,
        "{found:?} is not {expected}"
    );
}

/// scikit-learn 1.9.1: `roc_auc_score`, `average_precision_score`, `log_loss` of the scores clipped to [1e-15, 1 - 1e-15], and
/// `brier_score_loss` of the labels and scores of [`sample`].
#[test]
fn metrics_agree_with_scikit_learn() {
    close(roc_auc(&sample()), 0.704_603_580_562_659_8);
    close(average_precision(&sample()), 0.778_729_806_006_594_6);
    close(log_loss(&sample()), 0.677_374_765_622_892_1);
    close(brier(&sample()), 0.238_610_586_011_342_16);
}

/// The points of scikit-learn 1.9.1's `roc_curve(labels, scores)` of [`sample`] at which the curve turns.
#[test]
fn the_roc_curve_agrees_with_scikit_learn() {
    let found: Vec<(f64, f64)> = roc_curve(&sample())
        .iter()
        .map(|point| {
            (
                point.false_positive_rate * 17.0,
                point.true_positive_rate * 23.0,
            )
        })
        .map(|(x, y)| (x.round(), y.round()))
        .collect();
    let expected = [
        (0.0, 0.0),
        (0.0, 5.0),
        (1.0, 6.0),
        (2.0, 6.0),
        (3.0, 7.0),
        (3.0, 13.0),
        (6.0, 13.0),
        (7.0, 14.0),
        (7.0, 18.0),
        (11.0, 18.0),
        (12.0, 19.0),
        (12.0, 22.0),
        (13.0, 23.0),
        (17.0, 23.0),
    ];
    assert_eq!(found, expected);
    let thresholds: Vec<Option<f64>> = roc_curve(&sample()).iter().map(|p| p.threshold).collect();
    assert_eq!(
        (thresholds[0], thresholds[1], thresholds[13]),
        (None, Some(20.0 / 23.0), Some(0.0))
    );
}

/// Twenty rows, so two a bin: scores 0.00, 0.05 … 0.95, of which the upper ten are positive.
#[test]
fn ece_and_calibration_bins_by_hand() {
    let scores: Vec<f64> = (0..20).map(|i| f64::from(i) / 20.0).collect();
    let labels: Vec<bool> = (0..20).map(|i| i >= 10).collect();
    let scored = Scored::new(&labels, &scores).unwrap();
    let bins = calibration_bins(&scored, 10);
    assert_eq!(bins.len(), 10);
    assert!(bins.iter().all(|bin| bin.rows == 2));
    assert_eq!((bins[3].lowest, bins[3].highest), (0.3, 0.35));
    assert_eq!((bins[3].observed_rate, bins[7].observed_rate), (0.0, 1.0));
    close(Some(bins[3].mean_predicted), 0.325);
    // The lower five bins predict 0.225 on average where 0 happens, the upper five 0.725 where 1 does.
    close(ece(&scored), (0.225 * 5.0 + 0.275 * 5.0) / 10.0);
}

#[test]
fn rows_of_one_score_stay_in_one_calibration_bin() {
    let labels: Vec<bool> = (0..30).map(|i| i % 3 == 0).collect();
    let scored = Scored::new(&labels, &[0.5; 30]).unwrap();
    assert_eq!(calibration_bins(&scored, 10).len(), 1);
    close(ece(&scored), 0.5 - 1.0 / 3.0);
}

/// Of 21 rows, three are the top 10 %. One is positive with the highest score; the other two places are shared by four rows of
/// which one is positive. There are three positive rows.
#[test]
fn lift_shares_the_places_at_the_cut() {
    let mut scores = vec![0.1; 21];
    let mut labels = vec![false; 21];
    (scores[20], labels[20]) = (0.9, true);
    scores[3..7].fill(0.8);
    (labels[5], labels[12]) = (true, true);
    let scored = Scored::new(&labels, &scores).unwrap();
    close(lift_at_10(&scored), ((1.0 + 0.5) / 3.0) / (3.0 / 21.0));
}

#[test]
fn a_constant_score_has_no_lift_and_half_the_area() {
    let labels: Vec<bool> = (0..37).map(|i| i % 5 == 0).collect();
    let scored = Scored::new(&labels, &[0.3; 37]).unwrap();
    close(lift_at_10(&scored), 1.0);
    close(roc_auc(&scored), 0.5);
    close(average_precision(&scored), 8.0 / 37.0);
}

#[test]
fn certain_and_wrong_is_finite() {
    let scored = Scored::new(&[true, false], &[0.0, 1.0]).unwrap();
    let loss = log_loss(&scored).unwrap();
    assert!((loss - 34.538).abs() < 0.05, "{loss}");
}

#[test]
fn undefined_metrics_are_null() {
    let none = Metrics::of(&Scored::new(&[], &[]).unwrap());
    assert_eq!(none, Metrics::default());
    let negative = Metrics::of(&Scored::new(&[false, false], &[0.25, 0.5]).unwrap());
    assert_eq!(
        serde_json::to_string(&negative).unwrap(),
        r#"{"roc_auc":null,"average_precision":null,"log_loss":0.4904146265058631,"brier":0.15625,"ece":0.375,"lift_at_10":null}"#
    );
    let positive = Metrics::of(&Scored::new(&[true, true], &[0.25, 0.5]).unwrap());
    assert_eq!(
        (positive.roc_auc, positive.average_precision),
        (None, Some(1.0))
    );
    assert!(roc_curve(&Scored::new(&[true], &[0.5]).unwrap()).is_empty());
    assert!(calibration_bins(&Scored::new(&[], &[]).unwrap(), 10).is_empty());
}

#[test]
fn what_is_not_a_probability_is_refused() {
    for value in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let error = Scored::new(&[true, false], &[0.5, value]).unwrap_err();
        assert!(
            matches!(error, LearnError::NotAProbability { row: 1, .. }),
            "{error}"
        );
    }
    let error = Scored::new(&[true], &[]).unwrap_err().to_string();
    assert_eq!(error, "scores: 0 values for 1 rows");
}

#[test]
fn metrics_have_one_name_everywhere() {
    for metric in Metric::ALL {
        assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
        assert_eq!(
            serde_json::to_string(&metric).unwrap(),
            format!("\"{metric}\"")
        );
        let metrics = serde_json::to_value(Metrics::of(&sample())).unwrap();
        assert_eq!(metrics[metric.name()].as_f64(), metric.of(&sample()));
        assert_eq!(Metrics::of(&sample()).get(metric), metric.of(&sample()));
    }
    let error = "gini".parse::<Metric>().unwrap_err().to_string();
    assert!(
        error.contains("gini") && error.contains("roc_auc"),
        "{error}"
    );
}

/// Rows with few distinct scores, so that ties are common.
fn rows() -> impl Strategy<Value = Vec<(bool, f64)>> {
    let score = prop_oneof![(0..8_u32).prop_map(|i| f64::from(i) / 8.0), 0.0..1.0];
    prop::collection::vec((any::<bool>(), score), 0..60)
}

fn scored(rows: &[(bool, f64)]) -> Scored {
    let (labels, scores): (Vec<bool>, Vec<f64>) = rows.iter().copied().unzip();
    Scored::new(&labels, &scores).unwrap()
}

fn auc_by_definition(rows: &[(bool, f64)]) -> Option<f64> {
    let positive = || rows.iter().filter(|row| row.0);
    let negative = || rows.iter().filter(|row| !row.0);
    let pairs = (positive().count() * negative().count()) as f64;
    let won = positive().flat_map(|p| negative().map(move |n| p.1.total_cmp(&n.1)));
    let sum: f64 = won.map(|order| f64::from(order as i8 + 1) / 2.0).sum();
    (pairs > 0.0).then(|| sum / pairs)
}

proptest! {
    #[test]
    fn auc_is_the_share_of_pairs_in_order(rows in rows()) {
        match (roc_auc(&scored(&rows)), auc_by_definition(&rows)) {
            (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-12),
            (found, expected) => prop_assert_eq!(found, expected),
        }
    }

    #[test]
    fn losses_are_means_over_rows(rows in rows()) {
        prop_assume!(!rows.is_empty());
        let mean = |loss: fn(f64) -> f64| {
            let given = rows.iter().map(|&(label, score)| if label { score } else { 1.0 - score });
            given.map(loss).sum::<f64>() / rows.len() as f64
        };
        close(brier(&scored(&rows)), mean(|p| (1.0 - p).powi(2)));
        let expected = mean(|p| -p.clamp(1e-15, 1.0).ln());
        prop_assert!((log_loss(&scored(&rows)).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn no_metric_depends_on_the_order_of_rows(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        prop_assert_eq!(Metrics::of(&scored(&rows)), Metrics::of(&scored(&shuffled)));
        prop_assert_eq!(roc_curve(&scored(&rows)), roc_curve(&scored(&shuffled)));
        prop_assert_eq!(calibration_bins(&scored(&rows), 4), calibration_bins(&scored(&shuffled), 4));
    }

    #[test]
    fn ranking_metrics_see_only_the_ranking(rows in rows()) {
        let stretched: Vec<(bool, f64)> = rows.iter().map(|&(label, score)| (label, 0.2 + score / 2.0)).collect();
        for metric in [Metric::RocAuc, Metric::AveragePrecision, Metric::LiftAt10] {
            prop_assert_eq!(metric.of(&scored(&rows)), metric.of(&scored(&stretched)));
        }
    }

    #[test]
    fn reversing_the_ranking_mirrors_the_area(rows in rows()) {
        let reversed: Vec<(bool, f64)> = rows.iter().map(|&(label, score)| (label, 1.0 - score)).collect();
        if let (Some(area), Some(mirrored)) = (roc_auc(&scored(&rows)), roc_auc(&scored(&reversed))) {
            // Scores that differ by less than 1 - score can express become ties.
            let distinct = |rows: &[(bool, f64)]| {
                let mut scores: Vec<u64> = rows.iter().map(|row| row.1.to_bits()).collect();
                scores.sort_unstable();
                scores.dedup();
                scores.len()
            };
            prop_assume!(distinct(&rows) == distinct(&reversed));
            prop_assert!((area + mirrored - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_area_under_the_curve_is_the_auc(rows in rows()) {
        let curve = roc_curve(&scored(&rows));
        let area: f64 = curve
            .windows(2)
            .map(|pair| {
                let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
                width * (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0
            })
            .sum();
        if let Some(expected) = roc_auc(&scored(&rows)) {
            prop_assert!((area - expected).abs() < 1e-12);
            prop_assert_eq!(curve[curve.len() - 1].true_positive_rate, 1.0);
        } else {
            prop_assert!(curve.is_empty());
        }
    }

    #[test]
    fn calibration_bins_hold_every_row_once(rows in rows(), bins in 1_usize..12) {
        let scored = scored(&rows);
        let bins = calibration_bins(&scored, bins);
        prop_assert_eq!(bins.iter().map(|bin| bin.rows).sum::<usize>(), rows.len());
        let positives: f64 = bins.iter().map(|bin| bin.observed_rate * bin.rows as f64).sum();
        prop_assert_eq!(positives.round() as usize, scored.positives());
        for bin in &bins {
            prop_assert!(bin.lowest - 1e-12 <= bin.mean_predicted && bin.mean_predicted <= bin.highest + 1e-12);
        }
        for pair in bins.windows(2) {
            prop_assert!(pair[0].highest < pair[1].lowest);
        }
    }

    #[test]
    fn lift_lies_between_nothing_and_everything(rows in rows()) {
        if let Some(lift) = lift_at_10(&scored(&rows)) {
            let base_rate = scored(&rows).positives() as f64 / rows.len() as f64;
            prop_assert!(lift >= 0.0 && lift <= 1.0 / base_rate + 1e-12);
        }
    }
}
