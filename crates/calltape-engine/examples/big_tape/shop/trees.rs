//! Trees of calls: what a request makes of the catalogue. Deterministic in the random numbers it is given; knows no tape.

use super::catalogue::{FUNCTIONS, Failure, ROOTS};
use super::random::Random;
use super::text::{Request, fill};

/// Deepest call of a tree: recursion in the catalogue would be a mistake, and ends here.
const DEEPEST: usize = 12;

/// How much more fails than the catalogue says: with what passes through callers, one call of a hundred and fifty.
const BAD_DAY: f64 = 8.0;

/// How a call ended, numbered as the tape does.
pub(crate) const OK: u8 = 0;
pub(crate) const ERROR: u8 = 1;
pub(crate) const CANCELLED: u8 = 2;
pub(crate) const INTERRUPTED: u8 = 6;

/// A call of a tree; times in ns after the tree's start.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) function: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) began: u64,
    pub(crate) took: u64,
    pub(crate) status: u8,
    pub(crate) error: Option<usize>,
}

/// An exception on its way through a tree.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) failure: &'static Failure,
    pub(crate) message: String,
    /// The call that raised it.
    pub(crate) raised_by: usize,
}

/// One request's calls, parents before children, and what was raised.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) exceptions: Vec<Exception>,
}

/// The catalogue with its names looked up.
#[derive(Debug)]
pub(crate) struct Growth {
    calls: Vec<Vec<(usize, f64, u64)>>,
    /// Function, how often up to here, rate.
    roots: Vec<(usize, u64, f64)>,
}

/// What is not as always while a tree grows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// The bank answers this much slower, and fails as much more often.
    pub(crate) bank: f64,
    /// Errors may happen.
    pub(crate) may_fail: bool,
}

impl Growth {
    pub(crate) fn new() -> Self {
        let number =
            |name: &str| FUNCTIONS.iter().position(|function| function.name == name).expect("in the catalogue");
        let calls = FUNCTIONS
            .iter()
            .map(|function| function.calls.iter().map(|(name, likely, most)| (number(name), *likely, *most)).collect());
        let mut sum = 0;
        let roots = ROOTS.iter().map(|(name, often, rate)| {
            sum += often;
            (number(name), sum, *rate)
        });
        Self { calls: calls.collect(), roots: roots.collect() }
    }

    /// What begins the next tree, and the rate such trees are kept at.
    pub(crate) fn root(&self, random: &mut Random) -> (usize, f64) {
        let drawn = random.below(self.roots.last().map_or(1, |root| root.1));
        let root = self.roots.iter().find(|root| drawn < root.1).expect("the last holds all");
        (root.0, root.2)
    }

    /// Grows the tree of `root` into `tree`, in the place of what was there.
    pub(crate) fn grow(&self, root: usize, request: &Request, weather: Weather, random: &mut Random, tree: &mut Tree) {
        tree.nodes.clear();
        tree.exceptions.clear();
        self.call(root, None, 0, 0, &mut Growing { request, weather, random, tree });
    }

    /// Makes a call that begins at `began`; when it ends, and whether in an exception.
    fn call(
        &self,
        function: usize,
        parent: Option<usize>,
        began: u64,
        depth: usize,
        growing: &mut Growing<'_>,
    ) -> (u64, Option<usize>) {
        let place = growing.tree.nodes.len();
        growing.tree.nodes.push(Node { function, parent, began, took: 0, status: OK, error: None });
        let own = growing.own_ns(function);
        let mut now = began + own / 2;
        let mut error = None;
        for &(callee, likely, most) in self.calls[function].iter().filter(|_| depth < DEEPEST) {
            if error.is_some() || !growing.random.is(likely) {
                continue;
            }
            for _ in 0..=growing.random.skewed(most) {
                let (ended, raised) = self.call(callee, Some(place), now, depth + 1, growing);
                now = ended + own / 20;
                // Most exceptions pass through; some callers go on without the answer.
                error = raised.filter(|_| growing.random.is(0.75));
                if error.is_some() {
                    break;
                }
            }
        }
        let ended = now + own / 2;
        error = error.or_else(|| growing.fail(place, function));
        let node = &mut growing.tree.nodes[place];
        (node.took, node.error) = (ended - began, error);
        node.status = if error.is_some() { ERROR } else { OK };
        (ended, error)
    }
}

struct Growing<'tree> {
    request: &'tree Request,
    weather: Weather,
    random: &'tree mut Random,
    tree: &'tree mut Tree,
}

impl Growing<'_> {
    fn slowness(&self, function: usize) -> f64 {
        if FUNCTIONS[function].name == "shop.billing.gateway.Client.post" { self.weather.bank } else { 1.0 }
    }

    fn own_ns(&mut self, function: usize) -> u64 {
        let of = &FUNCTIONS[function];
        (of.own_us * 1_000.0 * self.random.factor(of.spread) * self.slowness(function)) as u64 + 200
    }

    /// Whether the call raises an exception of its own: its number.
    fn fail(&mut self, place: usize, function: usize) -> Option<usize> {
        if !self.weather.may_fail {
            return None;
        }
        let more = self.slowness(function) * BAD_DAY;
        for failure in FUNCTIONS[function].failures {
            if self.random.below(1_000_000) < (failure.millionths as f64 * more) as u64 {
                let mut message = String::new();
                fill(failure.message, self.request, self.random, &mut message);
                self.tree.exceptions.push(Exception { failure, message, raised_by: place });
                return Some(self.tree.exceptions.len() - 1);
            }
        }
        None
    }
}
