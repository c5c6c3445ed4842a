//! How long retention's steps take inside the drain, and whether the size limit holds.
//!
//! ```text
//! cargo run --release -p calltape-engine --example prune_steps [CALLS] [FOLDER]
//! ```
//!
//! Three scenes on one tape each: everything becomes too old while nothing is recorded; the same with a writer at full
//! speed; and a writer at full speed against a size limit. One call in ten raises, with a kilobyte about why. Prints for
//! each: steps, rows removed, the longest step (commit included), the longest pass, and the largest the files were.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use calltape_engine::drain::{Drain, tape_directory};
use calltape_engine::retention::Limits;
use calltape_journal::{Journal, Options, unix_ns};
use calltape_testkit::{Caller, Raised, identity};

const DAY: Duration = Duration::from_secs(86_400);

/// How long the scenes with a writer last.
const WRITING: Duration = Duration::from_secs(10);

/// The limit of the third scene: 64 MiB.
const SIZE: u64 = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let calls: u64 = arguments.next().map_or(Ok(500_000), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let by_age = Limits { age: Some(7 * DAY), errors: Some(30 * DAY), minutes: Some(400 * DAY), size: None };
    println!("longest of 100 fdatasync of 64 KiB here: {:.1} ms", longest_sync(folder.path())?.as_secs_f64() * 1e3);
    println!("scene               steps     removed   longest step   longest pass   largest files   files at the end");
    let quiet = Scene { name: "too old, quiet", limits: by_age, days: 31, writes: false };
    quiet.play(&folder.path().join("quiet.db"), calls)?;
    let busy = Scene { name: "too old, writing", limits: by_age, days: 31, writes: true };
    busy.play(&folder.path().join("busy.db"), calls)?;
    let small = Limits { size: Some(SIZE), ..Limits::default() };
    let bound = Scene { name: "64 MiB, writing", limits: small, days: 0, writes: true };
    bound.play(&folder.path().join("bound.db"), 0)
}

struct Scene {
    name: &'static str,
    limits: Limits,
    /// Days that go by before retention begins.
    days: i64,
    writes: bool,
}

impl Scene {
    fn play(&self, db: &Path, calls: u64) -> Result<(), Box<dyn Error>> {
        let journal = Arc::new(Journal::create(&tape_directory(db), &identity(), &Options::default())?);
        let mut drain = Drain::new(db, Some(Arc::clone(&journal)));
        drain.take_lease()?;
        let mut caller = Caller::new(&journal, "MainThread");
        let place = caller.define("shop.orders.place");
        for call in 0..calls {
            while !one_call(&journal, &mut caller, place, call) {
                drain.pass(false)?;
            }
        }
        while drain.pass(true)?.more {}
        drain.keep_within(self.limits);
        drain.pretend_time(unix_ns() + self.days * DAY.as_nanos() as i64);
        let stop = AtomicBool::new(false);
        let written = AtomicU64::new(0);
        std::thread::scope(|scope| {
            if self.writes {
                scope.spawn(|| {
                    for call in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        if one_call(&journal, &mut caller, place, call) {
                            written.fetch_add(1, Ordering::Relaxed);
                        } else {
                            std::thread::sleep(Duration::from_micros(100));
                        }
                    }
                });
            }
            let outcome = self.drain(&mut drain, db);
            stop.store(true, Ordering::Relaxed);
            outcome
        })?;
        if self.writes {
            println!("{:18}  {} calls written meanwhile", "", written.load(Ordering::Relaxed));
        }
        Ok(())
    }

    /// Passes until retention has come to rest, or the time is over.
    fn drain(&self, drain: &mut Drain, db: &Path) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        let (mut longest, mut largest, mut quiet) = (Duration::ZERO, 0, 0);
        while if self.writes { began.elapsed() < WRITING } else { quiet < 400 } {
            let before = drain.pruning().steps;
            let pass = Instant::now();
            let more = drain.pass(false)?.more;
            longest = longest.max(pass.elapsed());
            largest = largest.max(files(db));
            quiet = if drain.pruning().steps == before { quiet + 1 } else { 0 };
            if !more {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let pruning = drain.pruning();
        println!(
            "{:18}  {:5}  {:10}  {:10.1} ms  {:10.1} ms  {:9.1} MiB  {:14.1} MiB",
            self.name,
            pruning.steps,
            pruning.removed,
            pruning.longest.as_secs_f64() * 1e3,
            longest.as_secs_f64() * 1e3,
            largest as f64 / 1048576.0,
            files(db) as f64 / 1048576.0,
        );
        Ok(())
    }
}

/// A call, where there is surely room for its end.
fn one_call(journal: &Journal, caller: &mut Caller, place: u32, call: u64) -> bool {
    let occupancy = journal.occupancy();
    if occupancy.bytes_leased_or_sealed > occupancy.limit_bytes / 2 {
        return false;
    }
    let Ok(id) = caller.begin(place, None, call as i64, 4) else { return false };
    if call.is_multiple_of(10) {
        const MESSAGE: &str = match std::str::from_utf8(&[b'm'; 512]) {
            Ok(text) => text,
            Err(_) => "",
        };
        caller.raise(id, place, Raised { error_type: "ValueError", message: MESSAGE, line: 7 });
    } else {
        caller.end(id, place, 21);
    }
    true
}

/// What the disk alone costs a commit, on this machine and now.
fn longest_sync(folder: &Path) -> Result<Duration, Box<dyn Error>> {
    let mut file = std::fs::File::create(folder.join("sync"))?;
    let mut longest = Duration::ZERO;
    for _ in 0..100 {
        file.write_all(&[7; 64 << 10])?;
        let began = Instant::now();
        file.sync_data()?;
        longest = longest.max(began.elapsed());
    }
    Ok(longest)
}

/// Bytes of the database and its WAL.
fn files(db: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    let mut wal = db.as_os_str().to_owned();
    wal.push("-wal");
    size(db) + size(Path::new(&wal))
}
