//! Random calls, as values and as rows of a tape.

use calltape_record::Status;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::query::sample_tape::{CallRow, Raised, START_NS, SampleTape};

/// A function of the model.
pub(super) struct ModelFunction {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
}

/// Numbered from 1 on the tape.
const FUNCTIONS: [ModelFunction; 3] = [
    ModelFunction { name: "shop.orders.place", group: "orders", kind: "function" },
    ModelFunction { name: "shop.money.pay", group: "money", kind: "coroutine" },
    ModelFunction { name: "web.get", group: "", kind: "function" },
];

/// A thread of the model.
pub(super) struct ModelThread {
    pub(super) name: &'static str,
    pub(super) run: i64,
    pub(super) pid: i64,
}

const THREADS: [ModelThread; 3] = [
    ModelThread { name: "MainThread", run: 1, pid: 4711 },
    ModelThread { name: "worker-1", run: 1, pid: 4711 },
    ModelThread { name: "MainThread", run: 2, pid: 4712 },
];

/// A call of the model.
#[derive(Debug, Clone)]
pub(super) struct ModelCall {
    pub(super) id: i64,
    pub(super) function: usize,
    pub(super) thread: usize,
    pub(super) status: Status,
    pub(super) started_ns: i64,
    pub(super) duration_ns: Option<i64>,
    pub(super) args: Option<Value>,
    pub(super) result: Option<Value>,
    pub(super) parent: Option<i64>,
    pub(super) root: Option<i64>,
    pub(super) weight: Option<f64>,
    pub(super) active_ns: Option<i64>,
    pub(super) yields: Option<i64>,
    pub(super) task: Option<&'static str>,
    /// Type and message; of a call that raised or was cancelled.
    pub(super) raised: Option<(&'static str, &'static str)>,
}

impl ModelCall {
    pub(super) fn function(&self) -> &'static ModelFunction {
        &FUNCTIONS[self.function]
    }

    pub(super) fn thread(&self) -> &'static ModelThread {
        &THREADS[self.thread]
    }

    pub(super) fn error_type(&self) -> Option<&'static str> {
        self.raised.map(|raised| raised.0)
    }

    pub(super) fn insert(&self, sample: &SampleTape) {
        let (args, result) = (self.args.as_ref().map(Value::to_string), self.result.as_ref().map(Value::to_string));
        let row = CallRow {
            id: self.id,
            function: self.function as i64 + 1,
            thread: self.thread as i64 + 1,
            status: self.status as i64,
            started_ns: self.started_ns,
            duration_ns: self.duration_ns,
            args: args.as_deref(),
            result: result.as_deref(),
            parent: self.parent,
            root: self.root,
            weight: self.weight,
            active_ns: self.active_ns,
            yields: self.yields,
            task: self.task,
        };
        let Some((error_type, message)) = self.raised else {
            sample.call(row);
            return;
        };
        let raised = Raised { error_type, message, file: "shop.py", line: 3, place: "check", traceback: "[]" };
        let result = row.result;
        let id = if self.status == Status::Error {
            sample.failed_call(row, &raised)
        } else {
            sample.cancelled_call(row, &raised)
        };
        sample.connection.execute("UPDATE call SET result = ?2 WHERE id = ?1", (id, result)).unwrap();
    }
}

/// A tape with these calls, and the rollup of those that ended.
pub(super) fn tape(calls: &[ModelCall]) -> SampleTape {
    let sample = SampleTape::create();
    sample.run(2, 4712, None);
    sample.thread(2, 1, "worker-1");
    sample.thread(3, 2, "MainThread");
    FUNCTIONS.iter().for_each(|function| {
        sample.function_of(function.name, function.group, function.kind);
    });
    calls.iter().for_each(|call| call.insert(&sample));
    let rollup = "INSERT INTO minute SELECT function_id, (started_ns + duration_ns) / 60000000000, count(*), 0, 0, 0,
            sum(duration_ns), min(duration_ns), max(duration_ns), x'' FROM call WHERE duration_ns IS NOT NULL GROUP BY 1, 2";
    sample.connection.execute(rollup, []).unwrap();
    sample
}

