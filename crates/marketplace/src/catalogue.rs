//! Products, and what each seller offers of them at which price.

use rand::{Rng, RngExt};

use crate::categories::CATEGORIES;
use crate::identity::{Id, Kind, Seed};
use crate::random::{chance, log_normal, normal};
use crate::seller::Seller;

/// Share of the products without category, name, description and photos.
const UNDESCRIBED: f64 = 0.019;
/// Share of the products without weight and size.
const UNMEASURED: f64 = 0.0006;
/// Chance that a seller adds a product that another seller has already.
const SHARED: f64 = 0.035;

/// Prices of products relative to those of the items sold: what sells best is a little cheaper.
const PRICE_LEVEL: f64 = 0.97;
/// Standard deviations by which a price differs from its category's at most.
const STEEPEST: f64 = 2.2;

/// How many different products a seller sells: by the Pitman-Yor process, of `n` items about `n` to
/// the power of the discount.
const DISCOUNT: f64 = 0.72;
const CONCENTRATION: f64 = 0.3;

/// A product.
#[derive(Debug)]
pub(crate) struct Product {
    /// As in the tables.
    pub id: Id,
    /// Place in [`CATEGORIES`].
    pub category: usize,
    /// Category, name, description and photos; some products have none.
    pub description: Option<Description>,
    /// Some products have none.
    pub measures: Option<Measures>,
    price: f64,
}

/// What the seller wrote about a product.
#[derive(Debug)]
pub(crate) struct Description {
    /// Characters.
    pub name_length: u32,
    /// Characters.
    pub description_length: u32,
    /// Number of photos.
    pub photos: u32,
}

/// Weight in grams, length, height and width in centimetres.
#[derive(Debug)]
pub(crate) struct Measures {
    pub weight: u32,
    pub length: u32,
    pub height: u32,
    pub width: u32,
}

/// The products of a few sellers.
#[derive(Debug)]
pub(crate) struct Catalogue {
    seed: Seed,
    first_number: u64,
    products: Vec<Product>,
    by_category: Vec<Vec<usize>>,
}

/// What one seller offers, and how often each offer was sold.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    offers: Vec<Offer>,
    sold: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Offer {
    product: usize,
    price: f64,
}

impl Catalogue {
    /// An empty catalogue, which numbers its products from here.
    pub(crate) fn new(seed: Seed, first_number: u64) -> Self {
        let by_category = CATEGORIES.iter().map(|_| Vec::new()).collect();
        Self {
            seed,
            first_number,
            products: Vec::new(),
            by_category,
        }
    }

    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    /// Sells an item from the shelf, an old offer or a new one: the product's place and the price
    /// in reais.
    pub(crate) fn sell(
        &mut self,
        seller: &Seller,
        shelf: &mut Shelf,
        rng: &mut impl Rng,
    ) -> (usize, f64) {
        let (items, offers) = (shelf.sold.len() as f64, shelf.offers.len() as f64);
        let new = (CONCENTRATION + DISCOUNT * offers) / (CONCENTRATION + items);
        let offer = if shelf.sold.is_empty() || chance(rng, new) {
            shelf.offers.push(self.offer(seller, rng));
            shelf.offers.len() - 1
        } else {
            shelf.sold[rng.random_range(0..shelf.sold.len())]
        };
        shelf.sold.push(offer);
        let Offer { product, price } = &mut shelf.offers[offer];
        if chance(rng, 0.06) {
            *price = displayed(log_normal(rng, *price, 0.08));
        }
        (*product, *price)
    }

    fn offer(&mut self, seller: &Seller, rng: &mut impl Rng) -> Offer {
        let category = seller.categories[usize::from(chance(rng, 0.25))];
        let known = &self.by_category[category];
        if !known.is_empty() && chance(rng, SHARED) {
            let product = known[rng.random_range(0..known.len())];
            return Offer {
                product,
                price: displayed(log_normal(rng, self.products[product].price, 0.05)),
            };
        }
        let product = self.products.len();
        let id = self
            .seed
            .id(Kind::Product, self.first_number + product as u64);
        self.products.push(Product::new(id, category, seller, rng));
        self.by_category[category].push(product);
        Offer {
            product,
            price: self.products[product].price,
        }
    }
}

impl Product {
    fn new(id: Id, place: usize, seller: &Seller, rng: &mut impl Rng) -> Self {
        let category = &CATEGORIES[place];
        let own_sigma = (category.price_sigma.powi(2) - 0.16).max(0.04).sqrt();
        let step = normal(rng).clamp(-STEEPEST, STEEPEST);
        let price = PRICE_LEVEL * category.price * seller.price_level * (own_sigma * step).exp();
        let description = (!chance(rng, UNDESCRIBED)).then(|| Description {
            name_length: (76.0 - log_normal(rng, 24.0, 0.42)).clamp(5.0, 76.0) as u32,
            description_length: log_normal(rng, 570.0, 0.8).clamp(4.0, 3992.0) as u32,
            photos: (log_normal(rng, 1.8, 0.75)).clamp(1.0, 20.0) as u32,
        });
        let measures = (!chance(rng, UNMEASURED))
            .then(|| Measures::new(category.weight, category.weight_sigma, category.volume, rng));
        Self {
            id,
            category: place,
            description,
            measures,
            price: displayed(price),
        }
    }
}

impl Measures {
    fn new(weight: f64, sigma: f64, volume: f64, rng: &mut impl Rng) -> Self {
        let bulk = normal(rng);
        let side = volume.cbrt() * (0.24 * bulk).exp();
        let centimetres = |rng: &mut _, share: f64, least: f64| {
            log_normal(rng, side * share, 0.4).clamp(least, 105.0) as u32
        };
        Self {
            weight: (weight * (sigma * (0.7 * bulk + 0.71 * normal(rng))).exp())
                .clamp(50.0, 30_000.0)
                .round() as u32,
            length: centimetres(rng, 1.35, 16.0),
            height: centimetres(rng, 0.7, 2.0),
            width: centimetres(rng, 1.1, 11.0),
        }
    }
}

/// The price as shops write it: most end in 90, some in 99 or 00.
fn displayed(price: f64) -> f64 {
    let cents = (price * 100.0).round().clamp(85.0, 673_500.0);
    if cents < 900.0 {
        return cents / 100.0;
    }
    let reais = (cents / 100.0).floor();
    match cents as u64 % 20 {
        0..=10 => reais + 0.90,
        11..=13 => reais + 0.99,
        14..=15 => reais,
        _ => cents / 100.0,
    }
}
