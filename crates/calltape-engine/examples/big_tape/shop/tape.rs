//! The tape as it is written: rows in the order of their ids, as the drain writes them, and at the end the books, the
//! minutes and the kinds of error that belong to them. The file is made beside its name and moved there when it is whole.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use calltape_engine::drain::message_form;
use calltape_engine::rollup::Latency;
use calltape_engine::store::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};
use rusqlite::{Connection, Statement, params};

use super::catalogue::FUNCTIONS;
use super::processes::{Process, SECOND, START_NS};
use super::text::parameters_of;
use super::trees::{ERROR, INTERRUPTED};

/// What can go wrong: SQLite and the disk.
pub(crate) type Fault = Box<dyn std::error::Error>;

/// A row to write.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) process: usize,
    pub(crate) thread: usize,
    pub(crate) function: usize,
    pub(crate) status: u8,
    pub(crate) started_ns: i64,
    pub(crate) took: i64,
    pub(crate) args: String,
    pub(crate) result: Option<String>,
    pub(crate) parent: Option<i64>,
    pub(crate) root: i64,
    pub(crate) weight: Option<f64>,
    pub(crate) task: Option<String>,
    pub(crate) failed: Option<Failed>,
}

/// What a failure adds.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error_type: &'static str,
    pub(crate) message: String,
    pub(crate) traceback: String,
    /// The function that raised it.
    pub(crate) raised_by: usize,
    pub(crate) line: i64,
}

/// Figures of one function and minute, or hour.
#[derive(Debug, Default)]
struct Minute {
    calls: i64,
    errors: i64,
    sampled_out: i64,
    dropped: i64,
    total_ns: i64,
    span: Option<(i64, i64)>,
    latency: Latency,
}

/// Figures of one run and function.
#[derive(Debug, Default, Clone, Copy)]
struct Books {
    stored: i64,
    sampled_out: i64,
    dropped: i64,
}

/// Why a call has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    SampledOut,
    Dropped,
}

