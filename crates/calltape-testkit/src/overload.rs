//! What the wrapper does with calls under overload and sampling: those that get no START, and what becomes of them.
//! Part of [`Caller`]; each says what it did, so that a plain model can count with it.

use calltape_journal::{Full, Pressure, Writer, bump, monotonic_ns};
use calltape_record::latency::bucket_of;
use calltape_record::value::ValueWriter;
use calltape_record::{ArgumentWriter, EndHead, StartHead, Status, begin_end, begin_start, kind};

use crate::{Caller, Raised};

/// How a call without a START ends.
#[derive(Debug, Clone, Copy)]
pub enum Ends {
    /// As most do.
    Quick,
    /// Slower than is left out.
    Slow,
    /// With an exception.
    Raising(Raised),
}

/// What became of a call without a START.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It is stored after all.
    Stored,
    /// It is counted as sampled out or dropped, as it began.
    Counted,
    /// It raised and there was no room: it is counted as dropped, and its kind of error.
    Lost,
}

/// Why a call has no START.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Sampling has left it out.
    LeftOut,
    /// There was no room for it, or what there was is for errors.
    Dropped,
}

impl Caller {
    /// Begins a call as the wrapper does, with `size` bytes of text as its argument `a`: None where it must be dropped,
    /// because the journal is full or keeps what it has for errors.
    pub fn begin_or_drop(&mut self, function: u32, weight: f64, size: usize, started: u64) -> Option<u64> {
        bump(&self.journal().counters(function).calls);
        if self.journal().pressure() >= Pressure::Dropping {
            return None;
        }
        let id = self.take_id();
        let start = start_of(&StartHead { id, parent: 0, root: id, started, function, weight }, size);
        self.append_calls(kind::START, &start, Self::END_RESERVE).is_ok().then_some(id)
    }

    /// Ends a call that has begun, with an exception or the result 0.
    ///
    /// # Errors
    /// When there is no room, not even in the reserve; the call goes on then.
    pub fn end_or_wait(&mut self, id: u64, function: u32, ended: u64, raised: Option<Raised>) -> Result<(), Full> {
        let end = end_of(id, function, ended, false, raised);
        self.append_errors(kind::END, &end, 0)
    }

    /// A call that sampling leaves out begins.
    pub fn leave_out(&self, function: u32) {
        bump(&self.journal().counters(function).calls);
    }

    /// Ends a call without a START that took `ns`.
    pub fn end_missing(&mut self, function: u32, missing: Missing, ns: u64, ends: Ends) -> Became {
        let raised = match ends {
            Ends::Raising(raised) => Some(raised),
            Ends::Quick | Ends::Slow => None,
        };
        let dropping = self.journal().pressure() >= Pressure::Dropping;
        let worth_a_row = raised.is_some() || (matches!(ends, Ends::Slow) && !dropping);
        if worth_a_row && self.store_late(function, ns, raised).is_ok() {
            return Became::Stored;
        }
        let counters = self.journal().counters(function);
        let is_dropped = missing == Missing::Dropped || raised.is_some();
        bump(if is_dropped { &counters.dropped } else { &counters.sampled_out });
        if let Some(tally) = self.journal().tally(function) {
            tally.add(bucket_of(ns), ns);
        }
        let Some(raised) = raised else { return Became::Counted };
        bump(&counters.dropped_errors);
        self.journal().count_lost_error(function, raised.error_type, "shop.py", raised.line, "place");
        Became::Lost
    }

    fn store_late(&mut self, function: u32, ns: u64, raised: Option<Raised>) -> Result<(), Full> {
        let (id, ended) = (self.take_id(), monotonic_ns());
        let started = ended.saturating_sub(ns);
        let start = start_of(&StartHead { id, parent: 0, root: id, started, function, weight: 1.0 }, 3);
        let end = end_of(id, function, started + ns, true, raised);
        let reserve = Writer::frame_bytes(end.len());
        if raised.is_some() {
            self.append_errors(kind::LATE_START, &start, reserve)?;
        } else {
            self.append_calls(kind::LATE_START, &start, reserve)?;
        }
        self.append_errors(kind::END, &end, 0)
    }
}

fn start_of(head: &StartHead, size: usize) -> Vec<u8> {
    let mut start = Vec::new();
    begin_start(&mut start, head);
    ArgumentWriter::leading(&mut start, 1);
    ValueWriter::text(&mut start, "x".repeat(size).as_bytes());
    start
}

fn end_of(id: u64, function: u32, ended: u64, certain: bool, raised: Option<Raised>) -> Vec<u8> {
    let mut end = Vec::new();
    let status = if raised.is_some() { Status::Error } else { Status::Ok };
    begin_end(&mut end, &EndHead { id, ended, function, status, certain });
    match raised {
        Some(raised) => raised.write(&mut end),
        None => ValueWriter::int(&mut end, 0),
    }
    end
}
