//! The likelihood of durations, some of them censored, under a log-logistic distribution.

use crate::LearnError;
use crate::durations::Observation;
use crate::probability::sigmoid;
use crate::trees::Loss;

/// Shorter durations than this share of the median are taken for that long: their logarithms would outweigh all others.
const SHORTEST_SHARE: f64 = 0.01;

/// The second derivative never falls below this, so that trees do not leap where the likelihood is flat.
const FLATTEST: f64 = 1e-3;

/// Durations are never taken to scatter by less than a hundredth: that would be certainty, which no number of equal ones gives.
const STEEPEST: f64 = 100.0;

/// Newton steps of the first fit, of which each mends intercept and steepness in turn.
const FIRST_STEPS: usize = 50;

/// Newton steps of a refresh, which begins near its end.
const STEPS: usize = 4;

/// The loss of durations whose logarithm is `intercept + sum + noise / steepness`, the sum being that of a row's trees and the noise of the
/// logistic distribution. A row that has not ended contributes the probability of lasting longer than it has.
#[derive(Clone, Debug)]
pub(super) struct LogLogistic {
    /// For each row the logarithm of its days, and whether it ended.
    rows: Vec<(f64, bool)>,
    shortest: f64,
    intercept: f64,
    steepness: f64,
}

impl LogLogistic {
    /// The loss of these rows, its parameters fitted as if all rows were alike.
    ///
    /// # Errors
    /// If none ended.
    pub(super) fn new(observations: &[Observation]) -> Result<Self, LearnError> {
        let ended = observations.iter().filter(|row| row.ended);
        let mut days: Vec<f64> = ended
            .map(|row| row.days)
            .filter(|days| *days > 0.0)
            .collect();
        if days.is_empty() {
            return Err(LearnError::NoOutcome {
                rows: observations.len(),
            });
        }
        days.sort_by(f64::total_cmp);
        let median = days[days.len() / 2];
        let shortest = median * SHORTEST_SHARE;
        let row = |row: &Observation| (row.days.max(shortest).ln(), row.ended);
        let mut loss = Self {
            rows: observations.iter().map(row).collect(),
            shortest,
            intercept: median.ln(),
            steepness: 1.0,
        };
        for _ in 0..FIRST_STEPS {
            loss.mend_intercept();
            loss.mend_steepness(std::iter::repeat(0.0));
        }
        Ok(loss)
    }

    /// Days below which durations are not told apart.
    pub(super) fn shortest(&self) -> f64 {
        self.shortest
    }

    /// The logarithm of the typical days of a row without trees.
    pub(super) fn intercept(&self) -> f64 {
        self.intercept
    }

    /// By how much the log odds of lasting longer than a moment fall with the logarithm of that moment.
    pub(super) fn steepness(&self) -> f64 {
        self.steepness
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The probability that a row with this sum of trees lasts longer than the days of which this is the logarithm.
    pub(super) fn exceeds(&self, sum: f64, log_days: f64) -> f64 {
        sigmoid(self.steepness * (self.intercept + sum - log_days))
    }

    /// One Newton step of the intercept towards the likeliest, all rows being alike.
    fn mend_intercept(&mut self) {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for &(log_days, ended) in &self.rows {
            let (first, second) = self.derivative(self.intercept, log_days, ended);
            slope += first;
            curvature += second;
        }
        self.intercept -= (slope / curvature.max(f64::MIN_POSITIVE)).clamp(-1.0, 1.0);
    }

    /// One Newton step of the steepness towards the likeliest, in which the log likelihood is concave: of a row that ended it is
    /// `z - 2 ln(1 + exp z) + ln steepness`, of one that did not `-ln(1 + exp z)`, with `z` the steepness times the row's distance
    /// from what is typical.
    fn mend_steepness(&mut self, sums: impl Iterator<Item = f64>) {
        let steepness = self.steepness;
        let (mut slope, mut curvature) = (0.0, 0.0);
        for (&(log_days, ended), sum) in self.rows.iter().zip(sums) {
            let distance = log_days - self.intercept - sum;
            let below = sigmoid(steepness * distance);
            let spread = distance * distance * below * (1.0 - below);
            if ended {
                slope += distance * (1.0 - 2.0 * below) + 1.0 / steepness;
                curvature += 2.0 * spread + 1.0 / (steepness * steepness);
            } else {
                slope -= distance * below;
                curvature += spread;
            }
        }
        let step = slope / curvature.max(f64::MIN_POSITIVE);
        let highest = STEEPEST.min(steepness * 2.0);
        self.steepness = (steepness + step).clamp(steepness / 2.0, highest);
    }

    /// The first and second derivative of a row's loss by the logarithm of its typical days, on the scale of one logistic
    /// deviation: times the first and second power of `1 / steepness`. So scaled, a step is in logarithms of days.
    fn derivative(&self, typical: f64, log_days: f64, ended: bool) -> (f64, f64) {
        let below = sigmoid(self.steepness * (log_days - typical));
        let spread = below * (1.0 - below);
        match ended {
            true => ((1.0 - 2.0 * below) / self.steepness, 2.0 * spread),
            false => (-below / self.steepness, spread),
        }
    }
}

impl Loss for LogLogistic {
    fn refresh(&mut self, sums: &[f64]) {
        for _ in 0..STEPS {
            self.mend_steepness(sums.iter().copied());
        }
    }

