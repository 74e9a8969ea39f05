//! The sales funnel: leads, the deals some of them sign, and the first sale some of those make.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Weekday};
use rand::{Rng, RngExt};

use crate::categories::CATEGORIES;
use crate::clock::after;
use crate::identity::{Id, Kind, Seed};
use crate::market;
use crate::random::{Shares, chance, log_normal, normal};

/// Leads at scale 1.
pub(crate) const LEADS: f64 = 8000.0;

/// Deals are seller numbers from here on.
pub(crate) const FIRST_FUNNEL_SELLER: u64 = 1 << 40;

/// A potential seller.
#[derive(Debug)]
pub(crate) struct Lead {
    pub id: Id,
    pub contacted: NaiveDate,
    pub landing_page: Id,
    pub origin: &'static str,
    pub deal: Option<Deal>,
}

/// A lead that signed.
#[derive(Debug)]
pub(crate) struct Deal {
    /// Number of the seller.
    pub seller: u64,
    pub development_representative: Id,
    pub sales_representative: Id,
    pub won: NaiveDateTime,
    pub profile: Profile,
    /// What the seller declared, asked for since June 2018.
    pub declared: Option<Declared>,
    /// Category in which the seller would sell, as a place in [`CATEGORIES`].
    pub category: Option<usize>,
    /// Day of the first sale, for those who ever sell.
    pub first_sale: Option<usize>,
}

/// What the sales team notes of a lead, and what follows from it.
#[derive(Debug)]
pub(crate) struct Profile {
    pub segment: &'static str,
    pub lead_type: &'static str,
    pub behaviour: &'static str,
    pub business_type: &'static str,
    category: &'static str,
    /// Probability ever to sell.
    sells: f64,
    /// Days until the first sale, relative to the usual.
    patience: f64,
}

/// What a seller says of itself.
#[derive(Debug)]
pub(crate) struct Declared {
    pub has_company: bool,
    pub has_gtin: bool,
    pub average_stock: &'static str,
    pub catalog_size: f64,
    pub monthly_revenue: f64,
}

/// What is common to all leads.
#[derive(Debug)]
pub(crate) struct FunnelModel {
    contacts: Shares,
    origins: Shares,
    landing_pages: Shares,
    segments: Shares,
    lead_types: Shares,
    behaviours: Shares,
    business_types: Shares,
}

impl FunnelModel {
    pub(crate) fn new() -> Self {
        Self {
            contacts: contacts(),
            origins: Shares::new(ORIGINS.map(|(_, share, _)| share)),
            landing_pages: Shares::new((1..=495).map(|rank| 1.0 / f64::from(rank + 1))),
            segments: Shares::new(SEGMENTS.map(|(_, _, share, _)| share)),
            lead_types: Shares::new(LEAD_TYPES.map(|(_, share, _)| share)),
            behaviours: Shares::new(BEHAVIOURS.map(|(_, share, _)| share)),
            business_types: Shares::new(BUSINESS_TYPES.map(|(_, share, _)| share)),
        }
    }

    /// The lead of this number.
    pub(crate) fn lead(&self, seed: Seed, number: u64) -> Lead {
        let rng = &mut seed.rng(Kind::Lead, number);
        let contacted = market::date(self.contacts.draw(rng));
        let (origin, _, wins) = ORIGINS[self.origins.draw(rng)];
        let page = self.landing_pages.draw(rng) as u64;
        let appeal = normal(&mut seed.rng(Kind::LandingPage, page));
        let wins = chance(rng, (wins * (0.25 * appeal + 0.19).exp()).min(1.0));
        let deal = if wins {
            self.deal(seed, number, contacted, rng)
        } else {
            None
        };
        Lead {
            id: seed.id(Kind::Lead, number),
            contacted,
            landing_page: seed.id(Kind::LandingPage, page),
            origin,
            deal,
        }
    }

