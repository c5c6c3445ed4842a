//! What the drain knows of a run from batch to batch. All of it can be dropped and loaded again: the database and the
//! run's directory are the truth.

use std::collections::{HashMap, HashSet};

use calltape_journal::{Run, Spell, monotonic_ns, unix_ns};
use calltape_record::{FunctionDef, ThreadEvent, ids};

use super::batch::Sensitive;
use super::counted::Counted;
use super::id_map::IdMap;
use crate::store::{BooksRow, RunRow, StoreError, Transaction};

/// A function of a run.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) definition: FunctionDef,
    /// The definition could be read.
    pub(super) is_known: bool,
    /// Its number in the database.
    pub(super) number: Option<i64>,
}

/// A thread of a run.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) event: ThreadEvent,
    /// Its number in the database.
    pub(super) number: Option<i64>,
}

/// How far a segment was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) epoch: u32,
    pub(super) offset: usize,
    pub(super) thread: Option<u32>,
}

/// What is known of a run besides its files.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) row: RunRow,
    pub(super) functions: Vec<Function>,
    /// What the tape knows of the run's functions, by slot.
    stored_functions: HashMap<u32, (i64, FunctionDef)>,
    pub(super) threads: Vec<Thread>,
    thread_places: HashMap<ThreadEvent, u32>,
    pub(super) cursors: HashMap<u32, Cursor>,
    /// As committed, by slot.
    pub(super) books: Vec<BooksRow>,
    /// Slots that have a row in the database's books.
    pub(super) booked: HashSet<u32>,
    /// Ended calls stored, by slot; ahead of the books within a batch.
    pub(super) stored: Vec<u64>,
    /// Calls without a row, as committed.
    pub(super) counted: Counted,
    /// Calls stored as running, and when they started.
    pub(super) running: IdMap<u64>,
    /// ENDs whose START has not been seen.
    pub(super) early: IdMap<Vec<u8>>,
    /// Notes whose START has not been seen, as JSON objects.
    pub(super) early_notes: IdMap<String>,
    /// Unix minus monotonic time; `None` until something tells.
    pub(super) offset_ns: Option<i64>,
    /// Unix ns of the latest event, of this batch or before.
    pub(super) seen_ns: i64,
    /// Frames and values that could not be read.
    pub(super) damaged: u64,
    /// Of these, what the tape says.
    pub(super) damaged_said: u64,
    /// By slot, ended calls in files that were given up before this tape began.
    pub(super) elsewhere: Vec<u64>,
    /// Spells of a full journal, as the tape has them.
    pub(super) spells: [Spell; 4],
    /// Books as they were before the batch that is not committed.
    pub(super) undo: Vec<(u32, BooksRow)>,
}

/// A run that is being drained.
pub(super) struct Followed {
    pub(super) run: Run,
    pub(super) own: bool,
    pub(super) facts: Facts,
    /// What is stored of it has been looked up.
    pub(super) loaded: bool,
    /// Its owner is gone, or it is the own run and it ends: when read to its end it can be settled.
    pub(super) ending: Option<&'static str>,
    /// Everything there is has been read.
    pub(super) exhausted: bool,
}

impl Followed {
    pub(super) fn new(run: Run, own: bool) -> Self {
        let identity = run.identity().unwrap_or_default();
        let id = run.id();
        let started_ns = if identity.started_unix_ns == 0 { ids::unix_ns(id) } else { identity.started_unix_ns };
        let row = RunRow {
            id,
            pid: identity.pid,
            host: identity.host,
            program: identity.program,
            python: identity.python,
            started_ns,
        };
        let facts = Facts { row, seen_ns: started_ns, ..Facts::default() };
        Self { run, own, facts, loaded: false, ending: None, exhausted: false }
    }

    /// Reads what the database has of the run. What it says is committed is marked so in the journal: a process that
    /// died after its COMMIT may not have done that.
    pub(super) fn load(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let (id, facts) = (self.run.id(), &mut self.facts);
        transaction.put_run(&facts.row)?;
        for (number, event) in transaction.threads(id)? {
            let place = facts.thread(event);
            facts.threads[place as usize].number = Some(number);
        }
        for (slot, books) in transaction.books(id)? {
            facts.grow_books(slot);
            facts.booked.insert(slot);
            facts.books[slot as usize] = books;
            facts.stored[slot as usize] = books.stored;
        }
        facts.stored_functions.extend(transaction.functions(id)?);
        facts.counted = Counted::load(transaction, id)?;
        for row in transaction.cursors(id)? {
            let thread = facts.threads.iter().position(|thread| row.thread.is_some() && thread.number == row.thread);
            let thread = thread.map(|place| place as u32);
            facts.cursors.insert(row.segment, Cursor { epoch: row.epoch, offset: row.offset, thread });
            self.run.mark_drained(row.segment, row.epoch, row.offset);
        }
        for (slot, calls) in transaction.elsewhere(id)? {
            facts.elsewhere.resize(facts.elsewhere.len().max(slot as usize + 1), 0);
            facts.elsewhere[slot as usize] = calls;
        }
        facts.damaged = transaction.unreadable(id)?;
        facts.damaged_said = facts.damaged;
        facts.early.extend(transaction.early_ends(id)?);
        facts.early_notes.extend(transaction.early_notes(id)?);
        self.loaded = true;
        Ok(())
    }

