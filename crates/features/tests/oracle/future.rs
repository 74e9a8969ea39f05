//! Other futures: the same marketplace until a date, and anything from then on.

use proptest::prelude::*;
use safra_history::DAY;

use crate::marketplace::{Deal, Lead, Marketplace, Order, Review};
use crate::strategies::{any_time, deals, leads, orders, reviews, status};

/// What may take the place of all that is not known yet.
#[derive(Debug, Clone)]
pub struct Future {
    orders: Vec<Order>,
    reviews: Vec<Review>,
    leads: Vec<Lead>,
    deals: Vec<Deal>,
    times: Vec<Option<i64>>,
    statuses: Vec<String>,
}

prop_compose! {
    pub fn futures()(
        orders in orders("n", 30),
        reviews in reviews("n", 30),
        leads in leads("n"),
        deals in deals(),
        times in prop::collection::vec(prop::option::weighted(0.7, any_time()), 20),
        statuses in prop::collection::vec(status(), 5),
    ) -> Future {
        Future { orders, reviews, leads, deals, times, statuses }
    }
}

impl Marketplace {
    /// The same marketplace as known before `at`, with another future.
    pub fn with_future(&self, at: i64, future: &Future, first: usize) -> Self {
        let mut later = future.times.iter().cycle().skip(first);
        let mut replaced = |known: Option<i64>| match known {
            Some(time) if time < at => Some(time),
            _ => later.next().copied().flatten().map(|time| time.max(at)),
        };
        let mut statuses = future.statuses.iter().cycle();
        let known = self.orders.iter().filter(|order| order.purchased < at);
        let mut orders: Vec<Order> = known
            .map(|order| Order {
                approved: replaced(order.approved),
                carrier: replaced(order.carrier),
                delivered: replaced(order.delivered),
                status: statuses.next().unwrap().clone(),
                ..order.clone()
            })
            .collect();
        let new = future.orders.iter().filter(|order| order.purchased >= at);
        orders.extend(new.cloned());
        Self {
            orders,
            reviews: spliced(&self.reviews, &future.reviews, |review| {
                review.answered < at
            }),
            products: self.products.clone(),
            leads: spliced(&self.leads, &future.leads, |lead| {
                i64::from(lead.contacted) * DAY < at
            }),
            deals: spliced(&self.deals, &future.deals, |deal| deal.won < at),
        }
    }
}

/// What is known of the one, and what is not known of the other.
fn spliced<T: Clone>(held: &[T], future: &[T], known: impl Fn(&T) -> bool) -> Vec<T> {
    let new = future.iter().filter(|fact| !known(fact));
    held.iter()
        .filter(|fact| known(fact))
        .chain(new)
        .cloned()
        .collect()
}
