//! What was decided for a tree of calls, as a number of [`Decision::BITS`] bits.
//!
//! It rides along with every call and into every task, so it must be small: it names its weight by a place in a table.
//! The weights of "auto" are eighths from 1 to 100 and need no table; those of fixed rates are entered when a function is
//! decorated, and stay.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Decisions that keep, by eighths of the weight: 1 to 100.
const FIRST_EIGHTH: u16 = 2;
const EIGHTHS: u16 = 100 * 8 - 8 + 1;
const FIRST_ENTERED: u16 = FIRST_EIGHTH + EIGHTHS;
/// Weights of fixed rates that have a place of their own; further ones share the nearest.
const MOST_ENTERED: usize = (1 << Decision::BITS) - FIRST_ENTERED as usize;

/// The weights that fixed rates have entered.
static ENTERED: Weights = Weights::new();

/// What was decided for a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision(u16);

impl Decision {
    /// Bits that a decision takes.
    pub const BITS: u32 = 11;
    /// Nobody has decided: calls are kept, and each sampled function decides for what is below it.
    pub const UNDECIDED: Self = Self(0);
    /// Nothing of the tree is kept.
    pub const LEFT_OUT: Self = Self(1);

    /// The decision behind a number; one that no decision has is [`Self::UNDECIDED`].
    #[inline]
    pub const fn of(number: u16) -> Self {
        if number >> Self::BITS == 0 { Self(number) } else { Self::UNDECIDED }
    }

    /// The decision as a number below `1 << BITS`.
    #[inline]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Calls that a kept call stands for.
    #[inline]
    pub fn weight(self) -> f64 {
        match self.0 {
            number if number < FIRST_EIGHTH => 1.0,
            number if number < FIRST_ENTERED => f64::from(number - FIRST_EIGHTH + 8) / 8.0,
            number => ENTERED.at(usize::from(number - FIRST_ENTERED)),
        }
    }

    /// The decision to keep one call for `eighths` eighths, 8 to 800.
    pub(super) fn kept_for_eighths(eighths: u16) -> Self {
        Self(FIRST_EIGHTH + eighths.clamp(8, EIGHTHS + 7) - 8)
    }

    /// The decision to keep one call for `weight`, at least 1; for the nearest weight where the table is full.
    pub(super) fn kept_for(weight: f64) -> Self {
        let eighths = weight * 8.0;
        if eighths <= f64::from(EIGHTHS + 7) && eighths.fract() == 0.0 {
            return Self::kept_for_eighths(eighths as u16);
        }
        Self(FIRST_ENTERED + ENTERED.place_of(weight) as u16)
    }
}

/// Weights by place; none is ever taken away.
pub(super) struct Weights {
    /// The bits of an `f64` each.
    entered: [AtomicU64; MOST_ENTERED],
    count: Mutex<usize>,
}

impl Weights {
    pub(super) const fn new() -> Self {
        Self { entered: [const { AtomicU64::new(0) }; MOST_ENTERED], count: Mutex::new(0) }
    }

    /// The weight at a place.
    #[inline]
    pub(super) fn at(&self, place: usize) -> f64 {
        // Relaxed: whoever has the place has it from whoever entered the weight.
        self.entered.get(place).map_or(1.0, |weight| f64::from_bits(weight.load(Ordering::Relaxed)))
    }

    /// The place of a weight, which is entered where it is new; that of the nearest one where all places are taken.
    pub(super) fn place_of(&self, weight: f64) -> usize {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = (0..*count).find(|&place| self.at(place).to_bits() == weight.to_bits()) {
            return known;
        }
        if let Some(free) = self.entered.get(*count) {
            free.store(weight.to_bits(), Ordering::Relaxed);
            *count += 1;
            return *count - 1;
        }
        let apart = |place: &usize| (self.at(*place) - weight).abs();
        (0..*count).min_by(|one, other| apart(one).total_cmp(&apart(other))).unwrap_or(0)
    }
}
