//! The breaker's states, with time passed in.

use std::time::Duration;

use calltape_engine::breaker::{Breaker, Change, Fault, State};

const SECOND: u64 = 1_000_000_000;

#[test]
fn it_opens_after_the_threshold_and_not_before() {
    let mut breaker = Breaker::new(3, Duration::from_secs(60), 1);
    assert_eq!(breaker.failed(Fault::Capacity, "disk full", 1), None);
    assert_eq!(breaker.failed(Fault::Other, "disk full", 2), None);
    assert!(breaker.permits(2));
    assert_eq!(breaker.failed(Fault::Capacity, "disk full", 3), Some(Change::Opened));
    assert_eq!((breaker.state(), breaker.opens(), breaker.failures()), (State::Open, 1, 3));
    assert_eq!(breaker.last_error(), Some("disk full"));
}

#[test]
fn a_success_in_between_begins_the_count_anew() {
    let mut breaker = Breaker::new(2, Duration::from_secs(60), 1);
    for now in 0..10 {
        assert_eq!(breaker.failed(Fault::Other, "x", now), None);
        assert_eq!(breaker.succeeded(), None);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_busy_database_counts_once_it_was_busy_for_five_seconds() {
    let mut breaker = Breaker::new(1, Duration::from_secs(60), 1);
    assert_eq!(breaker.failed(Fault::Busy, "locked", SECOND), None);
    assert_eq!(breaker.failed(Fault::Busy, "locked", 5 * SECOND), None);
    assert_eq!(breaker.failed(Fault::Busy, "locked", 6 * SECOND), Some(Change::Opened));
}

#[test]
fn a_busy_spell_ends_with_a_success() {
    let mut breaker = Breaker::new(1, Duration::from_secs(60), 1);
    assert_eq!(breaker.failed(Fault::Busy, "locked", 0), None);
    assert_eq!(breaker.succeeded(), None);
    assert_eq!(breaker.failed(Fault::Busy, "locked", 6 * SECOND), None);
}

#[test]
fn one_probe_decides_whether_it_closes() {
    let mut breaker = Breaker::new(1, Duration::from_secs(60), 1);
    breaker.failed(Fault::Other, "x", 0);
    let delay = breaker.until_probe(0).expect("open").as_nanos() as u64;
    assert!(delay < SECOND / 10, "the first delay is within 100 ms");
    assert!(delay == 0 || !breaker.permits(delay - 1));
    assert!(breaker.permits(delay));
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.failed(Fault::Other, "y", delay), None);
    assert_eq!((breaker.state(), breaker.opens()), (State::Open, 1));
    let delay = delay + breaker.until_probe(delay).expect("open").as_nanos() as u64;
    assert!(breaker.permits(delay));
    assert_eq!(breaker.succeeded(), Some(Change::Closed));
    assert_eq!((breaker.state(), breaker.failures()), (State::Closed, 0));
}

#[test]
fn delays_double_up_to_the_timeout_and_differ_between_processes() {
    let timeout = Duration::from_secs(3);
    let mut means = Vec::new();
    for round in 0..8 {
        let delays: Vec<u128> = (0..200u64)
            .map(|seed| {
                let mut breaker = Breaker::new(1, timeout, seed * 7919 + 1);
                breaker.failed(Fault::Other, "x", 0);
                for _ in 0..round {
                    breaker.permits(u64::MAX);
                    breaker.failed(Fault::Other, "x", 0);
                }
                breaker.until_probe(0).expect("open").as_millis()
            })
            .collect();
        let ceiling = (100u128 << round).min(3000);
        assert!(delays.iter().all(|delay| *delay < ceiling), "round {round}");
        means.push(delays.iter().sum::<u128>() / 200);
        assert!(means[round].abs_diff(ceiling / 2) < ceiling / 5, "round {round}: {means:?}");
    }
}
