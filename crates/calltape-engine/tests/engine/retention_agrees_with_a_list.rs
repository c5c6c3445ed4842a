//! Random calls of random ages, with a drain that dies at random, also in the middle of removing: what is left agrees with
//! a plain list, and the books still balance with what was removed.
//!
//! Its counterexample is a call whose age was its limit to the nanosecond: the list and the journal had each read the
//! distance between the two clocks, and the machine's moment decided whether the call was due. Now the list's is the
//! journal's.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::stage::{Stage, die_at, died, drain_all, stranger};
use calltape_engine::drain::{Drain, Point};
use calltape_engine::retention::{Limits, Retention};
use calltape_journal::{monotonic_ns, unix_ns};
use calltape_record::ids;
use calltape_testkit::{Caller, Database, Raised};
use proptest::prelude::*;

const HOUR: u64 = 3_600_000_000_000;
const FUNCTIONS: usize = 3;
const AGE: Duration = Duration::from_secs(7 * 86_400);
const ERRORS: Duration = Duration::from_secs(30 * 86_400);

/// Calls that a step of retention looks at, at least; and the stages of a walk by age: errors, successes, names.
const CHUNK: usize = 64;
const STAGES: usize = 3;

const POINTS: [Point; 3] = [Point::BeforeCommit, Point::AfterCommit, Point::BeforePrune];

