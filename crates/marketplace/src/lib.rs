//! The synthetic marketplace: any size, one seed, the tables of Olist.
//!
//! Sellers arrive, sell in a rhythm of their own, pause and leave; customers buy, pay, wait and
//! review; leads sign and may sell. What is written are the eleven CSV files of the public Olist
//! data, with their names, headers and quirks, as they stood on a given morning, and on request the
//! true probabilities behind them.
//!
//! ```
//! use safra_marketplace::{Parameters, Table, generate};
//!
//! let folder = tempfile::tempdir()?;
//! let parameters = Parameters { scale: 0.01, seed: 7, ..Parameters::default() };
//! let generated = generate(&parameters, folder.path(), &|_done, _total| {})?;
//! assert!(generated.rows[&Table::Orders] > 400);
//! assert!(folder.path().join(Table::Orders.file_name()).exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same parameters give the same bytes, whatever the number of threads. A marketplace cut at a
//! later day holds all that it held on an earlier one, so that two calls with the same seed are two
//! months in production.

mod catalogue;
mod categories;
mod chunk;
mod clock;
mod cut;
mod error;
mod fulfilment;
mod funnel;
mod generate;
mod geography;
mod identity;
mod life;
mod market;
mod order;
mod output;
mod payment;
mod random;
mod reference;
mod review;
mod rows;
mod seller;
mod table;
mod world;
mod write;

pub use error::MarketplaceError;
pub use generate::{Generated, Parameters, generate};
pub use table::Table;
