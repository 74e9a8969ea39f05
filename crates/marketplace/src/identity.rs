//! Ids and random numbers of everything in the marketplace, each derived from the seed alone.

use std::fmt;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// 128 bits, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u128);

impl Id {
    /// Whether the first of its digits is decimal.
    pub(crate) fn starts_with_digit(self) -> bool {
        self.0 >> 124 < 10
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What an id or a stream of random numbers belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Seller = 1,
    Order,
    Customer,
    Person,
    Product,
    Review,
    Lead,
    LandingPage,
    DevelopmentRepresentative,
    SalesRepresentative,
    Town,
    Chunk,
    Life,
    Point,
}

/// The seed from which ids and random numbers are derived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed(pub u64);

impl Seed {
    /// The id of the thing of this kind and number.
    pub(crate) fn id(self, kind: Kind, number: u64) -> Id {
        let mut high = [0; 16];
        high.copy_from_slice(&self.digest(b'i', kind, number)[..16]);
        Id(u128::from_be_bytes(high))
    }

    /// The random numbers of the thing of this kind and number, the same whatever else is
    /// generated.
    pub(crate) fn rng(self, kind: Kind, number: u64) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.digest(b'r', kind, number))
    }

    fn digest(self, purpose: u8, kind: Kind, number: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([purpose, kind as u8]);
        hash.update(self.0.to_le_bytes());
        hash.update(number.to_le_bytes());
        hash.finalize().into()
    }
}
