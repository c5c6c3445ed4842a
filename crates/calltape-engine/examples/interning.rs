//! What interning repeated texts would save on a tape and what it would cost the drain, on the rows of a real tape.
//!
//! ```text
//! cargo run --release -p calltape-engine --example interning -- TAPE [FOLDER]
//! ```
//!
//! Reads the calls and failures of a tape into memory, says which share of their texts' bytes are repeats, then writes
//! the same rows again in batches as large as the drain's: as they stand, and with the texts of a least length in a
//! table of their own, which `call` and `failure` refer to. Prints rows a second, the sizes after VACUUM, and how long a
//! scan over all texts takes. `python -m bench.interning` records the tapes and runs this on each; what was decided by
//! its figures stands in docs/decisions/008-texts-are-not-interned.md.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::HashMap;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use calltape_engine::store::SCHEMA;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Statement, params};

/// Rows a transaction: as many as a full batch of the drain.
const BATCH: usize = 16_384;

/// Rounds of each way, one after the other; the median counts.
const ROUNDS: usize = 5;

/// Numbers of texts that a drain would keep at hand, so that a frequent text needs no look into the database.
const REMEMBERED: usize = 65_536;

/// In the place of a number: seen, and not in the table.
const SEEN_ONCE: i64 = 0;

/// The columns of `call`, apart from args and result, as they are copied.
const COLUMNS: &str = "id, function_id, thread_id, status, started_ns, duration_ns, parent_id, root_id, weight, \
                       active_ns, yields, task";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let tape = PathBuf::from(arguments.next().ok_or("usage: interning TAPE [FOLDER]")?);
    let folder = tempfile::tempdir_in(arguments.next().map_or_else(std::env::temp_dir, PathBuf::from))?;
    let rows = Rows::read(&tape)?;
    rows.repeats();
    println!(
        "\n{:<34} {:>10} {:>7} {:>11} {:>6} {:>9} {:>7}",
        "way", "KiB", "saved", "rows/s", "cost", "scan, ms", "texts"
    );
    let ways = [Way::Plain, Way::Indexed(64), Way::Hashed(64), Way::SecondSight(64)];
    let mut taken: Vec<Vec<Taken>> = ways.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        for (place, way) in ways.iter().enumerate() {
            taken[place].push(write(&rows, *way, &folder.path().join(format!("{place}-{round}.db")))?);
        }
    }
    let medians: Vec<Taken> = taken.into_iter().map(median).collect();
    for (way, figures) in ways.iter().zip(&medians) {
        let saved = 1.0 - figures.bytes / medians[0].bytes;
        let cost = 1.0 - figures.rate / medians[0].rate;
        println!(
            "{:<34} {:>10.0} {:>6.1}% {:>11.0} {:>5.0}% {:>9.1} {:>7}",
            way.name(),
            figures.bytes / 1024.0,
            saved * 100.0,
            figures.rate,
            cost * 100.0,
            figures.scan_ms,
            figures.texts
        );
    }
    Ok(())
}

/// How the texts are stored.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// In the row, as the tape has them.
    Plain,
    /// From so many bytes on in a table with small numbers and an index over their hashes.
    Indexed(usize),
    /// From so many bytes on in a table whose key is the hash.
    Hashed(usize),
    /// From so many bytes on, in a table once they are seen again while the drain still remembers them: no look into the
    /// database ever, and the first copy stays where it is.
    SecondSight(usize),
}

impl Way {
    fn name(self) -> String {
        match self {
            Self::Plain => "in the row".into(),
            Self::Indexed(least) => format!("numbers and an index, from {least} B"),
            Self::Hashed(least) => format!("hash as the key, from {least} B"),
            Self::SecondSight(least) => format!("at second sight, from {least} B"),
        }
    }

    fn least(self) -> usize {
        match self {
            Self::Plain => usize::MAX,
            Self::Indexed(least) | Self::Hashed(least) | Self::SecondSight(least) => least,
        }
    }

    /// The tape's schema, with columns that hold a text or its number, and the table of texts.
    fn schema(self) -> String {
        let loose = SCHEMA
            .replace("args          TEXT", "args          ANY")
            .replace("result        TEXT", "result        ANY")
            .replace("traceback     TEXT NOT NULL", "traceback     ANY NOT NULL")
            .replace("message       TEXT NOT NULL", "message       ANY NOT NULL");
        match self {
            Self::Plain => SCHEMA.into(),
            Self::Indexed(_) => {
                loose
                    + "CREATE TABLE text (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
                       CREATE INDEX text_by_hash ON text (hash);"
            }
            Self::Hashed(_) | Self::SecondSight(_) => {
                loose + "CREATE TABLE text (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;"
            }
        }
    }
}