    fn derivatives(&self, sums: &[f64], gradients: &mut [f32], hessians: &mut [f32]) {
        let rows = self.rows.iter().zip(sums);
        let derivatives = gradients.iter_mut().zip(hessians);
        for ((&(log_days, ended), sum), (gradient, hessian)) in rows.zip(derivatives) {
            let (first, second) = self.derivative(self.intercept + sum, log_days, ended);
            *gradient = first as f32;
            *hessian = second.max(FLATTEST) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Durations with these quantiles of a log-logistic distribution, each looked at after `after` days.
    fn observed(rows: usize, median: f64, steepness: f64, after: f64) -> Vec<Observation> {
        let days = |row: usize| {
            let share = (row as f64 + 0.5) / rows as f64;
            median * (share / (1.0 - share)).powf(1.0 / steepness)
        };
        let look = |days: f64| Observation {
            days: days.min(after),
            ended: days < after,
        };
        (0..rows).map(|row| look(days(row))).collect()
    }

    #[test]
    fn the_distribution_is_found_with_and_without_its_tail() {
        for after in [f64::INFINITY, 20.0, 8.0] {
            let loss = LogLogistic::new(&observed(4_000, 10.0, 3.0, after)).unwrap();
            let median = loss.intercept().exp();
            assert!((median - 10.0).abs() < 0.1, "{after}: {median}");
            assert!((loss.steepness() - 3.0).abs() < 0.1, "{after}: {loss:?}");
            let late = loss.exceeds(0.0, 20_f64.ln());
            assert!((late - 1.0 / 9.0).abs() < 0.01, "{after}: {late}");
        }
    }

    #[test]
    fn equal_durations_are_no_certainty() {
        let equal = Observation {
            days: 7.0,
            ended: true,
        };
        let mut loss = LogLogistic::new(&[equal; 300]).unwrap();
        (0..50).for_each(|_| loss.refresh(&[0.0; 300]));
        assert_eq!(loss.steepness(), STEEPEST);
        assert_eq!(loss.exceeds(0.0, 7_f64.ln()), 0.5);
        let (shorter, longer) = (loss.exceeds(0.0, 6_f64.ln()), loss.exceeds(0.0, 8_f64.ln()));
        assert!(shorter > 0.999 && shorter < 1.0 && longer < 0.001 && longer > 0.0);
    }

    #[test]
    fn derivatives_are_those_of_the_likelihood() {
        let rows = [(3.0, true), (30.0, true), (5.0, false), (25.0, false)];
        let row = |(days, ended)| Observation { days, ended };
        let loss = LogLogistic::new(&rows.map(row)).unwrap();
        let value = |sum: f64, (days, ended): (f64, bool)| {
            let z = loss.steepness() * (days.ln() - loss.intercept() - sum);
            let softplus = z.exp().ln_1p();
            if ended { 2.0 * softplus - z } else { softplus }
        };
        let (mut gradients, mut hessians) = ([0.0; 4], [0.0; 4]);
        let sums = [0.3, -0.2, 0.1, 0.4];
        loss.derivatives(&sums, &mut gradients, &mut hessians);
        let scale = loss.steepness() * loss.steepness();
        for (place, row) in rows.into_iter().enumerate() {
            let at = |step: f64| value(sums[place] + step, row);
            let first = (at(1e-4) - at(-1e-4)) / 2e-4 / scale;
            let second = (at(1e-4) - 2.0 * at(0.0) + at(-1e-4)) / 1e-8 / scale;
            assert!((f64::from(gradients[place]) - first).abs() < 1e-5);
            assert!((f64::from(hessians[place]) - second).abs() < 1e-4);
        }
    }
}
