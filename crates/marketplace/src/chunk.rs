//! A few sellers with their leads, products and orders: the unit of work, which needs no other.

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime};
use rand::{Rng, RngExt};

use crate::catalogue::{Catalogue, Shelf};
use crate::funnel::Lead;
use crate::identity::Kind;
use crate::life::Life;
use crate::market;
use crate::order::{Customer, Order, Parcel, Purchase, empty_order, freight, order, share_review};
use crate::random::chance;
use crate::seller::Seller;
use crate::world::World;

/// Sellers of a chunk who came by themselves.
const SELLERS: u64 = 64;
/// Numbers reserved for the orders, and for the products, of a chunk.
const NUMBERS: u64 = 1 << 24;

/// Chance that the next purchase of the day from another seller goes into the same order.
const JOINED: f64 = 0.0165;
/// Chance that a purchase whose product turns out not to be there is made as well.
const EMPTY: f64 = 0.0083;
/// Chance that a customer of the last few orders buys again, and that any earlier one does.
const AGAIN_AT_ONCE: f64 = 0.0165;
const AGAIN: f64 = 0.0165;
/// Chance that one review then stands for both orders.
const ONE_REVIEW: f64 = 0.6;

/// Everything that a few sellers ever do.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub sellers: Vec<(Seller, Life)>,
    pub leads: Vec<Lead>,
    pub catalogue: Catalogue,
    pub orders: Vec<Order>,
}

/// Number of chunks of a marketplace.
pub(crate) fn chunks(world: &World) -> u64 {
    world.sellers.div_ceil(SELLERS)
}

impl Chunk {
    /// The chunk of this number.
    pub(crate) fn new(world: &World, number: u64) -> Self {
        let leads: Vec<Lead> = leads_of(world, number)
            .map(|lead| world.funnel.lead(world.seed, lead))
            .collect();
        let sellers: Vec<(Seller, Life)> = sellers(world, number, &leads)
            .map(|seller| {
                let life = Life::live(
                    &seller,
                    &world.market,
                    &mut world.seed.rng(Kind::Life, seller.number),
                );
                (seller, life)
            })
            .collect();
        let mut trade = Trade::new(world, &sellers, number * NUMBERS);
        trade.run(&sales(world, &sellers, number));
        let Trade {
            catalogue, orders, ..
        } = trade;
        Self {
            sellers,
            leads,
            catalogue,
            orders,
        }
    }
}

fn leads_of(world: &World, number: u64) -> Range<u64> {
    let chunks = chunks(world);
    let start =
        |chunk: u64| (u128::from(world.leads) * u128::from(chunk) / u128::from(chunks)) as u64;
    start(number)..start(number + 1)
}

fn sellers<'a>(
    world: &'a World,
    number: u64,
    leads: &'a [Lead],
) -> impl Iterator<Item = Seller> + 'a {
    let numbers = number * SELLERS..((number + 1) * SELLERS).min(world.sellers);
    let of_market = numbers.map(|seller| {
        world
            .seller_model
            .of_market(world.seed, seller, world.sellers, &world.geography)
    });
    let of_funnel = leads
        .iter()
        .filter_map(|lead| lead.deal.as_ref())
        .filter_map(|deal| {
            let first_sale = deal.first_sale?;
            Some(world.seller_model.of_funnel(
                world.seed,
                deal.seller,
                first_sale,
                deal.category,
                &world.geography,
            ))
        });
    of_market.chain(of_funnel)
}

/// A purchase: when, and the place of its seller in the chunk.
type Sale = (NaiveDateTime, usize);

/// The purchases of all sellers in the order of time.
fn sales(world: &World, sellers: &[(Seller, Life)], number: u64) -> Vec<Sale> {
    let rng = &mut world.seed.rng(Kind::Chunk, number);
    let mut sales = Vec::new();
    for (place, (_, life)) in sellers.iter().enumerate() {
        for &(day, count) in &life.sales {
            let date = market::date(day);
            sales.extend((0..count).map(|_| (world.clock.purchase(date, rng), place)));
        }
    }
    sales.sort_unstable();
    sales
}

/// The sellers of a chunk while they sell.
struct Trade<'a> {
    world: &'a World,
    sellers: &'a [(Seller, Life)],
    shelves: Vec<Shelf>,
    catalogue: Catalogue,
    orders: Vec<Order>,
    first_number: u64,
}

