//! Whoever drains goes on at once where a pass says that there is more, and rests where it does not: a pass that kept it
//! to itself would leave the journal to fill between two rests.

use calltape_engine::retention::{Limits, Retention};
use calltape_testkit::Raised;

use crate::stage::{Stage, drain_all};

#[test]
fn while_batches_are_full_there_is_more() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    for number in 0..25 {
        assert!(caller.call(place, number, 2));
    }
    let mut drain = stage.drain();
    let mut passes = Vec::new();
    while passes.last().is_none_or(|&(_, more)| more) {
        let progress = drain.pass_of(true, 10).expect("a pass");
        passes.push((progress.calls, progress.more));
    }
    assert_eq!(passes.iter().map(|pass| pass.0).sum::<u64>(), 25);
    assert!(passes.len() >= 3, "{passes:?}");
}

#[test]
fn while_room_has_to_be_made_first_there_is_more() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut drain = stage.drain();
    for number in 0..30_000 {
        let id = caller.begin(place, None, number, 2).expect("room");
        caller.raise(id, place, Raised { error_type: "ValueError", message: "no such sku", line: 7 });
        if number % 5_000 == 0 {
            drain_all(&mut drain);
        }
    }
    drain_all(&mut drain);
    assert!(caller.call(place, 1, 2));
    // What is to go takes longer than one pass may work at it.
    drain.keep_with(Retention::restless(Limits { size: Some(1 << 20), ..Limits::default() }));
    let (mut making_room, mut passes) = (0, 0);
    loop {
        let progress = drain.pass(true).expect("a pass");
        making_room += u32::from(progress.more && !progress.committed);
        passes += 1;
        if !progress.more && !progress.committed {
            break;
        }
        assert!(passes < 10_000, "it never comes to rest");
    }
    assert!(making_room > 0, "in {passes} passes none held the journal to make room");
    stage.database().assert_balanced();
}
