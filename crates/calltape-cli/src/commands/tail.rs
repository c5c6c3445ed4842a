//! `calltape tail`: the last calls, a line each, and with `-f` those that come.

use std::thread;
use std::time::{Duration, Instant};

use calltape_engine::query::{Call, Follower, QueryError, Tape};

use super::{call_line, nothing};
use crate::arguments::Tail;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::output::Output;

/// Time between two looks at the tape: as quick as an eye, and next to no work.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Time between two looks at the stop flag.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

pub(crate) fn run(
    tail: &Tail,
    tape: &Tape,
    as_json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let filter = asked::filter(tail.pattern.as_deref(), &tail.calls, output)?;
    if tail.follow {
        let (calls, follower) = Follower::begin(tape, &filter, tail.lines)?;
        write_calls(&calls, as_json, output)?;
        follow(tape, follower, as_json, output, should_stop)?;
        return Ok(Found::Something);
    }
    let calls = tape.latest(&filter, tail.lines)?;
    write_calls(&calls, as_json, output)?;
    if calls.is_empty() && tail.lines > 0 {
        nothing::say("no such call", tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    Ok(Found::Something)
}

fn follow(
    tape: &Tape,
    mut follower: Follower,
    as_json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    loop {
        output.streams.out.flush()?;
        if wait(should_stop) {
            return Ok(());
        }
        match follower.poll(tape) {
            Ok(found) => {
                write_calls(&found.calls, as_json, output)?;
                if found.fell_behind {
                    output.remark("calls come faster than they can be followed; some are left out here")?;
                }
            }
            Err(QueryError::Interrupted) => return Ok(()),
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits for the next poll; true when it is time to stop.
fn wait(should_stop: &dyn Fn() -> bool) -> bool {
    let until = Instant::now() + POLL_INTERVAL;
    loop {
        if should_stop() {
            return true;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        thread::sleep(left.min(STOP_INTERVAL));
    }
}

fn write_calls(calls: &[Call], as_json: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    for call in calls {
        call_line::write(call, as_json, output)?;
    }
    Ok(())
}
