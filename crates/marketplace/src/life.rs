//! The life of a seller, day by day: it sells, pauses, resumes and leaves.

use rand::Rng;

use crate::market::{Market, SELLING_DAYS};
use crate::random::{chance, poisson};
use crate::seller::Seller;

/// Days without a sale after which a seller counts as lost.
pub(crate) const CHURN_DAYS: usize = 45;

/// Days until the caution of a new seller has fallen to a third.
const NEW: f64 = 30.0;

/// What a seller is doing, at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Offers its products.
    Selling,
    /// Offers nothing for now.
    Paused,
    /// Has left for good.
    Gone,
}

/// What a seller did.
#[derive(Debug)]
pub(crate) struct Life {
    /// Days with sales, rising, and the number of orders on each.
    pub sales: Vec<(usize, u32)>,
    /// From the day of arrival to the last selling day.
    states: Vec<State>,
}

impl Life {
    /// Lives through all selling days. The first sale is on the day of arrival.
    pub(crate) fn live(seller: &Seller, market: &Market, rng: &mut impl Rng) -> Self {
        let mut state = State::Selling;
        let mut sales = vec![(
            seller.arrival,
            1 + poisson(rng, 0.3 * seller.mean_orders(seller.arrival, market)),
        )];
        let mut states = vec![state];
        for day in seller.arrival + 1..SELLING_DAYS {
            state = seller.next(state, day, rng);
            states.push(state);
            if state == State::Selling {
                let orders = poisson(rng, seller.mean_orders(day, market));
                if orders > 0 {
                    sales.push((day, orders));
                }
            }
        }
        Self { sales, states }
    }

    /// Days since the last sale before this day, none before the first.
    pub(crate) fn recency(&self, day: usize) -> Option<usize> {
        let next = self.sales.partition_point(|&(sale, _)| sale < day);
        let (last, _) = self.sales.get(next.checked_sub(1)?)?;
        Some(day - last)
    }

    /// The probability that no sale follows from this morning until [`CHURN_DAYS`] without one are
    /// complete, given what the seller is doing now. `recency` is at most [`CHURN_DAYS`].
    pub(crate) fn churn_probability(
        &self,
        seller: &Seller,
        market: &Market,
        day: usize,
        recency: usize,
    ) -> f64 {
        let state = day
            .checked_sub(seller.arrival + 1)
            .and_then(|age| self.states.get(age));
        let mut selling = f64::from(u8::from(state == Some(&State::Selling)));
        let mut paused = f64::from(u8::from(state == Some(&State::Paused)));
        let mut gone = 1.0 - selling - paused;
        for day in day..=day + CHURN_DAYS - recency {
            let leaving = seller.leaving_on(day);
            gone += leaving * (selling + paused);
            let (was_selling, was_paused) = (selling * (1.0 - leaving), paused * (1.0 - leaving));
            selling = was_selling * (1.0 - seller.pausing) + was_paused * seller.resuming;
            paused = was_selling * seller.pausing + was_paused * (1.0 - seller.resuming);
            selling *= (-seller.mean_orders(day, market)).exp();
        }
        selling + paused + gone
    }
}

impl Seller {
    /// The chance to leave on this day: new sellers leave more readily.
    pub(crate) fn leaving_on(&self, day: usize) -> f64 {
        let age = day.saturating_sub(self.arrival) as f64;
        (self.leaving * (1.0 + 1.5 * (-age / NEW).exp())).min(0.5)
    }

    fn next(&self, state: State, day: usize, rng: &mut impl Rng) -> State {
        if state == State::Gone || chance(rng, self.leaving_on(day)) {
            return State::Gone;
        }
        match state {
            State::Selling if chance(rng, self.pausing) => State::Paused,
            State::Paused if chance(rng, self.resuming) => State::Selling,
            other => other,
        }
    }

    /// Mean number of orders on a day on which the seller sells.
    fn mean_orders(&self, day: usize, market: &Market) -> f64 {
        let age = day.saturating_sub(self.arrival) as f64;
        let established = 1.0 - 0.5 * (-age / NEW).exp();
        self.rate
            * market.demand(day)
            * established
            * (self.trend * age / 365.0).clamp(-2.0, 1.0).exp()
    }
}