#[derive(Debug, Clone)]
enum Step {
    /// Calls that are over at once.
    Calls {
        function: usize,
        count: usize,
        raises: bool,
    },
    Begin {
        function: usize,
    },
    /// One of the open calls ends.
    End {
        which: usize,
        raises: bool,
    },
    /// Hours go by.
    Wait(u64),
    Pass,
    /// The drain dies in its next pass.
    Die {
        point: usize,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let function = 0..FUNCTIONS;
    prop_oneof![
        5 => (function.clone(), 1..90usize, any::<bool>())
            .prop_map(|(function, count, raises)| Step::Calls { function, count, raises }),
        2 => function.prop_map(|function| Step::Begin { function }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, raises)| Step::End { which, raises }),
        4 => (1..300u64).prop_map(Step::Wait),
        5 => Just(Step::Pass),
        2 => (0..POINTS.len()).prop_map(|point| Step::Die { point }),
        1 => Just(Step::Restart),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Known {
    function: usize,
    /// By the monotonic clock.
    ended: Option<u64>,
    raised: bool,
}

/// The recording and a list of what it recorded. Time is the journal's, moved into the future at will.
struct World {
    stage: Stage,
    caller: Caller,
    slots: Vec<u32>,
    now: u64,
    offset_ns: i64,
    /// The run's last event: an interrupted call is as old as that.
    last: u64,
    calls: BTreeMap<u64, Known>,
    open: Vec<u64>,
}

impl World {
    fn new() -> Self {
        let stage = Stage::new();
        let caller = stage.caller("MainThread");
        let slots = (0..FUNCTIONS).map(|number| caller.define(&format!("f{number}"))).collect();
        let now = monotonic_ns();
        // One reading for both: a call whose age is its limit to the nanosecond would else be on either side of it.
        let offset_ns = unix_ns().saturating_sub_unsigned(now);
        stage.journal.pretend_offset(offset_ns);
        Self { stage, caller, slots, now, offset_ns, last: now, calls: BTreeMap::new(), open: Vec::new() }
    }

    fn unix(&self, mono: u64) -> i64 {
        self.offset_ns.saturating_add_unsigned(mono)
    }

    fn drain(&self, limits: Limits) -> Drain {
        let mut drain = self.stage.drain();
        drain.keep_with(Retention::restless(limits));
        drain.pretend_time(self.unix(self.now));
        drain
    }

    fn begin(&mut self, function: usize) -> u64 {
        self.now += 1000;
        self.last = self.now;
        let id = ids::at(self.unix(self.now));
        self.caller.begin_as(id, self.slots[function], None, 1, 2, self.now).expect("room");
        self.calls.insert(id, Known { function, ended: None, raised: false });
        self.open.push(id);
        id
    }

    fn end(&mut self, id: u64, raises: bool) {
        self.now += 1000;
        self.last = self.now;
        let known = self.calls.get_mut(&id).expect("begun");
        let slot = self.slots[known.function];
        if raises {
            self.caller.raise_as(id, slot, Raised { error_type: "E", message: "m", line: 1 }, self.now);
        } else {
            self.caller.end_as(id, slot, 3, self.now);
        }
        (known.ended, known.raised) = (Some(self.now), raises);
        self.open.retain(|open| *open != id);
    }

    /// What the list says is left: id, function, how it ended.
    fn left(&self, left_open: &str) -> Vec<String> {
        let stays = |known: &Known| {
            let (ended, age) = match known.ended {
                Some(ended) => (ended, if known.raised { ERRORS } else { AGE }),
                None if left_open == "running" => return true,
                None => (self.last, ERRORS),
            };
            ended + age.as_nanos() as u64 >= self.now
        };
        let line = |(id, known): (&u64, &Known)| {
            stays(known).then(|| {
                let ended = if known.raised { "error" } else { "ok" };
                format!("{id}|f{}|{}", known.function, known.ended.map_or(left_open, |_| ended))
            })
        };
        self.calls.iter().filter_map(line).collect()
    }
}

/// Passes until nothing is stored or removed any more: until two walks past all `calls` removed nothing. A walk is one
/// step for each chunk and stage at most, however early the clock ends each step.
fn come_to_rest(drain: &mut Drain, calls: usize) {
    drain_all(drain);
    let walk = (STAGES * (calls / CHUNK + 1)) as u64;
    let mut last = drain.pruning();
    while drain.pruning().steps < last.steps + 2 * walk {
        drain.pass(true).expect("a pass");
        if drain.pruning().removed > last.removed {
            last = drain.pruning();
        }
    }
}

/// Every function's rows are those stored and not removed.
fn check(database: &Database, left: &[String]) {
    assert_eq!(database.lines("SELECT id, function, status FROM calls ORDER BY id"), left);
    database.assert_balanced();
    let failures = "SELECT (SELECT count(*) FROM failure) - (SELECT count(*) FROM call WHERE status IN (1, 2))";
    assert_eq!(database.one::<i64>(failures), 0, "failures without their call");
    let kinds = "SELECT count(*) FROM error WHERE id NOT IN (SELECT error_id FROM failure)";
    assert_eq!(database.one::<i64>(kinds), 0, "kinds of error without a failure");
    assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
}

fn run(steps: &[Step]) {
    let limits = Limits { age: Some(AGE), errors: Some(ERRORS), minutes: None, size: None };
    let mut world = World::new();
    let mut drain = world.drain(limits);
    for step in steps {
        match *step {
            Step::Calls { function, count, raises } => {
                for _ in 0..count {
                    let id = world.begin(function);
                    world.end(id, raises);
                }
                drain.pass(false).ok();
            }
            Step::Begin { function } => drop(world.begin(function)),
            Step::End { which, raises } if !world.open.is_empty() => {
                let id = world.open[which % world.open.len()];
                world.end(id, raises);
            }
            Step::End { .. } => {}
            Step::Wait(hours) => world.now += hours * HOUR,
            Step::Pass => drop(drain.pass(true)),
            Step::Die { point } => {
                die_at(&mut drain, POINTS[point], 1);
                if died(&drain.pass(true)) {
                    drop(drain);
                    drain = world.drain(limits);
                }
            }
            Step::Restart => {
                drop(drain);
                drain = world.drain(limits);
            }
        }
        drain.pretend_time(world.unix(world.now));
    }
    drop(drain);
    let calls = world.calls.len();
    come_to_rest(&mut world.drain(limits), calls);
    check(&world.stage.database(), &world.left("running"));
    let (now, left) = (world.unix(world.now), world.left("interrupted"));
    drop(world.caller);
    let (_folder, db) = world.stage.die();
    let mut heir = stranger(&db);
    heir.keep_with(Retention::restless(limits));
    heir.pretend_time(now);
    come_to_rest(&mut heir, calls);
    check(&Database::open(&db), &left);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn what_is_left_by_age_is_what_a_list_says(steps in prop::collection::vec(step(), 1..60)) {
        run(&steps);
    }
}
