//! Another process stays in a read transaction. The WAL does not pass its limit by more than a batch: then calls wait in the
//! journal, the drain says why, and when the reader ends it goes on by itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::stage::damage::beside;
use crate::stage::{Stage, drain_all};
use calltape_engine::drain::{Drain, DrainError};

/// A process of its own that reads the tape and stays in that transaction until it is told to end.
struct Reader {
    child: Child,
    input: ChildStdin,
}

impl Reader {
    #[expect(clippy::print_stderr, reason = "says why a test shows nothing")]
    fn begin(stage: &Stage) -> Option<Self> {
        let mut child = Command::new("sqlite3")
            .arg(&stage.db)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|fault| eprintln!("left out: the sqlite3 program cannot be run: {fault}"))
            .ok()?;
        let mut input = child.stdin.take().expect("piped");
        writeln!(input, "BEGIN; SELECT 'reads', count(*) FROM call;").expect("written");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("an answer");
        assert!(line.starts_with("reads"), "{line}");
        Some(Self { child, input })
    }

    fn end(mut self) {
        writeln!(self.input, "COMMIT;").expect("written");
        drop(self.input);
        assert!(self.child.wait().expect("ends").success());
    }
}

fn wal_bytes(stage: &Stage) -> u64 {
    std::fs::metadata(beside(&stage.db, "-wal")).map_or(0, |wal| wal.len())
}

/// Passes with calls until the drain says that a reader holds the WAL: how many calls were made.
fn record_until_held(stage: &Stage, caller: &mut calltape_testkit::Caller, place: u32, drain: &mut Drain) -> i64 {
    for call in 0..200_000 {
        if !caller.call(place, call, 0) || call % 500 == 0 {
            match drain.pass(true) {
                Ok(_) => {}
                Err(DrainError::Store(error)) if error.is_a_wait() => return call,
                Err(error) => panic!("{error}; WAL {}", wal_bytes(stage)),
            }
        }
    }
    panic!("never held: the WAL has {} bytes", wal_bytes(stage));
}

#[test]
fn calls_wait_while_a_reader_keeps_the_wal_at_its_limit_and_are_stored_when_it_ends() {
    const LIMIT: u64 = 1 << 20;
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    drain.limit_wal(LIMIT as i64);
    assert!(caller.call(place, 0, 0));
    drain_all(&mut drain);
    for round in 1..=2 {
        let Some(reader) = Reader::begin(&stage) else { return };
        record_until_held(&stage, &mut caller, place, &mut drain);
        let held_at = wal_bytes(&stage);
        assert!((LIMIT..2 * LIMIT).contains(&held_at), "round {round}: {held_at}");
        let before: i64 = stage.database().one("SELECT count(*) FROM call");
        for call in 0..300 {
            assert!(caller.call(place, call, 1));
            assert!(matches!(drain.pass(false), Err(DrainError::Store(error)) if error.is_a_wait()));
        }
        assert_eq!(wal_bytes(&stage), held_at, "round {round}: not a byte more");
        let said = drain.take_warnings();
        assert!(said.len() == 1 && said[0].contains("WAL held by a reader"), "said once: {said:?}");
        reader.end();
        drain_all(&mut drain);
        assert!(stage.database().one::<i64>("SELECT count(*) FROM call") >= before + 300);
        assert!(wal_bytes(&stage) < LIMIT, "round {round}: begun anew");
        stage.database().assert_balanced();
    }
    let incidents = stage.database().lines("SELECT kind, times, ended_ns > began_ns FROM incidents");
    assert_eq!(incidents, ["WAL held by a reader|2|1"], "two spells within a minute are one row");
    let detail: String = stage.database().one("SELECT detail FROM incidents");
    assert!(!detail.contains("WAL held by a reader"), "the kind says that already: {detail}");
}

#[test]
fn readers_that_come_and_go_do_not_hold_it() {
    const LIMIT: u64 = 1 << 20;
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    drain.limit_wal(LIMIT as i64);
    drain_all(&mut drain);
    let reader = stage.database();
    for call in 0..20_000 {
        while !caller.call(place, call, 0) {
            drain.pass(true).expect("a pass");
        }
        if call % 1000 == 0 {
            assert!(reader.one::<i64>("SELECT count(*) FROM calls") <= call);
            drain.pass(true).expect("a pass");
        }
    }
    drain_all(&mut drain);
    assert_eq!(reader.one::<i64>("SELECT count(*) FROM calls"), 20_000);
    assert_eq!(reader.lines("SELECT * FROM incidents"), [""; 0]);
    assert!(wal_bytes(&stage) < 2 * LIMIT);
}
