//! Trace events as JSON text. The one place that knows the format's members; what is where is decided elsewhere.

use std::io::Write as _;

use calltape_engine::query::Call;
use calltape_record::Status;

use super::places::{Line, Place};
use crate::json;

/// The category of calls. All have the same: viewers tell async lines apart by category and id, so a generator within a
/// coroutine would stand on another line than that.
const CALL: &str = "call";

/// The category of the points on threads that flows come from, which are no calls.
const FLOW: &str = "flow";

/// Bytes of arguments or of a result that go into an event; more is cut. A trace is looked at, and all of it is in
/// memory then.
const SHOWN: usize = 4_096;

/// Events that wait to be written.
#[derive(Debug)]
pub(super) struct Events {
    text: Vec<u8>,
    base_ns: i64,
    any: bool,
}

impl Events {
    pub(super) fn new() -> Self {
        Self { text: Vec::new(), base_ns: 0, any: false }
    }

    /// Counts times from `base_ns`, Unix ns.
    pub(super) fn begin(&mut self, base_ns: i64) {
        self.base_ns = base_ns;
    }

    /// The text since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }

    /// Bytes that wait.
    pub(super) fn gathered(&self) -> usize {
        self.text.len()
    }

    /// What is before the first event.
    pub(super) fn head(&mut self) {
        self.text.extend_from_slice(b"{\"traceEvents\":[\n");
    }

    /// What is after the last event.
    pub(super) fn foot(&mut self) {
        let _ = write!(
            self.text,
            "\n],\"otherData\":{{\"recorder\":\"calltape {}\",\"base_unix_ns\":\"{}\"}}}}\n",
            env!("CARGO_PKG_VERSION"),
            self.base_ns
        );
    }

    pub(super) fn process_name(&mut self, pid: u32, name: &str) {
        self.open("M", "process_name", pid, pid);
        self.name_argument(name);
    }

    pub(super) fn thread_name(&mut self, pid: u32, tid: u32, name: &str) {
        self.open("M", "thread_name", pid, tid);
        self.name_argument(name);
    }

    /// A counter's values at a time; the name ends in a colon, for viewers put the value's name behind it.
    pub(super) fn counter(&mut self, pid: u32, at_ns: i64, name: &str, values: &[(&str, f64)]) {
        self.open("C", name, pid, pid);
        self.time("ts", at_ns - self.base_ns);
        self.text.extend_from_slice(b",\"args\":{");
        for (position, (name, value)) in values.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            let _ = write!(self.text, "{comma}\"{name}\":{value}");
        }
        self.text.extend_from_slice(b"}}");
    }

    /// The end of an async event.
    pub(super) fn own_end(&mut self, pid: u32, id: u32, name: &str, end_ns: i64) {
        self.open("e", name, pid, pid);
        self.category(CALL);
        self.line_id(id);
        self.time("ts", end_ns - self.base_ns);
        self.text.push(b'}');
    }

    /// The beginning of a call, and on a thread its end too.
    pub(super) fn call(&mut self, call: &Call, place: &Place, has_flow: bool) {
        let ended = place.end_ns != i64::MAX;
        match place.line {
            Line::Thread(tid) => self.open(if ended { "X" } else { "B" }, &call.function, place.pid, tid),
            Line::Own(id) => {
                self.open("b", &call.function, place.pid, place.pid);
                self.line_id(id);
            }
        }
        self.category(CALL);
        self.time("ts", place.start_ns - self.base_ns);
        if ended && matches!(place.line, Line::Thread(_)) {
            self.time("dur", place.end_ns - place.start_ns);
        }
        if matches!(call.status, Status::Error | Status::Interrupted) {
            self.text.extend_from_slice(b",\"cname\":\"terrible\"");
        }
        if has_flow {
            let _ = write!(self.text, ",\"bind_id\":\"{:#x}\",\"flow_in\":true", call.id);
        }
        self.arguments(call);
        self.text.push(b'}');
    }

    /// The point in its caller from which a call's flow comes: an event of no duration, for a flow's own events can
    /// stand on threads only.
    pub(super) fn flow_from(&mut self, call: &Call, parent: &Place) {
        let name = format!("→ {}", call.function);
        match parent.line {
            Line::Thread(tid) => {
                self.open("X", &name, parent.pid, tid);
                self.category(FLOW);
            }
            Line::Own(id) => {
                self.open("n", &name, parent.pid, parent.pid);
                self.category(CALL);
                self.line_id(id);
            }
        }
        // Within the caller, even where it had returned before.
        let at_ns = call.started_ns.min(parent.end_ns.saturating_sub(1)).max(parent.start_ns);
        self.time("ts", at_ns - self.base_ns);
        if matches!(parent.line, Line::Thread(_)) {
            self.time("dur", 0);
        }
        let _ = write!(self.text, ",\"bind_id\":\"{:#x}\",\"flow_out\":true}}", call.id);
    }

    fn open(&mut self, phase: &str, name: &str, pid: u32, tid: u32) {
        if self.any {
            self.text.extend_from_slice(b",\n");
        }
        self.any = true;
        let _ = write!(self.text, "{{\"ph\":\"{phase}\",\"pid\":{pid},\"tid\":{tid},\"name\":");
        json::push_shown(&mut self.text, name);
    }

    fn name_argument(&mut self, name: &str) {
        self.text.extend_from_slice(b",\"args\":{\"name\":");
        json::push_shown(&mut self.text, name);
        self.text.extend_from_slice(b"}}");
    }

    fn category(&mut self, category: &str) {
        let _ = write!(self.text, ",\"cat\":\"{category}\"");
    }

    fn line_id(&mut self, id: u32) {
        let _ = write!(self.text, ",\"id2\":{{\"local\":\"{id:#x}\"}}");
    }

    /// A time in µs, with all its nanoseconds.
    fn time(&mut self, member: &str, ns: i64) {
        let sign = if ns < 0 { "-" } else { "" };
        let ns = ns.unsigned_abs();
        let _ = write!(self.text, ",\"{member}\":{sign}{}.{:03}", ns / 1_000, ns % 1_000);
    }

    fn arguments(&mut self, call: &Call) {
        let _ = write!(self.text, ",\"args\":{{\"id\":{},\"kind\":", call.id);
        json::push_shown(&mut self.text, &call.kind);
        let _ = write!(self.text, ",\"status\":\"{}\"", call.status.name());
        if let Some(parent) = call.parent_id {
            let _ = write!(self.text, ",\"parent_id\":{parent}");
        }
        for (name, text) in
            [("task", &call.task), ("error_type", &call.error_type), ("error_message", &call.error_message)]
        {
            if let Some(text) = text {
                let _ = write!(self.text, ",\"{name}\":");
                json::push_shown(&mut self.text, text);
            }
        }
        for (name, recorded) in [("args", &call.args), ("result", &call.result)] {
            if let Some(recorded) = recorded {
                let _ = write!(self.text, ",\"{name}\":");
                json::push_recorded_shown(&mut self.text, recorded, SHOWN);
            }
        }
        let suspended = call.active_ns.filter(|active| Some(*active) != call.duration_ns);
        for (name, number) in [("active_ns", suspended), ("yields", call.yields)] {
            if let Some(number) = number {
                let _ = write!(self.text, ",\"{name}\":{number}");
            }
        }
        if call.weight != 1.0 && call.weight.is_finite() {
            let _ = write!(self.text, ",\"weight\":{}", call.weight);
        }
        self.text.push(b'}');
    }
}
