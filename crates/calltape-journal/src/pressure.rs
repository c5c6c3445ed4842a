//! How full the journal is, as five levels, and what says so.
//!
//! `pool.rs` takes a census when it leases and looks after itself, and asks here which level that is; the caller's path
//! reads the level with one relaxed load. Decides nothing about calls and stores nothing.

/// How much room is left, from plenty to none. The numbers are those of [`Journal::pressure_word`].
///
/// [`Journal::pressure_word`]: crate::Journal::pressure_word
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Pressure {
    /// Below three quarters.
    #[default]
    None = 0,
    /// From 12/16: arguments and results should be short.
    Shortened = 1,
    /// From 13/16: fewer calls should be recorded.
    Sampled = 2,
    /// From 14/16: what is left is for errors.
    Dropping = 3,
    /// Nothing is left: errors are counted.
    ErrorsCounted = 4,
}

/// Levels above [`Pressure::None`].
pub(crate) const LEVELS: usize = 4;

impl Pressure {
    /// By number.
    const ALL: [Pressure; LEVELS + 1] =
        [Pressure::None, Pressure::Shortened, Pressure::Sampled, Pressure::Dropping, Pressure::ErrorsCounted];

    /// The level of a number; the highest for one that is none.
    pub fn from_number(number: u8) -> Pressure {
        Pressure::ALL.get(usize::from(number)).copied().unwrap_or(Pressure::ErrorsCounted)
    }

    /// Its name, as `stats` says it.
    pub const fn name(self) -> &'static str {
        match self {
            Pressure::None => "none",
            Pressure::Shortened => "shortened",
            Pressure::Sampled => "sampled",
            Pressure::Dropping => "dropping",
            Pressure::ErrorsCounted => "counting_errors",
        }
    }
}

/// How often a level was reached, and the last time it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spell {
    /// Times it was reached.
    pub times: u64,
    /// When it was last reached, Unix ns; 0 for never.
    pub entered_unix_ns: i64,
    /// When that ended, Unix ns; None while it lasts.
    pub left_unix_ns: Option<i64>,
}

impl Spell {
    /// Whether the level is reached now, or was when the process died.
    pub fn lasts(&self) -> bool {
        self.times > 0 && self.left_unix_ns.is_none()
    }
}

/// How many segments are what, of `capacity` there can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// Leased or sealed: nobody can lease them.
    pub(crate) taken: usize,
    /// Of these, those that hold frames a database does not have yet.
    pub(crate) holding: usize,
    /// Of those taken, the ones that a thread keeps, full of frames or not.
    pub(crate) leased: usize,
    /// Segments there can be; those there are where the disk gives no more.
    pub(crate) capacity: usize,
}

/// Segments of so many that only errors, and the ends of calls that have begun, may lease.
pub(crate) fn reserve(segments: usize) -> usize {
    segments / 8
}

/// Whether calls may have one more of `segments`: what a database does not have yet leaves the reserve, and of the
/// segments that no thread keeps as many are free as are kept for errors among them. Threads that keep a drained segment
/// each take nothing from the others by that.
pub(crate) fn is_for_calls(segments: usize, census: &Census) -> bool {
    let free = segments.saturating_sub(census.taken);
    let of_nobody = segments.saturating_sub(census.leased);
    segments.saturating_sub(census.holding) > reserve(segments) && free > reserve(of_nobody)
}

/// How far below its threshold a level ends, in sixteenths: without it a journal at the threshold would change its level
/// with every segment.
const HYSTERESIS: usize = 1;

