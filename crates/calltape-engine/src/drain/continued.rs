//! A run whose beginning is in another file: the tape it was drained into was set aside, or deleted, and this one is new.
//! Called by `scan.rs` when a tape does not know a run that was drained before.
//!
//! The journal says how far each segment was stored: the new tape begins there, so that each call is in one file. Calls
//! that had begun by then and not ended are taken up whole, as far as their START is still in the journal. Of the others
//! only the number is known, and only to the process that stored them: see `docs/decisions/012-a-damaged-tape-is-set-aside.md`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use calltape_record::{EndEvent, NoteEvent, StartEvent, ThreadEvent, kind};

use super::batch::Batch;
use super::run::{Facts, Followed};
use crate::store::{BooksRow, CursorRow, StoreError, Transaction};

/// A record of a call that began in another file and goes on in this one.
#[derive(Debug)]
pub(super) struct Carried {
    kind: u8,
    payload: Vec<u8>,
    thread: ThreadEvent,
}

/// What stands in the journal before the marks, of calls that have not ended there.
type Open = BTreeMap<u64, Vec<Carried>>;

impl Followed {
    /// Begins the run in a tape that does not know it, where the last one left off. `earlier`: the books of that, if this
    /// process knows them.
    pub(super) fn take_up(
        &mut self,
        transaction: &Transaction<'_>,
        earlier: Option<&[BooksRow]>,
    ) -> Result<Vec<Carried>, StoreError> {
        let id = self.run.id();
        transaction.put_run(&self.facts.row)?;
        self.facts.learn_functions(self.run.functions(), Some(self.run.slots_in_use().saturating_sub(1)));
        for slot in 0..self.facts.functions.len() as u32 {
            let known = earlier.map(|books| books.get(slot as usize).copied().unwrap_or_default());
            let books = match (known, self.run.counters(slot)) {
                (Some(books), _) => books,
                (None, Some(counters)) => BooksRow {
                    calls: counters.calls,
                    sampled_out: counters.sampled_out,
                    dropped: counters.dropped,
                    dropped_errors: counters.dropped_errors,
                    ..BooksRow::default()
                },
                (None, None) => BooksRow::default(),
            };
            if books == BooksRow::default() {
                continue;
            }
            let function = self.facts.function_number(transaction, slot)?;
            transaction.put_books(id, slot, function, &BooksRow { stored: 0, ..books })?;
            transaction.put_elsewhere(id, slot, known.map(|books| books.stored))?;
        }
        self.skip_timed(transaction)?;
        let mut open = Open::new();
        for key in self.run.segments() {
            let mark = self.run.drained(key.number, key.epoch);
            let thread = self.read_before(key.number, key.epoch, mark, &mut open);
            let thread = match thread {
                Some(event) => Some(transaction.thread_number(id, &event)?),
                None => None,
            };
            transaction.put_cursor(id, &CursorRow { segment: key.number, epoch: key.epoch, offset: mark, thread })?;
        }
        Ok(open.into_values().flatten().collect())
    }

    /// Reads what is stored elsewhere of one segment: whose it is at the mark, and what of it is open.
    fn read_before(&self, number: u32, epoch: u32, mark: usize, open: &mut Open) -> Option<ThreadEvent> {
        let mut thread = None;
        self.run.read(number, epoch, 0, |frame| {
            if frame.end_offset > mark {
                return ControlFlow::Break(());
            }
            if frame.kind == kind::THREAD {
                thread = ThreadEvent::decode(frame.payload).ok();
            } else if let Some(thread) = &thread {
                take(frame.kind, frame.payload, thread, open);
            }
            ControlFlow::Continue(())
        });
        thread
    }

    /// Puts records that were taken up into a batch, before anything else of the run.
    pub(super) fn put_carried(&mut self, place: u32, carried: &[Carried], batch: &mut Batch) {
        self.facts.learn_functions(self.run.functions(), None);
        carried.iter().for_each(|record| self.facts.put_carried(place, record, batch));
    }
}

/// Notes a record of a call, or that the call has ended.
fn take(record: u8, payload: &[u8], thread: &ThreadEvent, open: &mut Open) {
    let carried = || Carried { kind: record, payload: payload.to_vec(), thread: thread.clone() };
    match record {
        kind::START | kind::LATE_START => {
            if let Ok(start) = StartEvent::decode(payload) {
                open.insert(start.head.id, vec![carried()]);
            }
        }
        kind::NOTE => {
            if let Ok(note) = NoteEvent::decode(payload)
                && let Some(records) = open.get_mut(&note.id)
            {
                records.push(carried());
            }
        }
        kind::END => {
            if let Ok(end) = EndEvent::decode(payload) {
                open.remove(&end.id);
            }
        }
        _ => {}
    }
}

impl Facts {
    fn put_carried(&mut self, place: u32, record: &Carried, batch: &mut Batch) {
        if record.kind == kind::NOTE {
            if let Ok(note) = NoteEvent::decode(&record.payload) {
                self.damaged += batch.note(place, &note);
            }
            return;
        }
        let Ok(start) = StartEvent::decode(&record.payload) else { return };
        if (start.head.function as usize) < self.functions.len() {
            let thread = self.thread(record.thread.clone());
            self.begin(&start, record.kind == kind::LATE_START, place, thread, batch);
        }
    }
}
