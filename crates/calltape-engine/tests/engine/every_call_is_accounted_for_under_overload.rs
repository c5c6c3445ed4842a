//! Random calls, sampling, stalls, a full journal, deaths of drain and process: the books of each run and function and the
//! minutes of each function agree with a plain count.
//!
//! The risk: a call, an error or a duration that is counted twice, or not at all, by a replay, a crash between commit and
//! release, or a recovery that finds half of what a process was doing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::stage::{die_at, drain_all, stranger};
use calltape_engine::drain::{Drain, Point, tape_directory};
use calltape_engine::rollup::Latency;
use calltape_journal::{Journal, Options, Pressure, monotonic_ns};
use calltape_testkit::{Became, Caller, Database, Ends, Missing, Raised, identity};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// A call that is to be recorded begins.
    Begin {
        thread: usize,
        function: usize,
        weight: u8,
    },
    /// A call that sampling leaves out begins.
    LeaveOut {
        function: usize,
    },
    /// One of the open calls ends, on any thread.
    End {
        thread: usize,
        which: usize,
        ns: u64,
        how: How,
    },
    /// Many whole calls, each the size of a few dozen frames: the journal fills.
    Burst {
        thread: usize,
        function: usize,
        count: usize,
        how: How,
    },
    /// The process dies between counting a call as sampled out and timing it, as far as anybody can see.
    NotTimed {
        function: usize,
    },
    NewThread {
        thread: usize,
    },
    Pass,
    /// The drain dies in its next pass.
    DrainDies {
        point: usize,
    },
    Restart,
    Maintain,
    /// The process dies, with all its open calls; the next drain may die too, and then another process records.
    Dies {
        point: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Quick,
    Slow,
    /// With an exception raised at this line.
    Raises(u32),
}

const THREADS: usize = 3;
const FUNCTIONS: usize = 3;
const POINTS: [Point; 5] =
    [Point::BeforeCommit, Point::AfterCommit, Point::AfterMark, Point::BeforeRemove, Point::AfterRemove];

fn how() -> impl Strategy<Value = How> {
    prop_oneof![4 => Just(How::Quick), 1 => Just(How::Slow), 2 => (1..4u32).prop_map(How::Raises)]
}

fn step() -> impl Strategy<Value = Step> {
    let (thread, function) = (0..THREADS, 0..FUNCTIONS);
    prop_oneof![
        6 => (thread.clone(), function.clone(), 1..4u8)
            .prop_map(|(thread, function, weight)| Step::Begin { thread, function, weight }),
        4 => function.clone().prop_map(|function| Step::LeaveOut { function }),
        10 => (thread.clone(), any::<usize>(), 0..1u64 << 33, how())
            .prop_map(|(thread, which, ns, how)| Step::End { thread, which, ns, how }),
        6 => (thread.clone(), function.clone(), 1..120usize, how())
            .prop_map(|(thread, function, count, how)| Step::Burst { thread, function, count, how }),
        1 => function.prop_map(|function| Step::NotTimed { function }),
        1 => thread.prop_map(|thread| Step::NewThread { thread }),
        4 => Just(Step::Pass),
        2 => (0..POINTS.len()).prop_map(|point| Step::DrainDies { point }),
        1 => Just(Step::Restart),
        2 => Just(Step::Maintain),
        1 => (0..POINTS.len()).prop_map(|point| Step::Dies { point }),
    ]
}

/// What a run's books say of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Books {
    calls: u64,
    /// Rows whose call has ended, interrupted ones with their run.
    stored: u64,
    sampled_out: u64,
    dropped: u64,
    dropped_errors: u64,
    /// Rows that say running.
    running: u64,
}

/// What the minutes say of a function.
#[derive(Debug, Clone, Default, PartialEq)]
struct Total {
    ended: u64,
    errors: u64,
    total_ns: u64,
    latency: Latency,
}

impl Total {
    fn time(&mut self, ns: u64) {
        self.total_ns += ns;
        self.latency.record(ns);
    }
}

#[derive(Debug, Clone, Copy)]
enum Open {
    Stored { id: u64, function: usize, started: u64 },
    Missing { missing: Missing, function: usize },
}

