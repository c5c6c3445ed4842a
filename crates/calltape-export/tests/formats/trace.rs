//! The trace, as a viewer takes it: threads nest, async lines nest, flows join a caller and a call elsewhere.

use std::collections::HashMap;

use calltape_export::Format;
use serde_json::Value;

use crate::exported::text;
use crate::sample_tape::{CallRow, SampleTape};
use crate::shop::{MS, shop};

fn events(sample: &SampleTape) -> Vec<Value> {
    let trace: Value = serde_json::from_str(&text(sample, Format::Trace)).unwrap();
    trace["traceEvents"].as_array().unwrap().clone()
}

fn of<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == phase).collect()
}

#[test]
fn calls_are_events_and_processes_and_threads_have_names() {
    let events = events(&shop());
    let named: Vec<(&str, &str)> = of(&events, "M")
        .iter()
        .map(|event| (event["name"].as_str().unwrap(), event["args"]["name"].as_str().unwrap()))
        .collect();
    let run = |text| [("process_name", text), ("thread_name", "MainThread")];
    assert_eq!(named[..2], run("shop.py (pid 4711 on box, run 1)"));
    assert_eq!(named[2..], run("shop.py (pid 4712 on box, run 2)"));
    let begun = |phase: &str| of(&events, phase).iter().filter(|event| event["cat"] != "flow").count();
    // Three functions that ended, one with its process; one that runs; a coroutine and two generators.
    assert_eq!((begun("X"), begun("B"), begun("b"), begun("e")), (3, 1, 3, 3));
    let first = of(&events, "X")[0];
    assert_eq!(first["dur"].as_f64(), Some(1240.0));
    assert_eq!(first["args"]["args"]["lone"], "\u{fffd}");
}

#[test]
fn generators_that_overlap_have_lines_of_their_own_and_one_that_follows_reuses_one() {
    let sample = SampleTape::create();
    let rows = sample.function_of("shop.rows", "", "generator");
    let call = |after: i64, duration: i64| {
        sample.call(CallRow { duration_ns: Some(duration), ..CallRow::new(rows, after) });
    };
    call(0, 10 * MS);
    call(MS, 2 * MS);
    call(3 * MS, MS);
    let events = events(&sample);
    let lines: Vec<&str> = of(&events, "b").iter().map(|event| event["id2"]["local"].as_str().unwrap()).collect();
    assert_eq!(lines, ["0x1", "0x2", "0x2"]);
    let ends: Vec<f64> = of(&events, "e").iter().map(|event| event["ts"].as_f64().unwrap()).collect();
    assert_eq!(ends.len(), 3);
}

#[test]
fn a_coroutine_stands_within_the_one_that_awaits_it() {
    let sample = SampleTape::create();
    let fetch = sample.function_of("shop.fetch", "", "coroutine");
    let task = |row: CallRow<'static>| CallRow { task: Some("Task-1"), duration_ns: Some(MS), ..row };
    let outer = sample.call(CallRow { duration_ns: Some(5 * MS), ..task(CallRow::new(fetch, 0)) });
    sample.call(task(CallRow::new(fetch, MS).made_by(outer, outer)));
    let events = events(&sample);
    let lines: Vec<&Value> = of(&events, "b").iter().map(|event| &event["id2"]["local"]).collect();
    assert_eq!(lines, ["0x1", "0x1"]);
    let ends: Vec<f64> = of(&events, "e").iter().map(|event| event["ts"].as_f64().unwrap()).collect();
    assert!(ends[0] < ends[1], "the inner one ends first: {ends:?}");
}

#[test]
fn a_call_in_another_thread_or_task_has_a_flow_from_its_caller() {
    let sample = SampleTape::create();
    sample.thread(2, 1, "pool-0");
    let work = sample.function("shop.work");
    let fetch = sample.function_of("shop.fetch", "", "coroutine");
    let caller = sample.call(CallRow { duration_ns: Some(MS), ..CallRow::new(work, 0) });
    let away = sample.call(CallRow { thread: 2, ..CallRow::new(work, 2 * MS).made_by(caller, caller) });
    let outer = sample.call(CallRow { task: Some("Task-1"), ..CallRow::new(fetch, 10 * MS) });
    let inner =
        sample.call(CallRow { task: Some("Task-2"), ..CallRow::new(fetch, 10 * MS + 128).made_by(outer, outer) });
    let events = events(&sample);
    let by_id = |member: &str| -> HashMap<String, &Value> {
        let with = events.iter().filter(|event| event[member] == true);
        with.map(|event| (event["bind_id"].as_str().unwrap().to_owned(), event)).collect()
    };
    let (from, to) = (by_id("flow_out"), by_id("flow_in"));
    assert_eq!((from.len(), to.len()), (2, 2));
    let (from_thread, to_thread) = (from[&format!("{away:#x}")], to[&format!("{away:#x}")]);
    assert_eq!((from_thread["ph"].as_str(), from_thread["tid"].as_i64()), (Some("X"), Some(4711)));
    // The caller had returned: the flow comes from its last nanosecond.
    let caller_event = events.iter().find(|event| event["args"]["id"] == caller).unwrap();
    let at = from_thread["ts"].as_f64().unwrap() - caller_event["ts"].as_f64().unwrap();
    assert!((at - 999.999).abs() < 0.0005, "{at}");
    assert_ne!(to_thread["tid"], from_thread["tid"]);
    let (from_task, to_task) = (from[&format!("{inner:#x}")], to[&format!("{inner:#x}")]);
    assert_eq!((from_task["ph"].as_str(), to_task["ph"].as_str()), (Some("n"), Some("b")));
    assert_ne!(from_task["id2"], to_task["id2"]);
}

#[test]
fn two_threads_of_one_name_have_two_lines() {
    let sample = SampleTape::create();
    sample.thread(2, 1, "worker");
    sample.thread(3, 1, "worker");
    let work = sample.function("shop.work");
    sample.call(CallRow { thread: 2, ..CallRow::new(work, 0) });
    sample.call(CallRow { thread: 3, ..CallRow::new(work, MS / 2) });
    let events = events(&sample);
    let tids: Vec<&Value> = of(&events, "X").iter().map(|event| &event["tid"]).collect();
    assert_ne!(tids[0], tids[1]);
    assert_eq!(of(&events, "M").iter().filter(|event| event["args"]["name"] == "worker").count(), 2);
}
