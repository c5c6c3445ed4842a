//! The breaker's states, with time passed in.

use std::time::Duration;

use calltape_engine::breaker::{Breaker, Change, Fault, Patience, State};

const SECOND: u64 = 1_000_000_000;

fn breaker(threshold: u32) -> Breaker {
    breaker_with(threshold, Duration::from_secs(60), 1)
}

fn breaker_with(threshold: u32, timeout: Duration, seed: u64) -> Breaker {
    Breaker::new(Patience { threshold, timeout, busy_grace: Duration::from_secs(5) }, seed)
}

fn fail(breaker: &mut Breaker, fault: Fault, message: &str, now_ns: u64) -> Option<Change> {
    let permit = breaker.ask(now_ns).expect("permitted");
    breaker.failed(permit, fault, message, now_ns)
}

fn succeed(breaker: &mut Breaker, now_ns: u64) -> Option<Change> {
    let permit = breaker.ask(now_ns).expect("permitted");
    breaker.succeeded(permit)
}

#[test]
fn it_opens_after_the_threshold_and_not_before() {
    let mut breaker = breaker(3);
    assert_eq!(fail(&mut breaker, Fault::Capacity, "disk full", 1), None);
    assert_eq!(fail(&mut breaker, Fault::Other, "disk full", 2), None);
    assert_eq!(fail(&mut breaker, Fault::Capacity, "disk fuller", 3), Some(Change::Opened));
    assert_eq!((breaker.state(), breaker.opens(), breaker.failures()), (State::Open, 1, 3));
    assert_eq!(breaker.last_error(), Some("disk fuller"));
    assert!(breaker.ask(3).is_err(), "whoever is told that it opened finds it open");
}

#[test]
fn a_timeout_of_nothing_leaves_it_open_for_a_moment() {
    let mut breaker = breaker_with(1, Duration::ZERO, 1);
    assert_eq!(fail(&mut breaker, Fault::Capacity, "disk full", 5), Some(Change::Opened));
    assert_eq!(breaker.until_probe(5), Some(Duration::from_nanos(1)));
    assert!(breaker.ask(5).is_err());
    assert!(breaker.ask(6).is_ok());
}

#[test]
fn a_success_in_between_begins_the_count_anew() {
    let mut breaker = breaker(2);
    for now in 0..10 {
        assert_eq!(fail(&mut breaker, Fault::Other, "x", now), None);
        assert_eq!(succeed(&mut breaker, now), None);
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.last_error(), Some("x"), "kept for whoever asks later");
}

#[test]
fn a_busy_database_counts_once_it_was_busy_for_the_grace() {
    let mut breaker = breaker(1);
    assert_eq!(fail(&mut breaker, Fault::Busy, "locked", SECOND), None);
    assert_eq!(fail(&mut breaker, Fault::Busy, "locked", 6 * SECOND - 1), None);
    assert_eq!((breaker.failures(), breaker.last_error()), (0, Some("locked")));
    assert_eq!(fail(&mut breaker, Fault::Busy, "locked", 6 * SECOND), Some(Change::Opened));
}

#[test]
fn a_busy_spell_ends_with_a_success() {
    let mut breaker = breaker(1);
    assert_eq!(fail(&mut breaker, Fault::Busy, "locked", 0), None);
    assert_eq!(succeed(&mut breaker, 1), None);
    assert_eq!(fail(&mut breaker, Fault::Busy, "locked", 6 * SECOND), None);
}

#[test]
fn a_probe_that_finds_the_database_busy_opens_it_again() {
    let mut breaker = breaker(1);
    fail(&mut breaker, Fault::Other, "x", 0);
    assert_eq!(fail(&mut breaker, Fault::Busy, "locked", SECOND), None);
    assert_eq!((breaker.state(), breaker.opens()), (State::Open, 1));
}

#[test]
fn one_probe_decides_whether_it_closes() {
    let mut breaker = breaker(1);
    fail(&mut breaker, Fault::Other, "x", 0);
    let delay = breaker.until_probe(0).expect("open").as_nanos() as u64;
    assert!(delay <= SECOND / 10, "the first delay is within 100 ms");
    assert_eq!(breaker.ask(delay - 1), Err(Duration::from_nanos(1)));
    let probe = breaker.ask(delay).expect("a probe");
    assert_eq!(breaker.state(), State::HalfOpen);
    assert!(breaker.ask(delay + SECOND).is_err(), "one probe at a time, however long it takes");
    assert_eq!(breaker.failed(probe, Fault::Other, "y", delay), None);
    assert_eq!((breaker.state(), breaker.opens()), (State::Open, 1));
    let delay = delay + breaker.until_probe(delay).expect("open").as_nanos() as u64;
    assert_eq!(succeed(&mut breaker, delay), Some(Change::Closed));
    assert_eq!((breaker.state(), breaker.failures(), breaker.until_probe(delay)), (State::Closed, 0, None));
}

