//! The journal against a plain list, under random operations with limits so small that wrap-around and exhaustion
//! happen all the time.
//!
//! The risk: a frame lost, doubled or reordered by some sequence of leasing, sealing, draining, recycling, growing,
//! shrinking, thread ends and deaths.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use calltape_journal::{Full, Journal, Options, Run, RunIdentity, THREAD_KIND, Writer};
use proptest::prelude::*;

/// One step of the program, its threads, its drain or its death.
#[derive(Debug, Clone)]
enum Step {
    /// A thread appends a frame of so many bytes, keeping some room.
    Append { writer: usize, bytes: usize, keep_free: usize },
    /// A thread ends; the next append in its place starts another.
    EndThread { writer: usize },
    /// A drain reads some frames, stores them, marks and recycles; through the journal's own mapping or another.
    Drain { own: bool, most: usize },
    /// The background thread comes round.
    Maintain,
    /// The process dies without a word, its journal is drained as a dead run and removed, and another starts.
    Die,
}

const WRITERS: usize = 3;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let append = (0..WRITERS, 0..300_usize, prop_oneof![3 => Just(0), 1 => 0..200_usize])
        .prop_map(|(writer, bytes, keep_free)| Step::Append { writer, bytes, keep_free });
    let step = prop_oneof![
        24 => append,
        1 => (0..WRITERS).prop_map(|writer| Step::EndThread { writer }),
        4 => (any::<bool>(), prop_oneof![Just(usize::MAX), 0..20_usize]).prop_map(|(own, most)| Step::Drain { own, most }),
        2 => Just(Step::Maintain),
        1 => Just(Step::Die),
    ];
    prop::collection::vec(step, 1..200)
}

fn options() -> Options {
    Options { limit_bytes: 6 * 1024, initial_bytes: 2048, segment_bytes: 512, chunk_bytes: 2048, idle: Duration::ZERO }
}

/// A payload says which thread wrote it, as its how-manieth; the rest is filler derived from that.
fn payload(thread: u32, number: u32, bytes: usize) -> Vec<u8> {
    let filler = (0..bytes).map(|n| (n as u32 ^ thread.wrapping_mul(31) ^ number) as u8);
    thread.to_le_bytes().into_iter().chain(number.to_le_bytes()).chain(filler).collect()
}

/// The plain list: what each thread appended, and what of it has been delivered.
#[derive(Default)]
struct Model {
    appended: BTreeMap<u32, Vec<Vec<u8>>>,
    delivered: BTreeMap<u32, Vec<Vec<u8>>>,
}

impl Model {
    fn deliver(&mut self, payload: &[u8]) {
        let thread = u32::from_le_bytes(payload[..4].try_into().expect("four bytes"));
        self.delivered.entry(thread).or_default().push(payload.to_vec());
    }

    /// What is delivered is a beginning of what was appended, thread by thread.
    fn check(&self, all: bool) {
        for (thread, delivered) in &self.delivered {
            let appended = &self.appended[thread];
            assert!(appended.starts_with(delivered), "thread {thread}: something lost, doubled or out of order");
        }
        if all {
            assert_eq!(self.appended, self.delivered);
        }
    }
}

struct World {
    tape: tempfile::TempDir,
    journal: Option<Journal>,
    own: Option<Run>,
    sibling: Option<Run>,
    writers: [Option<(u32, Writer)>; WRITERS],
    threads: u32,
    cursors: BTreeMap<(u64, u32, u32), usize>,
    model: Model,
}

