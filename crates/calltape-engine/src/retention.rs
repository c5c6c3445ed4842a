//! What of a tape is due to go, and in which order. Pure: called by the drain and by `calltape prune` between two
//! batches with the time and the room the tape takes; answers with one small [`Step`] at a time and never touches a file.
//!
//! ```text
//! by age    failed calls at `errors`, other calls at `age`, minutes and ended runs at `minutes`, then names of nothing
//! by size   successes, oldest first -> minutes older than `age` -> failed calls -> minutes and runs, down to an hour
//! then      free pages back to the file system
//! ```
//!
//! Constraints:
//!
//! - A running call is never due. A call's age counts from its end, an interrupted one's from its run's.
//! - Failed calls (errors and interrupted ones) never go before successes of the same age, whatever is set.
//! - Nothing is remembered but places already walked past: a new drain walks them once more and finds nothing.
//! - While the drain is busy only the size limit itself makes a step due.

use std::time::Duration;

use calltape_record::ids;

mod terms;
mod walks;

pub(crate) use terms::is_error;
pub use terms::{CallSpan, Done, Limits, Moment, Room, Step};
use walks::{ByAge, BySize};

/// Between two walks for what has become too old.
const CYCLE_NS: u64 = 60_000_000_000;

/// Between two walks from the very beginning, for calls that were running when the last one passed them.
const SWEEP_NS: u64 = 3_600_000_000_000;

/// Between two looks at the room the tape takes while nothing is to be done.
const LOOK_NS: u64 = 100_000_000;

/// Between two attempts to cut the WAL back where a reader holds it.
const CUT_NS: u64 = 1_000_000_000;

/// Rest after a step, as a multiple of its time: retention then takes a fifth of a processor at most.
const REST: u64 = 4;

/// Between two attempts to make room where everything that may go is gone.
const RETRY_NS: u64 = 1_000_000_000;

/// Ids younger than this may still be filled in by calls whose id was given out ahead of their start; those that come
/// later still are met by the next sweep.
const ID_SLACK_NS: i64 = 2_000_000_000;

/// The rollup that is kept whatever the size.
const LEAST_MINUTES: Duration = Duration::from_secs(3600);

/// Minutes and runs that go by size go from this age on at first.
const OLD_MINUTES: Duration = Duration::from_secs(400 * 86_400);

/// The age from which minutes go before failed calls do, where no age of calls is set.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Free pages that are left to be used again, at least: 4 MiB.
const SPARE_BYTES: u64 = 4 << 20;

/// How retention goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// With rests, and a margin so that not every batch makes it work.
    Patient,
    /// To the last byte, once, as a person asks for it.
    Thorough,
    /// Without rests, for ever.
    Restless,
}

/// What the last step was due by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Age,
    Size,
}

/// What is due on one tape.
#[derive(Debug)]
pub struct Retention {
    limits: Limits,
    manner: Manner,
    by_age: ByAge,
    by_size: BySize,
    due: Due,
    /// At the last look: more room taken than the size limit; and more than it and a sixteenth, with a step that may
    /// change that.
    pressed: bool,
    overfull: bool,
    /// The age from which minutes and runs go by size; halved until there is room.
    minutes_age: Duration,
    /// Below, all that could go of successes and errors has gone.
    successes_from: u64,
    errors_from: u64,
    /// How far the walk by size is that is not at its end yet; it may pass calls whose ids others may still fill in.
    size_walk: u64,
    removed_since_names: bool,
    next_look_ns: u64,
    next_cycle_ns: u64,
    next_sweep_ns: u64,
    next_cut_ns: u64,
    next_names_ns: u64,
    /// When to look again after all that may go by size was gone.
    next_size_ns: u64,
}