/// What a way took.
struct Taken {
    bytes: f64,
    /// Rows a second of this thread's processor time.
    rate: f64,
    scan_ms: f64,
    texts: i64,
}

fn median(mut taken: Vec<Taken>) -> Taken {
    let middle = |values: &mut dyn Iterator<Item = f64>| {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let rate = middle(&mut taken.iter().map(|one| one.rate));
    let scan_ms = middle(&mut taken.iter().map(|one| one.scan_ms));
    let last = taken.remove(0);
    Taken { rate, scan_ms, ..last }
}

/// A call: its plain columns, then args and result.
struct Call {
    columns: Vec<Value>,
    texts: [Option<String>; 2],
}

/// A failure: call and error, then message and traceback.
struct Failure {
    columns: [i64; 2],
    texts: [String; 2],
}

/// All of a tape that is written again.
struct Rows {
    calls: Vec<Call>,
    failures: Vec<Failure>,
}

impl Rows {
    fn read(tape: &Path) -> Result<Self, Box<dyn Error>> {
        let connection = Connection::open_with_flags(tape, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement = connection.prepare(&format!("SELECT {COLUMNS}, args, result FROM call ORDER BY id"))?;
        let calls = statement
            .query_map([], |row| {
                let columns = (0..12).map(|column| row.get(column)).collect::<Result<_, _>>()?;
                Ok(Call { columns, texts: [row.get(12)?, row.get(13)?] })
            })?
            .collect::<Result<_, _>>()?;
        let mut statement =
            connection.prepare("SELECT call_id, error_id, message, traceback FROM failure ORDER BY call_id")?;
        let failures = statement
            .query_map([], |row| {
                Ok(Failure { columns: [row.get(0)?, row.get(1)?], texts: [row.get(2)?, row.get(3)?] })
            })?
            .collect::<Result<_, _>>()?;
        Ok(Self { calls, failures })
    }

    /// Prints which share of the texts' bytes has stood on the tape before.
    fn repeats(&self) {
        let of_calls = |place: usize| self.calls.iter().filter_map(move |call| call.texts[place].as_deref());
        let of_failures = |place: usize| self.failures.iter().map(move |failure| failure.texts[place].as_str());
        println!("{} calls, {} failures", self.calls.len(), self.failures.len());
        println!("{:<12} {:>9} {:>9} {:>11} {:>9} {:>10}", "text", "count", "distinct", "bytes", "repeats", "mean");
        repeats_of("args", of_calls(0));
        repeats_of("result", of_calls(1));
        repeats_of("message", of_failures(0));
        repeats_of("traceback", of_failures(1));
        repeats_of("all", of_calls(0).chain(of_calls(1)).chain(of_failures(0)).chain(of_failures(1)));
    }
}

fn repeats_of<'a>(name: &str, texts: impl Iterator<Item = &'a str>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for text in texts {
        *seen.entry(text).or_default() += 1;
    }
    let count: usize = seen.values().sum();
    let bytes: usize = seen.iter().map(|(text, times)| text.len() * times).sum();
    let repeated: usize = seen.iter().map(|(text, times)| text.len() * (times - 1)).sum();
    let (share, mean) = (100.0 * repeated as f64 / bytes.max(1) as f64, bytes as f64 / count.max(1) as f64);
    println!("{name:<12} {count:>9} {:>9} {bytes:>11} {share:>8.1}% {mean:>8.1} B", seen.len());
}

/// Writes the rows one way, and measures it.
fn write(rows: &Rows, way: Way, db: &Path) -> Result<Taken, Box<dyn Error>> {
    let connection = Connection::open(db)?;
    connection.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA foreign_keys = OFF;",
    )?;
    connection.execute_batch(&way.schema())?;
    let before = processor_seconds();
    {
        let insert = format!("INSERT INTO call ({COLUMNS}, args, result) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
        let mut call = connection.prepare(&insert)?;
        let mut failure = connection.prepare("INSERT INTO failure VALUES (?, ?, ?, ?)")?;
        let mut texts = Texts::new(&connection, way)?;
        let mut failures = rows.failures.iter().peekable();
        for batch in rows.calls.chunks(BATCH) {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for row in batch {
                for (place, value) in row.columns.iter().enumerate() {
                    call.raw_bind_parameter(place + 1, value)?;
                }
                for (place, text) in row.texts.iter().enumerate() {
                    texts.bind(&mut call, 13 + place, text.as_deref())?;
                }
                call.raw_execute()?;
                while let Some(failed) = failures.next_if(|one| row.columns[0] == Value::Integer(one.columns[0])) {
                    failure.raw_bind_parameter(1, failed.columns[0])?;
                    failure.raw_bind_parameter(2, failed.columns[1])?;
                    texts.bind(&mut failure, 3, Some(&failed.texts[0]))?;
                    texts.bind(&mut failure, 4, Some(&failed.texts[1]))?;
                    failure.raw_execute()?;
                }
            }
            connection.execute_batch("COMMIT")?;
        }
    }
    let rate = rows.calls.len() as f64 / (processor_seconds() - before);
    let scan_ms = scan(&connection, way)?;
    let texts = match way {
        Way::Plain => 0,
        _ => connection.query_row("SELECT count(*) FROM text", [], |row| row.get(0))?,
    };
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
    let bytes = std::fs::metadata(db)?.len() as f64;
    Ok(Taken { bytes, rate, scan_ms, texts })
}

/// Milliseconds of a scan that reads every call's args and result, as a search over the tape does.
fn scan(connection: &Connection, way: Way) -> Result<f64, Box<dyn Error>> {
    let sql = match way {
        Way::Plain => "SELECT count(*) FROM call WHERE args LIKE '%nowhere%' OR result LIKE '%nowhere%'",
        _ => {
            "SELECT count(*) FROM call c
             LEFT JOIN text a ON typeof(c.args) = 'integer' AND a.id = c.args
             LEFT JOIN text r ON typeof(c.result) = 'integer' AND r.id = c.result
             WHERE coalesce(a.body, c.args) LIKE '%nowhere%' OR coalesce(r.body, c.result) LIKE '%nowhere%'"
        }
    };
    let began = Instant::now();
    connection.query_row(sql, [], |row| row.get::<_, i64>(0))?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// The table of texts while rows are written.
struct Texts<'connection> {
    way: Way,
    find: Option<Statement<'connection>>,
    insert: Option<Statement<'connection>>,
    connection: &'connection Connection,
    remembered: HashMap<u64, i64>,
}

impl<'connection> Texts<'connection> {
    fn new(connection: &'connection Connection, way: Way) -> Result<Self, Box<dyn Error>> {
        let (find, insert) = match way {
            Way::Plain => (None, None),
            Way::Indexed(_) => (
                Some(connection.prepare("SELECT id, body FROM text WHERE hash = ?")?),
                Some(connection.prepare("INSERT INTO text (hash, body) VALUES (?, ?)")?),
            ),
            Way::Hashed(_) => (
                Some(connection.prepare("SELECT id, body FROM text WHERE id = ?")?),
                Some(connection.prepare("INSERT INTO text (id, body) VALUES (?, ?)")?),
            ),
            Way::SecondSight(_) => (None, Some(connection.prepare("INSERT INTO text (body) VALUES (?)")?)),
        };
        Ok(Self { way, find, insert, connection, remembered: HashMap::new() })
    }

    /// Binds the text, or the number of it.
    fn bind(&mut self, row: &mut Statement<'_>, place: usize, text: Option<&str>) -> Result<(), Box<dyn Error>> {
        match text {
            Some(text) if text.len() >= self.way.least() => match self.number(text)? {
                Some(number) => row.raw_bind_parameter(place, number)?,
                None => row.raw_bind_parameter(place, text)?,
            },
            _ => row.raw_bind_parameter(place, text)?,
        }
        Ok(())
    }

    /// The text's number in the table, or nothing where the text belongs into the row.
    fn number(&mut self, text: &str) -> Result<Option<i64>, Box<dyn Error>> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        let number = match (self.way, self.remembered.get(&hash).copied()) {
            (Way::SecondSight(_), None) => SEEN_ONCE,
            (Way::SecondSight(_), Some(SEEN_ONCE)) => {
                self.insert.as_mut().ok_or("no table")?.execute(params![text])?;
                self.connection.last_insert_rowid()
            }
            (_, Some(number)) => return Ok(Some(number)),
            (_, None) => self.found_or_inserted(text, hash)?,
        };
        if self.remembered.len() == REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(hash, number);
        Ok((number != SEEN_ONCE).then_some(number))
    }

    fn found_or_inserted(&mut self, text: &str, hash: u64) -> Result<i64, Box<dyn Error>> {
        let (Some(find), Some(insert)) = (&mut self.find, &mut self.insert) else { return Err("no table".into()) };
        let mut found = find.query(params![hash as i64])?;
        Ok(match found.next()? {
            // The body is compared, as it would have to be; two texts of one hash do not occur in these workloads.
            Some(row) if row.get_ref(1)?.as_str()? == text => row.get(0)?,
            Some(_) => return Err("two texts of one hash".into()),
            None => {
                drop(found);
                insert.execute(params![hash as i64, text])?;
                self.connection.last_insert_rowid()
            }
        })
    }
}

/// Processor time this thread has had.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: f64 = text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(f64::NAN);
    ns / 1e9
}
