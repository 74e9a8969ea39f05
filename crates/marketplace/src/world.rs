//! All that is the same for every seller and order of one marketplace.

use crate::clock::Clock;
use crate::funnel::{FunnelModel, LEADS};
use crate::geography::Geography;
use crate::identity::Seed;
use crate::market::Market;
use crate::order::OrderModel;
use crate::payment::PaymentModel;
use crate::seller::{SELLERS, SellerModel};

/// The marketplace before anybody acts.
#[derive(Debug)]
pub(crate) struct World {
    pub seed: Seed,
    /// Sellers who come by themselves.
    pub sellers: u64,
    /// Leads of the sales funnel.
    pub leads: u64,
    /// Share of the points of the geolocation table that are written.
    pub detail: f64,
    /// Whether true probabilities are asked for.
    pub truth: bool,
    pub market: Market,
    pub geography: Geography,
    pub clock: Clock,
    pub seller_model: SellerModel,
    pub funnel: FunnelModel,
    pub orders: OrderModel,
    pub payments: PaymentModel,
}

impl World {
    pub(crate) fn new(seed: u64, scale: f64, truth: bool) -> Self {
        let market = Market::new();
        let count = |at_scale_1: f64| (at_scale_1 * scale).round().max(1.0) as u64;
        Self {
            seed: Seed(seed),
            sellers: count(SELLERS),
            leads: count(LEADS),
            detail: scale.min(1.0),
            truth,
            seller_model: SellerModel::new(&market),
            market,
            geography: Geography::new(),
            clock: Clock::new(),
            funnel: FunnelModel::new(),
            orders: OrderModel::new(),
            payments: PaymentModel::new(),
        }
    }
}
