//! Only what was our tape is set aside. Another file at the path stays where it is and as it is, calls wait in the journal,
//! and are stored once it is gone.

use std::path::Path;

use crate::stage::damage::{set_aside, shell};
use crate::stage::{Stage, drain_all};
use calltape_engine::drain::DrainError;
use rusqlite::Connection;

type Make = fn(&Path);

fn is_refused(stage: &Stage, drain: &mut calltape_engine::drain::Drain, words: &str) {
    let before = std::fs::read(&stage.db).expect("read");
    for _ in 0..3 {
        let Err(DrainError::Store(error)) = drain.pass(true) else { panic!("a pass into somebody else's file") };
        assert!(error.needs_a_person() && error.to_string().contains(words), "{error}");
    }
    assert_eq!(std::fs::read(&stage.db).expect("read"), before);
    assert!(set_aside(&stage.db).is_empty());
}

const OTHERS: [(&str, Make); 2] = [
    ("is not a SQLite database", |db| std::fs::write(db, "dear diary, ".repeat(1000)).expect("written")),
    ("is a database but not a tape", |db| {
        let other = Connection::open(db).expect("opens");
        other.execute_batch("CREATE TABLE diary (text); INSERT INTO diary VALUES ('dear')").expect("written");
    }),
];

#[test]
fn a_file_that_was_there_first_stays() {
    for (words, make) in OTHERS {
        let stage = Stage::new();
        make(&stage.db);
        let mut caller = stage.caller("MainThread");
        let place = caller.define("shop.place");
        assert!(caller.call(place, 1, 0));
        let mut drain = stage.drain();
        is_refused(&stage, &mut drain, words);
        std::fs::remove_file(&stage.db).expect("removed");
        drain_all(&mut drain);
        assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM calls"), 1);
    }
}

#[test]
fn a_file_put_in_the_place_of_a_tape_stays() {
    for (words, make) in OTHERS {
        let stage = Stage::new();
        let mut caller = stage.caller("MainThread");
        let place = caller.define("shop.place");
        let mut drain = stage.drain();
        assert!(caller.call(place, 1, 0));
        drain_all(&mut drain);
        let other = stage.folder.path().join("other");
        make(&other);
        shell(&format!("mv '{}' '{}'", other.display(), stage.db.display()));
        assert!(caller.call(place, 2, 0));
        is_refused(&stage, &mut drain, words);
        drop(drain);
        let mut drain = stage.drain();
        is_refused(&stage, &mut drain, words);
        std::fs::remove_file(&stage.db).expect("removed");
        drain_all(&mut drain);
        assert_eq!(stage.database().one::<i64>("SELECT count(*) FROM calls"), 1);
        stage.database().assert_balanced();
    }
}
