//! The bootstrap: right in simple cases, paired, by entity, and the same for any number of threads.

use safra_learn::*;

use crate::support::Noise;

/// Rows on three dates, of entities with one row a date, with a good and a poor score.
struct Rows {
    labels: Vec<bool>,
    dates: Vec<u64>,
    groups: Vec<u64>,
    good: Vec<f64>,
    poor: Vec<f64>,
}

impl Rows {
    fn new(entities: u64, seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let mut rows = Self {
            labels: vec![],
            dates: vec![],
            groups: vec![],
            good: vec![],
            poor: vec![],
        };
        for date in 0..3 {
            for group in 0..entities {
                let risk = noise.next();
                rows.labels.push(noise.next() < risk);
                rows.dates.push(20_180_101 + date * 100);
                rows.groups.push(group * 1_000_003);
                rows.good.push(risk);
                rows.poor.push(0.3 * risk + 0.7 * noise.next());
            }
        }
        rows
    }

    fn view(&self) -> EvaluationRows<'_> {
        EvaluationRows {
            labels: &self.labels,
            dates: &self.dates,
            groups: &self.groups,
        }
    }
}

const SETTINGS: Resampling = Resampling {
    metric: Metric::RocAuc,
    resamples: 400,
    confidence: 0.95,
    seed: 3,
};

#[test]
fn a_model_against_itself_is_a_draw() {
    let rows = Rows::new(100, 1);
    let comparison = compare(&rows.view(), &rows.poor, &rows.poor, &SETTINGS).unwrap();
    assert_eq!(
        comparison.difference,
        Interval {
            estimate: 0.0,
            lower: 0.0,
            upper: 0.0
        }
    );
    assert_eq!(
        (comparison.probability_better, comparison.resamples),
        (0.5, 400)
    );
}

#[test]
fn the_better_model_wins_whichever_way_the_metric_goes() {
    let rows = Rows::new(300, 2);
    for metric in [
        Metric::RocAuc,
        Metric::AveragePrecision,
        Metric::LogLoss,
        Metric::Brier,
    ] {
        let settings = Resampling { metric, ..SETTINGS };
        let won = compare(&rows.view(), &rows.good, &rows.poor, &settings).unwrap();
        let lost = compare(&rows.view(), &rows.poor, &rows.good, &settings).unwrap();
        assert!(won.probability_better > 0.99, "{metric}: {won:?}");
        assert_eq!(won.difference.estimate > 0.0, metric.higher_is_better());
        assert!((won.probability_better + lost.probability_better - 1.0).abs() < 1e-12);
        assert_eq!(won.difference.estimate, -lost.difference.estimate);
        assert!((won.difference.lower + lost.difference.upper).abs() < 1e-12);
    }
}

#[test]
fn a_difference_by_chance_is_not_one() {
    let rows = Rows::new(200, 3);
    let mut noise = Noise::new(9);
    let other: Vec<f64> = rows
        .good
        .iter()
        .map(|score| (score + 0.002 * noise.next()).min(1.0))
        .collect();
    let comparison = compare(&rows.view(), &rows.good, &other, &SETTINGS).unwrap();
    assert!(
        comparison.difference.lower < 0.0 && comparison.difference.upper > 0.0,
        "{comparison:?}"
    );
}

#[test]
fn the_estimate_is_the_mean_over_dates() {
    let rows = Rows::new(80, 4);
    let by_date = (0..3).map(|date| {
        let of_date = 80 * date..80 * (date + 1);
        let scored = Scored::new(&rows.labels[of_date.clone()], &rows.good[of_date]).unwrap();
        roc_auc(&scored).unwrap()
    });
    let mean = by_date.sum::<f64>() / 3.0;
    let interval = confidence_interval(&rows.view(), &rows.good, &SETTINGS).unwrap();
    assert!((interval.estimate - mean).abs() < 1e-12);
    assert!(interval.lower < mean && mean < interval.upper);
}

