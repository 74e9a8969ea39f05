//! The pseudo-random numbers of the bootstrap and of the search over parameters.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
///
/// Its state is one number, so that every resample can own a stream that depends on nothing but the seed and its index.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl SplitMix64 {
    /// The generator whose first output follows `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator of the stream `index` of `seed`.
    pub(crate) fn stream(seed: u64, index: u64) -> Self {
        let mut root = Self::new(seed.wrapping_add(index.wrapping_mul(GOLDEN_GAMMA)));
        Self(root.next_u64())
    }

    /// The next 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A uniform number from 0 to 1, 1 not included.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A uniform number below `bound`, which is at least 1 (Lemire, "Fast random integer generation in an interval", 2019).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let rejected = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= rejected {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference outputs of Vigna's `splitmix64.c` for the seed 1234567.
    #[test]
    fn follows_the_reference() {
        let mut generator = SplitMix64::new(1_234_567);
        let outputs: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn below_is_uniform_and_streams_differ() {
        let mut counts = [0_u32; 7];
        let mut generator = SplitMix64::stream(1, 2);
        for _ in 0..70_000 {
            counts[generator.below(7) as usize] += 1;
        }
        assert!(
            counts.iter().all(|&count| count.abs_diff(10_000) < 500),
            "{counts:?}"
        );
        assert_ne!(
            SplitMix64::stream(1, 2).next_u64(),
            SplitMix64::stream(1, 3).next_u64()
        );
        assert_ne!(
            SplitMix64::stream(1, 2).next_u64(),
            SplitMix64::stream(2, 2).next_u64()
        );
    }
}
