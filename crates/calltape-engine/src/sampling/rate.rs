//! A share of calls to keep, and the draw.

use super::Decision;

/// Random numbers are compared as 32-bit fractions.
const SCALE: f64 = 4_294_967_296.0;

/// A share of calls: a call is kept when a random number is below it, and then stands for 1 / the share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Above 2^32 - 1 every call is kept.
    keep_below: u64,
    kept: Decision,
}

impl Rate {
    /// Every call is kept.
    pub const fn everything() -> Self {
        Self { keep_below: SCALE as u64, kept: Decision::of(2) }
    }

    /// This share of the calls, 0 to 1.
    pub fn of_share(share: f64) -> Self {
        if share <= 0.0 {
            return Self { keep_below: 0, ..Self::everything() };
        }
        Self::of_kept(Decision::kept_for(1.0 / share.min(1.0)))
    }

    /// One call in so many eighths, 8 to 800.
    pub(super) fn of_eighths(eighths: u16) -> Self {
        Self::of_kept(Decision::kept_for_eighths(eighths))
    }

    /// What a decision's weight makes of it, so that the weights add up to the calls whatever was rounded.
    fn of_kept(kept: Decision) -> Self {
        Self { keep_below: (SCALE / kept.weight()).round() as u64, kept }
    }

    /// The lower of two.
    #[inline]
    pub fn lower(self, other: Self) -> Self {
        if other.keep_below < self.keep_below { other } else { self }
    }

    /// Whether every call is kept.
    #[inline]
    pub fn keeps_all(self) -> bool {
        self.keep_below > u64::from(u32::MAX)
    }

    /// Decides by an evenly distributed number.
    #[inline]
    pub fn draw(self, random: u32) -> Decision {
        if u64::from(random) < self.keep_below { self.kept } else { Decision::LEFT_OUT }
    }
}
