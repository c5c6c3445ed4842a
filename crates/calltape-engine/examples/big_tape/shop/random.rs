//! Numbers that look random and are the same for the same seed, on every machine and with every version of anything.

/// A generator (SplitMix64): one seed, one sequence.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn is(&mut self, likely: f64) -> bool {
        self.share() < likely
    }

    /// Small numbers often, large ones seldom: a few customers order most.
    pub(crate) fn skewed(&mut self, limit: u64) -> u64 {
        let share = self.share();
        ((share * share * share) * limit as f64) as u64
    }

    /// A factor around 1 that is as often half as double for a `spread` of ln 2, with a long tail to the right.
    pub(crate) fn factor(&mut self, spread: f64) -> f64 {
        // The sum of twelve shares is close to a normal distribution, of variance 1.
        let normal = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
        (normal * spread).exp()
    }
}
