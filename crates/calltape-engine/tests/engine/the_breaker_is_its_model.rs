//! Any number of tries at a time, with any outcome, in any order, on a clock that is moved by hand: the breaker does what
//! a model does that is too slow and too plain to be wrong. The jitter is the breaker's own; the model checks its bounds.

use std::time::Duration;

use calltape_engine::breaker::{Breaker, Change, Fault, Patience, Permit, State};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

#[derive(Debug, Clone)]
enum Step {
    /// The clock goes on by so many milliseconds.
    Wait(u64),
    /// Somebody asks, and begins if permitted.
    Ask,
    /// One of the tries under way ends, counted from the oldest.
    Succeed(usize),
    Fail(usize, bool),
    GiveUp(usize),
    /// Somebody begins whatever the state.
    Insist,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u64..400).prop_map(Step::Wait),
        6 => Just(Step::Ask),
        2 => (0usize..4).prop_map(Step::Succeed),
        5 => (0usize..4, any::<bool>()).prop_map(|(which, busy)| Step::Fail(which, busy)),
        1 => (0usize..4).prop_map(Step::GiveUp),
        1 => Just(Step::Insist),
    ];
    prop::collection::vec(step, 1..200)
}

/// What a breaker is, said plainly: every change of state begins a new chapter, and only tries of the last chapter count.
struct Model {
    patience: Patience,
    state: State,
    chapter: u64,
    probes: u32,
    failures: u32,
    opens: u64,
    failed_probes: u32,
    busy_since: Option<u64>,
    probe_at: u64,
}

impl Model {
    fn turn(&mut self, state: State) {
        (self.state, self.chapter, self.probes) = (state, self.chapter + 1, 0);
    }

    fn permits(&self, now: u64) -> bool {
        match self.state {
            State::Closed => true,
            State::Open => now >= self.probe_at,
            State::HalfOpen => self.probes == 0,
        }
    }

    fn begin(&mut self) -> u64 {
        if self.state == State::Open {
            self.turn(State::HalfOpen);
        }
        if self.state == State::HalfOpen {
            self.probes = 1;
        }
        self.chapter
    }

    fn succeed(&mut self, chapter: u64) -> Option<Change> {
        if chapter != self.chapter {
            return None;
        }
        (self.failures, self.busy_since) = (0, None);
        (self.state == State::HalfOpen).then(|| {
            self.failed_probes = 0;
            self.turn(State::Closed);
            Change::Closed
        })
    }

    /// The change, and whether a delay was drawn.
    fn fail(&mut self, chapter: u64, busy: bool, now: u64) -> (Option<Change>, bool) {
        if chapter != self.chapter {
            return (None, false);
        }
        if busy {
            let since = *self.busy_since.get_or_insert(now);
            let in_grace = Duration::from_nanos(now - since) < self.patience.busy_grace;
            if self.state == State::Closed && in_grace {
                return (None, false);
            }
        }
        self.failures += 1;
        match self.state {
            State::HalfOpen => {
                self.failed_probes += 1;
                self.turn(State::Open);
                (None, true)
            }
            _ if self.failures >= self.patience.threshold => {
                self.opens += 1;
                self.turn(State::Open);
                (Some(Change::Opened), true)
            }
            _ => (None, false),
        }
    }

    fn longest_delay(&self) -> u64 {
        let ceiling = Duration::from_millis(100 << self.failed_probes.min(20));
        ceiling.min(self.patience.timeout).as_nanos() as u64
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_of_tries_goes_as_in_the_model(
        steps in steps(),
        threshold in 1u32..5,
        timeout_ms in 1u64..2_000,
        grace_ms in 0u64..600,
        seed in any::<u64>(),
    ) {
        let patience = Patience {
            threshold,
            timeout: Duration::from_millis(timeout_ms),
            busy_grace: Duration::from_millis(grace_ms),
        };
        let mut breaker = Breaker::new(patience, seed);
        let mut model = Model {
            patience, state: State::Closed, chapter: 0, probes: 0, failures: 0, opens: 0, failed_probes: 0,
            busy_since: None, probe_at: 0,
        };
        let mut now = 0;
        let mut under_way: Vec<(Permit, u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(ms) => now += ms * MS,
                Step::Ask => {
                    let permitted = model.permits(now);
                    prop_assert_eq!(breaker.refused_for(now).is_none(), permitted);
                    match breaker.ask(now) {
                        Ok(permit) => {
                            prop_assert!(permitted);
                            under_way.push((permit, model.begin()));
                        }
                        Err(left) => {
                            prop_assert!(!permitted && left > Duration::ZERO && left <= patience.timeout);
                        }
                    }
                }
                Step::Insist => under_way.push((breaker.insist(), model.begin())),
                Step::Succeed(which) if which < under_way.len() => {
                    let (permit, chapter) = under_way.remove(which);
                    prop_assert_eq!(breaker.succeeded(permit), model.succeed(chapter));
                }
                Step::Fail(which, busy) if which < under_way.len() => {
                    let (permit, chapter) = under_way.remove(which);
                    let fault = if busy { Fault::Busy } else { Fault::Other };
                    let (change, drawn) = model.fail(chapter, busy, now);
                    prop_assert_eq!(breaker.failed(permit, fault, "x", now), change);
                    if drawn {
                        let delay = breaker.until_probe(now).expect("open").as_nanos() as u64;
                        prop_assert!((1..=model.longest_delay()).contains(&delay), "{delay} ns");
                        model.probe_at = now + delay;
                    }
                }
                Step::GiveUp(which) if which < under_way.len() => {
                    let (permit, chapter) = under_way.remove(which);
                    breaker.given_up(permit);
                    if chapter == model.chapter {
                        model.probes = 0;
                    }
                }
                _ => {}
            }
            prop_assert_eq!(breaker.state(), model.state);
            prop_assert_eq!((breaker.opens(), breaker.failures()), (model.opens, model.failures));
            prop_assert_eq!(breaker.until_probe(now).is_some(), model.state == State::Open);
        }
    }
}
