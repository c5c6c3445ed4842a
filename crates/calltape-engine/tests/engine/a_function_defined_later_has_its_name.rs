//! Functions are defined when they are first called, so most of them while the drain already knows others.

use crate::stage::{Stage, drain_all};

#[test]
fn each_call_is_of_its_function_whenever_that_was_defined() {
    for restarts in [false, true] {
        let stage = Stage::new();
        let mut caller = stage.caller("MainThread");
        let mut drain = stage.drain();
        for number in 0..4 {
            let names: Vec<String> = (0..=number).map(|nth| format!("shop.place_{number}_{nth}")).collect();
            for name in names {
                let place = caller.define(&name);
                assert!(caller.call(place, number, 2));
            }
            drain_all(&mut drain);
            if restarts {
                drop(drain);
                drain = stage.drain();
            }
        }
        let expected: Vec<String> = (0..4)
            .flat_map(|number| (0..=number).map(move |nth| format!("shop.place_{number}_{nth}|{number}")))
            .collect();
        let lines = stage.database().lines("SELECT function, args ->> 'a' FROM calls ORDER BY id");
        assert_eq!(lines, expected, "the drain begins anew: {restarts}");
        stage.database().assert_balanced();
    }
}