#[derive(Debug, Default)]
struct Model {
    /// By run and function; runs that have ended first.
    books: BTreeMap<(usize, usize), Books>,
    /// All calls, but timed only those without a row: of the others the rows have the time.
    totals: [Total; FUNCTIONS],
    /// The time of the calls with a row.
    rows_ns: [u64; FUNCTIONS],
    /// Lost errors by function and line.
    lost: BTreeMap<(usize, u32), u64>,
    /// Errors stored.
    errors: u64,
    run: usize,
    open: Vec<Open>,
}

impl Model {
    fn books(&mut self, function: usize) -> &mut Books {
        self.books.entry((self.run, function)).or_default()
    }

    fn begin(&mut self, open: Open) {
        let (Open::Stored { function, .. } | Open::Missing { function, .. }) = open;
        let books = self.books(function);
        books.calls += 1;
        books.running += u64::from(matches!(open, Open::Stored { .. }));
        self.open.push(open);
    }

    fn ended(&mut self, function: usize, how: How) -> &mut Total {
        let total = &mut self.totals[function];
        total.ended += 1;
        total.errors += u64::from(matches!(how, How::Raises(_)));
        total
    }

    fn stored(&mut self, function: usize, ns: u64, how: How) {
        self.ended(function, how);
        self.rows_ns[function] += ns;
        self.errors += u64::from(matches!(how, How::Raises(_)));
        self.books(function).stored += 1;
    }

    fn missing(&mut self, function: usize, missing: Missing, ns: u64, how: How, became: Became) {
        if became == Became::Stored {
            return self.stored(function, ns, how);
        }
        self.ended(function, how).time(ns);
        let is_lost = became == Became::Lost;
        let books = self.books(function);
        books.dropped_errors += u64::from(is_lost);
        match missing {
            Missing::LeftOut if !is_lost => books.sampled_out += 1,
            _ => books.dropped += 1,
        }
        if let (How::Raises(line), true) = (how, is_lost) {
            *self.lost.entry((function, line)).or_default() += 1;
        }
    }

    /// The process dies: what is in flight with a row is interrupted, what is without is unknown.
    fn die(&mut self) {
        self.open.clear();
        for ((run, _), books) in &mut self.books {
            if *run == self.run {
                books.stored += std::mem::take(&mut books.running);
            }
        }
        self.run += 1;
    }
}

/// A process that records, as far as the tape can tell.
struct Process {
    journal: Arc<Journal>,
    threads: Vec<Caller>,
    slots: Vec<u32>,
    /// The levels of pressure it has come to.
    levels: Vec<Pressure>,
}

/// 64 segments of a kilobyte: a burst fills them.
fn journal_at(db: &Path) -> Arc<Journal> {
    let options = Options {
        limit_bytes: 64 << 10,
        initial_bytes: 8 << 10,
        segment_bytes: 1 << 10,
        chunk_bytes: 8 << 10,
        ..Options::default()
    };
    Arc::new(Journal::create(&tape_directory(db), &identity(), &options).expect("a journal"))
}

impl Process {
    fn start(db: &Path) -> Self {
        let journal = journal_at(db);
        let threads: Vec<Caller> = (0..THREADS).map(|number| Caller::new(&journal, &format!("t{number}"))).collect();
        let slots = (0..FUNCTIONS).map(|number| threads[0].define(&format!("f{number}"))).collect();
        Self { journal, threads, slots, levels: Vec::new() }
    }

    fn drain(&self, db: &Path) -> Drain {
        let mut drain = Drain::new(db, Some(Arc::clone(&self.journal)));
        assert!(drain.take_lease().expect("a lease file"), "the lease is free");
        drain
    }

    fn begin(&mut self, thread: usize, function: usize, weight: u8, size: usize) -> Open {
        let started = monotonic_ns();
        match self.threads[thread].begin_or_drop(self.slots[function], f64::from(weight), size, started) {
            Some(id) => Open::Stored { id, function, started },
            None => Open::Missing { missing: Missing::Dropped, function },
        }
    }

