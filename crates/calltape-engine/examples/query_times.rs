//! How long questions to a tape take: `query_times TAPE ROUNDS [QUESTION..]` prints a line of JSON a question, with the
//! milliseconds of each round, by the clock and by the processor. `python -m bench --only queries` calls it, on a tape of `make big-tape` that is written to
//! meanwhile. Each round asks all questions, of other times, functions and values; what is printed is the time within the
//! query, as the command line and Python ask it, without the start of a process.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use calltape_engine::query::{
    CallFilter, Condition, Cursor, ErrorFilter, FunctionPattern, Order, OverviewFilter, QueryError, Tape, TimeRange,
    TreeLimits,
};
use calltape_record::Status;
use rusqlite::{Connection, OpenFlags};

const HOUR_NS: i64 = 3_600_000_000_000;

/// Rows and groups a question shows: what the command line shows unasked.
const LIMIT: usize = 20;

/// Functions that are asked about, from the busiest to the rarest.
const FUNCTIONS: [&str; 6] = [
    "shop.cache.client.get",
    "shop.db.session.query",
    "shop.web.orders.place_order",
    "shop.billing.gateway.Client.post",
    "shop.tasks.mail.send_confirmation",
    "shop.tasks.reports.daily_revenue",
];

/// What a round asks about.
struct Round<'tape> {
    tape: &'tape Tape,
    function: &'static str,
    hour: TimeRange,
    user: usize,
    /// A call deep in a tree.
    call: u64,
}

/// A question: how much it found.
type Question = fn(&Round<'_>) -> Result<usize, QueryError>;

const QUESTIONS: [(&str, Question); 11] = [
    ("top", |round| {
        Ok(round.tape.overview(&OverviewFilter { limit: Some(LIMIT), ..Default::default() })?.functions.len())
    }),
    ("top since", |round| {
        let filter = OverviewFilter { since_ns: round.hour.since_ns, limit: Some(LIMIT), ..Default::default() };
        Ok(round.tape.overview(&filter)?.functions.len())
    }),
    ("errors", |round| Ok(round.tape.errors(&ErrorFilter { limit: Some(LIMIT), ..Default::default() })?.len())),
    ("errors since", |round| {
        let filter = ErrorFilter { since_ns: round.hour.since_ns, limit: Some(LIMIT), ..Default::default() };
        Ok(round.tape.errors(&filter)?.len())
    }),
    ("find by function and time", |round| {
        Ok(round.tape.calls(&of_hour(round), Order::NewestFirst, None, LIMIT)?.calls.len())
    }),
    ("find errors by function and time", |round| {
        find(round, CallFilter { statuses: vec![Status::Error], ..of_hour(round) })
    }),
    ("find by a value in args within an hour", |round| {
        let condition = Condition::parse(&format!("args.user_id = {}", round.user)).ok();
        find(round, CallFilter { range: round.hour, condition, ..Default::default() })
    }),
    ("tree", |round| Ok(round.tape.tree(round.call, &TreeLimits::default())?.map_or(0, |tree| tree.items.len()))),
    ("function page", |round| {
        let pattern = Some(FunctionPattern::new(round.function));
        let filter = CallFilter { functions: pattern.clone(), ..Default::default() };
        let overview = OverviewFilter { pattern: pattern.clone(), ..Default::default() };
        let errors = ErrorFilter { pattern: pattern.clone(), limit: Some(LIMIT), ..Default::default() };
        let (figures, groups) = (round.tape.overview(&overview)?, round.tape.errors(&errors)?);
        let minutes = round.tape.minutes(pattern.as_ref(), TimeRange::default())?;
        round.tape.latency(&filter)?;
        let calls = round.tape.calls(&filter, Order::NewestFirst, None, LIMIT)?.calls;
        Ok(figures.functions.len() + groups.len() + minutes.len() + calls.len())
    }),
    ("slowest", |round| Ok(round.tape.slowest(&CallFilter::default(), LIMIT)?.len())),
    ("running", |round| Ok(round.tape.running(&CallFilter::default(), LIMIT)?.len())),
];

fn of_hour(round: &Round<'_>) -> CallFilter {
    CallFilter { functions: Some(FunctionPattern::new(round.function)), range: round.hour, ..Default::default() }
}

/// As many pages as it takes to find what is shown, or to know that there is no more.
fn find(round: &Round<'_>, filter: CallFilter) -> Result<usize, QueryError> {
    let (mut found, mut after): (usize, Option<Cursor>) = (0, None);
    loop {
        let page = round.tape.calls(&filter, Order::NewestFirst, after.as_ref(), LIMIT - found)?;
        found += page.calls.len();
        after = page.next;
        if after.is_none() || found >= LIMIT {
            return Ok(found);
        }
    }
}

/// Calls of trees as deep as they get, from all over the day.
fn deep_calls(connection: &Connection, rounds: usize) -> rusqlite::Result<Vec<u64>> {
    let of = "SELECT id FROM call WHERE function_id = (SELECT id FROM function WHERE name = 'shop.net.tls.handshake')";
    let mut statement = connection.prepare(of)?;
    let ids = statement.query_map([], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok((0..rounds).map(|round| ids[round * ids.len() / rounds].cast_unsigned()).collect())
}

/// Processor time this thread has had: what a question takes where nobody else wants the processor.
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: f64 = text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(f64::NAN);
    ns / 1e6
}

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: query_times TAPE ROUNDS [QUESTION..]";
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or(usage)?;
    let rounds: usize = arguments.next().ok_or(usage)?.parse()?;
    let only: Vec<String> = arguments.collect();
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let calls = deep_calls(&connection, rounds)?;
    let begin: i64 = connection.query_row("SELECT min(started_ns) FROM run", [], |row| row.get(0))?;
    drop(connection);
    let tape = Tape::open(Path::new(&path))?;
    let asked: Vec<_> =
        QUESTIONS.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|o| o == name)).collect();
    let mut times = vec![(Vec::new(), 0); asked.len()];
    for (number, &call) in calls.iter().enumerate() {
        // Hours in no order, so that none is still at hand from the round before.
        let since = begin + (number as i64 * 7 % 24) * HOUR_NS;
        let hour = TimeRange { since_ns: Some(since), until_ns: Some(since + HOUR_NS) };
        let function = FUNCTIONS[number % FUNCTIONS.len()];
        let round = Round { tape: &tape, function, hour, user: 1 + number * 37, call };
        for ((_, question), (times, found)) in asked.iter().zip(&mut times) {
            let (began, worked) = (Instant::now(), processor_ms());
            *found += question(&round)?;
            times.push((began.elapsed().as_secs_f64() * 1_000.0, processor_ms() - worked));
        }
    }
    let mut out = std::io::stdout();
    for ((name, _), (times, found)) in asked.iter().zip(times) {
        let (ms, processor): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
        writeln!(
            out,
            "{}",
            serde_json::json!({ "question": name, "ms": ms, "processor_ms": processor, "found": found })
        )?;
    }
    Ok(())
}
