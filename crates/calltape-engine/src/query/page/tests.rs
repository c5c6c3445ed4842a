use super::*;
use crate::query::calls::sql_id;
use crate::query::sample_tape::{CallRow, Raised, SampleTape};
use crate::query::{Condition, DurationRange, FunctionPattern, TextPattern};
use calltape_record::Status;

const SECOND: i64 = 1_000_000_000;

/// A tape of two functions, two groups, and every status that matters; the ids in the order of their starts.
fn shop() -> (SampleTape, Vec<i64>) {
    let sample = SampleTape::create();
    let place = sample.function_of("shop.orders.place", "orders", "function");
    let pay = sample.function_of("shop.money.pay", "money", "coroutine");
    let raised = |error_type| Raised {
        error_type,
        message: "card declined: timed out",
        file: "shop/money.py",
        line: 21,
        place: "check",
        traceback: "[]",
    };
    let row = |function, n: i64, args| CallRow {
        args: Some(args),
        duration_ns: Some((n + 1) * 10_000_000),
        ..CallRow::new(function, n * SECOND)
    };
    sample.run(2, 4712, None);
    sample.thread(2, 2, "worker-1");
    let mut ids =
        vec![sample.call(row(place, 0, r#"{"order":{"id":17,"items":["a","b"],"sizes":[7,42]},"user_id":42}"#))];
    ids.push(sample.call(row(pay, 1, r#"{"user_id":43}"#).made_by(ids[0], ids[0])));
    ids.push(sample.failed_call(row(pay, 2, r#"{"user_id":"42"}"#), &raised("shop.CardDeclined")));
    ids.push(sample.failed_call(row(place, 3, r#"{"user_id":42.0,"note":"k-17"}"#), &raised("ValueError")));
    let running = CallRow { status: 5, duration_ns: None, result: None, ..row(place, 4, "{}") };
    ids.push(sample.call(CallRow { thread: 2, ..running }));
    ids.push(sample.call(CallRow { task: Some("Task-7"), thread: 2, ..row(pay, 5, r#"{"user_id":null}"#) }));
    (sample, ids)
}

fn found(sample: &SampleTape, filter: &CallFilter, order: Order) -> Vec<i64> {
    let tape = Tape::open(&sample.path()).unwrap();
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = tape.calls(filter, order, after.as_ref(), 2).unwrap();
        ids.extend(page.calls.iter().map(|call| sql_id(call.id)));
        let Some(next) = page.next else { return ids };
        after = Some(next.to_string().parse().unwrap());
    }
}

#[test]
fn each_order_goes_through_all_calls_once() {
    let (sample, ids) = shop();
    let reversed: Vec<i64> = ids.iter().rev().copied().collect();
    let all = CallFilter::default();
    assert_eq!(found(&sample, &all, Order::OldestFirst), ids);
    assert_eq!(found(&sample, &all, Order::NewestFirst), reversed);
    assert_eq!(found(&sample, &all, Order::SlowestFirst), [ids[5], ids[3], ids[2], ids[1], ids[0], ids[4]]);
}

#[test]
fn each_field_narrows_what_is_found() {
    let (sample, ids) = shop();
    let all = CallFilter::default;
    let filters = [
        ("function", CallFilter { functions: Some(FunctionPattern::new("place")), ..all() }, vec![0, 3, 4]),
        ("group", CallFilter { group: Some(TextPattern::glob("mon*")), ..all() }, vec![1, 2, 5]),
        ("status", CallFilter { statuses: vec![Status::Error, Status::Running], ..all() }, vec![2, 3, 4]),
        ("running", CallFilter { statuses: vec![Status::Running], ..all() }, vec![4]),
        ("error", CallFilter { error_type: Some(TextPattern::glob("CardDeclined")), ..all() }, vec![2]),
        ("errors", CallFilter { error_type: Some(TextPattern::glob("*")), ..all() }, vec![2, 3]),
        ("thread", CallFilter { thread: Some(TextPattern::glob("worker-?")), ..all() }, vec![4, 5]),
        ("task", CallFilter { task: Some(TextPattern::glob("Task-[0-9]")), ..all() }, vec![5]),
        ("process", CallFilter { pid: Some(4712), ..all() }, vec![4, 5]),
        ("run", CallFilter { run_id: Some(1), ..all() }, vec![0, 1, 2, 3]),
        ("parent", CallFilter { parent_id: Some(ids[0].cast_unsigned()), ..all() }, vec![1]),
        ("root", CallFilter { root_id: Some(ids[0].cast_unsigned()), ..all() }, vec![0, 1]),
    ];
    for (name, filter, expected) in filters {
        let expected: Vec<i64> = expected.into_iter().map(|place: usize| ids[place]).collect();
        assert_eq!(found(&sample, &filter, Order::OldestFirst), expected, "{name}");
    }
    let slow = DurationRange { at_least_ns: Some(30_000_000), at_most_ns: Some(40_000_000) };
    let slow = CallFilter { duration: slow, ..all() };
    assert_eq!(found(&sample, &slow, Order::SlowestFirst), [ids[3], ids[2]]);
}

#[test]
fn a_condition_finds_by_value() {
    let (sample, ids) = shop();
    let conditions = [
        ("args.user_id = 42", vec![0, 3]),
        ("args.user_id = \"42\"", vec![2]),
        ("args.user_id != 42", vec![1, 2, 5]),
        ("args.user_id > 42", vec![1]),
        ("args.user_id in (43, null)", vec![1, 5]),
        ("args.user_id = null", vec![5]),
        ("not has args.user_id", vec![4]),
        ("args.order.id = 17 and args.order.items[1] = b", vec![0]),
        ("args.order.sizes[1] = 42 and args.order.sizes[0] != 42", vec![0]),
        ("args ~ \"k-17\"", vec![3]),
        ("status = error and error_message ~ \"timed? out\"", vec![2, 3]),
        ("error_type = ValueError or task = Task-7", vec![3, 5]),
        ("duration >= 20ms and duration < 40ms", vec![1, 2]),
        ("result = null and group = orders", vec![0]),
        ("not (function = shop.orders.place or has error_type)", vec![1, 5]),
        ("started > \"2026-10-14T09:12:37Z\"", vec![5]),
    ];
    for (text, expected) in conditions {
        let condition = Some(Condition::parse(text).unwrap());
        let expected: Vec<i64> = expected.into_iter().map(|place: usize| ids[place]).collect();
        let filter = CallFilter { condition, ..CallFilter::default() };
        assert_eq!(found(&sample, &filter, Order::OldestFirst), expected, "{text}");
    }
}

#[test]
fn a_page_looks_at_a_bounded_number_of_rows() {
    let (sample, ids) = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let filter = CallFilter { pid: Some(4711), ..CallFilter::default() };
    let page = tape.calls_within(&filter, Order::NewestFirst, None, 10, 2).unwrap();
    assert_eq!(page.calls, []);
    let page = tape.calls_within(&filter, Order::NewestFirst, page.next.as_ref(), 10, 2).unwrap();
    assert_eq!(page.calls.iter().map(|call| sql_id(call.id)).collect::<Vec<_>>(), [ids[3], ids[2]]);
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let (sample, _) = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let next = tape.calls(&CallFilter::default(), Order::NewestFirst, None, 1).unwrap().next;
    let answer = tape.calls(&CallFilter::default(), Order::SlowestFirst, next.as_ref(), 1);
    assert!(matches!(answer, Err(QueryError::OtherOrder)), "{answer:?}");
    for text in ["", "x", "-1", "1.", "1.2.3", "99999999999999999999"] {
        assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
    }
}