    /// The deal that a lead signs, unless that would have been before the sales team started.
    fn deal(
        &self,
        seed: Seed,
        number: u64,
        contacted: NaiveDate,
        rng: &mut impl Rng,
    ) -> Option<Deal> {
        let days = log_normal(rng, 9.5, 1.3).min(420.0);
        let won = after(contacted.and_hms_opt(9, 0, 0)?, days);
        if !sales_team_works(won.date(), rng) {
            return None;
        }
        let profile = self.profile(rng);
        let waits = log_normal(rng, 41.0 * profile.patience, 0.85);
        let first_sale = market::day(after(won, waits.max(3.0)).date());
        let sells = chance(rng, profile.sells) && first_sale <= LAST_FIRST_SALE;
        let declares = won.date() >= NaiveDate::from_ymd_opt(2018, 6, 1)? && chance(rng, 0.4);
        let [development, sales] = [Kind::DevelopmentRepresentative, Kind::SalesRepresentative]
            .map(|kind| seed.id(kind, (REPRESENTATIVES * rng.random::<f64>().powi(2)) as u64));
        Some(Deal {
            seller: FIRST_FUNNEL_SELLER + number,
            development_representative: development,
            sales_representative: sales,
            won,
            declared: declares.then(|| declare(rng)),
            category: CATEGORIES
                .iter()
                .position(|known| known.name == profile.category),
            first_sale: sells.then_some(first_sale),
            profile,
        })
    }

    fn profile(&self, rng: &mut impl Rng) -> Profile {
        let (segment, category, _, of_segment) = SEGMENTS[self.segments.draw(rng)];
        let (lead_type, _, of_type) = LEAD_TYPES[self.lead_types.draw(rng)];
        let (behaviour, _, of_behaviour) = BEHAVIOURS[self.behaviours.draw(rng)];
        let (business_type, _, of_business) = BUSINESS_TYPES[self.business_types.draw(rng)];
        let odds = (ODDS + of_segment + of_type + of_behaviour + of_business).exp();
        Profile {
            segment,
            lead_type,
            behaviour,
            business_type,
            category,
            sells: odds / (1.0 + odds),
            patience: (-0.35_f64 * of_type).exp(),
        }
    }
}

/// Since 2018-01-08, with a few trials in the month before.
fn sales_team_works(date: NaiveDate, rng: &mut impl Rng) -> bool {
    const TRIALS: Option<NaiveDate> = NaiveDate::from_ymd_opt(2017, 12, 5);
    const START: Option<NaiveDate> = NaiveDate::from_ymd_opt(2018, 1, 8);
    Some(date) >= START || (Some(date) >= TRIALS && chance(rng, 0.1))
}

/// Employees of each kind.
const REPRESENTATIVES: f64 = 22.0;

/// 2018-08-28: who has not sold by then does not appear in the data.
const LAST_FIRST_SALE: usize = 726;

/// Logarithm of the odds that a deal without any trait ever sells.
const ODDS: f64 = 0.1;

fn declare(rng: &mut impl Rng) -> Declared {
    const STOCKS: [&str; 6] = ["unknown", "1-5", "5-20", "20-50", "50-200", "200+"];
    Declared {
        has_company: chance(rng, 0.92),
        has_gtin: chance(rng, 0.84),
        average_stock: STOCKS[rng.random_range(0..STOCKS.len())],
        catalog_size: log_normal(rng, 60.0, 1.3).clamp(1.0, 2000.0).floor(),
        monthly_revenue: if chance(rng, 0.6) {
            (log_normal(rng, 30.0, 1.2) as u32 * 1000).into()
        } else {
            0.0
        },
    }
}

/// Leads by month of first contact, more of them on workdays.
fn contacts() -> Shares {
    const CONTACTS: [((i32, u32), f64); 12] = [
        ((2017, 6), 4.0),
        ((2017, 7), 239.0),
        ((2017, 8), 386.0),
        ((2017, 9), 312.0),
        ((2017, 10), 416.0),
        ((2017, 11), 445.0),
        ((2017, 12), 200.0),
        ((2018, 1), 1141.0),
        ((2018, 2), 1028.0),
        ((2018, 3), 1174.0),
        ((2018, 4), 1352.0),
        ((2018, 5), 1303.0),
    ];
    Shares::new((0..market::SELLING_DAYS).map(|day| {
        let date = market::date(day);
        let month = CONTACTS
            .iter()
            .find(|(month, _)| *month == (date.year(), date.month()));
        let days = f64::from(date.num_days_in_month());
        let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        month.map_or(0.0, |(_, leads)| {
            leads / days * if weekend { 0.5 } else { 1.2 }
        })
    }))
}

