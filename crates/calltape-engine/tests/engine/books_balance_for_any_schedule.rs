//! Random calls on several threads, with a drain that dies at random: the database agrees with a plain list.

use std::collections::{BTreeMap, BTreeSet};

use crate::stage::{Stage, die_at, drain_all, stranger};
use calltape_engine::drain::Point;
use calltape_testkit::{Caller, Database, Raised};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// A call begins on a thread.
    Begin {
        thread: usize,
        function: usize,
    },
    /// One of the open calls ends, on any thread.
    End {
        thread: usize,
        which: usize,
        raises: bool,
    },
    /// One of the calls begun so far, open or not, is noted something by any thread.
    Note {
        thread: usize,
        which: usize,
    },
    /// Many whole calls, so that segments fill, seal and are used again.
    Calls {
        thread: usize,
        function: usize,
        count: i64,
    },
    SampleOut {
        function: usize,
    },
    Drop {
        function: usize,
    },
    /// A thread ends and another begins.
    NewThread {
        thread: usize,
    },
    Pass,
    /// The drain dies in its next pass.
    Die {
        point: usize,
    },
    Restart,
    Maintain,
}

const THREADS: usize = 3;
const FUNCTIONS: usize = 3;
const POINTS: [Point; 3] = [Point::BeforeCommit, Point::AfterCommit, Point::AfterMark];

fn step() -> impl Strategy<Value = Step> {
    let (thread, function) = (0..THREADS, 0..FUNCTIONS);
    prop_oneof![
        6 => (thread.clone(), function.clone()).prop_map(|(thread, function)| Step::Begin { thread, function }),
        6 => (thread.clone(), any::<usize>(), any::<bool>())
            .prop_map(|(thread, which, raises)| Step::End { thread, which, raises }),
        4 => (thread.clone(), any::<usize>()).prop_map(|(thread, which)| Step::Note { thread, which }),
        3 => (thread.clone(), function.clone(), 1..60i64)
            .prop_map(|(thread, function, count)| Step::Calls { thread, function, count }),
        1 => function.clone().prop_map(|function| Step::SampleOut { function }),
        1 => function.prop_map(|function| Step::Drop { function }),
        1 => thread.prop_map(|thread| Step::NewThread { thread }),
        4 => Just(Step::Pass),
        2 => (0..POINTS.len()).prop_map(|point| Step::Die { point }),
        1 => Just(Step::Restart),
        1 => Just(Step::Maintain),
    ]
}

/// What the list says of a call.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    function: usize,
    args: String,
    /// Names of its notes, each with its own step's number.
    notes: BTreeSet<String>,
    outcome: &'static str,
    result: String,
}

#[derive(Debug, Default)]
struct Model {
    calls: BTreeMap<u64, Known>,
    open: Vec<u64>,
    sampled_out: u64,
    dropped: u64,
}

impl Model {
    fn begin(&mut self, id: u64, function: usize, a: i64) {
        let args = format!(r#"{{"a":{a},"b":{function}}}"#);
        self.calls
            .insert(id, Known { function, args, notes: BTreeSet::new(), outcome: "running", result: String::new() });
        self.open.push(id);
    }

    fn lines(&self, left_open: &str) -> Vec<String> {
        let line = |(id, known): (&u64, &Known)| {
            let outcome = if known.outcome == "running" { left_open } else { known.outcome };
            let notes = Vec::from_iter(known.notes.iter().map(String::as_str)).join(",");
            format!("{id}|f{}|{outcome}|{}|{notes}|{}", known.function, known.args, known.result)
        };
        self.calls.iter().map(line).collect()
    }
}

/// Notes of different threads are read in any order, so they are compared in that of their names.
const LINES: &str = r#"SELECT id, function, status, json_remove(args, '$."(set)"'),
    (SELECT group_concat(key, ',' ORDER BY key) FROM json_each(args, '$."(set)"') WHERE key = 'n' || value),
    coalesce(result, error_message) FROM calls ORDER BY id"#;

fn run(steps: &[Step]) {
    let stage = Stage::new();
    let mut threads: Vec<Caller> = (0..THREADS).map(|number| stage.caller(&format!("t{number}"))).collect();
    let slots: Vec<u32> = (0..FUNCTIONS).map(|number| threads[0].define(&format!("f{number}"))).collect();
    let mut model = Model::default();
    let mut drain = stage.drain();
    for (number, step) in steps.iter().enumerate() {
        let a = number as i64;
        match *step {
            Step::Begin { thread, function } => {
                let begun = threads[thread].begin(slots[function], None, a, function as i64);
                model.begin(begun.expect("room"), function, a);
            }
            Step::End { thread, which, raises } if !model.open.is_empty() => {
                let id = model.open.swap_remove(which % model.open.len());
                let known = model.calls.get_mut(&id).expect("an open call");
                let slot = slots[known.function];
                if raises {
                    threads[thread].raise(id, slot, Raised { error_type: "E", message: "m", line: 1 });
                    (known.outcome, known.result) = ("error", "m".to_owned());
                } else {
                    threads[thread].end(id, slot, a);
                    (known.outcome, known.result) = ("ok", a.to_string());
                }
            }
            Step::Note { thread, which } if !model.calls.is_empty() => {
                let which = which % model.calls.len();
                let (&id, known) = model.calls.iter_mut().nth(which).expect("a call");
                let name = format!("n{a}");
                threads[thread].note(id, &name, a);
                known.notes.insert(name);
            }
            Step::Calls { thread, function, count } => {
                for call in 0..count {
                    let begun = threads[thread].begin(slots[function], None, call, function as i64).expect("room");
                    threads[thread].end(begun, slots[function], call);
                    model.begin(begun, function, call);
                    model.open.pop();
                    let known = model.calls.get_mut(&begun).expect("just begun");
                    (known.outcome, known.result) = ("ok", call.to_string());
                }
            }
            Step::SampleOut { function } => {
                threads[0].sample_out(slots[function]);
                model.sampled_out += 1;
            }
            Step::Drop { function } => {
                threads[0].drop_one(slots[function]);
                model.dropped += 1;
            }
            Step::NewThread { thread } => {
                let gone = threads.remove(thread);
                gone.give_back();
                threads.insert(thread, stage.caller(&format!("t{number}")));
            }
            Step::Pass => drop(drain.pass(number % 2 == 0)),
            Step::Die { point } => die_at(&mut drain, POINTS[point], 1),
            Step::Restart => {
                drop(drain);
                drain = stage.drain();
            }
            Step::Maintain => stage.journal.maintain(),
            Step::End { .. } | Step::Note { .. } => {}
        }
    }
    drop(drain);
    drain_all(&mut stage.drain());
    check(&stage.database(), &model, "running");
    drop(threads);
    let (_folder, db) = stage.die();
    drain_all(&mut stranger(&db));
    check(&Database::open(&db), &model, "interrupted");
}

fn check(database: &Database, model: &Model, left_open: &str) {
    assert_eq!(database.lines(LINES), model.lines(left_open));
    database.assert_balanced();
    let books: Vec<String> = database.lines(
        "SELECT coalesce(sum(calls), 0), coalesce(sum(sampled_out), 0), coalesce(sum(dropped), 0), coalesce(sum(unknown), 0)
         FROM accounting",
    );
    let all = model.calls.len() as u64 + model.sampled_out + model.dropped;
    assert_eq!(books, [format!("{all}|{}|{}|0", model.sampled_out, model.dropped)]);
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_database_agrees_with_a_list(steps in prop::collection::vec(step(), 1..80)) {
        run(&steps);
    }
}
