//! How orders are paid.

use rand::{Rng, RngExt};

use crate::random::{Shares, chance, log_normal, normal, normal_cdf};

/// The main means of payment of an order, on which its approval waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    CreditCard,
    Boleto,
    Voucher,
    DebitCard,
}

/// One payment of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Payment {
    /// As in the tables.
    pub kind: &'static str,
    /// Number of instalments.
    pub installments: u32,
    /// In reais.
    pub value: f64,
}

impl Means {
    fn name(self) -> &'static str {
        match self {
            Self::CreditCard => "credit_card",
            Self::Boleto => "boleto",
            Self::Voucher => "voucher",
            Self::DebitCard => "debit_card",
        }
    }
}

/// What is common to all payments.
#[derive(Debug)]
pub(crate) struct PaymentModel {
    combinations: Shares,
    installments: Shares,
}

/// Orders of 10,000 by what pays them: a card, a boleto, vouchers, a debit card, a card and
/// vouchers, two cards.
const COMBINATIONS: [f64; 6] = [7090.0, 2384.0, 158.0, 103.0, 232.0, 29.0];

/// Reais at which two of three buyers with a boleto prefer to pay by card, in instalments.
const LARGE_BOLETO: f64 = 900.0;

/// Card payments of 100,000 by the number of instalments, from 1.
const INSTALLMENTS: [f64; 24] = [
    32_679.0, 16_119.0, 13_714.0, 9_288.0, 6_870.0, 5_146.0, 2_166.0, 5_349.0, 887.0, 7_333.0,
    31.0, 188.0, 16.0, 19.0, 96.0, 3.0, 8.0, 31.0, 0.0, 21.0, 5.0, 2.0, 0.0, 27.0,
];

/// Correlation of the number of instalments with the value, as ranks.
const INSTALLMENTS_BY_VALUE: f64 = 0.42;

impl PaymentModel {
    pub(crate) fn new() -> Self {
        Self {
            combinations: Shares::new(COMBINATIONS),
            installments: Shares::new(INSTALLMENTS),
        }
    }

    /// Pays this many reais: the payments, and the means on which the approval waits.
    pub(crate) fn pay(&self, total: f64, rng: &mut impl Rng) -> (Means, Vec<Payment>) {
        let total = if chance(rng, 0.003) {
            cents(total * rng.random_range(1.01..1.08))
        } else {
            total
        };
        match self.combinations.draw(rng) {
            1 if chance(rng, 1.0 - (-total / LARGE_BOLETO).exp()) => {
                (Means::CreditCard, vec![self.by_card(total, rng)])
            }
            0 => (Means::CreditCard, vec![self.by_card(total, rng)]),
            1 => (Means::Boleto, vec![Payment::at_once(Means::Boleto, total)]),
            2 => (Means::Voucher, vouchers(total, rng)),
            3 => (
                Means::DebitCard,
                vec![Payment::at_once(Means::DebitCard, total)],
            ),
            combination => {
                let first = cents(total * rng.random_range(0.15..0.9));
                let mut payments = vec![self.by_card(first, rng)];
                if combination == 4 {
                    payments.extend(vouchers(cents(total - first), rng));
                } else {
                    payments.push(self.by_card(cents(total - first), rng));
                }
                (Means::CreditCard, payments)
            }
        }
    }

    fn by_card(&self, value: f64, rng: &mut impl Rng) -> Payment {
        let rank = INSTALLMENTS_BY_VALUE * (value.max(1.0).ln() - 4.65) / 0.85
            + (1.0 - INSTALLMENTS_BY_VALUE.powi(2)).sqrt() * normal(rng);
        let installments = self.installments.quantile(normal_cdf(rank)) as u32 + 1;
        let installments = if chance(rng, 0.00003) {
            0
        } else {
            installments
        };
        Payment {
            kind: Means::CreditCard.name(),
            installments,
            value,
        }
    }
}

impl Payment {
    fn at_once(means: Means, value: f64) -> Self {
        Self {
            kind: means.name(),
            installments: 1,
            value,
        }
    }

    /// A quirk of the source: a payment of nothing, by no known means.
    pub(crate) fn undefined() -> Self {
        Self {
            kind: "not_defined",
            installments: 1,
            value: 0.0,
        }
    }
}

/// One voucher, or several that add up.
fn vouchers(mut left: f64, rng: &mut impl Rng) -> Vec<Payment> {
    let mut payments = Vec::new();
    while payments.len() < 12 && left > 1.0 && chance(rng, 0.3) {
        let part = cents(left * rng.random_range(0.2..0.8));
        payments.push(Payment::at_once(Means::Voucher, part));
        left = cents(left - part);
    }
    payments.push(Payment::at_once(Means::Voucher, left));
    payments
}

/// The total of an order of which no item is left in the data.
pub(crate) fn forgotten_total(rng: &mut impl Rng) -> f64 {
    cents(log_normal(rng, 97.0, 0.85))
}

/// Rounded to whole cents.
pub(crate) fn cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
