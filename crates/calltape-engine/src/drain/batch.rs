//! The calls of one batch: STARTs and ENDs as they are read, joined where both are at hand; notes are in `notes.rs`.
//! Filled by `read.rs`, written by `write.rs`; its buffers are kept from batch to batch.

use calltape_record::{Activity, DecodeError, EndEvent, Outcome, Status, value};

use super::id_map::IdMap;
use super::notes::Note;
use super::source::Sources;

/// Payload bytes a batch takes: 8 MiB, an eighth of the WAL's limit.
const MOST_BYTES: usize = 8 << 20;

/// What a function changes of the names whose values are withheld; `None` where nothing is known of the function.
pub(super) type Sensitive<'a> = Option<&'a [String]>;

/// A stretch of [`Batch::text`]; nothing when the length says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    start: u32,
    length: u32,
}

impl Stretch {
    pub(super) const NOTHING: Self = Self { start: 0, length: u32::MAX };
}

/// A call whose START is in the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) id: u64,
    /// Position among the runs of the pass.
    pub(super) run: u32,
    pub(super) slot: u32,
    /// Position among the run's threads.
    pub(super) thread: u32,
    pub(super) status: Status,
    pub(super) started_mono: u64,
    pub(super) started_ns: i64,
    pub(super) duration_ns: u64,
    pub(super) args: Stretch,
    pub(super) result: Stretch,
    /// 0 for none.
    pub(super) parent: u64,
    pub(super) root: u64,
    pub(super) weight: f64,
    /// Position in [`Batch::failures`] plus one; 0 for none.
    failure: u32,
    /// Position in [`Batch::activities`] plus one; 0 for none.
    activity: u32,
}

/// How the body of a call ran that can be suspended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Active {
    pub(super) active_ns: u64,
    pub(super) yields: Option<u64>,
    /// The task's name.
    pub(super) task: Stretch,
}

/// Why a call of the batch failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error_type: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) place: String,
    pub(super) message: String,
    pub(super) traceback: Stretch,
}

impl Failed {
    /// An error whose kind found no room in a full journal: it is counted among the errors all the same.
    fn without_kind() -> Self {
        let empty = String::new;
        Self {
            error_type: "(not kept)".to_owned(),
            file: empty(),
            line: 0,
            place: empty(),
            message: empty(),
            traceback: Stretch::NOTHING,
        }
    }
}

/// An END whose START is not in the batch.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) run: u32,
    pub(super) payload: Vec<u8>,
    /// Its START came later in the batch after all.
    met: bool,
}

/// How far a segment was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) run: u32,
    pub(super) segment: u32,
    pub(super) epoch: u32,
    pub(super) offset: usize,
    pub(super) thread: Option<u32>,
}

/// One batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    pub(super) failures: Vec<Failed>,
    pub(super) activities: Vec<Active>,
    pub(super) late: Vec<Late>,
    pub(super) notes: Vec<Note>,
    pub(super) moved: Vec<Moved>,
    /// Segments read to their end: run, number, epoch.
    pub(super) finished: Vec<(u32, u32, u32)>,
    /// Calls whose early END met their START.
    pub(super) met_early: Vec<u64>,
    /// Calls whose early notes met their START.
    pub(super) met_notes: Vec<u64>,
    /// What failures' lines are read from; kept from batch to batch.
    pub(super) sources: Sources,
    text: String,
    open: IdMap<u32>,
    late_by_id: IdMap<u32>,
    bytes: usize,
    /// Calls it takes.
    pub(super) most_calls: usize,
    /// Ids against starts, at most in this batch.
    pub(super) lead_ns: i64,
    pub(super) lag_ns: i64,
}

