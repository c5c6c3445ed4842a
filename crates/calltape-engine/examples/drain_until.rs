//! Drains what the dead left on a tape, and dies at a named point on the way: the torture's second process.
//!
//! ```text
//! cargo run -p calltape-engine --example drain_until DB [POINT NTH [KEEP_MS]]
//! ```
//!
//! Without a point it ends with code 0 when nothing is left. With one it aborts, as a crash there would, when it comes
//! to the point for the NTH time; it ends with code 3 when it never did. With KEEP_MS it removes successful calls older
//! than that too. Not part of what is shipped.
#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use calltape_engine::drain::{Drain, Point};
use calltape_engine::retention::{Limits, Retention};

/// A dead process's lease is free at once; a dying one's within moments.
const LEASE: Duration = Duration::from_secs(10);

/// Passes after all is stored, a step of retention each: more than it takes to look at all calls twice.
const PASSES: usize = 500;

/// By the name the torture gives them.
const POINTS: [(&str, Point); 6] = [
    ("before-commit", Point::BeforeCommit),
    ("after-commit", Point::AfterCommit),
    ("after-mark", Point::AfterMark),
    ("before-remove", Point::BeforeRemove),
    ("after-remove", Point::AfterRemove),
    ("before-prune", Point::BeforePrune),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [db, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: drain_until DB [POINT NTH [KEEP_MS]]");
        return ExitCode::from(2);
    };
    let mut drain = Drain::new(Path::new(db), None);
    let mut removes = false;
    if let [point, nth, keep @ ..] = rest {
        let Some(&(_, point)) = POINTS.iter().find(|(name, _)| name == point) else {
            eprintln!("no point is named {point}");
            return ExitCode::from(2);
        };
        abort_at(&mut drain, point, nth.parse().unwrap_or(1));
        if let Some(keep) = keep.first().and_then(|keep| keep.parse().ok()) {
            let limits = Limits { age: Some(Duration::from_millis(keep)), ..Limits::default() };
            drain.keep_with(Retention::restless(limits));
            removes = true;
        }
    }
    match drain_all(&mut drain).and_then(|()| if removes { remove_all(&mut drain) } else { Ok(()) }) {
        Ok(()) if rest.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(3),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// The process ends at the `nth` time the drain comes to `point`, with no destructor run and no file closed.
fn abort_at(drain: &mut Drain, point: Point, nth: usize) {
    let mut met = 0;
    drain.observe(move |reached| {
        met += usize::from(reached == point);
        if met == nth && reached == point {
            std::process::abort();
        }
        true
    });
}

fn drain_all(drain: &mut Drain) -> Result<(), Box<dyn std::error::Error>> {
    let deadline = Instant::now() + LEASE;
    while !drain.take_lease()? {
        if Instant::now() > deadline {
            return Err("another process keeps the writer lease".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    loop {
        let progress = drain.pass(true)?;
        if !progress.committed && !progress.more {
            return Ok(());
        }
    }
}

fn remove_all(drain: &mut Drain) -> Result<(), Box<dyn std::error::Error>> {
    for _ in 0..PASSES {
        drain.pass(true)?;
    }
    Ok(())
}
