//! `diff`: what changed between two times or two runs, what stands out first.

use calltape_engine::rollup::Latency;
use insta::assert_snapshot;

use crate::sample_tape::{CallRow, SampleTape};
use crate::session::{calltape, surroundings};

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;

/// A shop at 09:12, and at 09:14 with a new release: `place` is slower and fails, `price` is quicker, `pay` is new,
/// `charge` is gone, `check` is as it was.
fn released() -> SampleTape {
    let sample = SampleTape::create();
    let minute = |name: &str, minute: i64, calls: i64, errors: i64, ns: i64| {
        let known = sample.connection.query_row("SELECT id FROM function WHERE name = ?1", [name], |row| row.get(0));
        let function = known.unwrap_or_else(|_| sample.function_of(name, "shop", "function"));
        let mut latency = Latency::new();
        (0..calls).for_each(|n| latency.record((ns + n * ns / 50).cast_unsigned()));
        sample.minute(function, minute, [calls, errors, 0, 0, calls * ns, ns, 2 * ns], &latency.encode());
    };
    minute("shop.orders.place", 0, 1_204, 3, 9 * MILLISECOND);
    minute("shop.orders.place", 2, 1_310, 160, 21 * MILLISECOND);
    minute("shop.prices.price_of_an_article_in_the_currency_of_the_customer", 0, 5_000, 0, 300 * MICROSECOND);
    minute("shop.prices.price_of_an_article_in_the_currency_of_the_customer", 2, 5_100, 0, 90 * MICROSECOND);
    minute("shop.billing.charge", 0, 800, 0, 2 * MILLISECOND);
    minute("shop.billing.pay", 2, 790, 0, 3 * MILLISECOND);
    minute("shop.orders.check", 0, 40, 0, 45 * MICROSECOND);
    minute("shop.orders.check", 2, 41, 0, 46 * MICROSECOND);
    sample
}

fn compared(arguments: &str, width: usize) -> String {
    let sample = released();
    let mut around = surroundings(sample.folder.path());
    around.width = width;
    calltape(arguments, &around).transcript().replace(&sample.folder.path().display().to_string(), "FOLDER")
}

#[test]
fn two_times_are_compared_and_what_stands_out_comes_first() {
    for width in [80, 120] {
        assert_snapshot!(format!("diff_{width}"), compared("diff 09:12..09:14 09:14..09:15", width));
    }
    assert_snapshot!("diff_json", compared("diff 09:12..09:14 09:14..09:15 --json --limit 1", 80));
    assert_snapshot!("diff_limited", compared("diff 09:12..09:14 09:14..09:15 --limit 3", 160));
}

#[test]
fn a_moment_is_compared_with_as_long_before_it() {
    let said = compared("diff 09:14 --function place", 120);
    assert!(said.starts_with("a  09:12:00 to 09:14:00  ") && said.contains("\nb  09:14:00 to now       "), "{said}");
    assert!(said.contains("shop.orders.place"), "{said}");
}

#[test]
fn two_runs_are_compared_by_their_calls() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.run(2, 4712, Some("exit"));
    sample.connection.execute("UPDATE run SET started_ns = started_ns + 1000 WHERE id = 2", []).unwrap();
    sample.thread(2, 2, "MainThread");
    for n in 0..80 {
        let (thread, ns) = if n < 40 { (1, MILLISECOND) } else { (2, 3 * MILLISECOND) };
        sample.call(CallRow { thread, duration_ns: Some(ns), ..CallRow::new(place, n * MILLISECOND) });
    }
    sample.books(1, place, [40, 40, 0, 0, 0]);
    sample.books(2, place, [40, 40, 0, 0, 0]);
    let around = surroundings(sample.folder.path());
    assert_snapshot!("diff_runs", calltape("diff run:1 run:2", &around).transcript());
    assert_eq!(calltape("diff run:last", &around), calltape("diff run:1 run:2", &around));
}

#[test]
fn sides_that_make_no_sense_are_refused_with_what_would() {
    let wrong = [
        "diff soon",
        "diff 1h..2h 1h..",
        "diff 2h..1h",
        "diff 60s..59s 1m..",
        "diff run:last",
        "diff run:77 run:last",
        "diff run:shop.py",
        "diff 09:00..09:01 09:01..09:02",
    ];
    let said: Vec<String> =
        wrong.iter().map(|arguments| format!("$ calltape {arguments}\n{}", compared(arguments, 100))).collect();
    assert_snapshot!("diff_refused", said.join("\n"));
}
