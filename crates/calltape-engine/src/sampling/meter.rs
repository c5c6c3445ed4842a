//! How often a function is called, and the rate that "auto" makes of it.
//!
//! The figure is that of about the last second: the calls of the second that runs, and the part of the one before that
//! lies less than a second back. A function called evenly is told its exact figure at any time.

use super::Rate;

/// The stretch that a figure is of.
const WINDOW_NS: u64 = 1_000_000_000;

/// The rate is told anew at most ten times a second.
const KEPT_NS: u64 = 100_000_000;

/// How often one function is called.
#[derive(Debug)]
pub struct Meter {
    /// When the running second began, and what had been called by then.
    began: u64,
    called: u64,
    /// Calls a second in the second before.
    before: f64,
    /// When the rates are told anew.
    again: u64,
    rate: Rate,
    harder: Rate,
}

impl Meter {
    /// A meter of a function that is not called yet, from `now` on: nanoseconds of the clock that [`Self::rate`] is given.
    pub fn new(now: u64) -> Self {
        let (rate, harder) = (Rate::everything(), Rate::everything());
        Self { began: now, called: 0, before: 0.0, again: now.saturating_add(KEPT_NS), rate, harder }
    }

    /// The rate in force for a function that has been called `calls` times: every call up to 10 calls a second, then
    /// 10 / figure, 10 % from 100, 100 / figure from 1,000, and 1 % from 10,000. `harder`: as if it were called ten times
    /// as often.
    #[inline]
    pub fn rate(&mut self, now: u64, calls: u64, harder: bool) -> Rate {
        if now >= self.again {
            self.tell(now, calls);
        }
        if harder { self.harder } else { self.rate }
    }

    #[cold]
    fn tell(&mut self, now: u64, calls: u64) {
        let (passed, made) = (now.saturating_sub(self.began), calls.saturating_sub(self.called) as f64);
        let share = passed as f64 / WINDOW_NS as f64;
        let figure = if share < 1.0 { self.before * (1.0 - share) + made } else { made / share };
        if share >= 1.0 {
            (self.began, self.called, self.before) = (now, calls, figure);
        }
        self.again = now.saturating_add(KEPT_NS);
        self.rate = Rate::of_eighths(eighths(figure));
        self.harder = Rate::of_eighths(eighths(figure * 10.0));
    }
}

/// Eighths of a call that a kept call of a function stands for that is called so often a second.
fn eighths(calls_per_second: f64) -> u16 {
    let weight = match calls_per_second {
        seldom if seldom <= 10.0 => 1.0,
        some if some <= 100.0 => some / 10.0,
        often if often <= 1_000.0 => 10.0,
        hot if hot <= 10_000.0 => hot / 100.0,
        _ => 100.0,
    };
    (weight * 8.0).round() as u16
}
