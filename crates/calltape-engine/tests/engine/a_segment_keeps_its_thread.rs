//! The thread of a segment stands at its beginning. A drain that goes on in the middle knows it from the tape: a call must
//! not be said to have run in another thread.

use crate::stage::{Stage, drain_all};

#[test]
fn after_a_restart_of_the_drain_calls_are_of_the_threads_that_made_them() {
    let stage = Stage::new();
    let names = ["MainThread", "worker-1", "worker-2"];
    let mut callers: Vec<_> = names.iter().map(|name| stage.caller(name)).collect();
    let places: Vec<_> = callers.iter_mut().map(|caller| caller.define("shop.place")).collect();
    for round in 0..3 {
        for (caller, (thread, &place)) in callers.iter_mut().zip(places.iter().enumerate()) {
            assert!(caller.call(place, thread as i64, round));
        }
        drain_all(&mut stage.drain());
    }
    let lines = stage.database().lines("SELECT thread, args ->> 'a', count(*) FROM calls GROUP BY 1, 2 ORDER BY 1");
    assert_eq!(lines, ["MainThread|0|3", "worker-1|1|3", "worker-2|2|3"]);
}