#[test]
fn a_probe_that_is_given_up_makes_room_for_the_next() {
    let mut breaker = breaker(1);
    fail(&mut breaker, Fault::Other, "x", 0);
    let probe = breaker.ask(SECOND).expect("a probe");
    assert!(breaker.ask(SECOND).is_err());
    breaker.given_up(probe);
    assert_eq!(succeed(&mut breaker, SECOND), Some(Change::Closed));
}

#[test]
fn what_is_put_off_is_no_failure_and_says_why() {
    let mut breaker = breaker(1);
    for now in 0..10 {
        let permit = breaker.ask(now).expect("permitted");
        breaker.put_off(permit, "a reader holds it");
    }
    assert_eq!((breaker.state(), breaker.failures()), (State::Closed, 0));
    assert_eq!(breaker.last_error(), Some("a reader holds it"));
}

#[test]
fn what_comes_back_after_a_change_of_state_changes_nothing() {
    let mut breaker = breaker(1);
    let [slow, slower, slowest] = [(); 3].map(|()| breaker.ask(0).expect("permitted"));
    fail(&mut breaker, Fault::Other, "x", 0);
    assert_eq!(breaker.succeeded(slow), None);
    assert_eq!(breaker.state(), State::Open, "a success from before says nothing of now");
    let probe = breaker.ask(SECOND).expect("a probe");
    assert_eq!(breaker.failed(slower, Fault::Other, "late", SECOND), None);
    breaker.given_up(slowest);
    assert!(breaker.ask(SECOND).is_err(), "the probe is still under way");
    assert_eq!((breaker.state(), breaker.last_error()), (State::HalfOpen, Some("x")));
    assert_eq!(breaker.succeeded(probe), Some(Change::Closed));
}

#[test]
fn the_last_try_there_is_does_not_wait_for_the_delay() {
    let mut breaker = breaker(1);
    fail(&mut breaker, Fault::Other, "x", 0);
    let last = breaker.insist();
    assert_eq!(breaker.succeeded(last), Some(Change::Closed));
}

#[test]
fn delays_double_up_to_the_timeout_and_differ_between_processes() {
    let timeout = Duration::from_secs(3);
    let mut means = Vec::new();
    for round in 0..8 {
        let delays: Vec<u128> = (0..200u64)
            .map(|seed| {
                let mut breaker = breaker_with(1, timeout, seed);
                fail(&mut breaker, Fault::Other, "x", 0);
                for _ in 0..round {
                    let probe = breaker.insist();
                    breaker.failed(probe, Fault::Other, "x", 0);
                }
                breaker.until_probe(0).expect("open").as_millis()
            })
            .collect();
        let ceiling = (100u128 << round).min(3000);
        assert!(delays.iter().all(|delay| *delay <= ceiling), "round {round}");
        means.push(delays.iter().sum::<u128>() / 200);
        assert!(means[round].abs_diff(ceiling / 2) < ceiling / 5, "round {round}: {means:?}");
    }
}

#[test]
fn a_timeout_shorter_than_the_first_delay_bounds_that_too() {
    let timeout = Duration::from_millis(3);
    for seed in 0..100 {
        let mut breaker = breaker_with(1, timeout, seed);
        fail(&mut breaker, Fault::Other, "x", 0);
        assert!(breaker.until_probe(0).expect("open") <= timeout);
    }
}

#[test]
fn after_it_closed_the_delays_begin_small_again() {
    let mut breaker = breaker(1);
    fail(&mut breaker, Fault::Other, "x", 0);
    for _ in 0..8 {
        let probe = breaker.insist();
        breaker.failed(probe, Fault::Other, "x", 0);
    }
    let probe = breaker.insist();
    breaker.succeeded(probe);
    fail(&mut breaker, Fault::Other, "x", 0);
    assert!(breaker.until_probe(0).expect("open") <= Duration::from_millis(100));
    assert_eq!(breaker.opens(), 2);
}
