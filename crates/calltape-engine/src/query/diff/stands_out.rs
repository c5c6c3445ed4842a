//! Which changes are worth a look. Few calls prove little, and small times are noise: both are left alone.

use super::gather::Figures;

/// Calls a side must have for its durations to be compared: the 95th percentile of fewer is one or two calls.
const TIMED: u64 = 30;

/// Calls a function must have on its one side to be new or gone: what is called now and then is neither.
const CALLS: u64 = 10;

/// How much slower the median must be, as a factor.
const MEDIAN: f64 = 1.3;

/// How much slower the 95th percentile must be.
const TAIL: f64 = 1.5;

/// How much slower, in ns: below it a timer's grain and a cold cache decide.
const LEAST_NS: u64 = 10_000;

/// Standard errors between two error rates that are not by chance: one in 370 comparisons of equals is farther.
const DEVIATIONS: f64 = 3.0;

/// Errors that must have come or gone among the calls of the side with fewer.
const ERRORS: f64 = 3.0;

/// Why a function stands out in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is called on side b only.
    New,
    /// It is called on side a only.
    Gone,
    /// A greater share of its calls raises, by more than chance.
    FailsMore,
    /// A smaller share of its calls raises, by more than chance.
    FailsLess,
    /// Its median is 1.3 times or its 95th percentile 1.5 times what it was, and 10 µs more.
    Slower,
    /// The other way round.
    Faster,
}

impl Why {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::FailsMore => "fails more",
            Self::FailsLess => "fails less",
            Self::Slower => "slower",
            Self::Faster => "faster",
        }
    }
}

/// What stands out from `a` to `b`; what is worse before what is better. Where rows of a side were removed, only that it
/// is called there or not.
pub(super) fn why(a: &Figures, b: &Figures) -> Option<Why> {
    if a.calls == 0 || b.calls == 0 {
        return match (a.calls, b.calls) {
            (0, calls) if calls >= CALLS => Some(Why::New),
            (calls, 0) if calls >= CALLS => Some(Why::Gone),
            _ => None,
        };
    }
    if a.removed > 0 || b.removed > 0 {
        return None;
    }
    let fails = failures(a, b);
    let (slower, faster) = (is_slower(a, b), is_slower(b, a));
    match () {
        () if fails > DEVIATIONS => Some(Why::FailsMore),
        () if slower => Some(Why::Slower),
        () if fails < -DEVIATIONS => Some(Why::FailsLess),
        () if faster => Some(Why::Faster),
        () => None,
    }
}

/// How many standard errors the error rate of `b` is above that of `a`, by the pooled two-proportion test; 0 where fewer
/// than [`ERRORS`] came or went.
fn failures(a: &Figures, b: &Figures) -> f64 {
    let (calls_a, calls_b) = (a.calls as f64, b.calls as f64);
    let (rate_a, rate_b) = (a.errors as f64 / calls_a, b.errors as f64 / calls_b);
    let pooled = ((a.errors + b.errors) as f64 / (calls_a + calls_b)).min(1.0);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / calls_a + 1.0 / calls_b)).sqrt();
    let moved = (rate_b - rate_a).abs() * calls_a.min(calls_b);
    if moved < ERRORS || deviation <= 0.0 { 0.0 } else { (rate_b - rate_a) / deviation }
}

fn is_slower(a: &Figures, b: &Figures) -> bool {
    let by = |before: Option<u64>, after: Option<u64>, factor: f64| match (before, after) {
        (Some(before), Some(after)) => {
            after >= before.saturating_add(LEAST_NS) && after as f64 >= before as f64 * factor
        }
        _ => false,
    };
    let is_enough = a.timed >= TIMED && b.timed >= TIMED;
    is_enough && (by(a.p50_ns, b.p50_ns, MEDIAN) || by(a.p95_ns, b.p95_ns, TAIL))
}