/// For a mean of independent rows the interval must be that of the central limit theorem.
#[test]
fn the_interval_of_a_mean_is_the_normal_one() {
    let rows = Rows::new(1_000, 5);
    let dates = vec![0; 1_000];
    let view = EvaluationRows {
        labels: &rows.labels[..1_000],
        dates: &dates,
        groups: &rows.groups[..1_000],
    };
    let losses: Vec<f64> = (0..1_000)
        .map(|row| (rows.good[row] - f64::from(u8::from(rows.labels[row]))).powi(2))
        .collect();
    let mean = losses.iter().sum::<f64>() / 1_000.0;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 1_000.0;
    let width = 2.0 * 1.959_964 * (variance / 1_000.0).sqrt();
    let settings = Resampling {
        metric: Metric::Brier,
        resamples: 4_000,
        ..SETTINGS
    };
    let interval = confidence_interval(&view, &rows.good[..1_000], &settings).unwrap();
    assert!(
        ((interval.upper - interval.lower) / width - 1.0).abs() < 0.06,
        "{interval:?} {width}"
    );
    let wide = confidence_interval(
        &view,
        &rows.good[..1_000],
        &Resampling {
            confidence: 0.99,
            ..settings
        },
    )
    .unwrap();
    assert!(wide.lower < interval.lower && wide.upper > interval.upper);
}

/// Rows repeated within their entity say nothing new; as entities of their own they would seem to.
#[test]
fn entities_and_not_rows_are_drawn() {
    let rows = Rows::new(200, 6);
    let twice = |values: &[u64]| [values, values].concat();
    let labels = [rows.labels.as_slice(), &rows.labels].concat();
    let scores = [rows.good.as_slice(), &rows.good].concat();
    let (dates, groups) = (twice(&rows.dates), twice(&rows.groups));
    let repeated = EvaluationRows {
        labels: &labels,
        dates: &dates,
        groups: &groups,
    };
    let once = confidence_interval(&rows.view(), &rows.good, &SETTINGS).unwrap();
    let again = confidence_interval(&repeated, &scores, &SETTINGS).unwrap();
    assert!((once.lower - again.lower).abs() < 1e-12 && (once.upper - again.upper).abs() < 1e-12);
    let own: Vec<u64> = (0..labels.len() as u64).collect();
    let pretended = EvaluationRows {
        groups: &own,
        ..repeated
    };
    let narrow = confidence_interval(&pretended, &scores, &SETTINGS).unwrap();
    assert!(narrow.upper - narrow.lower < 0.85 * (once.upper - once.lower));
}

/// Entities of unequal size, their rows scattered over the arrays.
#[test]
fn the_order_of_rows_changes_nothing() {
    let mut rows = Rows::new(120, 12);
    rows.groups = (0..360).map(|row| row * row % 61).collect();
    let order: Vec<usize> = (0..360).map(|row| row * 77 % 360).collect();
    fn arranged<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
        order.iter().map(|&row| values[row]).collect()
    }
    let moved = Rows {
        labels: arranged(&rows.labels, &order),
        dates: arranged(&rows.dates, &order),
        groups: arranged(&rows.groups, &order),
        good: arranged(&rows.good, &order),
        poor: arranged(&rows.poor, &order),
    };
    let before = compare(&rows.view(), &rows.good, &rows.poor, &SETTINGS).unwrap();
    let after = compare(&moved.view(), &moved.good, &moved.poor, &SETTINGS).unwrap();
    assert_eq!(before, after);
}

#[test]
fn the_number_of_threads_changes_nothing_and_the_seed_does() {
    let rows = Rows::new(150, 7);
    let with = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let settings = Resampling { seed, ..SETTINGS };
        pool.install(|| compare(&rows.view(), &rows.good, &rows.poor, &settings))
            .unwrap()
    };
    assert_eq!(with(1, 3), with(5, 3));
    assert_ne!(with(1, 3), with(1, 4));
}

/// With two entities of one class each, every other resample lacks a class.
#[test]
fn resamples_without_a_class_do_not_count() {
    let view = EvaluationRows {
        labels: &[true, false],
        dates: &[1, 1],
        groups: &[7, 8],
    };
    let comparison = compare(&view, &[0.9, 0.1], &[0.1, 0.9], &SETTINGS).unwrap();
    assert!(
        comparison.resamples > 120 && comparison.resamples < 280,
        "{comparison:?}"
    );
    assert_eq!((comparison.challenger, comparison.champion), (1.0, 0.0));
    assert_eq!(
        (comparison.probability_better, comparison.difference.lower),
        (1.0, 1.0)
    );
}

#[test]
fn a_date_with_one_class_is_left_out_of_the_mean() {
    let rows = Rows::new(60, 8);
    let mut with_more = Rows::new(60, 8);
    with_more.labels.extend([false; 5]);
    with_more.dates.extend([1; 5]);
    with_more.groups.extend(&rows.groups[..5]);
    with_more.good.extend([0.99; 5]);
    let before = confidence_interval(&rows.view(), &rows.good, &SETTINGS).unwrap();
    let after = confidence_interval(&with_more.view(), &with_more.good, &SETTINGS).unwrap();
    assert_eq!(before, after);
}

