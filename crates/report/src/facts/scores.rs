//! How the scores of one date are spread.

/// The tenth of the rows with the highest scores, rounded down to a probability one can say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TopTenth {
    /// How many rows have at least [`probability`](Self::probability).
    pub(crate) count: usize,
    /// The lowest score of the tenth, rounded down.
    pub(crate) probability: f64,
    /// Decimals of the probability as a percentage.
    pub(crate) places: usize,
}

/// The finite scores, highest first, cut to between 0 and 1.
pub(crate) fn usable_scores(scores: &[f64]) -> Vec<f64> {
    let mut usable: Vec<f64> = scores
        .iter()
        .filter(|score| score.is_finite())
        .map(|score| score.clamp(0.0, 1.0))
        .collect();
    usable.sort_by(|a, b| b.total_cmp(a));
    usable
}

/// The top tenth of scores in falling order; `None` if there are none, or if the tenth reaches down to 0.
pub(crate) fn top_tenth(falling: &[f64]) -> Option<TopTenth> {
    let last = falling.len().div_ceil(10).checked_sub(1)?;
    let cut = *falling.get(last)?;
    let places = match cut {
        c if c >= 0.1 => 0,
        c if c >= 0.01 => 1,
        _ => 2,
    };
    let steps = [100.0, 1_000.0, 10_000.0][places];
    let nearest = (cut * steps).round() / steps;
    let probability = if nearest <= cut {
        nearest
    } else {
        (cut * steps).floor() / steps
    };
    let count = falling
        .iter()
        .filter(|&&score| score >= probability)
        .count();
    (probability > 0.0).then_some(TopTenth {
        count,
        probability,
        places,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_top_tenth_is_said_in_round_numbers_that_are_true() {
        let falling: Vec<f64> = (0..100).rev().map(|i| f64::from(i) / 100.0).collect();
        let top = top_tenth(&falling).unwrap();
        assert_eq!((top.count, top.probability, top.places), (10, 0.9, 0));
        let top = top_tenth(&[0.6449, 0.6412, 0.3]).unwrap();
        assert_eq!((top.count, top.probability), (2, 0.64));
        let top = top_tenth(&[0.0449]).unwrap();
        assert_eq!((top.probability, top.places), (0.044, 1));
        assert_eq!(top_tenth(&[]), None);
        assert_eq!(top_tenth(&[0.0, 0.0]), None);
    }

    proptest! {
        #[test]
        fn the_top_tenth_holds_at_least_a_tenth(scores in prop::collection::vec(any::<f64>(), 0..200)) {
            let falling = usable_scores(&scores);
            if let Some(top) = top_tenth(&falling) {
                prop_assert!(top.count * 10 >= falling.len());
                let counted = falling.iter().filter(|&&s| s >= top.probability).count();
                prop_assert_eq!(counted, top.count);
            }
        }
    }
}
