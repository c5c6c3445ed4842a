//! Which calls are kept: what is decided for a tree of calls, by which rate, and how fast a function is called.
//!
//! ```text
//! decision.rs  what was decided for a tree, in the few bits that ride along with every call
//! rate.rs      a share of calls, and the draw
//! meter.rs     how often a function is called, and the rate that "auto" makes of it
//! ```
//!
//! Called on the caller's path by the python crate, which passes random numbers and times in. Never reads a clock, never
//! allocates, never waits.

mod decision;
mod meter;
mod rate;

pub use decision::Decision;
pub use meter::Meter;
pub use rate::Rate;

/// How a function's own calls are sampled, where nobody above has decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// Every call is kept, and decides nothing for those below it.
    Everything,
    /// A share of the calls is kept, and decides for those below.
    Share(Rate),
    /// By how often the function is called ([`Meter`]); while all its calls are kept, as [`Self::Everything`].
    Auto,
}

impl Sampling {
    /// The sampling that keeps `share` of the calls, 0 to 1.
    pub fn of_share(share: f64) -> Self {
        if share >= 1.0 { Self::Everything } else { Self::Share(Rate::of_share(share)) }
    }

    /// Decides for a tree whose outermost sampled call this is. `harder` when the journal fills: then what a function
    /// with this `meter` is called leaves at most what "auto" would at a tenth of its limits.
    ///
    /// `now` is in nanoseconds of any steady clock, `calls` what the function has been called so far, `random` evenly
    /// distributed.
    #[inline]
    pub fn decide(self, harder: bool, meter: &mut Meter, now: u64, calls: u64, random: u32) -> Decision {
        let rate = match self {
            Self::Share(own) if !harder => own,
            Self::Share(own) => own.lower(meter.rate(now, calls, true)),
            Self::Auto => meter.rate(now, calls, harder),
            Self::Everything if !harder => return Decision::UNDECIDED,
            Self::Everything => meter.rate(now, calls, true),
        };
        // Whose calls are all kept decides nothing: a loop that lasts as long as its program would else keep all that is
        // called in it.
        if rate.keeps_all() { Decision::UNDECIDED } else { rate.draw(random) }
    }
}

#[cfg(test)]
mod tests;