    /// Ends an open call; one for whose END there is no room goes on.
    fn end(&mut self, thread: usize, open: Open, ns: u64, how: How, model: &mut Model) {
        let raised = |line| Raised { error_type: "E", message: "m", line };
        let ends = match how {
            How::Quick => Ends::Quick,
            How::Slow => Ends::Slow,
            How::Raises(line) => Ends::Raising(raised(line)),
        };
        let caller = &mut self.threads[thread];
        match open {
            Open::Stored { id, function, started } => {
                let raised = if let Ends::Raising(raised) = ends { Some(raised) } else { None };
                match caller.end_or_wait(id, self.slots[function], started + ns, raised) {
                    Ok(()) => {
                        model.books(function).running -= 1;
                        model.stored(function, ns, how);
                    }
                    Err(_) => model.open.push(open),
                }
            }
            Open::Missing { missing, function } => {
                let became = caller.end_missing(self.slots[function], missing, ns, ends);
                model.missing(function, missing, ns, how, became);
            }
        }
        self.levels.push(self.journal.pressure());
    }
}

/// Takes the steps, and gives the levels of pressure that the processes came to.
fn run(steps: &[Step]) -> Vec<Pressure> {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("calls.db");
    let mut model = Model::default();
    let mut process = Process::start(&db);
    let mut drain = process.drain(&db);
    let mut levels = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Begin { thread, function, weight } => model.begin(process.begin(thread, function, weight, 9)),
            Step::LeaveOut { function } => {
                process.threads[0].leave_out(process.slots[function]);
                model.begin(Open::Missing { missing: Missing::LeftOut, function });
            }
            Step::End { thread, which, ns, how } if !model.open.is_empty() => {
                let open = model.open.swap_remove(which % model.open.len());
                process.end(thread, open, ns, how, &mut model);
            }
            Step::End { .. } => {}
            Step::Burst { thread, function, count, how } => {
                for call in 0..count {
                    model.begin(process.begin(thread, function, 1, 300));
                    let open = model.open.pop().expect("just begun");
                    process.end(thread, open, 1000 * call as u64, how, &mut model);
                }
            }
            Step::NotTimed { function } => {
                process.threads[0].sample_out(process.slots[function]);
                let books = model.books(function);
                books.calls += 1;
                books.sampled_out += 1;
                model.totals[function].ended += 1;
            }
            Step::NewThread { thread } => {
                process.threads.remove(thread).give_back();
                let name = format!("t{number}");
                process.threads.insert(thread, Caller::without_segment(&process.journal, &name));
            }
            Step::Pass => drop(drain.pass(number % 2 == 0)),
            Step::DrainDies { point } => die_at(&mut drain, POINTS[point], 1),
            Step::Restart => {
                drop(drain);
                drain = process.drain(&db);
            }
            Step::Maintain => process.journal.maintain(),
            Step::Dies { point } => {
                levels.append(&mut process.levels);
                drop(drain);
                drop(process);
                model.die();
                process = Process::start(&db);
                drain = process.drain(&db);
                die_at(&mut drain, POINTS[point], 1);
            }
        }
    }
    drop(drain);
    drain_all(&mut process.drain(&db));
    check(&Database::open(&db), &model, true);
    levels.append(&mut process.levels);
    drop(process);
    model.die();
    for point in POINTS {
        let mut drain = stranger(&db);
        die_at(&mut drain, point, 1);
        drop(drain.pass(true));
    }
    drain_all(&mut stranger(&db));
    check(&Database::open(&db), &model, false);
    levels
}

/// Compares the tape with the model; of a run that `lives`, what has not ended is in flight and not unknown.
fn check(database: &Database, model: &Model, lives: bool) {
    database.assert_balanced();
    let books: Vec<String> = database.lines(
        "SELECT dense_rank() OVER (ORDER BY run_id) - 1, function, calls, stored, sampled_out, dropped, dropped_errors,
             in_flight, unknown
         FROM accounting WHERE calls > 0 ORDER BY run_id, function",
    );
    assert_eq!(books, lines_of(model, lives));
    for (function, total) in model.totals.iter().enumerate() {
        let mut total = total.clone();
        let mut rows_ns = 0;
        for ns in durations_of(database, function) {
            rows_ns += ns;
            total.time(ns);
        }
        assert_eq!(minutes_of(database, function), total, "the minutes of f{function}");
        // A drain that was begun anew knows the start of a call by the wall clock only.
        assert!(rows_ns.abs_diff(model.rows_ns[function]) < 50_000_000, "{rows_ns} of {}", model.rows_ns[function]);
    }
    let lost = database.lines("SELECT function, line, sum(calls) FROM lost_errors GROUP BY 1, 2 ORDER BY 1, 2");
    let expected = model.lost.iter().map(|((function, line), calls)| format!("f{function}|{line}|{calls}"));
    assert_eq!(lost, expected.collect::<Vec<_>>());
    let certain = "SELECT count(*) FROM calls WHERE status = 'error' AND weight = 1 AND error_type = 'E'";
    assert_eq!(database.one::<i64>(certain) as u64, model.errors);
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
}

