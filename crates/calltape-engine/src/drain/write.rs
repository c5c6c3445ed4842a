//! A batch into one transaction: rows, ends of earlier rows, cursors, books and minutes.
//! Called between BEGIN and COMMIT. Any error makes the caller roll back and forget everything, so nothing is undone here.

use calltape_record::{EndEvent, Status};

use super::batch::{Active, Batch, Failed, Late, Row, is_certain};
use super::kinds::Kinds;
use super::pace::Pace;
use super::run::{Facts, Followed};
use crate::store::{
    ActivityRow, BooksRow, CallRow, CursorRow, Delta, EndRow, ErrorKey, FailureRow, Minutes, RowWriter, StoreError,
    Transaction,
};

/// What a failed call shows when its traceback was not captured.
const NO_TRACEBACK: &str = "[]";

/// Everything a batch is written with.
pub(super) struct Writing<'pass> {
    pub(super) transaction: &'pass Transaction<'pass>,
    pub(super) runs: &'pass mut [Followed],
    pub(super) minutes: &'pass mut Minutes,
    pub(super) kinds: &'pass mut Kinds,
    pub(super) pace: &'pass mut Pace,
}

impl Writing<'_> {
    /// Writes the calls of the batch and how far its segments are; how many of the calls that are now stored ended.
    pub(super) fn batch(&mut self, batch: &mut Batch) -> Result<u64, StoreError> {
        batch.sort();
        let late = batch.take_late();
        let before = self.stored();
        let mut writer = RowWriter::new(self.transaction)?;
        self.rows(batch, &mut writer)?;
        for late in late {
            self.late(late, batch, &mut writer)?;
        }
        for &id in &batch.met_early {
            writer.drop_early_end(id)?;
        }
        self.notes(batch, &mut writer)?;
        for moved in &batch.moved {
            let facts = &mut self.runs[moved.run as usize].facts;
            let thread = match moved.thread {
                Some(place) => Some(facts.thread_number(self.transaction, place)?),
                None => None,
            };
            let cursor = CursorRow { segment: moved.segment, epoch: moved.epoch, offset: moved.offset, thread };
            self.transaction.put_cursor(facts.row.id, &cursor)?;
        }
        Ok(self.stored().saturating_sub(before))
    }

    fn stored(&self) -> u64 {
        self.runs.iter().flat_map(|followed| &followed.facts.stored).sum()
    }

    fn rows(&mut self, batch: &mut Batch, writer: &mut RowWriter<'_>) -> Result<(), StoreError> {
        for position in 0..batch.rows.len() {
            let row = batch.rows[position];
            let facts = &mut self.runs[row.run as usize].facts;
            let function = facts.function_number(self.transaction, row.slot)?;
            let thread = facts.thread_number(self.transaction, row.thread)?;
            let ended = row.has_ended();
            let noted = batch.noted(&row);
            let inserted = writer.insert(&CallRow {
                id: row.id,
                function,
                thread,
                status: row.status as u8,
                started_ns: row.started_ns,
                duration_ns: ended.then_some(row.duration_ns),
                args: noted.as_deref().or_else(|| batch.text(row.args)),
                result: batch.text(row.result),
                tree: (row.parent != 0).then_some((row.parent, row.root)),
                weight: row.weight,
                activity: batch.activity(&row).map(|active| activity_row(active, batch)),
            })?;
            if !inserted {
                // An id that is taken: only a damaged id counter gives one out twice.
                facts.damaged += 1;
            } else if ended {
                facts.stored[row.slot as usize] += 1;
                self.ended(function, &row);
                if let Some(failed) = batch.failure(&row) {
                    self.failed(function, (row.id, row.status), failed, batch, writer)?;
                }
            } else {
                facts.running.insert(row.id, row.started_mono);
            }
            if self.pace.step() && self.pace.gives_up() {
                return Err(StoreError::GivenUp);
            }
        }
        Ok(())
    }

    fn ended(&mut self, function: i64, row: &Row) {
        let ended_ns = row.started_ns.saturating_add_unsigned(row.duration_ns);
        self.minutes.call(function, ended_ns, row.duration_ns, row.status == Status::Error);
    }

    /// Stores why a call failed or was cancelled; the number of the kind is looked up once.
    fn failed(
        &mut self,
        function: i64,
        (call, status): (u64, Status),
        failed: &Failed,
        batch: &Batch,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), StoreError> {
        let key = ErrorKey {
            function,
            error_type: failed.error_type.clone(),
            file: failed.file.clone(),
            line: failed.line,
            place: failed.place.clone(),
            status: status as u8,
        };
        let error = self.kinds.number(key, &failed.message, writer)?;
        let traceback = batch.text(failed.traceback).unwrap_or(NO_TRACEBACK);
        writer.fail(&FailureRow { call, error, message: &failed.message, traceback })
    }

    /// Ends a call whose START was in an earlier batch; keeps the END when no START has been seen.
    fn late(&mut self, late: Late, batch: &mut Batch, writer: &mut RowWriter<'_>) -> Result<(), StoreError> {
        let Ok(end) = EndEvent::decode(&late.payload) else { return Ok(()) };
        let facts = &mut self.runs[late.run as usize].facts;
        let started = facts.running.remove(&end.id);
        let duration_ns = started.map(|started| end.ended.saturating_sub(started));
        // Where its start is not known, the call began after the run did.
        let started_ns = started.map_or(facts.row.started_ns, |started| facts.unix(started, None));
        let ended_ns = facts.unix(end.ended, None);
        let (status, slot, certain) = (end.status, end.function, is_certain(&end));
        let active = end.activity.map(|activity| batch.render_activity(&activity));
        let (result, failed, unreadable) =
            batch.render_outcome(status, end.outcome, facts.sensitive_fields(slot), started_ns);
        facts.damaged += unreadable;
        let row = EndRow {
            id: end.id,
            status: status as u8,
            duration_ns,
            ended_ns,
            result: batch.text(result),
            activity: active.as_ref().map(|active| activity_row(active, batch)),
            certain,
        };
        match writer.end(&row)? {
            Some((function, duration_ns)) => {
                facts.grow_books(slot.min(calltape_journal::MAXIMUM_SLOTS - 1));
                if let Some(stored) = facts.stored.get_mut(slot as usize) {
                    *stored += 1;
                }
                self.minutes.call(function, ended_ns, duration_ns, status == Status::Error);
                if let Some(failed) = failed {
                    self.failed(function, (end.id, status), &failed, batch, writer)?;
                }
            }
            None if writer.knows(end.id)? => facts.damaged += 1,
            None => {
                writer.keep_early_end(facts.row.id, end.id, &late.payload)?;
                facts.early.insert(end.id, late.payload);
            }
        }
        self.pace.step();
        Ok(())
    }

    /// Writes the figures of one run that have changed.
    pub(super) fn books(&mut self, place: usize, now_ns: i64) -> Result<(), StoreError> {
        let followed = &mut self.runs[place];
        let run = followed.facts.row.id;
        // What a process that is gone has counted, it has counted until its last event.
        let is_gone = !followed.own && followed.ending.is_some();
        let at_ns = if is_gone { followed.facts.seen_ns.min(now_ns) } else { now_ns };
        let tallies = followed.read_tallies();
        for (slot, books) in followed.changed_books() {
            let facts = &mut followed.facts;
            let function = facts.function_number(self.transaction, slot)?;
            self.transaction.put_books(run, slot, function, &books)?;
            let before = std::mem::replace(&mut facts.books[slot as usize], books);
            facts.undo.push((slot, before));
            facts.booked.insert(slot);
            let sampled_out = books.sampled_out.saturating_sub(before.sampled_out);
            let dropped = books.dropped.saturating_sub(before.dropped);
            let errors = books.dropped_errors.saturating_sub(before.dropped_errors);
            if sampled_out + dropped + errors > 0 {
                let delta: &mut Delta = self.minutes.at(function, at_ns);
                delta.sampled_out += sampled_out;
                delta.dropped += dropped;
                delta.errors += errors;
            }
        }
        followed.add_timed(tallies, at_ns, (self.transaction, self.minutes))?;
        followed.put_lost(self.transaction)?;
        self.transaction.see_run(run, followed.facts.seen_ns)
    }
}

