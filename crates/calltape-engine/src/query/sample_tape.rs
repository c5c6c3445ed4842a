//! Makes tapes for tests, row by row, from the tape's own schema. The tests of the query and, by path, those of the
//! command line use it: it takes the schema and its marks from the module around it and needs nothing else there.

use std::path::PathBuf;

use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION, message_form};

/// When the first call of a sample tape begins: 2026-10-14T09:12:33Z in Unix ns.
pub(super) const START_NS: i64 = 1_791_969_153_000_000_000;

/// What a sample tape is called in its folder.
pub(super) const NAME: &str = "calls.db";

/// A tape that a test writes.
pub(super) struct SampleTape {
    /// The writing connection, for what the methods do not cover.
    pub(super) connection: Connection,
    /// The folder it is in; gone with it.
    pub(super) folder: TempDir,
}

/// A row of `call`; [`CallRow::new`] fills in what a test does not care about.
#[derive(Debug, Clone)]
pub(super) struct CallRow<'a> {
    /// Its id.
    pub(super) id: i64,
    /// Its function.
    pub(super) function: i64,
    /// Its thread.
    pub(super) thread: i64,
    /// Its status, as the tape numbers them.
    pub(super) status: i64,
    /// Its start, Unix ns.
    pub(super) started_ns: i64,
    /// Its duration, ns.
    pub(super) duration_ns: Option<i64>,
    /// Its arguments, JSON.
    pub(super) args: Option<&'a str>,
    /// Its result, JSON.
    pub(super) result: Option<&'a str>,
    /// The call that made it.
    pub(super) parent: Option<i64>,
    /// The outermost call above it.
    pub(super) root: Option<i64>,
    /// Calls it stands for.
    pub(super) weight: Option<f64>,
    /// Time inside its body, ns.
    pub(super) active_ns: Option<i64>,
    /// Items it yielded.
    pub(super) yields: Option<i64>,
    /// The name of its task.
    pub(super) task: Option<&'a str>,
}

impl<'a> CallRow<'a> {
    /// A call of `function` that returned after 1.24 ms, begun `after_ns` after [`START_NS`].
    pub(super) fn new(function: i64, after_ns: i64) -> Self {
        let started_ns = START_NS + after_ns;
        Self {
            id: id_at(started_ns),
            function,
            thread: 1,
            status: 0,
            started_ns,
            duration_ns: Some(1_240_000),
            args: Some("{}"),
            result: Some("null"),
            parent: None,
            root: None,
            weight: None,
            active_ns: None,
            yields: None,
            task: None,
        }
    }

    /// The call as one that `parent`, whose root is `root`, made.
    pub(super) fn made_by(self, parent: i64, root: i64) -> Self {
        Self { parent: Some(parent), root: Some(root), ..self }
    }
}

/// The id that stands for `unix_ns`.
pub(super) fn id_at(unix_ns: i64) -> i64 {
    (unix_ns - 1_704_067_200_000_000_000) / 128
}

/// What a failed call adds.
#[derive(Debug, Clone)]
pub(super) struct Raised<'a> {
    /// The exception's type.
    pub(super) error_type: &'a str,
    /// Its message.
    pub(super) message: &'a str,
    /// Where it was raised.
    pub(super) file: &'a str,
    /// The line there.
    pub(super) line: i64,
    /// The function there.
    pub(super) place: &'a str,
    /// The chain, JSON.
    pub(super) traceback: &'a str,
}

