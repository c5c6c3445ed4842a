//! A trace of Chrome's format, which ui.perfetto.dev, chrome://tracing and Speedscope open.
//!
//! | what | as |
//! |---|---|
//! | run | a process, named after its program |
//! | thread | a thread of it, with its functions and blocks as complete events (`X`), which nest |
//! | coroutine, generator, block within one | async events (`b`, `e`): their calls overlap on a thread |
//! | call whose caller is on another line: in another thread or task, or suspended | a flow, from a point in its caller to it |
//! | calls in flight; calls and errors a second | counters (`C`) of the process |
//!
//! Times are µs with the nanoseconds as fraction, counted from a UTC midnight that stands in `otherData`: counted from
//! 1970 they would need more digits than a double has, and nesting would not survive that. Events are not in the order
//! of time, which the format allows.
//!
//! Memory: what is open, the last calls (for flows), and [`counters`]; nothing that grows with the number of calls.

mod counters;
mod event;
mod lanes;
mod places;
mod processes;
mod recent;

use std::io::Write as _;

use calltape_engine::query::{Call, Tape};
use calltape_record::Status;

use self::counters::Counters;
use self::event::Events;
use self::places::Places;
use self::processes::Processes;
use self::recent::Recent;
use crate::ExportError;
use crate::output::{Counted, Writer};
use crate::source::Row;

const NS_A_DAY: i64 = 86_400_000_000_000;
const NS_AN_HOUR: i64 = 3_600_000_000_000;

/// Bytes of events that are gathered before they are written.
const GATHERED: usize = 64 * 1024;

/// Writes calls as trace events.
pub(crate) struct Trace<'a> {
    out: Counted<'a>,
    events: Events,
    processes: Processes,
    places: Places,
    recent: Recent,
    /// Once the first call is known.
    counters: Option<Counters>,
    /// When the trace ends, Unix ns.
    last_ns: i64,
}

impl<'a> Trace<'a> {
    /// A trace to `out` of calls on `tape` that begin at `last_ns` or before.
    pub(crate) fn new(tape: &Tape, last_ns: i64, out: Counted<'a>) -> Result<Self, ExportError> {
        let mut events = Events::new();
        events.head();
        Ok(Self {
            out,
            events,
            processes: Processes::new(tape.runs(usize::MAX)?.0),
            places: Places::default(),
            recent: Recent::default(),
            counters: None,
            last_ns,
        })
    }

    /// When the call ended, Unix ns: one that was interrupted when its run did, if that is known.
    fn end_of(&self, call: &Call) -> Option<i64> {
        let end = match call.duration_ns {
            Some(duration) => call.started_ns.checked_add_unsigned(duration),
            None if call.status == Status::Interrupted => self.processes.ended_ns(call),
            None => None,
        };
        end.filter(|end| *end >= call.started_ns)
    }

    fn pass_on(&mut self) -> Result<(), ExportError> {
        let text = self.events.take();
        Ok(self.out.write_all(&text)?)
    }

    fn write_row(&mut self, row: &Row) -> Result<(), ExportError> {
        let call = &row.call;
        let end_ns = self.end_of(call);
        let counters = self.counters.get_or_insert_with(|| {
            // An hour before, because ids are only nearly in the order of starts.
            self.events.begin((call.started_ns - NS_AN_HOUR).div_euclid(NS_A_DAY) * NS_A_DAY);
            Counters::over(call.started_ns, self.last_ns)
        });
        let pid = self.processes.of(call, &mut self.events);
        counters.count(pid, call.started_ns, end_ns.unwrap_or(self.last_ns), call.status == Status::Error);
        let parent = call.parent_id.and_then(|id| self.recent.get(id));
        let place = self.places.place(call, end_ns.unwrap_or(i64::MAX), pid, parent, &mut self.events);
        let elsewhere = parent.filter(|parent| (parent.pid, parent.line) != (place.pid, place.line));
        if let Some(parent) = &elsewhere {
            self.events.flow_from(call, parent);
        }
        self.events.call(call, &place, elsewhere.is_some());
        self.recent.insert(call.id, place);
        if self.events.gathered() >= GATHERED { self.pass_on() } else { Ok(()) }
    }
}

impl Writer for Trace<'_> {
    fn write(&mut self, rows: &[Row]) -> Result<(), ExportError> {
        rows.iter().try_for_each(|row| self.write_row(row))
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.places.end(&mut self.events);
        if let Some(counters) = &self.counters {
            counters.write(&mut self.events);
        }
        self.events.foot();
        self.pass_on()
    }
}
