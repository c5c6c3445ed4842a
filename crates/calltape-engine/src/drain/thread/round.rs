//! One round of the drain's thread: the lease, the breaker's permit, a pass, and what comes of it for the breaker and the
//! log. Never ends the thread: a panic in a pass is a failure like others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use calltape_journal::monotonic_ns;

use super::{LEASE_EVERY_NS, Worker};
use crate::breaker::{Change, Fault, Permit, State};
use crate::drain::outcome::{DrainError, Progress};
use crate::drain::pass::MOST_CALLS;
use crate::forked::may_use_sqlite;
use crate::headroom;
use crate::messages::Level;
use crate::store::StoreError;

/// Calls of a probe: enough to be a real batch, few enough to be read again without a thought.
const PROBE_CALLS: usize = 256;

/// What one round came to.
pub(super) enum Round {
    /// There is more to do now.
    More,
    /// Everything that was there is committed.
    Done,
    /// Another process drains.
    Elsewhere,
    /// Nothing could be done: the breaker is open or the database failed.
    Held,
}

impl Worker {
    /// One pass, if it is this process's to do and the breaker permits. The last ones do not ask the breaker: there
    /// is no later.
    pub(super) fn round(&mut self, last: bool, everything: bool) -> Round {
        if self.elsewhere && !self.drain.own_is_gone() {
            return Round::Elsewhere;
        }
        let now = monotonic_ns();
        if !self.drain.has_lease() {
            if now < self.next_lease_ns {
                return if self.lease_fails { Round::Held } else { Round::Elsewhere };
            }
            self.next_lease_ns = now + LEASE_EVERY_NS;
            let taken = self.drain.take_lease();
            self.lease_fails = taken.is_err();
            match taken {
                Ok(true) if !may_use_sqlite() || self.is_settled_elsewhere() => {
                    self.drain.give_up_lease();
                    return Round::Held;
                }
                Ok(true) => self.lease_since_ns = now,
                Ok(false) => return Round::Elsewhere,
                Err(fault) => {
                    self.shared.messages.say(Level::Warning, format!("the writer lease cannot be taken: {fault}"));
                    return Round::Held;
                }
            }
        }
        if !headroom::for_a_batch() {
            let line = "there is no memory for a batch now; calls stay in the journal";
            self.shared.messages.say(Level::Warning, line.to_owned());
            return Round::Held;
        }
        let Some(permit) = self.permit(now, last) else { return Round::Held };
        let probe = self.breaker.state() == State::HalfOpen;
        let calls = if probe && !last { PROBE_CALLS } else { MOST_CALLS };
        let outcome = self.guarded_pass(everything || probe || last, calls);
        self.say_what_was_left();
        match outcome {
            Ok(progress) => self.passed(permit, progress),
            Err(DrainError::Store(StoreError::GivenUp)) => {
                self.breaker.given_up(permit);
                Round::More
            }
            Err(error) => self.failed(permit, &error),
        }
    }

    fn permit(&mut self, now: u64, last: bool) -> Option<Permit> {
        if last { Some(self.breaker.insist()) } else { self.breaker.ask(now).ok() }
    }

    /// A pass; a panic in it is an error like others, so that a fault of the drain's own never ends the recording.
    fn guarded_pass(&mut self, everything: bool, calls: usize) -> Result<Progress, DrainError> {
        let drain = &mut self.drain;
        // What a panic leaves half done is dropped and read again from the database.
        let outcome = catch_unwind(AssertUnwindSafe(|| drain.pass_of(everything, calls)));
        outcome.unwrap_or_else(|_| {
            self.drain.forget();
            Err(DrainError::Journal("the drain met a fault of its own; please report it".to_owned()))
        })
    }

    fn passed(&mut self, permit: Permit, progress: Progress) -> Round {
        if self.breaker.succeeded(permit) == Some(Change::Closed) {
            let line = format!("{} can be written again; what waited is being stored", self.db.display());
            self.shared.messages.say(Level::Info, line);
        }
        if progress.committed {
            let mut figures = self.shared.lock();
            figures.writes += 1;
            figures.calls += progress.calls;
        }
        if progress.more { Round::More } else { Round::Done }
    }

    fn failed(&mut self, permit: Permit, error: &DrainError) -> Round {
        let text = error.to_string();
        if error.is_a_wait() {
            self.breaker.put_off(permit, &text);
            return Round::Held;
        }
        let (fault, level) = match error {
            DrainError::Store(error) if error.needs_a_person() => (error.fault(), Level::Error),
            DrainError::Store(error) => (error.fault(), Level::Warning),
            _ => (Fault::Other, Level::Warning),
        };
        let change = self.breaker.failed(permit, fault, &text, monotonic_ns());
        if change == Some(Change::Opened) {
            self.drain.is_left_alone(&text);
            self.shared.messages.say(level, self.left_alone(error));
        } else if level == Level::Error {
            self.shared.messages.say(level, text);
        }
        Round::Held
    }

    /// What the log says when the breaker opens: the file, what is wrong, what to do, what happens meanwhile.
    fn left_alone(&self, error: &DrainError) -> String {
        let remedy = match error {
            DrainError::Store(error) => error.remedy().map(|remedy| format!("; {remedy}")),
            _ => None,
        };
        format!(
            "{} cannot be written: {error}{}; calls wait in the journal beside it, and it is tried again by itself",
            self.db.display(),
            remedy.unwrap_or_default()
        )
    }
}
