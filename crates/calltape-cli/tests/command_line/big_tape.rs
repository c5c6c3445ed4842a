//! A tape of a million calls: every command answers, and the limits of each hold. Timings are printed, never asserted.

use std::io::Write as _;
use std::time::Instant;

use calltape_engine::rollup::Latency;
use rusqlite::params;

use crate::sample_tape::{START_NS, SampleTape, id_at};
use crate::session::{calltape, surroundings};

const CALLS: i64 = 1_000_000;
const FUNCTIONS: i64 = 50;
/// Every so many calls one fails.
const FAIL_EVERY: i64 = 100;
/// 10,000 calls a second.
const STEP_NS: i64 = 100_000;

fn fill(sample: &SampleTape) {
    sample.connection.execute_batch("BEGIN").unwrap();
    for n in 0..FUNCTIONS {
        let function = sample.function(&format!("app.module{}.function{n}", n % 7));
        sample.books(1, function, [CALLS / FUNCTIONS, CALLS / FUNCTIONS, 0, 0, 0]);
        sample
            .connection
            .execute("INSERT INTO error VALUES (?1, ?1, 'ValueError', 'app.py', ?1, 'parse', 1, 'bad')", [function])
            .unwrap();
    }
    let mut call = sample
        .connection
        .prepare(
            "INSERT INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result, parent_id,
                               root_id)
             VALUES (?1, ?2, 1, ?3, ?4, ?5, '{\"n\":17,\"flag\":true}', 'null', ?6, ?6)",
        )
        .unwrap();
    let mut failure = sample.connection.prepare("INSERT INTO failure VALUES (?1, ?2, 'bad', '[]')").unwrap();
    for n in 0..CALLS {
        let started = START_NS + n * STEP_NS;
        let (id, function, failed) = (id_at(started), n % FUNCTIONS + 1, n % FAIL_EVERY == 0);
        // Ten calls under each tenth, and all of the last half under one.
        let parent = match n {
            n if n > CALLS / 2 => Some(id_at(START_NS + CALLS / 2 * STEP_NS)),
            n if n % 10 > 0 => Some(id_at(START_NS + (n - n % 10) * STEP_NS)),
            _ => None,
        };
        call.execute(params![id, function, i64::from(failed), started, 1_000 + n % 5_000, parent]).unwrap();
        if failed {
            failure.execute(params![id, function]).unwrap();
        }
    }
    let mut latency = Latency::new();
    (0..5_000).for_each(|n| latency.record(1_000 + n));
    for function in 1..=FUNCTIONS {
        for minute in 0..240 {
            sample.minute(function, minute, [5_000, 50, 0, 0, 17_500_000, 1_000, 6_000], &latency.encode());
        }
    }
    drop((call, failure));
    sample.connection.execute_batch("COMMIT").unwrap();
}

#[test]
#[ignore = "writes a million rows"]
fn every_command_answers_on_a_million_calls() {
    let sample = SampleTape::create();
    fill(&sample);
    let around = surroundings(sample.folder.path());
    let parent = id_at(START_NS + CALLS / 2 * STEP_NS);
    let commands = [
        "top".to_owned(),
        "top --since 2026-10-14T09:13 function7".to_owned(),
        "tail".to_owned(),
        "tail app.module3".to_owned(),
        format!("show {parent}"),
        format!("show {}", id_at(START_NS + 17 * STEP_NS)),
        "errors".to_owned(),
        "errors --since 2026-10-14T09:13:30".to_owned(),
        "stats".to_owned(),
    ];
    let mut timings = String::new();
    for command in &commands {
        let began = Instant::now();
        let ran = calltape(command, &around);
        timings.push_str(&format!("{:>9.2?}  calltape {command}\n", began.elapsed()));
        assert_eq!(ran.code, 0, "{command}: {}", ran.err);
        assert!(ran.out.lines().count() < 250, "{command}");
    }
    assert!(calltape(&format!("show {parent}"), &around).out.contains("more calls"));
    std::io::stderr().write_all(timings.as_bytes()).unwrap();
}