fn lines_of(model: &Model, lives: bool) -> Vec<String> {
    // A run that recorded nothing has no books, and none of the tape's numbers.
    let with_calls = |books: &Books| books.calls > 0;
    let mut runs: Vec<usize> =
        model.books.iter().filter(|(_, books)| with_calls(books)).map(|((run, _), _)| *run).collect();
    runs.dedup();
    let number_of = |run: usize| runs.iter().position(|known| *known == run).expect("it has calls");
    let used = model.books.iter().filter(|(_, books)| with_calls(books));
    let line = |((run, function), books): (&(usize, usize), &Books)| {
        let Books { calls, stored, sampled_out, dropped, dropped_errors, .. } = *books;
        let open = calls - stored - sampled_out - dropped;
        let (in_flight, unknown) = if lives && *run == model.run { (open, 0) } else { (0, open) };
        let run = number_of(*run);
        format!("{run}|f{function}|{calls}|{stored}|{sampled_out}|{dropped}|{dropped_errors}|{in_flight}|{unknown}")
    };
    used.map(line).collect()
}

/// How long a function's calls took that have a row and have ended.
fn durations_of(database: &Database, function: usize) -> Vec<u64> {
    let sql = format!("SELECT duration_ns FROM calls WHERE function = 'f{function}' AND status IN ('ok', 'error')");
    database.lines(&sql).iter().map(|line| line.parse().expect("a duration")).collect()
}

/// A function's minutes, added up.
fn minutes_of(database: &Database, function: usize) -> Total {
    let sql = "SELECT calls, errors, total_ns, min_ns, max_ns, latency FROM function_minutes WHERE function = ?1";
    let mut statement = database.connection().prepare(sql).expect("a view");
    let mut rows = statement.query([format!("f{function}")]).expect("rows");
    let mut total = Total::default();
    while let Some(row) = rows.next().expect("a row") {
        let figure = |column| row.get::<_, i64>(column).expect("a figure") as u64;
        total.ended += figure(0);
        total.errors += figure(1);
        total.total_ns += figure(2);
        let latency = Latency::decode(&row.get::<_, Vec<u8>>(5).expect("a histogram")).expect("one of ours");
        if latency.count() > 0 {
            let (min, max) = (figure(3), figure(4));
            assert!(min <= max && figure(2) >= min && figure(2) <= max * latency.count(), "{min} to {max}");
        }
        total.latency.merge(&latency);
    }
    total
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn books_and_minutes_agree_with_a_count(steps in prop::collection::vec(step(), 1..90)) {
        run(&steps);
    }
}

#[test]
fn every_level_of_pressure_is_come_to_and_left_again() {
    let burst = |how| Step::Burst { thread: 0, function: 0, count: 250, how };
    let raising = Step::Burst { thread: 1, function: 1, count: 120, how: How::Raises(3) };
    let recovered = [Step::Pass, Step::Maintain, Step::Pass, Step::Maintain];
    let full = [vec![burst(How::Quick), raising.clone(), raising, burst(How::Slow)], recovered.to_vec()].concat();
    let twice = [full.clone(), full, vec![burst(How::Quick)]].concat();
    let mut levels = run(&twice);
    assert!(levels.windows(2).any(|pair| pair[0] >= Pressure::Dropping && pair[1] == Pressure::None), "and left again");
    levels.sort_unstable();
    levels.dedup();
    use Pressure::{Dropping, ErrorsCounted, None, Sampled, Shortened};
    assert_eq!(levels, [None, Shortened, Sampled, Dropping, ErrorsCounted]);
}
