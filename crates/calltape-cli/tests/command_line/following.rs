//! `tail -f` goes on until it is stopped, and shows what comes meanwhile.

use std::cell::Cell;

use crate::sample_tape::{CallRow, SampleTape};
use crate::session::{calltape_until, surroundings};

#[test]
fn calls_that_come_are_shown_until_stopped() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    sample.call(CallRow { args: Some(r#"{"n":1}"#), ..CallRow::new(place, 0) });
    let asked = Cell::new(0);
    // Asked every 50 ms: the call comes while the first poll is waited for, the stop after the second.
    let should_stop = || {
        asked.set(asked.get() + 1);
        if asked.get() == 2 {
            sample.call(CallRow { args: Some(r#"{"n":2}"#), ..CallRow::new(place, 1_000_000_000) });
        }
        asked.get() > 12
    };
    let ran = calltape_until("tail -f", &surroundings(sample.folder.path()), &should_stop);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let calls: Vec<&str> = ran.out.lines().filter_map(|line| line.split("  ").last()).collect();
    assert_eq!(calls, ["shop.place(n=1) -> null", "shop.place(n=2) -> null"]);
}

#[test]
fn an_empty_tape_is_waited_for() {
    let sample = SampleTape::create();
    let ran = calltape_until("tail -f nothing", &surroundings(sample.folder.path()), &|| true);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}
