//! Probabilities and log odds.

/// The probability of a log odds: `1 / (1 + exp(-log_odds))`, without overflow on either side.
pub(crate) fn sigmoid(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let odds = log_odds.exp();
        odds / (1.0 + odds)
    }
}

/// The log odds of a probability strictly between 0 and 1: `ln(p / (1 - p))`.
pub(crate) fn logit(probability: f64) -> f64 {
    probability.ln() - (-probability).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_logit_are_inverse_and_bounded() {
        for log_odds in [-30.0, -1.5, 0.0, 0.25, 8.0] {
            assert!((logit(sigmoid(log_odds)) - log_odds).abs() < 1e-9);
        }
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!(sigmoid(1e4), 1.0);
        assert_eq!(sigmoid(-1e4), 0.0);
    }
}
