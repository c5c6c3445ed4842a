//! How fast the drain stores calls, beside a bare loop of prepared inserts into the same table, in one run.
//!
//! ```text
//! cargo run --release -p calltape-engine --example drain_rate [CALLS] [FUNCTIONS] [FOLDER]
//! ```
//!
//! Each call has two small integers and a small result. The journal is filled first, so that one core does nothing but
//! drain. Prints calls a second by the clock and by the processor time of the draining thread (what one core could do
//! on a machine that does nothing else), the ratios, and bytes a call on disk.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use calltape_engine::drain::{Drain, tape_directory};
use calltape_engine::store::SCHEMA;
use calltape_journal::{Journal, Options};
use calltape_testkit::{Caller, identity};
use rusqlite::Connection;

/// Rows a transaction of the bare loop: as many as a full batch of the drain.
const BATCH: u64 = 16_384;

/// Rounds of both, one after the other.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let calls: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let functions: u64 = arguments.next().map_or(Ok(8), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let mut ratios = Vec::new();
    println!("calls/s      drain (by processor)   bare inserts (by processor)   ratio (by processor)   bytes a call");
    for round in 0..ROUNDS {
        let bare = bare_inserts(&folder.path().join(format!("bare{round}.db")), calls, functions)?;
        let db = folder.path().join(format!("calls{round}.db"));
        let drained = drain(&db, calls, functions)?;
        let bytes = std::fs::metadata(&db)?.len() as f64 / calls as f64;
        let ratio = Rate { clock: drained.clock / bare.clock, processor: drained.processor / bare.processor };
        println!(
            "{:18.0} ({:9.0})      {:13.0} ({:9.0})        {:10.2} ({:.2})             {bytes:8.1}",
            drained.clock, drained.processor, bare.clock, bare.processor, ratio.clock, ratio.processor
        );
        ratios.push(ratio);
    }
    let median = |pick: fn(&Rate) -> f64| {
        let mut picked: Vec<f64> = ratios.iter().map(pick).collect();
        picked.sort_by(f64::total_cmp);
        picked[picked.len() / 2]
    };
    println!("median ratio {:.2}, by processor {:.2}", median(|rate| rate.clock), median(|rate| rate.processor));
    Ok(())
}

/// Calls a second.
struct Rate {
    clock: f64,
    processor: f64,
}

/// Time since it was made, by the clock and by the processor time of this thread.
struct Watch {
    clock: Instant,
    processor: f64,
}

impl Watch {
    fn start() -> Self {
        Self { clock: Instant::now(), processor: processor_seconds() }
    }

    fn rate(&self, calls: u64) -> Rate {
        let calls = calls as f64;
        let processor = processor_seconds() - self.processor;
        Rate { clock: calls / self.clock.elapsed().as_secs_f64(), processor: calls / processor }
    }
}

/// Processor time this thread has had.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: f64 = text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(f64::NAN);
    ns / 1e9
}

fn drain(db: &Path, calls: u64, functions: u64) -> Result<Rate, Box<dyn Error>> {
    let options = Options { limit_bytes: (calls * 80).next_multiple_of(2 << 20) + (64 << 20), ..Options::default() };
    let journal = Arc::new(Journal::create(&tape_directory(db), &identity(), &options)?);
    let mut caller = Caller::new(&journal, "MainThread");
    let slots: Vec<u32> = (0..functions).map(|number| caller.define(&format!("shop.orders.place{number}"))).collect();
    for call in 0..calls {
        let slot = slots[(call % functions) as usize];
        if !caller.call(slot, (call % 100) as i64, 4) {
            return Err("the journal is full".into());
        }
        if call % 4096 == 0 {
            journal.maintain();
        }
    }
    let mut drain = Drain::new(db, Some(Arc::clone(&journal)));
    drain.take_lease()?;
    let watch = Watch::start();
    while drain.pass(false)?.more {}
    let rate = watch.rate(calls);
    drop(drain);
    let connection = Connection::open(db)?;
    let stored: i64 = connection.query_row("SELECT count(*) FROM call WHERE status = 0", [], |row| row.get(0))?;
    if stored != calls as i64 {
        return Err(format!("{stored} calls stored of {calls}").into());
    }
    Ok(rate)
}

fn bare_inserts(db: &Path, calls: u64, functions: u64) -> Result<Rate, Box<dyn Error>> {
    let connection = Connection::open(db)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;")?;
    connection.execute_batch(SCHEMA)?;
    let sql = "INSERT INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut statement = connection.prepare(sql)?;
    let watch = Watch::start();
    let first = 700_000_000_000_000_i64;
    for call in 0..calls {
        if call % BATCH == 0 {
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        let started = 1_795_000_000_000_000_000_i64 + call as i64 * 1000;
        let args = r#"{"a":17,"b":4}"#;
        let row = rusqlite::params![first + call as i64, (call % functions) as i64 + 1, 1, 0, started, 350, args, "21"];
        statement.execute(row)?;
        if call % BATCH == BATCH - 1 || call == calls - 1 {
            connection.execute_batch("COMMIT")?;
        }
    }
    Ok(watch.rate(calls))
}
