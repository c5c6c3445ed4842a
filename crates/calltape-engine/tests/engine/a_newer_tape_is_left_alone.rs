//! A tape that a newer calltape made, or upgraded while this one records on it: it is refused within a batch and stays as it
//! is, calls wait in the journal, and are stored once it is gone or of this version again.

use crate::stage::damage::set_aside;
use crate::stage::{Stage, drain_all};
use calltape_engine::drain::DrainError;
use calltape_engine::store::SCHEMA_VERSION;

#[test]
fn calls_wait_in_the_journal_while_the_tape_is_a_newer_one() {
    for is_open in [true, false] {
        let stage = Stage::new();
        let mut caller = stage.caller("MainThread");
        let place = caller.define("shop.place");
        let mut drain = stage.drain();
        assert!(caller.call(place, 1, 0));
        drain_all(&mut drain);
        if !is_open {
            drop(drain);
            drain = stage.drain();
        }
        let newer = stage.database();
        newer.connection().pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("written");
        assert!(caller.call(place, 2, 0));
        for _ in 0..3 {
            let Err(DrainError::Store(error)) = drain.pass(true) else { panic!("a pass into a newer tape") };
            assert!(error.needs_a_person() && error.to_string().contains("upgrade calltape"), "{error}");
        }
        assert!(set_aside(&stage.db).is_empty());
        assert_eq!(newer.one::<i64>("SELECT count(*) FROM calls"), 1);
        newer.connection().pragma_update(None, "user_version", SCHEMA_VERSION).expect("written");
        drain_all(&mut drain);
        assert_eq!(newer.one::<i64>("SELECT count(*) FROM calls"), 2);
        newer.assert_balanced();
    }
}
