//! Hours that are over are added up from their minutes, whoever comes late, and are removed with them.

use std::time::Duration;

use crate::stage::{Stage, drain_all};
use calltape_engine::prune::prune;
use calltape_engine::query::{OverviewFilter, OverviewPage, Tape};
use calltape_engine::retention::Limits;
use calltape_journal::{monotonic_ns, unix_ns};

const HOUR_NS: u64 = 3_600_000_000_000;

/// Hours from now on that the tests play in: the machine may have been started a minute ago.
const DAY: u64 = 12;

fn overview(stage: &Stage, (since_ns, until_ns): (Option<i64>, Option<i64>)) -> OverviewPage {
    let filter = OverviewFilter { since_ns, until_ns, ..Default::default() };
    Tape::open(&stage.db).expect("a tape").overview(&filter).expect("read")
}

/// What the overview says when it has minutes only.
fn from_minutes(stage: &Stage, range: (Option<i64>, Option<i64>)) -> OverviewPage {
    let database = stage.database();
    database.connection().execute_batch("CREATE TABLE kept AS SELECT * FROM hour; DELETE FROM hour").expect("put away");
    let page = overview(stage, range);
    database.connection().execute_batch("INSERT INTO hour SELECT * FROM kept; DROP TABLE kept").expect("put back");
    page
}

#[test]
fn an_overview_of_hours_is_that_of_their_minutes_also_when_calls_come_late() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let functions = [caller.define("fast"), caller.define("slow")];
    let mut drain = stage.drain();
    let now = monotonic_ns();
    let mut calls = |hours_ago: &[u64]| {
        for (number, ago) in hours_ago.iter().enumerate() {
            let function = functions[number % 2];
            let started = now + (DAY - ago) * HOUR_NS + number as u64 * 61_000_000_000;
            let id = caller.take_id();
            caller.begin_as(id, function, None, 1, 2, started).expect("room");
            caller.end_as(id, function, 3, started + 1_000 + number as u64 * 777);
        }
    };
    // Hours in order, then some that are added up already, then one before all others.
    for batch in [[9, 9, 9, 8, 7], [6, 5, 5, 3, 3], [8, 7, 5, 5, 2], [11, 11, 1, 0, 0], [0, 0, 0, 0, 0]] {
        calls(&batch);
        drain_all(&mut drain);
        stage.database().assert_balanced();
    }
    assert!(stage.database().one::<i64>("SELECT count(DISTINCT hour) FROM hour") >= 4);
    let half_an_hour_in = |ago: u64| Some(unix_ns() + ((DAY - ago) * HOUR_NS + HOUR_NS / 2) as i64);
    let times =
        [None, half_an_hour_in(9), half_an_hour_in(5), half_an_hour_in(0), Some(0), Some(i64::MIN), Some(i64::MAX)];
    for range in times.into_iter().flat_map(|since| times.map(|until| (since, until))) {
        assert_eq!(overview(&stage, range), from_minutes(&stage, range), "{range:?}");
    }
}

#[test]
fn old_minutes_go_with_their_hours() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let function = caller.define("shop.place");
    let mut drain = stage.drain();
    for ago in [12, 9, 4, 0] {
        let started = monotonic_ns() + (DAY - ago) * HOUR_NS;
        let id = caller.take_id();
        caller.begin_as(id, function, None, 1, 2, started).expect("room");
        caller.end_as(id, function, 3, started + 1_000);
        drain_all(&mut drain);
    }
    drop(drain);
    let hours = "SELECT count(*) FROM hour";
    assert_eq!(stage.database().one::<i64>(hours), 3);
    let limits = Limits { age: None, errors: None, minutes: Some(Duration::from_secs(7 * 3_600)), size: None };
    prune(&stage.db, limits, unix_ns() + (DAY * HOUR_NS) as i64, &mut |_| true).expect("pruned");
    assert_eq!(stage.database().one::<i64>(hours), 1);
    assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM minute"), 2);
}