/// A kind of error: function, type, line, place, status, form.
type Kind = (usize, &'static str, i64, usize, u8, String);

/// The tape being written.
#[derive(Debug)]
pub(crate) struct Tape {
    connection: Connection,
    unfinished: PathBuf,
    pub(crate) stored: u64,
    waiting: BTreeMap<i64, Row>,
    kinds: HashMap<Kind, i64>,
    minutes: BTreeMap<(usize, i64), Minute>,
    books: BTreeMap<(usize, usize), Books>,
}

impl Tape {
    /// Begins a tape that will be at `path`.
    pub(crate) fn create(path: &Path, processes: &[Process]) -> Result<Self, Fault> {
        let unfinished = path.with_extension("unfinished");
        let _ = std::fs::remove_file(&unfinished);
        let connection = Connection::open(&unfinished)?;
        // Nothing needs to survive a crash: an unfinished tape is made anew.
        connection.execute_batch(
            "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -262144; BEGIN;",
        )?;
        connection.execute_batch(SCHEMA)?;
        connection.execute("INSERT INTO tape VALUES (1, ?1, 1000000, 1000000)", [START_NS])?;
        connection.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
        ))?;
        for (at, function) in FUNCTIONS.iter().enumerate() {
            let names: Vec<&str> = parameters_of(function.parameters).map(|(name, _)| name).collect();
            connection.execute(
                "INSERT INTO function VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    at as i64 + 1,
                    function.name,
                    group_of(at),
                    function.kind,
                    file_of(at),
                    line_of(at),
                    format!("{names:?}")
                ],
            )?;
        }
        put_processes(&connection, processes)?;
        Ok(Self {
            connection,
            unfinished,
            stored: 0,
            waiting: BTreeMap::new(),
            kinds: HashMap::new(),
            minutes: BTreeMap::new(),
            books: BTreeMap::new(),
        })
    }

    /// A free id for a call that began at `started_ns`.
    pub(crate) fn id_at(&self, started_ns: i64) -> i64 {
        let mut id = calltape_record::ids::at(started_ns) as i64;
        while self.waiting.contains_key(&id) {
            id += 1;
        }
        id
    }

    /// Takes a row, and counts it.
    pub(crate) fn put(&mut self, id: i64, row: Row) {
        self.books.entry((row.process, row.function)).or_default().stored += 1;
        if row.status != INTERRUPTED {
            let minute = self.minutes.entry((row.function, minute_of(row.started_ns + row.took))).or_default();
            minute.calls += 1;
            minute.errors += i64::from(row.status == ERROR);
            minute.took(row.took);
        }
        self.stored += 1;
        self.waiting.insert(id, row);
    }

    /// Counts a call that has no row.
    pub(crate) fn count(&mut self, process: usize, function: usize, ended_ns: i64, took: i64, why: Missing) {
        let books = self.books.entry((process, function)).or_default();
        let minute = self.minutes.entry((function, minute_of(ended_ns))).or_default();
        let (of_run, of_minute) = match why {
            Missing::SampledOut => (&mut books.sampled_out, &mut minute.sampled_out),
            Missing::Dropped => (&mut books.dropped, &mut minute.dropped),
        };
        (*of_run, *of_minute) = (*of_run + 1, *of_minute + 1);
        minute.took(took);
    }

    /// Writes the rows that began before `until_ns`: none will come before them any more.
    pub(crate) fn write(&mut self, until_ns: i64) -> Result<(), Fault> {
        let first = calltape_record::ids::at(until_ns) as i64;
        let later = self.waiting.split_off(&first);
        let rows = std::mem::replace(&mut self.waiting, later);
        let mut insert = self.connection.prepare_cached(INSERT)?;
        for (id, row) in rows {
            insert_row(&mut insert, id, &row)?;
            if let Some(failed) = &row.failed {
                let error = kind_of(&self.connection, &mut self.kinds, &row, failed)?;
                self.connection.prepare_cached("INSERT INTO failure VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                    id,
                    error,
                    failed.message,
                    failed.traceback
                ])?;
            }
        }
        Ok(())
    }

    /// Writes what is left, and gives the file its name.
    pub(crate) fn finish(mut self, path: &Path) -> Result<(), Fault> {
        self.write(i64::MAX)?;
        self.put_rollup()?;
        for (&(process, function), books) in &self.books {
            let Books { stored, sampled_out, dropped } = *books;
            let calls = stored + sampled_out + dropped;
            self.connection
                .prepare_cached("INSERT INTO run_function VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, 0, 0)")?
                .execute(params![process as i64 + 1, function as i64 + 1, calls, stored, sampled_out, dropped])?;
        }
        self.connection.flush_prepared_statement_cache();
        self.connection.execute_batch("COMMIT; PRAGMA locking_mode = NORMAL;")?;
        self.connection.pragma_update(None, "journal_mode", "wal")?;
        self.connection.close().map_err(|(_, fault)| fault)?;
        Ok(std::fs::rename(&self.unfinished, path)?)
    }

    /// Minutes, and all hours but the last, which is not over.
    fn put_rollup(&self) -> Result<(), Fault> {
        let last = self.minutes.keys().map(|key| key.1).max().map_or(0, |minute| minute / 60);
        let mut hours: BTreeMap<(i64, usize), Minute> = BTreeMap::new();
        for (&(function, minute), figures) in &self.minutes {
            self.put_figures("minute (function_id, minute,", (function, minute), figures)?;
            if minute / 60 < last {
                hours.entry((minute / 60, function)).or_default().merge(figures);
            }
        }
        for (&(hour, function), figures) in &hours {
            self.put_figures("hour (function_id, hour,", (function, hour), figures)?;
        }
        Ok(())
    }

    fn put_figures(&self, into: &str, (function, time): (usize, i64), figures: &Minute) -> Result<(), Fault> {
        let sql = format!(
            "INSERT INTO {into} calls, errors, sampled_out, dropped, total_ns, min_ns, max_ns, latency)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        );
        let (least, most) = figures.span.unzip();
        let Minute { calls, errors, sampled_out, dropped, total_ns, .. } = *figures;
        let (function, latency) = (function as i64 + 1, figures.latency.encode());
        let values = params![function, time, calls, errors, sampled_out, dropped, total_ns, least, most, latency];
        self.connection.prepare_cached(&sql)?.execute(values)?;
        Ok(())
    }
}

