//! The tape the snapshots are of: a small web shop, one request that works, one that fails, one that still runs.

use calltape_engine::rollup::Latency;

use crate::sample_tape::{CallRow, Raised, SampleTape};

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// A failed payment, raised while a timeout was handled, which a refused connection caused.
const CHAIN: &str = r#"[
 {"type":"shop.errors.PaymentFailed","message":"order 18 not paid\nthe bank did not answer","relation":null,
  "frames":["... 3 more",
            {"file":"shop/api.py","line":40,"function":"handle","source":"place(order)"},
            {"file":"shop/orders.py","line":21,"function":"place",
             "locals":{"order":{"id":18},"card":"***","lines":[{"sku":"A-1","n":2,"name":"a very long name of an article"}],"...":"4 more"},
             "source":"raise PaymentFailed(order) from error"}],"notes":["customer 7","tried\ntwice"]},
 {"type":"TimeoutError","message":"bank after 2 s","relation":"cause","of":0,
  "frames":[{"file":"shop/billing.py","line":9,"function":"charge","source":"bank.charge(amount)"},
            {"file":"/srv/venv/lib/python3.13/site-packages/bank/client.py","line":88,"function":"Client.charge","outside":true,"source":"return self.send(Charge(amount))"},
            {"file":"/srv/venv/lib/python3.13/site-packages/bank/client.py","line":31,"function":"Client.send","outside":true,"source":"with self.connect() as wire:"},
            {"file":"/usr/lib/python3.13/contextlib.py","line":141,"function":"_GeneratorContextManager.__enter__","outside":true},
            {"file":"/usr/lib/python3.13/socket.py","line":864,"function":"create_connection","outside":true,"source":"raise exceptions[0]"}]},
 {"type":"ConnectionRefusedError","message":"","relation":"context","of":1,"frames":[]}]"#;

/// What a group of tasks failed with: two of them, one with a group of its own, and a cause of the whole.
const GROUP: &str = r#"[
 {"type":"ExceptionGroup","message":"unhandled errors in a TaskGroup (2 sub-exceptions)","relation":null,
  "frames":[{"file":"/usr/lib/python3.13/asyncio/taskgroups.py","line":71,"function":"TaskGroup.__aexit__","outside":true,"source":"return await self._aexit(et, exc)"}]},
 {"type":"shop.errors.Closing","message":"","relation":"context","of":0,"frames":[]},
 {"type":"ValueError","message":"no such sku","relation":"member","of":0,"notes":["line 2"],
  "frames":[{"file":"shop/stock.py","line":12,"function":"reserve","source":"raise ValueError(\"no such sku\")"}]},
 {"type":"ExceptionGroup","message":"mails (3 sub-exceptions)","relation":"member","of":0,"frames":[]},
 {"type":"KeyError","message":"'sku'","relation":"cause","of":2,
  "frames":[{"file":"shop/stock.py","line":10,"function":"reserve","source":"shelf = shelves[sku]"}]},
 {"type":"OSError","message":"[Errno 28] No space left on device","relation":"member","of":3,"frames":[]},
 "... 2 more"]"#;

/// The tape and the calls that tests ask for by name.
pub(crate) struct ShopTape {
    pub(crate) sample: SampleTape,
    pub(crate) placed: i64,
    pub(crate) failed: i64,
    pub(crate) running: i64,
    pub(crate) interrupted: i64,
}

struct Functions {
    handle: i64,
    place: i64,
    check: i64,
    charge: i64,
    send: i64,
}

