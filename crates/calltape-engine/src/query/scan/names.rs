//! What a call's row has numbers for: its function, its thread with the run, and what it raised. Looked up when first
//! met and kept for the length of one question, so that no row is joined with four tables.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, Row};

/// A function as its calls show it.
#[derive(Debug)]
pub(in crate::query) struct FunctionName {
    pub(in crate::query) name: String,
    /// Empty for none.
    pub(in crate::query) group: String,
    pub(in crate::query) kind: String,
}

/// A thread and its run.
#[derive(Debug)]
pub(in crate::query) struct ThreadName {
    pub(in crate::query) name: String,
    pub(in crate::query) run_id: i64,
    pub(in crate::query) pid: i64,
    pub(in crate::query) host: String,
}

/// What one call raised.
#[derive(Debug)]
pub(in crate::query) struct RaisedName {
    pub(in crate::query) error_type: Rc<str>,
    pub(in crate::query) message: String,
}

/// The names of one question.
pub(in crate::query) struct Names<'c> {
    pub(in crate::query) connection: &'c Connection,
    functions: RefCell<HashMap<i64, Option<Rc<FunctionName>>>>,
    threads: RefCell<HashMap<i64, Option<Rc<ThreadName>>>>,
    error_types: RefCell<HashMap<i64, Option<Rc<str>>>>,
}

const FUNCTION: &str = "SELECT name, group_name, kind FROM function WHERE id = ?1";

const THREAD: &str =
    "SELECT t.name, t.run_id, r.pid, r.host FROM thread t JOIN run r ON r.id = t.run_id WHERE t.id = ?1";

const ERROR_TYPE: &str = "SELECT type FROM error WHERE id = ?1";

const RAISED: &str = "SELECT error_id, message FROM failure WHERE call_id = ?1";

impl<'c> Names<'c> {
    pub(in crate::query) fn new(connection: &'c Connection) -> Self {
        Self { connection, functions: RefCell::default(), threads: RefCell::default(), error_types: RefCell::default() }
    }

    /// A function; `None` when the tape lost it.
    pub(in crate::query) fn function(&self, id: i64) -> rusqlite::Result<Option<Rc<FunctionName>>> {
        self.known(&self.functions, FUNCTION, id, |row| {
            Ok(Rc::new(FunctionName { name: row.get(0)?, group: row.get(1)?, kind: row.get(2)? }))
        })
    }

    /// A thread; `None` when the tape lost it or its run.
    pub(in crate::query) fn thread(&self, id: i64) -> rusqlite::Result<Option<Rc<ThreadName>>> {
        self.known(&self.threads, THREAD, id, |row| {
            Ok(Rc::new(ThreadName { name: row.get(0)?, run_id: row.get(1)?, pid: row.get(2)?, host: row.get(3)? }))
        })
    }

    /// What a call raised. Not kept: each call has its own message.
    pub(in crate::query) fn raised(&self, call: i64) -> rusqlite::Result<Option<RaisedName>> {
        let found = self
            .connection
            .prepare_cached(RAISED)?
            .query_row([call], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((error, message)) = found else { return Ok(None) };
        let error_type =
            self.known(&self.error_types, ERROR_TYPE, error, |row| row.get::<_, String>(0).map(Rc::from))?;
        Ok(error_type.map(|error_type| RaisedName { error_type, message }))
    }

    fn known<T: Clone>(
        &self,
        map: &RefCell<HashMap<i64, Option<T>>>,
        sql: &str,
        id: i64,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        match map.borrow_mut().entry(id) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => {
                let found = self.connection.prepare_cached(sql)?.query_row([id], read).optional()?;
                Ok(entry.insert(found).clone())
            }
        }
    }
}
