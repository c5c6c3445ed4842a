//! The two walks through a tape: by age and by size, and the stages of each. Used by `retention.rs` alone.

/// Where the walk by age is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByAge {
    Rest,
    Errors,
    Successes,
    Minutes,
    Runs,
    Names,
}

impl ByAge {
    /// The stage after this one.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Errors => Self::Successes,
            Self::Successes => Self::Minutes,
            Self::Minutes => Self::Runs,
            Self::Runs => Self::Names,
            Self::Names | Self::Rest => Self::Rest,
        }
    }
}

/// Where the walk by size is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BySize {
    Rest,
    Successes,
    OldMinutes,
    Errors,
    Minutes,
    Runs,
    /// All that may go is gone.
    Exhausted,
}