impl Minute {
    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.sampled_out += other.sampled_out;
        self.dropped += other.dropped;
        self.total_ns += other.total_ns;
        self.span = match (self.span, other.span) {
            (Some(one), Some(two)) => Some((one.0.min(two.0), one.1.max(two.1))),
            (one, two) => one.or(two),
        };
        self.latency.merge(&other.latency);
    }

    fn took(&mut self, ns: i64) {
        self.total_ns += ns;
        let (least, most) = self.span.unwrap_or((ns, ns));
        self.span = Some((least.min(ns), most.max(ns)));
        self.latency.record(ns.unsigned_abs());
    }
}

fn put_processes(connection: &Connection, processes: &[Process]) -> Result<(), Fault> {
    for (at, process) in processes.iter().enumerate() {
        let run = at as i64 + 1;
        let (began, ended) = (START_NS + process.began, START_NS + process.ended);
        connection.execute(
            "INSERT INTO run VALUES (?1, ?2, ?3, ?4, '3.13.1', ?5, ?6, ?6, ?7)",
            params![run, process.pid, process.host, process.program, began, ended, process.ending],
        )?;
        for (number, name) in process.threads.iter().enumerate() {
            let ident = 140_000_000_000_000 + process.pid * 4096 + number as i64;
            connection.execute(
                "INSERT INTO thread VALUES (?1, ?2, ?3, ?4, ?5)",
                params![thread_id(at, number), run, ident, process.pid + number as i64, name],
            )?;
        }
    }
    Ok(())
}

const INSERT: &str =
    "INSERT INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result, parent_id,
    root_id, weight, active_ns, yields, task) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

fn insert_row(insert: &mut Statement<'_>, id: i64, row: &Row) -> Result<(), Fault> {
    let took = (row.status != INTERRUPTED).then_some(row.took);
    let kind = FUNCTIONS[row.function].kind;
    let suspends = matches!(kind, "coroutine" | "generator");
    // A coroutine waits for most of its time.
    let active = took.filter(|_| suspends).map(|took| took / 5);
    let yields = took.filter(|_| kind == "generator").map(|took| took / 40_000);
    insert.execute(params![
        id,
        row.function as i64 + 1,
        thread_id(row.process, row.thread),
        row.status,
        row.started_ns,
        took,
        row.args,
        row.result,
        row.parent,
        row.parent.map(|_| row.root),
        row.weight,
        active,
        yields,
        row.task.as_ref().filter(|_| suspends)
    ])?;
    Ok(())
}

fn kind_of(connection: &Connection, kinds: &mut HashMap<Kind, i64>, row: &Row, failed: &Failed) -> Result<i64, Fault> {
    let form = message_form(&failed.message);
    let kind: Kind = (row.function, failed.error_type, failed.line, failed.raised_by, row.status, form);
    if let Some(&number) = kinds.get(&kind) {
        return Ok(number);
    }
    let number = kinds.len() as i64 + 1;
    let (file, place) = (file_of(failed.raised_by), place_of(failed.raised_by));
    connection.execute(
        "INSERT INTO error (id, function_id, type, file, line, place, status, form) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![number, kind.0 as i64 + 1, kind.1, file, kind.2, place, kind.4, kind.5],
    )?;
    kinds.insert(kind, number);
    Ok(number)
}

fn thread_id(process: usize, thread: usize) -> i64 {
    process as i64 * 4 + thread as i64 + 1
}

fn minute_of(unix_ns: i64) -> i64 {
    unix_ns / (60 * SECOND)
}

/// `shop.orders.service.place`: the group `orders`.
fn group_of(function: usize) -> &'static str {
    FUNCTIONS[function].name.split('.').nth(1).unwrap_or_default()
}

/// The file a function stands in: `/srv/shop/shop/orders/service.py`.
pub(crate) fn file_of(function: usize) -> String {
    let parts: Vec<&str> = FUNCTIONS[function].name.split('.').take(3).collect();
    format!("/srv/shop/{}.py", parts.join("/"))
}

/// The name a traceback shows: `Client.post`.
pub(crate) fn place_of(function: usize) -> String {
    FUNCTIONS[function].name.split('.').skip(3).collect::<Vec<_>>().join(".")
}

/// The first line of a function.
pub(crate) fn line_of(function: usize) -> i64 {
    20 + function as i64 * 17 % 240
}