impl World {
    fn new() -> World {
        let mut world = World {
            tape: tempfile::tempdir().expect("a directory"),
            journal: None,
            own: None,
            sibling: None,
            writers: [const { None }; WRITERS],
            threads: 0,
            cursors: BTreeMap::new(),
            model: Model::default(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let journal = Journal::create(self.tape.path(), &RunIdentity::default(), &options()).expect("a journal");
        self.own = Some(journal.open_run().expect("opens"));
        self.sibling = Some(Run::open(journal.directory()).expect("opens"));
        self.journal = Some(journal);
    }

    fn journal(&self) -> &Journal {
        self.journal.as_ref().expect("a journal")
    }

    fn append(&mut self, place: usize, bytes: usize, keep_free: usize) {
        if self.writers[place].is_none() {
            let thread = self.threads;
            if let Ok(writer) = self.journal().lease(&thread.to_le_bytes()) {
                self.threads += 1;
                self.model.appended.insert(thread, Vec::new());
                self.model.delivered.insert(thread, Vec::new());
                self.writers[place] = Some((thread, writer));
            }
        }
        let Some((thread, writer)) = &mut self.writers[place] else { return };
        let appended = self.model.appended.get_mut(thread).expect("a known thread");
        let frame = payload(*thread, appended.len() as u32, bytes);
        let room = writer.room();
        match writer.append(2, &frame, keep_free) {
            Ok(()) => {
                assert!(writer.room() >= keep_free, "the reserve is there");
                appended.push(frame);
            }
            Err(Full) => {
                assert_eq!(writer.room(), room, "the segment stays as it was");
                assert!(room < Writer::frame_bytes(frame.len()) + keep_free);
            }
        }
    }

    fn drain(&mut self, own: bool, most: usize) {
        let run = if own { &mut self.own } else { &mut self.sibling };
        drain(run.as_mut().expect("a run"), &mut self.cursors, &mut self.model, most);
    }

    fn die(&mut self) {
        let directory: PathBuf = self.journal().directory().to_path_buf();
        self.writers = [const { None }; WRITERS];
        (self.own, self.sibling, self.journal) = (None, None, None);
        let mut dead = Run::open(&directory).expect("opens");
        assert!(!dead.owner_is_alive());
        assert_eq!(dead.damage().count(), 0);
        drain(&mut dead, &mut self.cursors, &mut self.model, usize::MAX);
        assert!(dead.segments().is_empty());
        dead.remove().expect("removes");
        self.model.check(true);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Append { writer, bytes, keep_free } => self.append(writer, bytes, keep_free),
            Step::EndThread { writer } => {
                if let Some((_, writer)) = self.writers[writer].take() {
                    self.journal().give_back(writer);
                }
            }
            Step::Drain { own, most } => self.drain(own, most),
            Step::Maintain => self.journal().maintain(),
            Step::Die => {
                self.die();
                self.start();
            }
        }
        self.model.check(false);
        let occupancy = self.journal().occupancy();
        assert!(occupancy.bytes_mapped <= options().limit_bytes);
        assert!(occupancy.bytes_mapped >= options().initial_bytes);
    }
}

/// What the engine does: read on from the cursors, at most so many frames; "commit"; mark; recycle what is finished.
fn drain(run: &mut Run, cursors: &mut BTreeMap<(u64, u32, u32), usize>, model: &mut Model, mut most: usize) {
    run.refresh().expect("refreshes");
    for key in run.segments() {
        let cursor = cursors.entry((run.id(), key.number, key.epoch)).or_insert(0);
        let end = run.read(key.number, key.epoch, *cursor, |frame| {
            if frame.kind != THREAD_KIND {
                model.deliver(frame.payload);
                most = most.saturating_sub(1);
            }
            if most == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((end.damaged_frames, end.damaged_bytes), (0, 0));
        *cursor = end.offset;
        run.mark_drained(key.number, key.epoch, end.offset);
        if end.finished {
            assert!(run.recycle(key.number, key.epoch));
        }
        if most == 0 {
            // Later segments wait for their turn, or a thread's order would be lost.
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_appended_frame_is_delivered_once_in_its_threads_order(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        let positions = world.journal().positions();
        world.drain(false, usize::MAX);
        world.model.check(true);
        assert!(world.journal().drained_past(&positions));
        world.die();
    }
}