impl Retention {
    /// For the drain: little at a time, with a margin so that it need not work at every batch.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            manner: Manner::Patient,
            by_age: ByAge::Rest,
            by_size: BySize::Rest,
            due: Due::Age,
            pressed: false,
            overfull: false,
            minutes_age: OLD_MINUTES,
            successes_from: 0,
            errors_from: 0,
            size_walk: 0,
            // A drain before this one may have removed the last of a name's rows.
            removed_since_names: true,
            next_look_ns: 0,
            next_cycle_ns: 0,
            next_sweep_ns: 0,
            next_cut_ns: 0,
            next_names_ns: 0,
            next_size_ns: 0,
        }
    }

    /// For a person who waits: everything that is due, once, until [`Self::next`] says `None`.
    pub fn thorough(limits: Limits) -> Self {
        Self { manner: Manner::Thorough, ..Self::new(limits) }
    }

    /// As for the drain, but without rests and walking from the beginning each time. For tests.
    #[doc(hidden)]
    pub fn restless(limits: Limits) -> Self {
        Self { manner: Manner::Restless, ..Self::new(limits) }
    }

    /// Whether it is worth looking at the room the tape takes. `stirred`: calls were just stored, or wait to be.
    pub fn looks(&self, now: Moment, stirred: bool) -> bool {
        let is_due = self.limits != Limits::default() && now.monotonic_ns >= self.next_look_ns;
        is_due || (stirred && self.limits.size.is_some())
    }

    /// Whether the tape was larger than it may be when [`Self::next`] last looked: then there is no rest.
    pub fn is_pressed(&self) -> bool {
        self.pressed
    }

    /// Whether it was so much larger that nothing more should be stored before what is due by size is done.
    pub fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// Looks at the room once more after a step: whether nothing more should be stored before the next.
    pub fn weigh(&mut self, room: Room) {
        self.overfull |= self.pressed && self.limits.size.is_some_and(|size| room.used + room.wal > size + size / 16);
    }

    /// The next step, or `None` for now. `busy`: calls wait to be stored.
    pub fn next(&mut self, now: Moment, busy: bool, room: Room) -> Option<Step> {
        let is_beyond = |size: u64| room.used + room.wal > size;
        self.pressed = self.limits.size.is_some_and(is_beyond);
        self.overfull = false;
        if !self.pressed && (busy || now.monotonic_ns < self.next_look_ns) {
            return None;
        }
        self.due = Due::Size;
        let step = self.due_by_size(now, busy, room);
        self.overfull = step.is_some() && self.limits.size.is_some_and(|size| is_beyond(size + size / 16));
        if step.is_some() || busy {
            return step;
        }
        self.due = Due::Age;
        let step = self.due_by_age(now).or_else(|| self.due_to_vacuum(room));
        if step.is_none() {
            self.next_look_ns = now.monotonic_ns + self.pause(LOOK_NS);
        }
        step
    }

    /// Takes note of what a step came to. `now` is after it.
    pub fn did(&mut self, step: Step, done: Done, now: Moment) {
        self.next_look_ns = now.monotonic_ns + self.pause(REST * done.took.as_nanos() as u64);
        let removes_rows = matches!(step, Step::Calls(_) | Step::Minutes(_) | Step::Runs(_));
        self.removed_since_names |= removes_rows && done.removed > 0;
        // A step that came to nothing, as where a reader holds the WAL, is no reason to store nothing.
        self.overfull &= done.removed > 0 || done.finished || matches!(step, Step::Calls(_));
        match (step, self.due) {
            (Step::CutWal, _) if done.finished => {}
            (Step::CutWal, _) => self.next_cut_ns = now.monotonic_ns + CUT_NS,
            (Step::Vacuum(_), _) => {}
            (step, due) => {
                if let Step::Calls(span) = step {
                    self.walked(span, done, now);
                }
                match due {
                    Due::Age => self.advance_by_age(done, now),
                    Due::Size => self.advance_by_size(done, now),
                }
            }
        }
    }

    /// How long to wait where the patient wait `ns`.
    fn pause(&self, ns: u64) -> u64 {
        if self.manner == Manner::Patient { ns } else { 0 }
    }

    /// Moves the places that are walked past.
    fn walked(&mut self, span: CallSpan, done: Done, now: Moment) {
        let slack = ids::at(now.unix_ns.saturating_sub(ID_SLACK_NS));
        let end = if done.finished { span.before_id.saturating_sub(1) } else { done.reached_id };
        let end = end.min(slack);
        if span.errors_before_ns.is_some() {
            self.errors_from = self.errors_from.max(end);
        }
        if span.successes_before_ns.is_some() {
            self.successes_from = self.successes_from.max(end);
        }
    }

    fn due_by_size(&mut self, now: Moment, busy: bool, room: Room) -> Option<Step> {
        let size = self.limits.size?;
        let taken = room.used + room.wal;
        let (begin, enough) =
            if self.manner == Manner::Thorough { (size, size) } else { (size - size / 16, size - size / 8) };
        if self.by_size == BySize::Rest {
            if taken <= begin {
                return None;
            }
            (self.by_size, self.minutes_age, self.size_walk) = (BySize::Successes, OLD_MINUTES, 0);
        }
        // Though calls wait, where it is too large: what is removed makes the WAL longer before it makes room. So above
        // the sixteenth, where a batch has just taken what a batch may, it goes before anything is removed. At rest a
        // shorter one goes too, where it alone is what is too much.
        let is_long = taken > enough && (room.wal > size / 8 || (room.used <= enough && !busy));
        let is_last = taken > size + size / 16 && room.wal > 0;
        if (is_long || is_last) && now.monotonic_ns >= self.next_cut_ns && (self.pressed || !busy) {
            return Some(Step::CutWal);
        }
        // The rest is the WAL's, and no row's removal would help.
        if room.used <= enough {
            self.by_size = BySize::Rest;
            return None;
        }
        if self.by_size == BySize::Exhausted {
            if self.manner == Manner::Thorough || now.monotonic_ns < self.next_size_ns {
                return None;
            }
            self.by_size = BySize::Successes;
        }
        let all = Some(i64::MAX);
        let span = CallSpan { successes_before_ns: all, down_to: enough, ..CallSpan::default() };
        match self.by_size {
            BySize::Successes => Some(Step::Calls(span.after(self.successes_from.max(self.size_walk)))),
            BySize::Errors => {
                let span = span.after(self.errors_from.max(self.size_walk));
                Some(Step::Calls(CallSpan { errors_before_ns: all, ..span }))
            }
            BySize::OldMinutes | BySize::Minutes => Some(Step::Minutes(now.minute_before(self.minutes_age))),
            BySize::Runs => Some(Step::Runs(now.before(self.minutes_age))),
            BySize::Rest | BySize::Exhausted => None,
        }
    }

    fn advance_by_size(&mut self, done: Done, now: Moment) {
        let floor = self.limits.age.unwrap_or(WEEK).max(LEAST_MINUTES);
        let halved = self.minutes_age / 2;
        let stage = self.by_size;
        self.by_size = match stage {
            // Calls came meanwhile: successes go first.
            BySize::Errors | BySize::Minutes | BySize::Runs if done.removed > 0 => BySize::Successes,
            stage if !done.finished => stage,
            BySize::Successes if self.minutes_age > floor => BySize::OldMinutes,
            BySize::Successes => BySize::Errors,
            BySize::OldMinutes if self.minutes_age > floor => {
                self.minutes_age = halved.max(floor);
                BySize::OldMinutes
            }
            BySize::OldMinutes => BySize::Errors,
            BySize::Errors => BySize::Minutes,
            BySize::Minutes => BySize::Runs,
            BySize::Runs if self.minutes_age > LEAST_MINUTES => {
                self.minutes_age = halved.max(LEAST_MINUTES);
                BySize::Minutes
            }
            BySize::Runs => {
                self.next_size_ns = now.monotonic_ns + RETRY_NS;
                BySize::Exhausted
            }
            stage => stage,
        };
        self.size_walk = if self.by_size == stage { done.reached_id } else { 0 };
    }

    fn due_by_age(&mut self, now: Moment) -> Option<Step> {
        if self.by_age == ByAge::Rest {
            if now.monotonic_ns < self.next_cycle_ns {
                return None;
            }
            self.next_cycle_ns = match self.manner {
                Manner::Thorough => u64::MAX,
                _ => now.monotonic_ns + self.pause(CYCLE_NS),
            };
            if now.monotonic_ns >= self.next_sweep_ns {
                self.next_sweep_ns = now.monotonic_ns + self.pause(SWEEP_NS);
                (self.successes_from, self.errors_from) = (0, 0);
            }
            self.by_age = ByAge::Errors;
        }
        let successes_before_ns = self.limits.age.map(|age| now.before(age));
        let errors_before_ns = self.limits.errors().map(|age| now.before(age));
        let span = |after_id, before_ns: i64, errors_before_ns| {
            let before_id = ids::at(before_ns);
            Step::Calls(CallSpan { after_id, before_id, successes_before_ns, errors_before_ns, down_to: 0 })
        };
        loop {
            let step = match self.by_age {
                ByAge::Rest => return None,
                ByAge::Errors => errors_before_ns.map(|before| span(self.errors_from, before, errors_before_ns)),
                ByAge::Successes => {
                    let from = self.successes_from.max(self.errors_from);
                    successes_before_ns.map(|before| span(from, before, None))
                }
                ByAge::Minutes => self.limits.minutes.map(|age| Step::Minutes(now.minute_before(age))),
                ByAge::Runs => self.limits.minutes.map(|age| Step::Runs(now.before(age))),
                ByAge::Names => {
                    let due = self.removed_since_names && now.monotonic_ns >= self.next_names_ns;
                    due.then_some(Step::Names)
                }
            };
            match step {
                Some(step) => return Some(step),
                None => self.by_age = self.by_age.next(),
            }
        }
    }

    fn advance_by_age(&mut self, done: Done, now: Moment) {
        if !done.finished {
            return;
        }
        if self.by_age == ByAge::Names {
            self.removed_since_names = false;
            self.next_names_ns = now.monotonic_ns + self.pause(SWEEP_NS);
        }
        self.by_age = self.by_age.next();
    }

    fn due_to_vacuum(&self, room: Room) -> Option<Step> {
        let spare = if self.manner == Manner::Thorough { 0 } else { (room.used / 8).max(SPARE_BYTES) };
        let over = self.limits.size.map_or(0, |size| (room.used + room.free + room.wal).saturating_sub(size));
        let bytes = if room.free > spare { room.free - spare / 2 } else { over.min(room.free) };
        (bytes > 0).then_some(Step::Vacuum(bytes))
    }
}

#[cfg(test)]
mod tests;