/// Up to `count` calls within a minute, their ids near their starts and in no order of them.
pub(super) fn calls(count: usize) -> impl Strategy<Value = Vec<ModelCall>> {
    prop::collection::vec(call(), 1..count).prop_map(|mut calls| {
        // Ids apart from each other, within what the sample tape says of their distance: 1 ms ahead, 300 ms behind.
        for (place, call) in calls.iter_mut().enumerate() {
            call.id = (call.started_ns - 1_704_067_200_000_000_000) / 128 + call.id / 128;
            call.id = call.id / 64 * 64 + place as i64 % 64;
        }
        for place in 1..calls.len() {
            if let Some(above) = calls[place].parent.map(|above| above as usize % place) {
                let (parent, root) = (calls[above].id, calls[above].root.unwrap_or(calls[above].id));
                let began = calls[above].started_ns;
                let call = &mut calls[place];
                (call.parent, call.root) = (Some(parent), Some(root));
                // A call begins after the one that made it.
                if call.started_ns < began {
                    let shift = began - call.started_ns;
                    call.started_ns = began;
                    call.id += shift / 128 / 64 * 64;
                }
            }
        }
        calls[0].parent = None;
        calls
    })
}

fn call() -> impl Strategy<Value = ModelCall> {
    let ending = prop_oneof![
        4 => Just((Status::Ok, None)),
        2 => raised().prop_map(|raised| (Status::Error, raised)),
        1 => raised().prop_map(|raised| (Status::Cancelled, raised)),
        1 => Just((Status::Closed, None)),
        1 => Just((Status::Abandoned, None)),
        1 => Just((Status::Running, None)),
        1 => Just((Status::Interrupted, None)),
    ];
    let place = (0..FUNCTIONS.len(), 0..THREADS.len(), ending, 0..60_000_000_000i64, -299_000_000..999_000i64);
    let figures = (0..60_000_000i64, prop::option::of(prop::sample::select(vec![1.0, 2.5, 100.0])), any::<[bool; 3]>());
    let values = (prop::option::weighted(0.9, arguments()), prop::option::of(value()));
    let tree = prop::option::of(0..40i64);
    let task = prop::option::of(prop::sample::select(vec!["Task-1", "Task-2"]));
    (place, figures, values, tree, task).prop_map(|(place, figures, (args, result), parent, task)| {
        let (function, thread, (status, raised), after, id) = place;
        let (duration, weight, [has_active, has_yields, is_round]) = figures;
        let has_ended = !matches!(status, Status::Running | Status::Interrupted);
        ModelCall {
            id,
            function,
            thread,
            status,
            started_ns: START_NS + after,
            // Equal ones, too.
            duration_ns: has_ended.then_some(if is_round { duration / 10_000_000 * 10_000_000 } else { duration }),
            args,
            result,
            parent,
            root: None,
            weight,
            active_ns: has_active.then_some(duration / 2),
            yields: has_yields.then_some(duration % 5),
            task,
            raised,
        }
    })
}

/// An error may have come without what it raised, where there was no room for it.
fn raised() -> impl Strategy<Value = Option<(&'static str, &'static str)>> {
    prop::option::weighted(
        0.9,
        prop::sample::select(vec![
            ("ValueError", "card k-17 timed out"),
            ("shop.Declined", "declined: 42"),
            ("shop.Late", ""),
        ]),
    )
}

fn arguments() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(prop::sample::select(vec!["x", "y", "a b"]), value(), 0..3).prop_map(|map| json!(map))
}

/// Values that are alike in one way and differ in another.
pub(super) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|flag| json!(flag)),
        (-3..6i64).prop_map(|number| json!(number)),
        prop::sample::select(vec![json!(i64::MAX), json!(u64::MAX), json!(i64::MIN), json!(42)]),
        prop::sample::select(vec![json!(2.0), json!(2.5), json!(-0.0), json!(1e20), json!(-1e-7), json!(42.0)]),
        prop::sample::select(vec![
            "a",
            "b",
            "",
            "42",
            "null",
            "k-17",
            "say \"hi\"",
            "back\\slash",
            "größe",
            "two\nlines",
            "x"
        ])
        .prop_map(|text| json!(text)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(vec!["x", "y", "a b"]), inner, 0..3)
                .prop_map(|map| json!(map)),
        ]
    })
}
