//! Active time, yields and task of a call whose body can be suspended reach its row, wherever its END is found; what
//! cancelled it is kept and is no error.

use crate::stage::{Stage, drain_all, stranger};
use calltape_journal::monotonic_ns;
use calltape_record::{Activity, Status};
use calltape_testkit::{Caller, Database, Raised};

const FETCH: Activity<'_> = Activity { active_ns: 300, yields: None, task: "Task-7" };
const LINES: Activity<'_> = Activity { active_ns: 200, yields: Some(3), task: "" };
const CANCELLED: Raised = Raised { error_type: "asyncio.CancelledError", message: "shutdown", line: 12 };

const ROWS: &str =
    "SELECT function, kind, status, result, duration_ns, active_ns, yields, task, error_type FROM calls ORDER BY id";

/// Begins a coroutine's and a generator's call now: both with their functions, and when.
fn begin(caller: &mut Caller) -> ((u64, u32), (u64, u32), u64) {
    let fetch = caller.define_kind("shop.fetch", "coroutine");
    let lines = caller.define_kind("shop.lines", "generator");
    let now = monotonic_ns();
    let (first, second) = (caller.take_id(), caller.take_id());
    caller.begin_as(first, fetch, None, 1, 2, now).expect("room");
    caller.begin_as(second, lines, None, 1, 2, now).expect("room");
    ((first, fetch), (second, lines), now)
}

fn end(caller: &mut Caller, fetch: (u64, u32), lines: (u64, u32), now: u64) {
    caller.end_suspended(fetch, now + 900, Status::Ok, &FETCH, None);
    caller.end_suspended(lines, now + 800, Status::Closed, &LINES, None);
}

const ENDED: [&str; 2] = ["shop.fetch|coroutine|ok|0|900|300||Task-7|", "shop.lines|generator|closed||800|200|3||"];

#[test]
fn in_the_batch_they_begin_in() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let (fetch, lines, now) = begin(&mut caller);
    end(&mut caller, fetch, lines, now);
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines(ROWS), ENDED);
    stage.database().assert_balanced();
}

#[test]
fn in_a_batch_after_they_were_stored_as_running() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let (fetch, lines, now) = begin(&mut caller);
    let mut drain = stage.drain();
    drain_all(&mut drain);
    assert_eq!(
        stage.database().lines(ROWS),
        ["shop.fetch|coroutine|running||||||", "shop.lines|generator|running||||||"]
    );
    end(&mut caller, fetch, lines, now);
    drain_all(&mut drain);
    assert_eq!(stage.database().lines(ROWS), ENDED);
    stage.database().assert_balanced();
}

#[test]
fn in_a_batch_before_their_beginning_and_of_a_process_that_is_dead() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.caller("first"), stage.caller("second"));
    let fetch = (second.take_id(), second.define_kind("shop.fetch", "coroutine"));
    let now = monotonic_ns();
    first.end_suspended(fetch, now + 900, Status::Cancelled, &FETCH, Some(CANCELLED));
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM early_end"), 1);
    second.begin_as(fetch.0, fetch.1, None, 1, 2, now).expect("room");
    drop((first, second));
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    let database = Database::open(&db);
    assert_eq!(database.lines(ROWS), ["shop.fetch|coroutine|cancelled||900|300||Task-7|asyncio.CancelledError"]);
    database.assert_balanced();
}

#[test]
fn what_cancels_a_call_is_kept_and_counted_as_no_error() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let fetch = caller.define_kind("shop.fetch", "coroutine");
    let mut drain = stage.drain();
    for (stored_as_running, status) in [(false, Status::Cancelled), (true, Status::Cancelled), (true, Status::Error)] {
        let id = caller.begin(fetch, None, 1, 2).expect("room");
        if stored_as_running {
            drain_all(&mut drain);
        }
        caller.end_suspended((id, fetch), monotonic_ns(), status, &FETCH, Some(CANCELLED));
        drain_all(&mut drain);
    }
    let database = stage.database();
    assert_eq!(
        database.lines("SELECT status, error_message, traceback FROM calls ORDER BY id"),
        [r#"cancelled|shutdown|["shutdown"]"#, r#"cancelled|shutdown|["shutdown"]"#, r#"error|shutdown|["shutdown"]"#]
    );
    assert_eq!(database.lines("SELECT stored, errors FROM function_minutes"), ["3|1"]);
    assert_eq!(
        database.lines("SELECT e.status, count(*) FROM error e JOIN failure x ON x.error_id = e.id GROUP BY e.id"),
        ["2|2", "1|1"]
    );
    database.assert_balanced();
}

#[test]
fn a_call_that_never_ran_has_a_row_without_a_failure() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let (fetch, lines, now) = begin(&mut caller);
    let never = Activity { active_ns: 0, yields: None, task: "" };
    caller.end_suspended(fetch, now + 50, Status::Abandoned, &never, None);
    caller.end_suspended(lines, now + 60, Status::Abandoned, &Activity { yields: Some(0), ..never }, None);
    drain_all(&mut stage.drain());
    assert_eq!(
        stage.database().lines(ROWS),
        ["shop.fetch|coroutine|abandoned||50|0|||", "shop.lines|generator|abandoned||60|0|0||"]
    );
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM failure"), 0);
    stage.database().assert_balanced();
}