impl Batch {
    /// Empties the batch, keeping its buffers.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.failures.clear();
        self.activities.clear();
        self.late.clear();
        self.notes.clear();
        self.moved.clear();
        self.finished.clear();
        self.met_early.clear();
        self.met_notes.clear();
        self.text.clear();
        self.open.clear();
        self.late_by_id.clear();
        (self.bytes, self.lead_ns, self.lag_ns) = (0, 0, 0);
    }

    /// Whether the batch takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() + self.late.len() + self.notes.len() >= self.most_calls || self.bytes >= MOST_BYTES
    }

    /// Counts payload bytes taken in.
    pub(super) fn took(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// The text of a stretch.
    pub(super) fn text(&self, stretch: Stretch) -> Option<&str> {
        let start = stretch.start as usize;
        self.text.get(start..start.checked_add(stretch.length as usize)?).filter(|_| stretch.length != u32::MAX)
    }

    /// Appends what `write` renders; nothing, and the error, when it fails. `write` says false for nothing to keep.
    pub(super) fn render(
        &mut self,
        write: impl FnOnce(&mut String) -> Result<bool, DecodeError>,
    ) -> Result<Stretch, DecodeError> {
        let start = self.text.len();
        let outcome = write(&mut self.text);
        if !matches!(outcome, Ok(true)) {
            self.text.truncate(start);
        }
        let length = self.text.len() - start;
        match (outcome?, u32::try_from(start), u32::try_from(length)) {
            (true, Ok(start), Ok(length)) => Ok(Stretch { start, length }),
            _ => Ok(Stretch::NOTHING),
        }
    }

    /// Takes a call in. Its END may be here already: then it is returned, to be given to [`Self::finish`].
    pub(super) fn begin(&mut self, row: Row) -> Option<Vec<u8>> {
        let position = self.rows.len() as u32;
        let met = if self.late_by_id.is_empty() { None } else { self.late_by_id.remove(&row.id) };
        let id = row.id;
        self.rows.push(row);
        if let Some(late) = met.and_then(|late| self.late.get_mut(late as usize)) {
            late.met = true;
            return Some(std::mem::take(&mut late.payload));
        }
        self.open.insert(id, position);
        None
    }

    /// The last call taken in, with its END, is no longer open.
    pub(super) fn finish_last(&mut self, end: EndEvent<'_>, sensitive: Sensitive<'_>) -> u64 {
        let position = self.rows.len().saturating_sub(1);
        self.open.remove(&end.id);
        self.finish(position, end, sensitive)
    }

    /// Takes an END in; how many of its values could not be read.
    pub(super) fn end(&mut self, run: u32, end: EndEvent<'_>, payload: &[u8], sensitive: Sensitive<'_>) -> u64 {
        if let Some(position) = self.open.remove(&end.id) {
            return self.finish(position as usize, end, sensitive);
        }
        self.late_by_id.insert(end.id, self.late.len() as u32);
        self.late.push(Late { run, payload: payload.to_vec(), met: false });
        0
    }

    fn finish(&mut self, position: usize, end: EndEvent<'_>, sensitive: Sensitive<'_>) -> u64 {
        let (status, ended, certain) = (end.status, end.ended, is_certain(&end));
        let started_ns = self.rows.get(position).map_or(0, |row| row.started_ns);
        let activity = end.activity.map_or(0, |activity| {
            let active = self.render_activity(&activity);
            self.activities.push(active);
            self.activities.len() as u32
        });
        let (result, failed, unreadable) = self.render_outcome(status, end.outcome, sensitive, started_ns);
        let failure = failed.map_or(0, |failed| {
            self.failures.push(failed);
            self.failures.len() as u32
        });
        if let Some(row) = self.rows.get_mut(position) {
            row.status = status;
            row.weight = if certain { 1.0 } else { row.weight };
            row.duration_ns = ended.saturating_sub(row.started_mono);
            row.result = result;
            row.failure = failure;
            row.activity = activity;
        }
        unreadable
    }

    /// Renders how the body of a call ran.
    pub(super) fn render_activity(&mut self, activity: &Activity<'_>) -> Active {
        let task = self.render(|text| {
            text.push_str(activity.task);
            Ok(!activity.task.is_empty())
        });
        let task = task.unwrap_or(Stretch::NOTHING);
        Active { active_ns: activity.active_ns, yields: activity.yields, task }
    }

    /// Renders how a call ended that began at `started_ns`: its result, its failure, and how many values could not be
    /// read.
    pub(super) fn render_outcome(
        &mut self,
        status: Status,
        outcome: Outcome<'_>,
        sensitive: Sensitive<'_>,
        started_ns: i64,
    ) -> (Stretch, Option<Failed>, u64) {
        match outcome {
            Outcome::Value([]) => (Stretch::NOTHING, (status == Status::Error).then(Failed::without_kind), 0),
            Outcome::Value(bytes) => {
                let result = self.render(|json| value::render_json(bytes, json).map(|()| true));
                (result.unwrap_or(Stretch::NOTHING), None, u64::from(result.is_err()))
            }
            Outcome::Failure(failure) => {
                let chain = failure.chain;
                let mut sources = std::mem::take(&mut self.sources);
                let mut lines = sources.lines(sensitive, started_ns);
                let traceback = self.render(|json| value::render_chain(chain, &mut lines, json).map(|()| true));
                self.sources = sources;
                let failed = Failed {
                    error_type: failure.error_type,
                    file: failure.file,
                    line: failure.line,
                    place: failure.place,
                    message: failure.message,
                    traceback: traceback.unwrap_or(Stretch::NOTHING),
                };
                let unreadable = u64::from(traceback.is_err() && !chain.is_empty());
                (Stretch::NOTHING, Some(failed), unreadable)
            }
        }
    }

    /// Why a call failed.
    pub(super) fn failure(&self, row: &Row) -> Option<&Failed> {
        self.failures.get((row.failure as usize).checked_sub(1)?)
    }

    /// How the call's body ran.
    pub(super) fn activity(&self, row: &Row) -> Option<&Active> {
        self.activities.get((row.activity as usize).checked_sub(1)?)
    }

    /// The ENDs whose START is not in the batch, taken out of it.
    pub(super) fn take_late(&mut self) -> Vec<Late> {
        let mut late = std::mem::take(&mut self.late);
        late.retain(|late| !late.met);
        late
    }

    /// Puts the calls in the order of their ids, so that a table grows at its end, and the notes in that of their calls.
    pub(super) fn sort(&mut self) {
        self.open.clear();
        self.rows.sort_unstable_by_key(|row| row.id);
        self.sort_notes();
    }
}

/// Whether a call stands for itself alone, whatever its sample rate: an error is always kept.
pub(super) fn is_certain(end: &EndEvent<'_>) -> bool {
    end.certain || end.status == Status::Error
}

impl Row {
    /// A call that has begun.
    pub(super) fn begun(id: u64, run: u32, slot: u32, thread: u32) -> Self {
        Self {
            id,
            run,
            slot,
            thread,
            status: Status::Running,
            started_mono: 0,
            started_ns: 0,
            duration_ns: 0,
            args: Stretch::NOTHING,
            result: Stretch::NOTHING,
            parent: 0,
            root: id,
            weight: 1.0,
            failure: 0,
            activity: 0,
        }
    }

    /// Whether its END is known.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.status, Status::Running | Status::Interrupted)
    }
}