#[test]
fn impossible_requests_are_refused() {
    let rows = Rows::new(20, 10);
    let refused = |view: &EvaluationRows<'_>, scores: &[f64], settings: Resampling| {
        compare(view, scores, scores, &settings).unwrap_err()
    };
    let error = refused(&rows.view(), &rows.good[1..], SETTINGS);
    assert_eq!(error.to_string(), "scores: 59 values for 60 rows");
    let view = EvaluationRows {
        groups: &rows.groups[1..],
        ..rows.view()
    };
    assert_eq!(
        refused(&view, &rows.good, SETTINGS).to_string(),
        "groups: 59 values for 60 rows"
    );
    for (resamples, confidence) in [(0, 0.95), (10, 1.0), (10, 0.0), (10, f64::NAN)] {
        let error = refused(
            &rows.view(),
            &rows.good,
            Resampling {
                resamples,
                confidence,
                ..SETTINGS
            },
        );
        assert!(matches!(error, LearnError::Resampling { .. }), "{error}");
    }
    let one_class = EvaluationRows {
        labels: &[true; 60],
        ..rows.view()
    };
    let error = refused(&one_class, &rows.good, SETTINGS);
    assert!(
        error
            .to_string()
            .starts_with("roc_auc is not defined on any date"),
        "{error}"
    );
    let none = EvaluationRows {
        labels: &[],
        dates: &[],
        groups: &[],
    };
    assert!(matches!(
        refused(&none, &[], SETTINGS),
        LearnError::UndefinedMetric { .. }
    ));
    let error = refused(&rows.view(), &[2.0; 60], SETTINGS);
    assert!(matches!(error, LearnError::NotAProbability { .. }));
}

#[test]
fn intervals_of_all_metrics_are_those_of_each() {
    let (labels, dates, groups, scores) = panel(600, 31);
    let rows = EvaluationRows {
        labels: &labels,
        dates: &dates,
        groups: &groups,
    };
    let resampling = Resampling {
        resamples: 200,
        seed: 4,
        ..Resampling::default()
    };
    let all = intervals(&rows, &scores, &resampling).unwrap();
    assert_eq!((all.by_date.len(), all.mean.len()), (3, Metric::ALL.len()));
    for metric in Metric::ALL {
        let alone = Resampling {
            metric,
            ..resampling
        };
        let expected = confidence_interval(&rows, &scores, &alone).unwrap();
        let found = all.mean[&metric];
        for (found, expected) in [
            (found.estimate, expected.estimate),
            (found.lower, expected.lower),
            (found.upper, expected.upper),
        ] {
            assert!((found - expected).abs() < 1e-12, "{metric}");
        }
        for of_date in &all.by_date {
            let of_date = of_date[&metric];
            // Resampling adds to the calibration error, so that its interval need not hold the estimate.
            let holds = of_date.lower <= of_date.estimate && of_date.estimate <= of_date.upper;
            assert!(holds || metric == Metric::Ece, "{metric} {of_date:?}");
            assert!(of_date.upper - of_date.lower > found.upper - found.lower);
        }
    }
}

#[test]
fn a_date_of_one_class_has_no_interval_of_the_area() {
    let rows = EvaluationRows {
        labels: &[true, false, true, true],
        dates: &[1, 1, 2, 2],
        groups: &[1, 2, 1, 2],
    };
    let all = intervals(&rows, &[0.9, 0.2, 0.4, 0.6], &Resampling::default()).unwrap();
    assert!(!all.by_date[1].contains_key(&Metric::RocAuc));
    assert!(all.by_date[1].contains_key(&Metric::Brier));
}

/// Labels, dates, groups and scores of a panel of three dates.
fn panel(rows: usize, seed: u64) -> (Vec<bool>, Vec<u64>, Vec<u64>, Vec<f64>) {
    let mut noise = crate::support::Noise::new(seed);
    let scores: Vec<f64> = (0..rows).map(|_| noise.next()).collect();
    let labels = scores.iter().map(|&score| noise.next() < score).collect();
    let date = |row: usize| (row % 3) as u64;
    let group = |row: usize| (row / 3) as u64;
    (
        labels,
        (0..rows).map(date).collect(),
        (0..rows).map(group).collect(),
        scores,
    )
}
