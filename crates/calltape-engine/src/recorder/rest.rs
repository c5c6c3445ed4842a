//! The background thread at rest and back at work: before a fork and after it, and where the system has no thread to give.
//! Never waits longer than it was told to; a fork that goes on without is better than one that hangs.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::{GRACE, Place, Recorder, TRY_AGAIN};
use crate::drain::{Wish, spawn};
use crate::forked::{hold_readers, release_readers};
use crate::messages::Level;

/// How long a fork's end waits for a lock that is held for longer by a thread alone that ends the recording.
const TRY_FOR: Duration = Duration::from_millis(5);

/// The lock within a time; `None` when it is over first.
fn held_until<T>(mutex: &Mutex<T>, deadline: Instant) -> Option<MutexGuard<'_, T>> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(TRY_AGAIN),
        }
    }
}

impl Recorder {
    /// Stops the thread without ending the run, as before a fork; false when it is in the middle of a batch for longer
    /// than `timeout`, and then it goes on.
    pub fn pause(&self, timeout: Duration) -> bool {
        self.pause_until(Instant::now() + timeout)
    }

    fn pause_until(&self, deadline: Instant) -> bool {
        let Some(mut place) = held_until(&self.place, deadline) else { return false };
        if !matches!(*place, Place::Running(_)) {
            return true;
        }
        self.shared.wish(Wish::Pause);
        let half = deadline.saturating_duration_since(Instant::now()) / 2;
        let mut stopped = self.shared.wait(deadline - half, GRACE, |figures| figures.stopped);
        if !stopped {
            self.shared.give_up_the_batch();
            stopped = self.shared.wait(deadline, GRACE, |figures| figures.stopped);
        }
        if !stopped {
            self.shared.wish(Wish::Run);
            // It may have stopped between the two.
            if !self.shared.figures().stopped {
                return false;
            }
        }
        if let Place::Running(thread) = std::mem::replace(&mut *place, Place::Over)
            && let Some(worker) = thread.join()
        {
            *place = Place::Paused(worker);
        }
        self.shared.wish(Wish::Run);
        true
    }

    /// Brings the thread, and whoever else reads the database here, to rest for a fork, until [`Self::release`], which
    /// must follow. False when they do not come to rest in time: then the fork goes on without.
    pub fn hold(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        // Release by the lock of `place`, under which `resume` looks at it.
        self.holds.fetch_add(1, Ordering::AcqRel);
        let rested = self.pause_until(deadline);
        hold_readers(deadline.saturating_duration_since(Instant::now())) && rested
    }

    /// Starts the thread again after [`Self::hold`], where no other fork is under way.
    pub fn release(&self) {
        release_readers();
        self.holds.fetch_sub(1, Ordering::AcqRel);
        // Not `resume`: whoever looks at the holds right now may have seen this one still.
        if let Some(mut place) = held_until(&self.place, Instant::now() + TRY_FOR)
            && self.holds.load(Ordering::Acquire) == 0
        {
            self.stranded.store(!self.resume_in(&mut place), Ordering::Relaxed);
        }
    }

    /// Starts the thread where a fork's end could not. Whoever comes by, and not on each call, tries it.
    pub fn rescue(&self) {
        if self.stranded.load(Ordering::Relaxed) && self.resume() {
            self.stranded.store(false, Ordering::Relaxed);
        }
    }

    /// Starts the thread again after [`Self::pause`]; false when the system has no thread to give.
    pub fn resume(&self) -> bool {
        // Whoever has it starts or ends the thread.
        let mut place = match self.place.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(place)) => place.into_inner(),
            Err(TryLockError::WouldBlock) => return true,
        };
        self.holds.load(Ordering::Acquire) > 0 || self.resume_in(&mut place)
    }

    pub(super) fn resume_in(&self, place: &mut Place) -> bool {
        let worker = match std::mem::replace(place, Place::Over) {
            Place::Paused(worker) => worker,
            other => {
                *place = other;
                return true;
            }
        };
        match spawn(worker) {
            Ok(thread) => {
                *place = Place::Running(thread);
                true
            }
            Err((worker, fault)) => {
                *place = Place::Paused(worker);
                let line =
                    format!("the background thread cannot be started ({fault}); flush() and the exit do its work");
                self.shared.messages.say(Level::Warning, line);
                false
            }
        }
    }
}
