//! For any schedule of calls, passes, deaths of the drain and tapes that are moved away or damaged: every call that ended is
//! in one file and in no other, and the last tape's books say how many are elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::stage::damage::{beside, cut, set_aside, shell};
use crate::stage::{Stage, die_at, drain_all};
use calltape_engine::drain::{Drain, Point};
use calltape_testkit::{Caller, Database};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// So many whole calls.
    Calls(u8),
    /// A call begins, or the one that runs ends.
    Toggle,
    SampleOut,
    Pass,
    /// A pass dies there, and another drain takes over.
    Die(u8),
    /// Another process moves the tape away.
    Move,
    /// Another process empties the file of a tape that has everything in its WAL moved into it.
    Damage,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1u8..60).prop_map(Step::Calls),
        3 => Just(Step::Toggle),
        2 => Just(Step::SampleOut),
        5 => Just(Step::Pass),
        1 => (0u8..3).prop_map(Step::Die),
        2 => Just(Step::Move),
        1 => Just(Step::Damage),
    ];
    prop::collection::vec(step, 1..40)
}

struct World {
    stage: Stage,
    drain: Drain,
    caller: Caller,
    place: u32,
    running: Option<u64>,
    made: i64,
    moved: Vec<PathBuf>,
    /// The tape as it was before it was emptied.
    copies: Vec<PathBuf>,
}

impl World {
    fn new() -> Self {
        let stage = Stage::new();
        let caller = stage.caller("MainThread");
        let place = caller.define("shop.place");
        let drain = stage.drain();
        Self { stage, drain, caller, place, running: None, made: 0, moved: Vec::new(), copies: Vec::new() }
    }

    fn do_step(&mut self, step: &Step) {
        match step {
            Step::Calls(count) => {
                for _ in 0..*count {
                    if !self.caller.call(self.place, self.made, 0) {
                        drain_all(&mut self.drain);
                        assert!(self.caller.call(self.place, self.made, 0));
                    }
                    self.made += 1;
                }
            }
            Step::Toggle => match self.running.take() {
                Some(call) => self.caller.end(call, self.place, 0),
                None => {
                    self.running = self.caller.begin(self.place, None, self.made, 0).ok();
                    self.made += i64::from(self.running.is_some());
                }
            },
            Step::SampleOut => self.caller.sample_out(self.place),
            Step::Pass => drain_all(&mut self.drain),
            Step::Die(point) => {
                let point = [Point::BeforeCommit, Point::AfterCommit, Point::AfterMark][usize::from(*point)];
                die_at(&mut self.drain, point, 1);
                let _ = self.drain.pass(true);
                self.replace_drain();
                // What it stored in a file that is gone by the next pass is not known to its successor.
                drain_all(&mut self.drain);
            }
            Step::Move if self.stage.db.exists() => {
                drain_all(&mut self.drain);
                let to = beside(&self.stage.db, &format!(".moved{}", self.moved.len()));
                shell(&format!("mv '{}' '{}'", self.stage.db.display(), to.display()));
                self.moved.push(to);
                drain_all(&mut self.drain);
            }
            Step::Damage if self.stage.db.exists() && self.copies.is_empty() => {
                drain_all(&mut self.drain);
                let copy = beside(&self.stage.db, ".copy");
                shell(&format!("sqlite3 '{}' '.backup {}'", self.stage.db.display(), copy.display()));
                self.copies.push(copy);
                cut(&self.stage.db, 0);
                drain_all(&mut self.drain);
            }
            Step::Move | Step::Damage => {}
        }
    }

    fn replace_drain(&mut self) {
        let spare = Drain::new(&self.stage.db, None);
        drop(std::mem::replace(&mut self.drain, spare));
        self.drain = self.stage.drain();
    }

    /// How many files have each ended call.
    fn files_by_call(&self) -> BTreeMap<i64, usize> {
        let mut found = BTreeMap::new();
        for file in self.moved.iter().chain(&self.copies).chain([&self.stage.db]) {
            for call in calls(file) {
                *found.entry(call).or_default() += 1;
            }
        }
        found
    }
}

fn calls(file: &Path) -> Vec<i64> {
    let lines = Database::open(file).lines("SELECT args ->> '$.a' FROM calls WHERE status = 'ok'");
    lines.iter().map(|line| line.parse().expect("a number")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_becomes_of_the_tapes(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.do_step(step);
        }
        if let Some(call) = world.running.take() {
            world.caller.end(call, world.place, 0);
        }
        drain_all(&mut world.drain);
        let found = world.files_by_call();
        let doubled: Vec<_> = found.iter().filter(|(_, files)| **files > 1).collect();
        prop_assert!(doubled.is_empty(), "in several files: {doubled:?}");
        let missing: Vec<_> = (0..world.made).filter(|call| !found.contains_key(call)).collect();
        // A call whose START had left the journal when the tape went cannot be taken up: its row is in the old file.
        prop_assert!(missing.len() <= world.moved.len() + world.copies.len(), "in no file: {missing:?}");
        prop_assert_eq!(set_aside(&world.stage.db).len(), world.copies.len());
        let database = world.stage.database();
        database.assert_balanced();
        let here = calls(&world.stage.db).len() as i64;
        let account = database.lines("SELECT stored, in_flight + unknown FROM accounting");
        let elsewhere = world.made - here;
        if world.made > 0 {
            prop_assert_eq!(account, [format!("{here}|{elsewhere}")]);
        }
    }
}
