//! Reading a run's frames into a batch. Decodes and joins, touches no database, and stops where the batch is full.

use std::ops::ControlFlow;

use calltape_journal::{Frame, Run, SegmentKey, SegmentState};
use calltape_record::{EndEvent, NoteEvent, StartEvent, ThreadEvent, ids, kind};

use super::batch::{Batch, Moved, Row};
use super::pace::Pace;
use super::run::{Cursor, Facts, Followed};

/// Slots a run can have; a frame that names one beyond is damaged.
const MOST_SLOTS: u32 = calltape_journal::MAXIMUM_SLOTS;

/// Why reading a segment stopped before its end.
enum Stop {
    /// The batch is full.
    Full,
    /// A function that is not known yet.
    Function(u32),
}

impl Followed {
    /// Reads on in every segment, oldest lease first; false when the batch was full before the end.
    pub(super) fn read_into(&mut self, place: u32, batch: &mut Batch, pace: &mut Pace) -> bool {
        let Self { run, facts, .. } = self;
        if let Some(offset) = run.unix_offset_ns() {
            facts.offset_ns = Some(offset);
        }
        facts.learn_functions(run.functions(), None);
        for key in run.segments() {
            if !read_segment(run, facts, place, key, batch, pace) {
                return false;
            }
        }
        true
    }
}

fn read_segment(
    run: &mut Run,
    facts: &mut Facts,
    place: u32,
    key: SegmentKey,
    batch: &mut Batch,
    pace: &mut Pace,
) -> bool {
    let known = facts.cursors.get(&key.number).copied().filter(|cursor| cursor.epoch == key.epoch);
    let mut cursor = known.unwrap_or(Cursor { epoch: key.epoch, offset: 0, thread: None });
    let (finished, full) = loop {
        let mut stop = None;
        let end = run.read(key.number, key.epoch, cursor.offset, |frame| {
            match facts.take(&frame, place, &mut cursor.thread, batch) {
                ControlFlow::Continue(()) => cursor.offset = frame.end_offset,
                ControlFlow::Break(slot) => {
                    stop = Some(Stop::Function(slot));
                    return ControlFlow::Break(());
                }
            }
            let late = pace.step();
            if late || batch.is_full() {
                stop = Some(Stop::Full);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        facts.damaged += end.damaged_frames;
        match stop {
            None => cursor.offset = end.offset,
            Some(Stop::Full) => break (false, true),
            Some(Stop::Function(slot)) => {
                // An unreadable file shows as definitions that stay unknown.
                let _ = run.refresh_functions();
                facts.learn_functions(run.functions(), Some(slot));
                continue;
            }
        }
        break (end.finished, false);
    };
    if known != Some(cursor) {
        let Cursor { epoch, offset, thread } = cursor;
        batch.moved.push(Moved { run: place, segment: key.number, epoch, offset, thread });
        facts.cursors.insert(key.number, cursor);
    }
    if finished && key.state == SegmentState::Sealed {
        batch.finished.push((place, key.number, key.epoch));
    }
    !full
}

impl Facts {
    /// Takes one frame into the batch; breaks with the slot of a function not known yet, with nothing taken.
    fn take(&mut self, frame: &Frame<'_>, place: u32, thread: &mut Option<u32>, batch: &mut Batch) -> ControlFlow<u32> {
        match frame.kind {
            kind::START | kind::LATE_START => {
                let Ok(start) = StartEvent::decode(frame.payload) else { return self.skip() };
                let slot = start.head.function;
                if slot >= MOST_SLOTS {
                    return self.skip();
                }
                if slot as usize >= self.functions.len() {
                    return ControlFlow::Break(slot);
                }
                let thread = match *thread {
                    Some(thread) => thread,
                    None => *thread.insert(self.unknown_thread()),
                };
                self.begin(&start, frame.kind == kind::LATE_START, place, thread, batch);
            }
            kind::END => {
                let Ok(end) = EndEvent::decode(frame.payload) else { return self.skip() };
                self.see(end.ended, None);
                let slot = end.function;
                self.damaged += batch.end(place, end, frame.payload, self.sensitive_fields(slot));
            }
            kind::NOTE => {
                let Ok(note) = NoteEvent::decode(frame.payload) else { return self.skip() };
                self.damaged += batch.note(place, &note);
            }
            kind::THREAD => {
                let event = ThreadEvent::decode(frame.payload);
                *thread = Some(match event {
                    Ok(event) => self.thread(event),
                    Err(_) => {
                        self.damaged += 1;
                        self.unknown_thread()
                    }
                });
            }
            _ => return self.skip(),
        }
        batch.took(frame.payload.len());
        ControlFlow::Continue(())
    }

    fn skip(&mut self) -> ControlFlow<u32> {
        self.damaged += 1;
        ControlFlow::Continue(())
    }

    /// Notes an event's time, and returns it as Unix time.
    fn see(&mut self, mono: u64, id: Option<u64>) -> i64 {
        let at = self.unix(mono, id);
        self.seen_ns = self.seen_ns.max(at);
        at
    }

    pub(super) fn begin(&mut self, start: &StartEvent<'_>, late: bool, place: u32, thread: u32, batch: &mut Batch) {
        let head = &start.head;
        let mut row = Row::begun(head.id, place, head.function, thread);
        row.started_mono = head.started;
        row.started_ns = self.see(head.started, Some(head.id));
        (row.parent, row.root, row.weight) = (head.parent, head.root, head.weight);
        let parameters = &self.functions[head.function as usize].definition.parameters;
        match batch.render(|json| start.render_arguments(parameters, late, json)) {
            Ok(args) => row.args = args,
            Err(_) => self.damaged += 1,
        }
        let ahead = ids::unix_ns(head.id).saturating_sub(row.started_ns);
        batch.lead_ns = batch.lead_ns.max(ahead);
        batch.lag_ns = batch.lag_ns.max(ahead.saturating_neg());
        let mut end = batch.begin(row);
        if end.is_none() && !self.early.is_empty() {
            end = self.early.remove(&head.id);
            if end.is_some() {
                batch.met_early.push(head.id);
            }
        }
        if !self.early_notes.is_empty()
            && let Some(object) = self.early_notes.remove(&head.id)
            && batch.note_waited(place, head.id, &object).is_err()
        {
            self.damaged += 1;
        }
        // It was decoded when it came, so it is whole.
        if let Some(Ok(end)) = end.as_deref().map(EndEvent::decode) {
            let slot = end.function;
            self.damaged += batch.finish_last(end, self.sensitive_fields(slot));
        }
    }
}