fn activity_row<'batch>(active: &Active, batch: &'batch Batch) -> ActivityRow<'batch> {
    ActivityRow { active_ns: active.active_ns, yields: active.yields, task: batch.text(active.task) }
}

impl Followed {
    /// The figures that differ from what is committed, by slot. A function that has rows has books, though its callers
    /// have counted none of them yet: the books are what says which slot it is, should its definition be lost.
    pub(super) fn changed_books(&mut self) -> Vec<(u32, BooksRow)> {
        // While it runs, a function just being defined is met by the next batch. Of one that is gone, files may be lost of
        // functions whose calls the tape has.
        let slots = self.run.slots_in_use().max(self.facts.books.len() as u32);
        let last = self.ending.map(|_| slots.saturating_sub(1));
        self.facts.learn_functions(self.run.functions(), last);
        (0..self.facts.functions.len() as u32)
            .filter_map(|slot| {
                let before = self.facts.books[slot as usize];
                let now = self.figures(slot, before);
                let used = now != BooksRow::default() || self.facts.functions[slot as usize].number.is_some();
                let is_new = now != before || !self.facts.booked.contains(&slot);
                (used && is_new).then_some((slot, now))
            })
            .collect()
    }

    /// One function's figures: the caller's own counts, and what is stored. Counters that cannot be read stay as they
    /// were. The caller counts a call before it becomes anything else, but the counters are read one after the other.
    fn figures(&self, slot: u32, before: BooksRow) -> BooksRow {
        let stored = self.facts.stored[slot as usize];
        let mut books = BooksRow { stored, ..before };
        if let Some(counters) = self.run.counters(slot) {
            books.calls = counters.calls;
            books.sampled_out = counters.sampled_out;
            books.dropped = counters.dropped;
            books.dropped_errors = counters.dropped_errors;
        }
        let elsewhere = self.facts.elsewhere.get(slot as usize).copied().unwrap_or(0);
        books.calls = books.calls.max(books.stored + books.sampled_out + books.dropped + elsewhere);
        books
    }
}

impl Facts {
    /// A function's number in the database.
    pub(super) fn function_number(&mut self, transaction: &Transaction<'_>, slot: u32) -> Result<i64, StoreError> {
        let function = &mut self.functions[slot as usize];
        match function.number {
            Some(number) => Ok(number),
            None => {
                let number = transaction.function_number(&function.definition)?;
                function.number = Some(number);
                Ok(number)
            }
        }
    }

    /// A thread's number in the database.
    fn thread_number(&mut self, transaction: &Transaction<'_>, place: u32) -> Result<i64, StoreError> {
        let thread = &mut self.threads[place as usize];
        match thread.number {
            Some(number) => Ok(number),
            None => {
                let number = transaction.thread_number(self.row.id, &thread.event)?;
                thread.number = Some(number);
                Ok(number)
            }
        }
    }
}
