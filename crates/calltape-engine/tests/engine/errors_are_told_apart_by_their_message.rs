//! Errors of one function, type and place are one kind for each form of message, up to a number of forms.

use crate::stage::{Stage, drain_all};
use calltape_engine::drain::ANY_MESSAGE;
use calltape_testkit::Raised;

const KINDS: &str = "SELECT message_form, calls FROM errors ORDER BY calls DESC, message_form";

#[test]
fn messages_that_differ_in_numbers_only_are_one_kind() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    for order in 0..30 {
        let id = caller.begin(place, None, 1, 2).expect("room");
        let message = if order % 3 == 0 { "no stock".to_owned() } else { format!("order {order} of 'ann' not paid") };
        let message = message.leak();
        caller.raise(id, place, Raised { error_type: "ValueError", message, line: 8 });
    }
    drain_all(&mut stage.drain());
    assert_eq!(stage.database().lines(KINDS), ["order <n> of <text> not paid|20", "no stock|10"]);
    stage.database().assert_balanced();
}

/// A message that never says the same twice would make a group for each error, and `calltape errors` as long as the tape.
#[test]
fn beyond_twenty_forms_all_further_messages_are_one_kind_also_for_another_drain() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let place = caller.define("shop.place");
    let mut fail = |first: u32, last: u32| {
        for number in first..last {
            let id = caller.begin(place, None, 1, 2).expect("room");
            let word: String = format!("{number:04}").bytes().map(|digit| (digit + b'a' - b'0') as char).collect();
            caller.raise(id, place, Raised { error_type: "ValueError", message: word.leak(), line: 8 });
        }
    };
    fail(0, 15);
    drain_all(&mut stage.drain());
    fail(10, 40);
    drain_all(&mut stage.drain());
    let database = stage.database();
    assert_eq!(database.one::<i64>("SELECT count(*) FROM errors"), 21);
    assert_eq!(database.lines(KINDS)[0], format!("{ANY_MESSAGE}|20"));
    assert_eq!(database.one::<i64>("SELECT sum(calls) FROM errors"), 45);
}
