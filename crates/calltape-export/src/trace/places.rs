//! Where a call stands in a trace: functions, and blocks of functions, on their thread, where they nest; coroutines,
//! generators and the blocks of those on lines of their own, where they stand within the call of the same task that made
//! them, or begin a line.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use calltape_engine::query::Call;

use super::event::Events;
use super::lanes::{Lane, Open};

/// Threads and lines known at a time. Beyond it those on which nothing runs are forgotten; a name that comes again is a
/// further line then.
const KNOWN: usize = 16 * 1024;

/// Lines a thread's name may need, because several threads have it; calls for which even those have no room stand on
/// lines of their own.
const LINES_A_THREAD: usize = 64;

/// Above all pids, so that no thread of one process is taken for the main thread of another.
const FIRST_TID: u32 = 1 << 23;

/// A line of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A thread, by tid.
    Thread(u32),
    /// A line of async events, by id.
    Own(u32),
}

/// A call in the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Its process in the trace.
    pub(super) pid: u32,
    /// Its line.
    pub(super) line: Line,
    /// Its start, Unix ns.
    pub(super) start_ns: i64,
    /// Its end, Unix ns; `i64::MAX` when it has none.
    pub(super) end_ns: i64,
    /// Its thread and its task, as digests: one line of async events is of one task.
    pub(super) who: (u64, u64),
}

/// A run, and the name of a thread or a function in it.
type OfRun = (u64, String);

/// A line of its own and when it is free, the earliest first.
type Free = Reverse<(i64, u32)>;

/// All lines.
#[derive(Debug, Default)]
pub(super) struct Places {
    threads: HashMap<OfRun, Vec<(u32, Lane<()>)>>,
    lines: HashMap<u32, (u32, Lane<Rc<str>>)>,
    idle: HashMap<OfRun, BinaryHeap<Free>>,
    names: HashMap<String, Rc<str>>,
    tids: u32,
    ids: u32,
}

impl Places {
    /// Puts a call into the trace; `end_ns` is `i64::MAX` where it has none.
    pub(super) fn place(
        &mut self,
        call: &Call,
        end_ns: i64,
        pid: u32,
        parent: Option<Place>,
        events: &mut Events,
    ) -> Place {
        self.forget(call.started_ns, events);
        let who = (digest(&(call.run_id, &call.thread)), digest(&call.task));
        let (line, end_ns) = self
            .on_thread(call, end_ns, pid, parent, events)
            .or_else(|| self.within(call, end_ns, parent.filter(|parent| parent.who == who), events))
            .unwrap_or_else(|| (self.own(call, end_ns, pid, events), end_ns));
        Place { pid, line, start_ns: call.started_ns, end_ns, who }
    }

    /// Ends what is still open on lines of their own and has an end.
    pub(super) fn end(&mut self, events: &mut Events) {
        for (id, (pid, lane)) in &mut self.lines {
            lane.close_until(i64::MAX - 1, |open| events.own_end(*pid, *id, &open.what, open.end_ns));
        }
    }

    /// On its thread, where that runs nothing else meanwhile.
    fn on_thread(
        &mut self,
        call: &Call,
        end_ns: i64,
        pid: u32,
        parent: Option<Place>,
        events: &mut Events,
    ) -> Option<(Line, i64)> {
        let nests = match call.kind.as_str() {
            "function" => true,
            "span" => call.task.is_none() && parent.is_none_or(|parent| matches!(parent.line, Line::Thread(_))),
            _ => false,
        };
        if !nests {
            return None;
        }
        let key = (call.run_id, call.thread.clone());
        let is_new = !self.threads.contains_key(&key);
        let lanes = self.threads.entry(key).or_default();
        for (tid, lane) in lanes.iter_mut() {
            lane.close_until(call.started_ns, |_| {});
            if let Some(end_ns) = lane.room(call.started_ns, end_ns, call.parent_id) {
                lane.push(call.started_ns, Open { id: call.id, end_ns, what: () });
                return Some((Line::Thread(*tid), end_ns));
            }
        }
        if lanes.len() >= LINES_A_THREAD {
            return None;
        }
        let tid = if is_new && call.thread == "MainThread" {
            pid
        } else {
            self.tids += 1;
            FIRST_TID + self.tids
        };
        events.thread_name(pid, tid, &call.thread);
        let mut lane = Lane::default();
        lane.push(call.started_ns, Open { id: call.id, end_ns, what: () });
        lanes.push((tid, lane));
        Some((Line::Thread(tid), end_ns))
    }

    /// Within the call that made it, if that is the innermost on a line of its own.
    fn within(&mut self, call: &Call, end_ns: i64, parent: Option<Place>, events: &mut Events) -> Option<(Line, i64)> {
        let Line::Own(id) = parent?.line else { return None };
        let (pid, lane) = self.lines.get_mut(&id)?;
        lane.close_until(call.started_ns, |open| events.own_end(*pid, id, &open.what, open.end_ns));
        if lane.top().map(|top| top.id) != call.parent_id {
            return None;
        }
        let end_ns = lane.room(call.started_ns, end_ns, call.parent_id)?;
        let what = named(&mut self.names, call);
        lane.push(call.started_ns, Open { id: call.id, end_ns, what });
        Some((Line::Own(id), end_ns))
    }

    /// On a line of its own: one that the same function began before and that is free, for viewers name a line after
    /// what stands on it first; else a new one.
    fn own(&mut self, call: &Call, end_ns: i64, pid: u32, events: &mut Events) -> Line {
        let idle = self.idle.entry((call.run_id, call.function.clone())).or_default();
        let free = match idle.peek() {
            Some(Reverse((until, _))) if *until <= call.started_ns => idle.pop().map(|Reverse((_, id))| id),
            _ => None,
        };
        let id = free.unwrap_or_else(|| {
            self.ids += 1;
            self.ids
        });
        idle.push(Reverse((end_ns, id)));
        let what = named(&mut self.names, call);
        let (_, lane) = self.lines.entry(id).or_insert_with(|| (pid, Lane::default()));
        lane.close_until(call.started_ns, |open| events.own_end(pid, id, &open.what, open.end_ns));
        lane.push(call.started_ns, Open { id: call.id, end_ns, what });
        Line::Own(id)
    }

    fn forget(&mut self, now_ns: i64, events: &mut Events) {
        if self.threads.len() > KNOWN {
            self.threads.retain(|_, lanes| {
                lanes.iter_mut().for_each(|(_, lane)| lane.close_until(now_ns, |_| {}));
                lanes.iter().any(|(_, lane)| !lane.is_idle())
            });
        }
        if self.lines.len() > KNOWN {
            self.lines.retain(|id, (pid, lane)| {
                lane.close_until(now_ns, |open| events.own_end(*pid, *id, &open.what, open.end_ns));
                !lane.is_idle()
            });
            let Self { idle, lines, .. } = self;
            idle.retain(|_, heap| {
                heap.retain(|Reverse((_, id))| lines.contains_key(id));
                !heap.is_empty()
            });
        }
    }
}

/// The name of a call's function, held once for all of them: the end of an async event repeats it.
fn named(names: &mut HashMap<String, Rc<str>>, call: &Call) -> Rc<str> {
    match names.get(&call.function) {
        Some(name) => Rc::clone(name),
        None => Rc::clone(names.entry(call.function.clone()).or_insert_with(|| call.function.as_str().into())),
    }
}

fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