    /// What the last batch said of the run is committed.
    pub(super) fn committed(&mut self) {
        self.facts.undo.clear();
        self.facts.damaged_said = self.facts.damaged;
    }
}

impl Facts {
    /// Makes room for `slot` in the books.
    pub(super) fn grow_books(&mut self, slot: u32) {
        let slots = (slot as usize + 1).max(self.books.len());
        self.books.resize(slots, BooksRow::default());
        self.stored.resize(slots, 0);
    }

    /// Forgets the numbers of functions in the database: they are looked up again, and those that are gone stored.
    pub(super) fn forget_numbers(&mut self) {
        self.functions.iter_mut().for_each(|function| function.number = None);
    }

    /// The place of a thread, new or known.
    pub(super) fn thread(&mut self, event: ThreadEvent) -> u32 {
        if let Some(&place) = self.thread_places.get(&event) {
            return place;
        }
        let place = self.threads.len() as u32;
        self.threads.push(Thread { event: event.clone(), number: None });
        self.thread_places.insert(event, place);
        place
    }

    /// The place that stands for a thread whose frame cannot be read.
    pub(super) fn unknown_thread(&mut self) -> u32 {
        self.thread(ThreadEvent { ident: 0, native_id: 0, name: "(unknown)".to_owned() })
    }

    /// Takes up the functions the run has defined since, and with `at_least` stands in for those up to that slot that
    /// cannot be read.
    pub(super) fn learn_functions(&mut self, definitions: &[Vec<u8>], at_least: Option<u32>) {
        if self.functions.is_empty() {
            self.functions.push(Function::unknown("(more functions)".to_owned()));
        }
        for bytes in definitions.iter().skip(self.functions.len() - 1) {
            let slot = self.functions.len();
            let function = match FunctionDef::decode(bytes) {
                Ok(definition) => Function { definition, is_known: true, number: None },
                Err(_) => self.unreadable(slot as u32),
            };
            self.functions.push(function);
        }
        while at_least.is_some_and(|slot| self.functions.len() <= slot as usize) {
            let function = self.unreadable(self.functions.len() as u32);
            self.functions.push(function);
        }
        let last = self.functions.len() as u32 - 1;
        self.grow_books(last);
    }

    /// What stands in for a function whose definition cannot be read: what the tape has of it, so that its calls stay
    /// in its books. Which values it withholds the tape does not say.
    fn unreadable(&self, slot: u32) -> Function {
        match self.stored_functions.get(&slot) {
            Some((number, definition)) => {
                Function { definition: definition.clone(), is_known: false, number: Some(*number) }
            }
            None => Function::unknown(format!("(unreadable function {slot})")),
        }
    }

    /// What a function changes of the names whose values are withheld; `None` while the function is not known.
    pub(super) fn sensitive_fields(&self, slot: u32) -> Sensitive<'_> {
        let function = self.functions.get(slot as usize).filter(|function| function.is_known)?;
        Some(&function.definition.sensitive_fields)
    }

    /// Unix time of a monotonic one. Without a readable control file the first call's id tells the offset, else this
    /// machine's clocks do.
    pub(super) fn unix(&mut self, mono: u64, id: Option<u64>) -> i64 {
        let offset = *self.offset_ns.get_or_insert_with(|| match id {
            Some(id) => ids::unix_ns(id).saturating_sub_unsigned(mono),
            None => unix_ns().saturating_sub_unsigned(monotonic_ns()),
        });
        offset.saturating_add_unsigned(mono)
    }
}

impl Function {
    /// What stands in for a function of which nothing can be read.
    fn unknown(name: String) -> Self {
        let definition = FunctionDef {
            name,
            group: String::new(),
            kind: "function".to_owned(),
            file: String::new(),
            line: 0,
            parameters: Vec::new(),
            sensitive_fields: Vec::new(),
        };
        Self { definition, is_known: false, number: None }
    }
}
