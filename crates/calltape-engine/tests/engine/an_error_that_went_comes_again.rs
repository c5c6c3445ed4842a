//! The drain has the numbers of kinds of errors at hand. What retention removed has none any more: an error stored with
//! the old one would be on the tape without its type.

use std::time::Duration;

use calltape_engine::drain::Drain;
use calltape_engine::retention::{Limits, Retention};
use calltape_journal::unix_ns;
use calltape_testkit::Raised;

use crate::stage::{Stage, drain_all};

const DAY_NS: i64 = 86_400_000_000_000;

fn rest(drain: &mut Drain) {
    for _ in 0..50 {
        drain_all(drain);
    }
}

#[test]
fn a_kind_of_error_that_was_removed_is_stored_anew() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    let an_hour = Some(Duration::from_secs(3600));
    drain.keep_with(Retention::restless(Limits { age: an_hour, errors: an_hour, minutes: an_hour, size: None }));
    for round in 0..3 {
        drain.pretend_time(unix_ns());
        let id = caller.begin(place, None, round, 2).expect("room");
        caller.raise(id, place, Raised { error_type: "ValueError", message: "no such sku", line: 7 });
        rest(&mut drain);
        assert_eq!(
            stage.database().lines("SELECT error_type, function FROM calls"),
            ["ValueError|shop.place"],
            "{round}"
        );
        drain.pretend_time(unix_ns() + DAY_NS);
        // Only until it is gone: no step comes after the one that removes it.
        let is_gone = || stage.database().one::<i64>("SELECT count(*) FROM error") == 0;
        assert!((0..100).any(|_| is_gone() || drain.pass(true).is_err()), "{round}");
    }
    stage.database().assert_balanced();
}
