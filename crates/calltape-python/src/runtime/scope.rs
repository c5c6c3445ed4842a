//! A place in the tree of calls: which call runs, which tree it belongs to, and what sampling has decided for that tree.
//!
//! It goes wherever a call's work goes: into tasks, copied contexts, pool threads, suspended bodies. So it is two words:
//! ids are below 2^53, and the decision stands above the root's.

use calltape_engine::sampling::Decision;

/// Where the decision begins.
const ID_BITS: u32 = u64::BITS - Decision::BITS;
const ID: u64 = (1 << ID_BITS) - 1;

/// A place in the tree of calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The innermost call that is recorded; 0 for none.
    call: u64,
    /// The outermost call of its tree, 0 for none, and the decision above it.
    root: u64,
}

impl Scope {
    /// No call.
    pub(crate) const OUTSIDE: Self = Self { call: 0, root: 0 };
    /// Where nothing is recorded; no call has this id.
    pub(crate) const SUPPRESSED: Self = Self { call: u64::MAX, root: u64::MAX };

    /// The place inside `call` of the tree `root`.
    #[inline]
    pub(crate) fn of(call: u64, root: u64, decision: Decision) -> Self {
        Self { call, root: root | u64::from(decision.number()) << ID_BITS }
    }

    /// No call runs here, and nothing is decided.
    #[inline]
    pub(crate) fn is_outside(self) -> bool {
        self.call | self.root == 0
    }

    /// The innermost call that is recorded; 0 for none.
    #[inline]
    pub(crate) fn call(self) -> u64 {
        self.call
    }

    /// The outermost call of its tree; 0 for none.
    #[inline]
    pub(crate) fn root(self) -> u64 {
        self.root & ID
    }

    /// What is decided for the tree. Of [`Self::SUPPRESSED`] it says nothing that holds.
    #[inline]
    pub(crate) fn decision(self) -> Decision {
        Decision::of((self.root >> ID_BITS) as u16)
    }

    /// Nobody has decided: neither sampling nor `suppressed`.
    #[inline]
    pub(crate) fn is_undecided(self) -> bool {
        self.root >> ID_BITS == 0
    }

    /// The place here in a tree that is left out.
    #[inline]
    pub(crate) fn left_out(self) -> Self {
        Self::of(self.call, self.root(), Decision::LEFT_OUT)
    }

    /// The call whose body runs here; 0 where none is recorded.
    pub(crate) fn running(self) -> u64 {
        if self == Self::SUPPRESSED || self.decision() == Decision::LEFT_OUT { 0 } else { self.call }
    }

    /// Both words, for a value of a context.
    pub(crate) fn words(self) -> [u64; 2] {
        [self.call, self.root]
    }

    /// The place that [`Self::words`] gave.
    pub(crate) fn of_words([call, root]: [u64; 2]) -> Self {
        Self { call, root }
    }
}
