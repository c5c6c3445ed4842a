//! A day of the shop, written call by call until there are enough. Called by `main.rs` and by the test of what it writes.

use std::fmt::Write as _;
use std::path::Path;

use super::catalogue::{FUNCTIONS, Failure};
use super::processes::{self, DAY, HOUR, Place, Process, START_NS};
use super::random::Random;
use super::tape::{Failed, Fault, Missing, Row, Tape, file_of, line_of, place_of};
use super::text::{Request, arguments, fill, quoted};
use super::trees::{CANCELLED, ERROR, Exception, Growth, INTERRUPTED, OK, Tree, Weather};

/// Trees that are grown beforehand to know how large they are.
const TREES_WEIGHED: u64 = 2_000;

/// For twenty minutes the bank is slow, and fails as much more often.
const SLOW_BANK: (i64, i64) = (18 * HOUR, 18 * HOUR + HOUR / 3);
const BANK_SLOWER: f64 = 20.0;

/// For two minutes one process has no room for some of its calls.
const OVERLOAD: (i64, i64) = (20 * HOUR, 20 * HOUR + HOUR / 30);
const DROPPED_SHARE: f64 = 0.03;

/// What becomes of coroutines whose client goes away: so many of a million.
const CANCEL: Failure =
    Failure { millionths: 700, error_type: "asyncio.exceptions.CancelledError", message: "", source: "await answer" };

/// Functions that the event loop gives to a thread, with all they call.
const THREADED: [&str; 3] = ["shop.users.passwords.verify", "shop.storage.files.read", "shop.recommend.model.predict"];

/// Writes a tape of `calls` rows to `path`.
pub(crate) fn write(path: &Path, calls: u64, seed: u64) -> Result<(), Fault> {
    let mut day = Day::new(path, seed)?;
    let requests = calls as f64 / day.rows_a_request();
    let mut number = 0;
    while day.tape.stored < calls {
        let began = time_of((number as f64 + day.random.share()) / requests);
        day.request(number, began, calls)?;
        number += 1;
    }
    day.tape.finish(path)
}

/// When the request at this share of all arrives, ns after the day's beginning: half as many at night.
fn time_of(share: f64) -> i64 {
    let share = share.min(1.0);
    let turned = std::f64::consts::TAU * share;
    ((share - turned.sin() / (3.0 * std::f64::consts::TAU)) * DAY as f64) as i64
}

struct Day {
    growth: Growth,
    random: Random,
    processes: Vec<Process>,
    tape: Tape,
    tree: Tree,
}

/// What all calls of one request share.
struct Shared {
    request: Request,
    place: Place,
    began: i64,
    weight: Option<f64>,
    task: Option<String>,
}

impl Day {
    fn new(path: &Path, seed: u64) -> Result<Self, Fault> {
        let processes = processes::of_the_day();
        let tape = Tape::create(path, &processes)?;
        Ok(Self { growth: Growth::new(), random: Random::new(seed), processes, tape, tree: Tree::default() })
    }

    /// How many rows a request has, on average.
    fn rows_a_request(&self) -> f64 {
        let (mut random, mut tree, mut rows) = (Random::new(1), Tree::default(), 0.0);
        for number in 0..TREES_WEIGHED {
            let (root, rate) = self.growth.root(&mut random);
            let weather = Weather { bank: 1.0, may_fail: rate == 1.0 };
            let request = Request::new(number, &mut random);
            self.growth.grow(root, &request, weather, &mut random, &mut tree);
            rows += tree.nodes.len() as f64 * rate;
        }
        rows / TREES_WEIGHED as f64
    }

    fn request(&mut self, number: u64, began: i64, calls: u64) -> Result<(), Fault> {
        let (root, rate) = self.growth.root(&mut self.random);
        let is_task = FUNCTIONS[root].name.starts_with("shop.tasks.");
        let place = processes::who_runs(&self.processes, is_task, began, &mut self.random);
        let request = Request::new(number, &mut self.random);
        let bank = if (SLOW_BANK.0..SLOW_BANK.1).contains(&began) { BANK_SLOWER } else { 1.0 };
        // What is left out has not failed: errors are kept at any rate.
        let weather = Weather { bank, may_fail: rate == 1.0 };
        let mut tree = std::mem::take(&mut self.tree);
        self.growth.grow(root, &request, weather, &mut self.random, &mut tree);
        let full = place.process == 0 && (OVERLOAD.0..OVERLOAD.1).contains(&began) && self.random.is(DROPPED_SHARE);
        let missing = match () {
            () if !self.random.is(rate) => Some(Missing::SampledOut),
            () if full && tree.exceptions.is_empty() => Some(Missing::Dropped),
            () => None,
        };
        self.processes[place.process].is_busy(place.thread, began + tree.nodes[0].took as i64);
        if let Some(why) = missing {
            for node in &tree.nodes {
                let ended = START_NS + began + (node.began + node.took) as i64;
                self.tape.count(place.process, node.function, ended, node.took as i64, why);
            }
        } else {
            self.cancel(&mut tree);
            let task = Some(format!("Task-{}", 10 + number % 1_000_000));
            let shared = Shared { request, place, began, weight: (rate < 1.0).then_some(1.0 / rate), task };
            self.store(&tree, &shared, calls);
        }
        self.tree = tree;
        self.tape.write(START_NS + began)
    }