/// The level of a census. Threads that keep a segment each and record little make no pressure while the drain keeps up:
/// below three quarters of held segments there is none, however many are leased.
pub(crate) fn level(now: Pressure, census: &Census) -> Pressure {
    let reached = |segments: usize, sixteenths: usize| segments * 16 >= census.capacity * sixteenths;
    // A level that is reached is left only when the fill is lower by the hysteresis.
    let back = |level: Pressure| if level <= now { HYSTERESIS } else { 0 };
    if !reached(census.holding, 12 - back(Pressure::Shortened)) {
        return Pressure::None;
    }
    let (taken, left) = (census.taken, census.capacity.saturating_sub(census.taken));
    let none_left = left == 0 || (now == Pressure::ErrorsCounted && !reached(left, HYSTERESIS));
    if none_left {
        Pressure::ErrorsCounted
    } else if left <= reserve(census.capacity) || reached(taken, 14 - back(Pressure::Dropping)) {
        Pressure::Dropping
    } else if reached(taken, 13 - back(Pressure::Sampled)) {
        Pressure::Sampled
    } else {
        Pressure::Shortened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: Pressure, taken: usize) -> Pressure {
        level(now, &Census { taken, holding: taken, leased: 1, capacity: 512 })
    }

    #[test]
    fn levels_rise_at_their_shares_and_fall_a_sixteenth_below() {
        let rising = [
            (383, Pressure::None),
            (384, Pressure::Shortened),
            (416, Pressure::Sampled),
            (448, Pressure::Dropping),
            (511, Pressure::Dropping),
            (512, Pressure::ErrorsCounted),
        ];
        for (taken, expected) in rising {
            assert_eq!(at(Pressure::None, taken), expected, "{taken} of 512, rising");
        }
        let falling = [
            (481, Pressure::ErrorsCounted),
            (480, Pressure::Dropping),
            (416, Pressure::Dropping),
            (415, Pressure::Sampled),
            (384, Pressure::Sampled),
            (383, Pressure::Shortened),
            (352, Pressure::Shortened),
            (351, Pressure::None),
        ];
        for (taken, expected) in falling {
            assert_eq!(at(Pressure::ErrorsCounted, taken), expected, "{taken} of 512, falling");
        }
    }

    #[test]
    fn segments_that_hold_nothing_make_no_pressure() {
        let idle = Census { taken: 500, holding: 20, leased: 490, capacity: 512 };
        assert_eq!(level(Pressure::None, &idle), Pressure::None);
        let half_idle = Census { taken: 500, holding: 384, leased: 490, capacity: 512 };
        assert_eq!(level(Pressure::None, &half_idle), Pressure::Dropping);
    }

    #[test]
    fn calls_may_have_what_drained_segments_of_others_leave_and_errors_keep_their_eighth_of_it() {
        let of = |taken, holding, leased| is_for_calls(512, &Census { taken, holding, leased, capacity: 512 });
        assert!(of(447, 447, 1));
        assert!(!of(448, 448, 1), "an eighth is left");
        assert!(of(449, 1, 449), "449 idle threads");
        assert!(of(504, 55, 449));
        assert!(!of(505, 56, 449), "an eighth of the 63 that are nobody's");
        assert!(of(511, 0, 511));
        assert!(!of(512, 0, 512), "none is free");
        assert!(!of(460, 448, 460), "each thread holds something");
    }

    #[test]
    fn a_journal_of_few_segments_has_no_reserve_and_drops_at_its_last() {
        let of_six = |taken| level(Pressure::None, &Census { taken, holding: taken, leased: 1, capacity: 6 });
        assert_eq!(of_six(4), Pressure::None);
        assert_eq!(of_six(5), Pressure::Sampled);
        assert_eq!(of_six(6), Pressure::ErrorsCounted);
    }

    #[test]
    fn levels_have_their_numbers_names_and_order() {
        for (number, pressure) in Pressure::ALL.into_iter().enumerate() {
            assert_eq!(Pressure::from_number(number as u8), pressure);
            assert_eq!(pressure as usize, number);
        }
        assert!(Pressure::Dropping > Pressure::Sampled);
        assert_eq!(Pressure::from_number(99), Pressure::ErrorsCounted);
        assert_eq!(Pressure::ALL.map(Pressure::name), ["none", "shortened", "sampled", "dropping", "counting_errors"]);
    }
}
