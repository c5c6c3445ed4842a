//! The breaker between drain and database: after several failures in a row the database is left alone for a while.
//!
//! ```text
//! closed --threshold failures--> open --delay over--> half-open --probe ok--> closed
//!                                  ^-------------probe failed---------'   (delay doubled)
//! ```
//!
//! Asked and told by one thread; time is passed in, so a test needs no clock. Touches nothing itself: while it is open
//! the drain does not, and the journal holds.

use std::time::Duration;

/// The first delay of an open breaker; doubled with each failed probe up to the timeout.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// How long a database may be busy, without a batch in between, before that counts as a failure.
const BUSY_GRACE: Duration = Duration::from_secs(5);

/// Whether the database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Every batch goes to the database.
    Closed,
    /// None does.
    Open,
    /// One does, as a probe.
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

/// How a batch failed, as far as the breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Somebody else has the database locked; counts once that lasted 5 s.
    Busy,
    /// The disk is full, broken, read-only or gone.
    Capacity,
    /// Anything else.
    Other,
}

/// A change of state worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The database is left alone from now on.
    Opened,
    /// It is used again.
    Closed,
}

/// The breaker's state machine.
#[derive(Debug)]
pub struct Breaker {
    threshold: u32,
    longest_delay: Duration,
    state: State,
    /// Failures since the last success.
    failures: u32,
    opens: u64,
    /// Upper end of the next delay; the delay itself is drawn between zero and this.
    delay: Duration,
    next_probe_ns: u64,
    busy_since_ns: Option<u64>,
    last_error: Option<String>,
    random: u64,
}

impl Breaker {
    /// A closed breaker. `seed` decides the jitter; processes that fail together should differ in it.
    pub fn new(threshold: u32, longest_delay: Duration, seed: u64) -> Self {
        Self {
            threshold: threshold.max(1),
            longest_delay,
            state: State::Closed,
            failures: 0,
            opens: 0,
            delay: FIRST_DELAY.min(longest_delay),
            next_probe_ns: 0,
            busy_since_ns: None,
            last_error: None,
            random: seed | 1,
        }
    }

    /// Whether a batch may go to the database at `now_ns`. An open breaker whose delay is over becomes half-open, and
    /// the batch is its probe.
    pub fn permits(&mut self, now_ns: u64) -> bool {
        if self.state == State::Open && now_ns >= self.next_probe_ns {
            self.state = State::HalfOpen;
        }
        self.state != State::Open
    }

    /// A batch is committed.
    pub fn succeeded(&mut self) -> Option<Change> {
        let was = self.state;
        self.state = State::Closed;
        self.failures = 0;
        self.busy_since_ns = None;
        self.delay = FIRST_DELAY.min(self.longest_delay);
        (was != State::Closed).then_some(Change::Closed)
    }

    /// A batch failed.
    pub fn failed(&mut self, fault: Fault, message: &str, now_ns: u64) -> Option<Change> {
        self.last_error = Some(message.to_owned());
        if fault == Fault::Busy {
            let since = *self.busy_since_ns.get_or_insert(now_ns);
            if self.state == State::Closed && now_ns.saturating_sub(since) < BUSY_GRACE.as_nanos() as u64 {
                return None;
            }
        }
        self.failures = self.failures.saturating_add(1);
        match self.state {
            State::Closed if self.failures >= self.threshold => {
                self.opens += 1;
                self.open(now_ns);
                Some(Change::Opened)
            }
            State::Closed => None,
            State::HalfOpen | State::Open => {
                self.delay = (self.delay * 2).min(self.longest_delay);
                self.open(now_ns);
                None
            }
        }
    }

    fn open(&mut self, now_ns: u64) {
        self.state = State::Open;
        let ceiling = u64::try_from(self.delay.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.next_probe_ns = now_ns.saturating_add(self.draw() % ceiling);
    }

    /// xorshift64*: enough to keep processes from probing together.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Whether the database is used.
    pub fn state(&self) -> State {
        self.state
    }

    /// How often the breaker has opened.
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