/// Origin, share of the leads, and share of those that sign.
const ORIGINS: [(&str, f64, f64); 11] = [
    ("organic_search", 0.287, 0.112),
    ("paid_search", 0.198, 0.115),
    ("social", 0.169, 0.051),
    ("unknown", 0.137, 0.173),
    ("direct_traffic", 0.062, 0.123),
    ("email", 0.062, 0.033),
    ("referral", 0.036, 0.08),
    ("other", 0.019, 0.033),
    ("display", 0.015, 0.064),
    ("other_publicities", 0.008, 0.058),
    ("", 0.007, 0.229),
];

/// Segment, the category in which such sellers sell, share of the deals, and what it adds to the
/// odds to sell.
const SEGMENTS: [(&str, &str, f64, f64); 31] = [
    ("home_decor", "moveis_decoracao", 83.0, -0.2),
    ("health_beauty", "beleza_saude", 77.0, 0.1),
    ("car_accessories", "automotivo", 64.0, -0.8),
    ("household_utilities", "utilidades_domesticas", 58.0, 0.45),
    (
        "construction_tools_house_garden",
        "ferramentas_jardim",
        54.0,
        0.1,
    ),
    ("audio_video_electronics", "eletronicos", 45.0, 0.15),
    ("pet", "pet_shop", 26.0, 0.55),
    ("computers", "informatica_acessorios", 25.0, 0.1),
    ("sports_leisure", "esporte_lazer", 22.0, 0.5),
    ("food_supplement", "beleza_saude", 21.0, -0.6),
    ("food_drink", "alimentos_bebidas", 20.0, -0.5),
    ("bags_backpacks", "malas_acessorios", 19.0, 1.0),
    ("bed_bath_table", "cama_mesa_banho", 17.0, 1.0),
    ("toys", "brinquedos", 15.0, 0.7),
    (
        "fashion_accessories",
        "fashion_bolsas_e_acessorios",
        15.0,
        -0.5,
    ),
    ("home_office_furniture", "moveis_escritorio", 12.0, -0.2),
    ("phone_mobile", "telefonia", 12.0, -0.7),
    ("stationery", "papelaria", 11.0, 0.3),
    ("baby", "bebes", 10.0, 0.0),
    ("handcrafted", "artes", 8.0, -1.3),
    ("small_appliances", "eletroportateis", 8.0, -0.2),
    ("books", "livros_interesse_geral", 8.0, 0.8),
    ("jewerly", "relogios_presentes", 7.0, -1.3),
    ("music_instruments", "instrumentos_musicais", 6.0, 0.1),
    ("watches", "relogios_presentes", 5.0, -0.4),
    ("home_appliances", "eletrodomesticos", 5.0, -0.4),
    ("party", "artigos_de_festas", 4.0, -1.0),
    ("gifts", "cool_stuff", 4.0, -0.2),
    ("air_conditioning", "climatizacao", 2.0, -1.0),
    ("games_consoles", "consoles_games", 1.0, -1.0),
    ("religious", "", 1.0, -1.0),
];

/// Type of lead, share of the deals, and what it adds to the odds to sell.
const LEAD_TYPES: [(&str, f64, f64); 8] = [
    ("online_medium", 270.0, 0.05),
    ("online_big", 99.0, 0.8),
    ("industry", 92.0, -0.3),
    ("offline", 82.0, -0.9),
    ("online_small", 63.0, 0.0),
    ("online_beginner", 43.0, -0.15),
    ("online_top", 12.0, 0.3),
    ("", 4.0, 0.0),
];

/// Behaviour profile, share of the deals, and what it adds to the odds to sell.
const BEHAVIOURS: [(&str, f64, f64); 5] = [
    ("cat", 324.0, -0.3),
    ("", 166.0, 0.75),
    ("eagle", 101.0, -0.15),
    ("wolf", 59.0, -0.2),
    ("shark", 15.0, -0.5),
];

/// Type of business, share of the deals, and what it adds to the odds to sell.
const BUSINESS_TYPES: [(&str, f64, f64); 3] = [
    ("reseller", 458.0, 0.15),
    ("manufacturer", 198.0, -0.35),
    ("", 9.0, -1.0),
];