impl ShopTape {
    pub(crate) fn create() -> Self {
        let sample = SampleTape::create();
        let functions = Functions {
            handle: sample.function_of("shop.api.handle", "web", "function"),
            place: sample.function_of("shop.orders.place", "orders", "function"),
            check: sample.function("shop.orders.check"),
            charge: sample.function("shop.billing.charge"),
            send: sample.function("shop.mail.templates.confirmation.send_order_confirmation_to_customer"),
        };
        sample.thread(2, 1, "worker-1");
        let placed = working_request(&sample, &functions);
        let failed = failing_request(&sample, &functions);
        let running = CallRow {
            thread: 2,
            status: 5,
            duration_ns: None,
            result: None,
            args: Some(r#"{"to":"ann@example.org","retries":3,"(defaults)":["retries"]}"#),
            ..CallRow::new(functions.send, 20 * SECOND)
        };
        let cut = CallRow { status: 6, duration_ns: None, result: None, ..CallRow::new(functions.check, 21 * SECOND) };
        let (running, interrupted) = (sample.call(running), sample.call(cut));
        rollup(&sample, &functions);
        books(&sample, &functions);
        Self { sample, placed, failed, running, interrupted }
    }
}

fn working_request(sample: &SampleTape, functions: &Functions) -> i64 {
    let handle = CallRow {
        duration_ns: Some(12 * MILLISECOND),
        args: Some(r#"{"path":"/orders","body":{"id":17,"lines":[{"sku":"A-1","n":2}]}}"#),
        result: Some(r#"{"status":200}"#),
        ..CallRow::new(functions.handle, 0)
    };
    let root = sample.call(handle);
    let place = CallRow {
        duration_ns: Some(9 * MILLISECOND + 310 * MICROSECOND),
        args: Some(
            r#"{"order":{"id":17,"lines":[{"sku":"A-1","n":2}]},"dry_run":false,"note":"[str with 20000 characters]","(defaults)":["dry_run"]}"#,
        ),
        result: Some(r#""[Receipt]""#),
        ..CallRow::new(functions.place, MILLISECOND)
    };
    let placed = sample.call(place.made_by(root, root));
    let check = CallRow {
        duration_ns: Some(45),
        args: Some(r#"{"order_id":17}"#),
        result: Some("true"),
        ..CallRow::new(functions.check, MILLISECOND + 100 * MICROSECOND)
    };
    sample.call(check.made_by(placed, root));
    let charge = CallRow {
        duration_ns: Some(8 * MILLISECOND),
        args: Some(r#"{"amount":"19.90","card":"***"}"#),
        weight: Some(100.0),
        ..CallRow::new(functions.charge, 2 * MILLISECOND)
    };
    sample.call(charge.made_by(placed, root));
    placed
}

fn failing_request(sample: &SampleTape, functions: &Functions) -> i64 {
    let raised = Raised {
        error_type: "shop.errors.PaymentFailed",
        message: "order 18 not paid\nthe bank did not answer",
        file: "shop/orders.py",
        line: 21,
        place: "place",
        traceback: CHAIN,
    };
    let handle = CallRow {
        duration_ns: Some(2_100 * MILLISECOND),
        args: Some(r#"{"path":"/orders","body":{"id":18}}"#),
        ..CallRow::new(functions.handle, 5 * SECOND)
    };
    let root = sample.failed_call(handle, &raised);
    let place = CallRow {
        duration_ns: Some(2_090 * MILLISECOND),
        args: Some(r#"{"order":{"id":18}}"#),
        ..CallRow::new(functions.place, 5 * SECOND + MILLISECOND)
    };
    let failed = sample.failed_call(place.made_by(root, root), &raised);
    let key_error = Raised {
        error_type: "KeyError",
        message: "'sku'",
        file: "/usr/lib/python3.13/site-packages/catalogue/lookup/by_number.py",
        line: 117,
        place: "lookup",
        traceback: "[]",
    };
    let check = CallRow {
        duration_ns: Some(312 * MICROSECOND),
        args: Some(r#"{"order_id":18}"#),
        ..CallRow::new(functions.check, 5 * SECOND + 2 * MILLISECOND)
    };
    sample.failed_call(check.made_by(failed, root), &key_error);
    failed
}

/// A tape with one call that a group of exceptions ended.
pub(crate) fn grouped() -> (SampleTape, i64) {
    let sample = SampleTape::create();
    let function = sample.function_of("shop.stock.reserve_all", "stock", "coroutine");
    let raised = Raised {
        error_type: "ExceptionGroup",
        message: "unhandled errors in a TaskGroup (2 sub-exceptions)",
        file: "/usr/lib/python3.13/asyncio/taskgroups.py",
        line: 71,
        place: "TaskGroup.__aexit__",
        traceback: GROUP,
    };
    let failed = sample.failed_call(CallRow::new(function, SECOND), &raised);
    (sample, failed)
}

fn rollup(sample: &SampleTape, functions: &Functions) {
    let latency = |values: &[i64]| {
        let mut histogram = Latency::new();
        values.iter().for_each(|&ns| histogram.record(ns.cast_unsigned()));
        histogram.encode()
    };
    let slow = [12 * MILLISECOND, 2_100 * MILLISECOND];
    sample.minute(functions.handle, 0, [2, 1, 0, 0, slow[0] + slow[1], slow[0], slow[1]], &latency(&slow));
    let place = [9_310 * MICROSECOND, 2_090 * MILLISECOND];
    sample.minute(functions.place, 0, [2, 1, 0, 0, place[0] + place[1], place[0], place[1]], &latency(&place));
    let check = [45, 312 * MICROSECOND];
    sample.minute(functions.check, 0, [2, 1, 0, 0, check[0] + check[1], check[0], check[1]], &latency(&check));
    let charge = 8 * MILLISECOND;
    sample.minute(functions.charge, 1, [1, 0, 99, 2, charge, charge, charge], &latency(&[charge]));
}

fn books(sample: &SampleTape, functions: &Functions) {
    sample.books(1, functions.handle, [2, 2, 0, 0, 0]);
    sample.books(1, functions.place, [2, 2, 0, 0, 0]);
    sample.books(1, functions.check, [4, 2, 0, 0, 0]);
    sample.books(1, functions.charge, [102, 1, 99, 2, 1]);
    sample.run(2, 4712, None);
    sample.books(2, functions.send, [1, 0, 0, 0, 0]);
}