impl<'a> Trade<'a> {
    fn new(world: &'a World, sellers: &'a [(Seller, Life)], first_number: u64) -> Self {
        let shelves = sellers.iter().map(|_| Shelf::default()).collect();
        let catalogue = Catalogue::new(world.seed, first_number);
        Self {
            world,
            sellers,
            shelves,
            catalogue,
            orders: Vec::new(),
            first_number,
        }
    }

    fn run(&mut self, sales: &[Sale]) {
        let mut next = 0;
        while let Some(&(purchased, place)) = sales.get(next) {
            let rng = &mut self.world.seed.rng(Kind::Order, self.number());
            let mut places = vec![place];
            next += 1;
            while let Some(&(time, other)) = sales.get(next) {
                if time.date() != purchased.date()
                    || places.contains(&other)
                    || !chance(rng, JOINED)
                {
                    break;
                }
                places.push(other);
                next += 1;
            }
            self.trade(purchased, &places, rng);
            if chance(rng, EMPTY) {
                self.fail(purchased.date(), place, rng);
            }
        }
    }

    /// Number of the next order.
    fn number(&self) -> u64 {
        self.first_number + self.orders.len() as u64
    }

    fn trade(&mut self, time: NaiveDateTime, places: &[usize], rng: &mut impl Rng) {
        let Some(&main) = places.first() else { return };
        let earlier = self.earlier_order(rng);
        let customer = match earlier {
            Some(place) => self.orders[place].customer,
            None => self.new_customer(main, rng),
        };
        let parcels: Vec<Parcel<'a>> = places
            .iter()
            .map(|&place| self.parcel(place, customer, rng))
            .collect();
        let purchase = Purchase {
            number: self.number(),
            customer,
            time,
        };
        let Some(order) = order(self.world, purchase, &parcels, rng) else {
            return;
        };
        if let Some(place) = earlier
            && (time - self.orders[place].purchased).num_days() < 8
            && chance(rng, ONE_REVIEW)
        {
            share_review(&mut self.orders[place], &order);
        }
        self.orders.push(order);
    }

    /// An order of which no item is left.
    fn fail(&mut self, date: NaiveDate, place: usize, rng: &mut impl Rng) {
        let customer = self.new_customer(place, rng);
        let time = self.world.clock.purchase(date, rng);
        let purchase = Purchase {
            number: self.number(),
            customer,
            time,
        };
        let (seller, _) = &self.sellers[place];
        self.orders
            .push(empty_order(self.world, purchase, seller, rng));
    }

    fn new_customer(&self, place: usize, rng: &mut impl Rng) -> Customer {
        let (seller, _) = &self.sellers[place];
        Customer {
            person: self.number(),
            zip: self.world.geography.customer(seller.zip, rng),
        }
    }

    /// The place of an earlier order whose customer buys again.
    fn earlier_order(&self, rng: &mut impl Rng) -> Option<usize> {
        let share: f64 = rng.random();
        if share < AGAIN_AT_ONCE {
            self.orders.len().checked_sub(1 + rng.random_range(0..6))
        } else if share < AGAIN_AT_ONCE + AGAIN && !self.orders.is_empty() {
            Some(rng.random_range(0..self.orders.len()))
        } else {
            None
        }
    }

    fn parcel(&mut self, place: usize, customer: Customer, rng: &mut impl Rng) -> Parcel<'a> {
        const USUAL_WEIGHT: u32 = 700;
        let (seller, _) = &self.sellers[place];
        let route = self.world.geography.route(seller.zip, customer.zip);
        let mut item = |rng: &mut _| {
            let (product, price) = self.catalogue.sell(seller, &mut self.shelves[place], rng);
            let measures = self.catalogue.products()[product].measures.as_ref();
            let weight = measures.map_or(USUAL_WEIGHT, |measures| measures.weight);
            (product, price, freight(route, weight.into(), rng))
        };
        let mut contents = vec![item(rng)];
        for _ in 1..self.world.orders.quantity(rng) {
            let next = if chance(rng, 0.27) {
                item(rng)
            } else {
                contents[0]
            };
            contents.push(next);
        }
        Parcel {
            seller,
            route,
            contents,
        }
    }
}
