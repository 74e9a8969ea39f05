//! Why a row got its score: signed contributions of the features.

/// Contributions of every feature to the log odds of every scored row.
///
/// For each row, the bias and the contributions add up to the log odds of the score, `ln(p / (1 - p))`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    features: Vec<String>,
    /// Row-major, one more value than features a row: the last is the bias.
    values: Vec<f64>,
}

/// One feature's part in a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The feature.
    pub feature: String,
    /// What it adds to the log odds: above 0 it raises the score, below 0 it lowers it.
    pub contribution: f64,
}

impl Contributions {
    /// Takes rows of `features.len()` contributions and a bias each, one row after the other.
    pub(crate) fn from_row_major(features: Vec<String>, values: Vec<f64>) -> Self {
        Self { features, values }
    }

    /// The contributions to scores that an increasing `map` makes of these, on the scale of log odds. Each row's contributions are
    /// stretched by one factor, which is above 0; `map` of the bias is the new bias.
    pub(crate) fn stretched(mut self, map: impl Fn(f64) -> f64) -> Self {
        for row in self.values.chunks_exact_mut(self.features.len() + 1) {
            stretch(row, &map);
        }
        self
    }

    /// Names of the features, in the order of each row's contributions.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / (self.features.len() + 1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The contributions of the features to row `row` (below [`len`](Self::len)), on the scale of log odds.
    pub fn row(&self, row: usize) -> &[f64] {
        let start = row * (self.features.len() + 1);
        &self.values[start..start + self.features.len()]
    }

    /// The log odds row `row` (below [`len`](Self::len)) has before its features are looked at.
    pub fn bias(&self, row: usize) -> f64 {
        self.values[(row + 1) * (self.features.len() + 1) - 1]
    }

    /// The `count` features that move the score of row `row` (below [`len`](Self::len)) most, in either direction, strongest first.
    ///
    /// Features that contribute nothing are left out; of equally strong ones the earlier column comes first.
    pub fn top(&self, row: usize, count: usize) -> Vec<Reason> {
        let mut features: Vec<(usize, f64)> = self
            .row(row)
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, value)| *value != 0.0)
            .collect();
        features.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        features.truncate(count);
        let reason = |(feature, contribution): (usize, f64)| Reason {
            feature: self.features[feature].clone(),
            contribution,
        };
        features.into_iter().map(reason).collect()
    }
}

/// Closer to the bias than this, the factor is that of a way of this length.
const SHORTEST_WAY: f64 = 1e-9;

/// Stretches one row, the bias last, so that it adds up to `map` of what it added up to.
pub(crate) fn stretch(row: &mut [f64], map: impl Fn(f64) -> f64) {
    let Some((bias, contributions)) = row.split_last_mut() else {
        return;
    };
    let way = contributions.iter().sum::<f64>();
    let (from, to) = (map(*bias), map(*bias + way));
    let factor = match way.abs() > SHORTEST_WAY {
        true => (to - from) / way,
        false => (map(*bias + SHORTEST_WAY) - from) / SHORTEST_WAY,
    };
    contributions.iter_mut().for_each(|value| *value *= factor);
    *bias = to - contributions.iter().sum::<f64>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_reasons_come_first_and_silent_features_are_left_out() {
        let features = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let values = vec![0.0, 0.0, 0.0, 0.0, 9.0, -0.5, 0.0, 2.0, 0.5, -1.0];
        let contributions = Contributions::from_row_major(features, values);
        assert_eq!(contributions.len(), 2);
        assert_eq!(contributions.bias(0), 9.0);
        assert!(contributions.top(0, 3).is_empty());
        let top: Vec<(String, f64)> = contributions
            .top(1, 9)
            .into_iter()
            .map(|r| (r.feature, r.contribution))
            .collect();
        let expected = [("c", 2.0), ("a", -0.5), ("d", 0.5)];
        assert_eq!(
            top,
            expected.map(|(feature, value)| (feature.to_owned(), value))
        );
        assert_eq!(contributions.top(1, 1).len(), 1);
    }
}
