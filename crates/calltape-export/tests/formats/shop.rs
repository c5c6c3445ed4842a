//! A small tape with a call of every status, and with the values that formats get wrong.

use crate::sample_tape::{CallRow, Raised, SampleTape};

pub(crate) const MS: i64 = 1_000_000;

/// JSON that stands in no program's native types: beyond 2^53 and 2^64, surrogates alone, NUL, line ends.
pub(crate) const HARD: &str = r#"{"big":9007199254740993,"bigger":123456789012345678901234567890,"lone":"\ud800","nul":"a\u0000b","lines":"a\nb\r\n"}"#;

/// The tape.
pub(crate) fn shop() -> SampleTape {
    let sample = SampleTape::create();
    sample.run(2, 4712, None);
    sample.thread(2, 2, "MainThread");
    let place = sample.function_of("shop.orders.place", "orders", "function");
    let fetch = sample.function_of("shop.http.fetch", "", "coroutine");
    let pages = sample.function_of("shop.pages", "", "generator");
    let raised = Raised {
        error_type: "shop.PaymentFailed",
        message: "=1+1\n\"order\", 18\u{0} not paid\u{2028}",
        file: "shop/orders.py",
        line: 21,
        place: "place",
        traceback: r#"[{"type":"shop.PaymentFailed","message":"\ud800","relation":null,"frames":[]}]"#,
    };
    let root = sample.call(CallRow { args: Some(HARD), result: Some("-1.5e-7"), ..CallRow::new(place, 0) });
    let failed = CallRow { duration_ns: Some(MS / 2), ..CallRow::new(place, MS / 4) };
    sample.failed_call(failed.made_by(root, root), &raised);
    sample.cancelled_call(
        CallRow { task: Some("Task-1"), active_ns: Some(17), ..CallRow::new(fetch, 2 * MS) },
        &Raised { error_type: "asyncio.CancelledError", message: "", ..raised.clone() },
    );
    sample.call(CallRow { status: 3, yields: Some(3), result: None, ..CallRow::new(pages, 3 * MS) });
    sample.call(CallRow { status: 4, yields: Some(0), result: None, ..CallRow::new(pages, 4 * MS) });
    let unfinished = CallRow { duration_ns: None, result: None, ..CallRow::new(place, 10 * MS) };
    sample.call(CallRow { status: 6, args: None, ..unfinished.clone() });
    sample.call(CallRow { status: 5, id: unfinished.id + 1, thread: 2, weight: Some(100.0), ..unfinished });
    sample
}