    /// The client of some coroutines goes away.
    fn cancel(&mut self, tree: &mut Tree) {
        let root = &mut tree.nodes[0];
        let waits = FUNCTIONS[root.function].kind == "coroutine" && root.status == OK;
        if waits && self.random.below(1_000_000) < CANCEL.millionths {
            (root.status, root.error) = (CANCELLED, Some(tree.exceptions.len()));
            tree.exceptions.push(Exception { failure: &CANCEL, message: String::new(), raised_by: 0 });
        }
    }

    fn store(&mut self, tree: &Tree, shared: &Shared, calls: u64) {
        // Ids by place in the tree, and the thread each runs in.
        let mut placed: Vec<(i64, usize)> = Vec::with_capacity(tree.nodes.len());
        let process = &self.processes[shared.place.process];
        let ends = process.ended;
        let pool = process.threads.len();
        for (at, node) in tree.nodes.iter().enumerate() {
            let began = shared.began + node.began as i64;
            // What a process that died had not begun, or what is beyond the tape's size.
            if began >= ends || self.tape.stored >= calls {
                placed.push((0, 0));
                continue;
            }
            let parent = node.parent.map(|parent| placed[parent]);
            let id = self.tape.id_at(START_NS + began);
            let inherited = parent.map_or(shared.place.thread, |parent| parent.1);
            let is_moved = inherited == 0 && pool > 1 && THREADED.contains(&FUNCTIONS[node.function].name);
            let thread = if is_moved { 1 + self.random.below(pool as u64 - 1) as usize } else { inherited };
            placed.push((id, thread));
            let mut row = Row {
                process: shared.place.process,
                thread,
                function: node.function,
                status: if began + node.took as i64 > ends { INTERRUPTED } else { node.status },
                started_ns: START_NS + began,
                took: node.took as i64,
                args: String::with_capacity(96),
                result: None,
                parent: parent.map(|parent| parent.0),
                root: placed[0].0,
                weight: shared.weight,
                task: shared.task.clone(),
                failed: None,
            };
            let function = &FUNCTIONS[node.function];
            arguments(function.parameters, &shared.request, &mut self.random, &mut row.args);
            match row.status {
                OK => {
                    let mut result = String::with_capacity(32);
                    fill(function.result, &shared.request, &mut self.random, &mut result);
                    row.result = Some(result);
                }
                ERROR | CANCELLED => row.failed = node.error.map(|error| failed(tree, at, &tree.exceptions[error])),
                _ => {}
            }
            self.tape.put(id, row);
        }
    }
}

/// What the exception adds to the call at `place` of the tree.
fn failed(tree: &Tree, place: usize, exception: &Exception) -> Failed {
    let failure = exception.failure;
    let raised_by = tree.nodes[exception.raised_by].function;
    let line = line_of(raised_by) + 3 + failure.source.len() as i64 % 11;
    let mut way = vec![exception.raised_by];
    while let Some(parent) = tree.nodes[way[way.len() - 1]].parent.filter(|_| way[way.len() - 1] != place) {
        way.push(parent);
    }
    let mut traceback = String::with_capacity(256 * way.len());
    traceback.push_str(r#"[{"type":"#);
    quoted(failure.error_type, &mut traceback);
    traceback.push_str(r#","message":"#);
    quoted(&exception.message, &mut traceback);
    traceback.push_str(r#","relation":null,"frames":["#);
    for (at, node) in way.iter().rev().enumerate() {
        let function = tree.nodes[*node].function;
        let is_last = *node == exception.raised_by;
        let (at_line, source) = match () {
            () if is_last => (line, failure.source.to_owned()),
            () => (line_of(function) + 5, format!("answer = {}(request)", place_of(function))),
        };
        let (comma, file, name) = (if at == 0 { "" } else { "," }, file_of(function), place_of(function));
        let _ = write!(traceback, r#"{comma}{{"file":"{file}","line":{at_line},"function":"{name}","source":"#);
        quoted(&source, &mut traceback);
        traceback.push('}');
    }
    traceback.push_str("]}]");
    Failed { error_type: failure.error_type, message: exception.message.clone(), traceback, raised_by, line }
}