impl SampleTape {
    /// A tape with one run (pid 4711) and one thread (MainThread).
    pub(super) fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join(NAME)).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.pragma_update(None, "synchronous", "off").unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", SCHEMA_VERSION).unwrap();
        connection
            .execute("INSERT OR REPLACE INTO tape (id, created_ns, id_lead_ns, id_lag_ns) VALUES (1, ?1, 1000000, 300000000)", [START_NS])
            .unwrap();
        let tape = Self { connection, folder };
        tape.run(1, 4711, Some("exit"));
        tape.thread(1, 1, "MainThread");
        tape
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }

    /// Adds a run.
    pub(super) fn run(&self, id: i64, pid: i64, ending: Option<&str>) {
        let ended = ending.map(|_| START_NS + 60_000_000_000);
        self.connection
            .execute(
                "INSERT INTO run (id, pid, host, program, python, started_ns, seen_ns, ended_ns, ending)
                 VALUES (?1, ?2, 'box', 'shop.py', '3.13.1', ?3, ?3, ?4, ?5)",
                params![id, pid, START_NS - 5_000_000, ended, ending],
            )
            .unwrap();
    }

    /// Adds a thread.
    pub(super) fn thread(&self, id: i64, run: i64, name: &str) {
        self.connection.execute("INSERT INTO thread VALUES (?1, ?2, ?1, ?1, ?3)", params![id, run, name]).unwrap();
    }

    /// Adds a plain function at line 17 of `shop/orders.py`.
    pub(super) fn function(&self, name: &str) -> i64 {
        self.function_of(name, "", "function")
    }

    /// Adds a function of a group and kind.
    pub(super) fn function_of(&self, name: &str, group: &str, kind: &str) -> i64 {
        self.connection
            .execute(
                "INSERT INTO function (name, group_name, kind, file, line, parameters)
                 VALUES (?1, ?2, ?3, 'shop/orders.py', 17, '[]')",
                params![name, group, kind],
            )
            .unwrap();
        self.connection.last_insert_rowid()
    }

    /// Adds a call; returns its id.
    pub(super) fn call(&self, row: CallRow<'_>) -> i64 {
        self.connection
            .execute(
                "INSERT INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result, parent_id,
                                   root_id, weight, active_ns, yields, task)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                params![
                    row.id,
                    row.function,
                    row.thread,
                    row.status,
                    row.started_ns,
                    row.duration_ns,
                    row.args,
                    row.result,
                    row.parent,
                    row.root,
                    row.weight,
                    row.active_ns,
                    row.yields,
                    row.task
                ],
            )
            .unwrap();
        row.id
    }

    /// Adds a call that raised; returns its id.
    pub(super) fn failed_call(&self, row: CallRow<'_>, raised: &Raised<'_>) -> i64 {
        self.ended_by(CallRow { status: 1, result: None, ..row }, raised)
    }

    /// Adds a call that was cancelled; returns its id.
    pub(super) fn cancelled_call(&self, row: CallRow<'_>, raised: &Raised<'_>) -> i64 {
        self.ended_by(CallRow { status: 2, result: None, ..row }, raised)
    }

    fn ended_by(&self, row: CallRow<'_>, raised: &Raised<'_>) -> i64 {
        let form = message_form(raised.message);
        let kind = params![row.function, raised.error_type, raised.file, raised.line, raised.place, row.status, form];
        self.connection
            .execute(
                "INSERT OR IGNORE INTO error (function_id, type, file, line, place, status, form)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                kind,
            )
            .unwrap();
        let error: i64 = self
            .connection
            .query_row(
                "SELECT id FROM error
                 WHERE function_id = ?1 AND type = ?2 AND file = ?3 AND line = ?4 AND place = ?5 AND status = ?6
                     AND form = ?7",
                kind,
                |found| found.get(0),
            )
            .unwrap();
        let id = self.call(row);
        self.connection
            .execute(
                "INSERT INTO failure VALUES (?1, ?2, ?3, ?4)",
                params![id, error, raised.message, raised.traceback],
            )
            .unwrap();
        id
    }

    /// Adds a minute of `function`, `after` minutes from the first: `figures` are calls, errors, sampled out, dropped,
    /// total, min and max.
    pub(super) fn minute(&self, function: i64, after: i64, figures: [i64; 7], latency: &[u8]) {
        let [calls, errors, sampled_out, dropped, total, min, max] = figures;
        self.connection
            .execute(
                "INSERT INTO minute VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    function,
                    START_NS / 60_000_000_000 + after,
                    calls,
                    errors,
                    sampled_out,
                    dropped,
                    total,
                    min,
                    max,
                    latency
                ],
            )
            .unwrap();
    }

    /// Adds a page of the books: calls, stored, sampled out, dropped, dropped errors.
    pub(super) fn books(&self, run: i64, function: i64, figures: [i64; 5]) {
        let [calls, stored, sampled_out, dropped, dropped_errors] = figures;
        self.connection
            .execute(
                "INSERT INTO run_function VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
                params![run, function, calls, stored, sampled_out, dropped, dropped_errors],
            )
            .unwrap();
    }
}
