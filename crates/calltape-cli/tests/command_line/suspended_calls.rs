//! What is shown of calls whose body can be suspended: kinds, active time, items, tasks, and how such calls end.

use insta::assert_snapshot;

use crate::sample_tape::{CallRow, Raised, SampleTape};
use crate::session::{calltape, surroundings};

const MILLISECOND: i64 = 1_000_000;

/// A request that asks two shops at once, gives one up, and reads lines of the other's answer.
struct AsyncTape {
    sample: SampleTape,
    root: i64,
    cancelled: i64,
    closed: i64,
    abandoned: i64,
}

const CANCELLED: Raised<'_> = Raised {
    error_type: "asyncio.exceptions.CancelledError",
    message: "the other was faster",
    file: "shop/prices.py",
    line: 30,
    place: "ask",
    traceback: r#"[{"type":"asyncio.exceptions.CancelledError","message":"the other was faster","relation":null,
        "frames":[{"file":"shop/prices.py","line":30,"function":"ask","source":"await answer"}]}]"#,
};

impl AsyncTape {
    fn create() -> Self {
        let sample = SampleTape::create();
        let function = |name: &str, kind: &str| sample.function_of(&format!("shop.prices.{name}"), "", kind);
        let (compare, ask) = (function("compare", "coroutine"), function("ask", "coroutine"));
        let (lines, pages) = (function("lines", "generator"), function("pages", "async_generator"));
        let (parse, span) = (function("parse", "function"), function("cheapest", "span"));
        let root_row = CallRow {
            duration_ns: Some(80 * MILLISECOND),
            active_ns: Some(3 * MILLISECOND),
            task: Some("Task-1"),
            args: Some(r#"{"sku":"A-1","(set)":{"user":7,"cached":false}}"#),
            result: Some("19.9"),
            ..CallRow::new(compare, 0)
        };
        let root = sample.call(root_row);
        let child = |function, after: i64, took: i64, active: Option<i64>| {
            let row = CallRow {
                duration_ns: Some(took * MILLISECOND),
                active_ns: active.map(|active| active * MILLISECOND),
                ..CallRow::new(function, after * MILLISECOND)
            };
            row.made_by(root, root)
        };
        let fast = child(ask, 1, 40, Some(1));
        let fast = sample.call(CallRow { task: Some("Task-2"), args: Some(r#"{"shop":"b"}"#), ..fast });
        let page = CallRow { yields: Some(2), task: Some("Task-2"), ..child(pages, 2, 30, Some(2)) };
        sample.call(CallRow { parent: Some(fast), ..page });
        let slow = child(ask, 3, 45, Some(1));
        let slow = CallRow { task: Some("ask the slow shop"), args: Some(r#"{"shop":"c"}"#), ..slow };
        let cancelled = sample.cancelled_call(slow, &CANCELLED);
        let abandoned = sample.call(CallRow { active_ns: Some(0), result: None, status: 4, ..child(ask, 4, 1, None) });
        let closed = CallRow { status: 3, result: None, yields: Some(1), ..child(lines, 50, 20, Some(1)) };
        let closed = sample.call(CallRow { task: Some("Task-1"), ..closed });
        sample.call(child(parse, 51, 1, None).made_by(closed, root));
        let block = CallRow { args: Some(r#"{"(set)":{"of":2}}"#), result: None, ..child(span, 72, 5, None) };
        sample.call(CallRow { task: Some("Task-1"), ..block });
        Self { sample, root, cancelled, closed, abandoned }
    }

    fn shown(&self, arguments: &str, width: usize) -> String {
        let mut around = surroundings(self.sample.folder.path());
        around.width = width;
        calltape(arguments, &around).transcript()
    }
}

#[test]
fn show_says_how_the_body_ran_and_how_the_call_ended() {
    let tape = AsyncTape::create();
    assert_snapshot!("suspended_root", tape.shown(&format!("show {}", tape.root), 100));
    assert_snapshot!("suspended_root_narrow", tape.shown(&format!("show {}", tape.root), 60));
    assert_snapshot!("suspended_cancelled", tape.shown(&format!("show {}", tape.cancelled), 80));
    assert_snapshot!("suspended_closed", tape.shown(&format!("show {}", tape.closed), 80));
    assert_snapshot!("suspended_abandoned", tape.shown(&format!("show {}", tape.abandoned), 80));
    assert_snapshot!("suspended_json", tape.shown(&format!("show --json {}", tape.closed), 80));
}

#[test]
fn tail_says_what_came_of_each_call() {
    let tape = AsyncTape::create();
    assert_snapshot!("suspended_tail", tape.shown("tail", 110));
    assert_snapshot!("suspended_tail_json", tape.shown("tail --json lines", 110));
}

#[test]
fn a_cancelled_call_is_among_no_errors() {
    let tape = AsyncTape::create();
    let ran = calltape("errors", &surroundings(tape.sample.folder.path()));
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
}
