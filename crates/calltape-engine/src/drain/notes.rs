//! Notes: what a program adds to a call that runs. They become part of the call's arguments: in memory where the START is
//! in the same batch, in its row where that is stored, and else they wait, in the database, until the START is met.
//!
//! The notes of one thread keep their order. Of two that threads add to one call under the same name, the one that is read
//! later stays: segments are read one after the other, and a note has no time.

use calltape_record::{DecodeError, NoteEvent, merge_notes, value, with_notes};

use super::batch::{Batch, Row, Stretch};
use super::write::Writing;
use crate::store::{RowWriter, StoreError};

/// A note as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Note {
    id: u64,
    /// Position among the runs of the pass.
    run: u32,
    /// JSON text without its quotes.
    name: Stretch,
    value: Stretch,
    /// It waited for its START, so it is older than those read in this batch.
    waited: bool,
}

impl Batch {
    /// Takes a note in; how many values could not be read.
    pub(super) fn note(&mut self, run: u32, note: &NoteEvent<'_>) -> u64 {
        let value = self.render(|json| value::render_json(note.value, json).map(|()| true));
        let name = self.render(|json| {
            note.render_name(json);
            Ok(true)
        });
        let (Ok(name), Ok(value)) = (name, value) else { return 1 };
        self.notes.push(Note { id: note.id, run, name, value, waited: false });
        0
    }

    /// Takes in the notes that waited for the START of `id`, as one object.
    pub(super) fn note_waited(&mut self, run: u32, id: u64, object: &str) -> Result<(), DecodeError> {
        for (name, value) in value::members(object).unwrap_or_default() {
            let mut keep = |text: &str| {
                self.render(|json| {
                    json.push_str(text);
                    Ok(true)
                })
            };
            let (name, value) = (keep(name)?, keep(value)?);
            self.notes.push(Note { id, run, name, value, waited: true });
        }
        self.met_notes.push(id);
        Ok(())
    }

    /// Puts the notes in the order of their calls, and those of one call in the order they came.
    pub(super) fn sort_notes(&mut self) {
        self.notes.sort_by_key(|note| (note.id, !note.waited));
    }

    /// The arguments of a call of the batch with its notes; `None` when it has none. The notes are sorted.
    pub(super) fn noted(&self, row: &Row) -> Option<String> {
        if self.notes.is_empty() {
            return None;
        }
        let from = self.notes.partition_point(|note| note.id < row.id);
        let notes = notes_of(&self.notes[from..], row.id);
        if notes.is_empty() { None } else { with_notes(self.text(row.args), self.texts(notes)) }
    }

    /// Names and values of notes.
    fn texts<'batch>(&'batch self, notes: &'batch [Note]) -> impl Iterator<Item = (&'batch str, &'batch str)> {
        notes.iter().filter_map(|note| Some((self.text(note.name)?, self.text(note.value)?)))
    }

    fn has_row(&self, id: u64) -> bool {
        self.rows.binary_search_by_key(&id, |row| row.id).is_ok()
    }
}

/// The notes of `id` that `notes` begins with.
fn notes_of(notes: &[Note], id: u64) -> &[Note] {
    &notes[..notes.partition_point(|note| note.id <= id)]
}

impl Writing<'_> {
    /// Writes the notes of calls that are not in the batch, and forgets those that no longer wait.
    pub(super) fn notes(&mut self, batch: &Batch, writer: &mut RowWriter<'_>) -> Result<(), StoreError> {
        let mut rest = batch.notes.as_slice();
        while let Some(first) = rest.first() {
            let notes = notes_of(rest, first.id);
            rest = &rest[notes.len()..];
            if !batch.has_row(first.id) {
                self.notes_of_call(first, notes, batch, writer)?;
            }
            self.pace.step();
        }
        for &id in &batch.met_notes {
            writer.drop_early_notes(id)?;
        }
        Ok(())
    }

    fn notes_of_call(
        &mut self,
        first: &Note,
        notes: &[Note],
        batch: &Batch,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), StoreError> {
        let facts = &mut self.runs[first.run as usize].facts;
        if let Some(arguments) = writer.arguments(first.id)? {
            match with_notes(arguments.as_deref(), batch.texts(notes)) {
                Some(noted) => writer.put_arguments(first.id, &noted)?,
                None => facts.damaged += notes.len() as u64,
            }
            return Ok(());
        }
        let known = facts.early_notes.get(&first.id).map(String::as_str);
        if let Some(merged) = merge_notes(known, batch.texts(notes)) {
            writer.keep_early_notes(facts.row.id, first.id, &merged)?;
            facts.early_notes.insert(first.id, merged);
        }
        Ok(())
    }
}
