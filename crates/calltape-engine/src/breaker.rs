//! The breaker: after several failures in a row, what fails is left alone for a while. Stands between drain and database,
//! and is Python's `calltape.CircuitBreaker`.
//!
//! ```text
//! closed --threshold failures--> open --delay over--> half-open --probe ok--> closed
//!                                  ^-------------probe failed---------'   (ceiling doubled)
//! ```
//!
//! Constraints:
//!
//! - Whoever wants to try asks first and gets a [`Permit`], or is told how long to wait. Each permit comes back once, with
//!   how the try went. What comes back from before the last change of state changes nothing.
//! - Half-open lets one try through at a time.
//! - The delay is drawn anew each time, evenly from nothing to a ceiling ("full jitter"), so that processes which failed
//!   together do not probe together. The ceiling is 100 ms at first and doubles with each failed probe up to the timeout.
//! - Time is passed in, in nanoseconds of any clock that does not go back: a test needs no clock. Touches nothing itself.

use std::time::Duration;

/// The first ceiling of the delay; doubled with each failed probe up to the timeout.
const FIRST_CEILING: Duration = Duration::from_millis(100);

/// Whether what fails is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Every try is permitted.
    Closed,
    /// None is.
    Open,
    /// One is, as a probe.
    HalfOpen,
}

impl State {
    /// The state in words, as `stats()` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// How a try failed, as far as the breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Somebody else has the database locked; counts once that has lasted for the grace.
    Busy,
    /// The disk is full, broken, read-only or gone.
    Capacity,
    /// Anything else.
    Other,
}

/// A change of state worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is left alone from now on.
    Opened,
    /// It is used again.
    Closed,
}

/// What a breaker puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Failures in a row after which it opens; at least 1.
    pub threshold: u32,
    /// The ceiling of the delay between two probes.
    pub timeout: Duration,
    /// How long [`Fault::Busy`] may last, without a success in between, before it counts as a failure.
    pub busy_grace: Duration,
}

/// Leave to try once. Given back with how the try went.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a probe that is never given back keeps the breaker half-open"]
pub struct Permit {
    /// The breaker's count of changes when it was given.
    era: u64,
}

/// The breaker's state machine.
#[derive(Debug)]
pub struct Breaker {
    patience: Patience,
    state: State,
    /// Changes of state so far.
    era: u64,
    /// Half-open, and the one try is under way.
    probing: bool,
    /// Failures since the last success.
    failures: u32,
    opens: u64,
    ceiling: Duration,
    next_probe_ns: u64,
    busy_since_ns: Option<u64>,
    last_error: Option<String>,
    random: u64,
}

impl Breaker {
    /// A closed breaker. `seed` decides the jitter; processes that fail together should differ in it.
    pub fn new(patience: Patience, seed: u64) -> Self {
        Self {
            patience: Patience { threshold: patience.threshold.max(1), ..patience },
            state: State::Closed,
            era: 0,
            probing: false,
            failures: 0,
            opens: 0,
            ceiling: FIRST_CEILING.min(patience.timeout),
            next_probe_ns: 0,
            busy_since_ns: None,
            last_error: None,
            // Any seed but the one that xorshift never leaves; spread, so that neighbours draw differently at once.
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// Leave to try at `now_ns`. An open breaker whose delay is over becomes half-open, and the try is its probe.
    ///
    /// # Errors
    /// With the time until a try may be permitted. While another's probe is under way nobody knows; then it is the first
    /// ceiling.
    pub fn ask(&mut self, now_ns: u64) -> Result<Permit, Duration> {
        if let Some(left) = self.refused_for(now_ns) {
            return Err(left);
        }
        if self.state == State::Open {
            self.become_state(State::HalfOpen);
        }
        self.probing = self.state == State::HalfOpen;
        Ok(Permit { era: self.era })
    }

    /// Leave to try whatever the state, for the last try there is: the delay of an open breaker is over at once.
    pub fn insist(&mut self) -> Permit {
        if self.state == State::Open {
            self.become_state(State::HalfOpen);
        }
        self.probing = self.state == State::HalfOpen;
        Permit { era: self.era }
    }

    /// How long a try at `now_ns` is still refused; `None` when it is permitted.
    pub fn refused_for(&self, now_ns: u64) -> Option<Duration> {
        match self.state {
            State::Open if now_ns < self.next_probe_ns => Some(Duration::from_nanos(self.next_probe_ns - now_ns)),
            State::HalfOpen if self.probing => Some(FIRST_CEILING.min(self.patience.timeout)),
            _ => None,
        }
    }

    /// The try succeeded.
    pub fn succeeded(&mut self, permit: Permit) -> Option<Change> {
        if permit.era != self.era {
            return None;
        }
        self.failures = 0;
        self.busy_since_ns = None;
        if self.state == State::Closed {
            return None;
        }
        self.ceiling = FIRST_CEILING.min(self.patience.timeout);
        self.become_state(State::Closed);
        Some(Change::Closed)
    }

    /// The try failed.
    pub fn failed(&mut self, permit: Permit, fault: Fault, message: &str, now_ns: u64) -> Option<Change> {
        if permit.era != self.era {
            return None;
        }
        self.last_error = Some(message.to_owned());
        if fault == Fault::Busy {
            let since = *self.busy_since_ns.get_or_insert(now_ns);
            let lasted = Duration::from_nanos(now_ns.saturating_sub(since));
            if self.state == State::Closed && lasted < self.patience.busy_grace {
                return None;
            }
        }
        self.failures = self.failures.saturating_add(1);
        if self.state == State::HalfOpen {
            self.ceiling = self.ceiling.saturating_mul(2).min(self.patience.timeout);
            self.open(now_ns);
        } else if self.failures >= self.patience.threshold {
            self.opens += 1;
            self.open(now_ns);
            return Some(Change::Opened);
        }
        None
    }

    /// The try said nothing of what is tried: it was given up. Of a probe, the next to ask takes its place.
    pub fn given_up(&mut self, permit: Permit) {
        self.probing &= permit.era != self.era;
    }

    /// As [`Self::given_up`], with the reason as the last error: the try could not begin, and that is no failure.
    pub fn put_off(&mut self, permit: Permit, reason: &str) {
        if self.last_error.as_deref() != Some(reason) {
            self.last_error = Some(reason.to_owned());
        }
        self.given_up(permit);
    }

    fn become_state(&mut self, state: State) {
        self.state = state;
        self.era += 1;
        self.probing = false;
    }

    fn open(&mut self, now_ns: u64) {
        self.become_state(State::Open);
        let ceiling = u64::try_from(self.ceiling.as_nanos()).unwrap_or(u64::MAX).max(1);
        // Never nothing at all: whoever is told that it opened finds it open.
        self.next_probe_ns = now_ns.saturating_add(self.draw() % ceiling + 1);
    }

    /// xorshift64*: enough to keep processes from probing together.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Whether it is used. An open breaker whose delay is over stays open until somebody asks.
    pub fn state(&self) -> State {
        self.state
    }

    /// How often the breaker has opened; a probe that failed does not count again.
    pub fn opens(&self) -> u64 {
        self.opens
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// What the last failure said; kept after a success.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// How long until the next probe; `None` unless open.
    pub fn until_probe(&self, now_ns: u64) -> Option<Duration> {
        (self.state == State::Open).then(|| Duration::from_nanos(self.next_probe_ns.saturating_sub(now_ns)))
    }
}
