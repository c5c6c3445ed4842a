use super::decision::Weights;
use super::{Decision, Meter, Rate, Sampling};

const SECOND: u64 = 1_000_000_000;

/// xorshift64*, as a caller's thread has it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

/// What became of a function's calls, from the third second on, when the meter knows it.
struct Outcome {
    calls: u64,
    kept: u64,
    weights: f64,
}

impl Outcome {
    fn share(&self) -> f64 {
        self.kept as f64 / self.calls as f64
    }
}

/// Calls a function evenly for some seconds.
fn called_evenly(per_second: u64, seconds: u64, sampling: Sampling, harder: bool) -> Outcome {
    let began = 77 * SECOND;
    let mut meter = Meter::new(began);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut outcome = Outcome { calls: 0, kept: 0, weights: 0.0 };
    for call in 0..per_second * seconds {
        let now = began + call * SECOND / per_second;
        let decision = sampling.decide(harder, &mut meter, now, call, random.next());
        if now >= began + 2 * SECOND {
            outcome.calls += 1;
            if decision != Decision::LEFT_OUT {
                outcome.kept += 1;
                outcome.weights += decision.weight();
            }
        }
    }
    outcome
}

#[test]
fn auto_keeps_all_calls_up_to_ten_a_second() {
    for per_second in [1, 5, 9, 10] {
        let outcome = called_evenly(per_second, 30, Sampling::Auto, false);
        assert_eq!(outcome.kept, outcome.calls, "{per_second} a second");
        assert_eq!(outcome.weights, outcome.calls as f64);
    }
}

#[test]
fn auto_falls_smoothly_with_how_often_a_function_is_called() {
    let expected =
        [(20, 0.5), (50, 0.2), (100, 0.1), (500, 0.1), (1_000, 0.1), (2_000, 0.05), (10_000, 0.01), (50_000, 0.01)];
    for (per_second, share) in expected {
        // 10,000 calls or more: the share kept is within 7 standard deviations of the binomial distribution, and an
        // eighth of a call in the weight.
        let outcome = called_evenly(per_second, (20_000 / per_second).max(4) + 2, Sampling::Auto, false);
        let deviation = (share * (1.0 - share) / outcome.calls as f64).sqrt();
        let off = (outcome.share() - share).abs();
        assert!(off < 7.0 * deviation + share * 0.07, "{per_second} a second: {} for {share}", outcome.share());
    }
}

#[test]
fn the_weights_of_what_auto_keeps_add_up_to_the_calls() {
    for per_second in [15, 70, 400, 3_000, 30_000] {
        let outcome = called_evenly(per_second, (40_000 / per_second).max(4) + 2, Sampling::Auto, false);
        let share = outcome.share();
        let deviation = ((1.0 - share) / (share * outcome.calls as f64)).sqrt();
        let off = outcome.weights / outcome.calls as f64 - 1.0;
        assert!(off.abs() < 7.0 * deviation, "{per_second} a second: off by {off}");
    }
}

#[test]
fn auto_follows_a_function_that_comes_to_rest() {
    let mut meter = Meter::new(0);
    let mut calls = 0;
    let mut now = 0;
    while now < 2 * SECOND {
        now += SECOND / 50_000;
        calls += 1;
        meter.rate(now, calls, false);
    }
    assert!(!meter.rate(now, calls, false).keeps_all());
    for _ in 0..10 {
        now += SECOND / 2;
        calls += 1;
        meter.rate(now, calls, false);
    }
    assert!(meter.rate(now, calls, false).keeps_all());
}

#[test]
fn a_rate_is_told_anew_ten_times_a_second_at_most() {
    let mut meter = Meter::new(0);
    assert!(meter.rate(SECOND / 10 - 1, 1_000_000, false).keeps_all());
    let told = meter.rate(SECOND / 10, 1_000_000, false);
    assert!(!told.keeps_all());
    assert_eq!(meter.rate(2 * SECOND / 10 - 1, 1_000_001, false), told);
}

#[test]
fn a_filling_journal_takes_a_tenth_of_the_limits() {
    for (per_second, share) in [(1, 1.0), (5, 0.2), (10, 0.1), (100, 0.1), (200, 0.05), (1_000, 0.01)] {
        for sampling in [Sampling::Everything, Sampling::Auto] {
            let outcome = called_evenly(per_second, 20_000 / per_second, sampling, true);
            let off = (outcome.share() - share).abs();
            assert!(off < share * 0.2, "{sampling:?}, {per_second} a second: {} for {share}", outcome.share());
        }
    }
}

#[test]
fn a_filling_journal_raises_no_rate_and_leaves_what_is_called_seldom_undecided() {
    let outcome = called_evenly(1, 20_000, Sampling::of_share(0.25), true);
    assert!((outcome.share() - 0.25).abs() < 0.03, "{}", outcome.share());
    let mut meter = Meter::new(0);
    assert_eq!(Sampling::Everything.decide(true, &mut meter, 5 * SECOND, 3, u32::MAX), Decision::UNDECIDED);
    assert_eq!(Sampling::Everything.decide(false, &mut meter, 6 * SECOND, 1_000_000, u32::MAX), Decision::UNDECIDED);
}

#[test]
fn a_share_draws_itself_and_says_its_weight() {
    for (share, weight) in [(0.25, 4.0), (0.01, 100.0), (0.3, 1.0 / 0.3), (1e-6, 1e6)] {
        let kept = Rate::of_share(share).draw(0);
        assert_eq!(kept.weight(), weight);
        assert_eq!(Decision::of(kept.number()), kept);
        let limit = (share * 4_294_967_296.0) as u32;
        assert_eq!(Rate::of_share(share).draw(limit + 1), Decision::LEFT_OUT);
        assert_eq!(Rate::of_share(share).draw(limit - 1), kept);
    }
    assert_eq!(Rate::of_share(0.0).draw(0), Decision::LEFT_OUT);
    assert_eq!(Rate::of_share(1.0).draw(u32::MAX).weight(), 1.0);
}

#[test]
fn more_different_weights_than_have_a_place_share_the_nearest() {
    let weights = Box::new(Weights::new());
    for n in 0..4_000 {
        let weight = 100.5 + f64::from(n);
        let place = weights.place_of(weight);
        assert_eq!(weights.place_of(weight), place);
        let expected = if n < 1_253 { weight } else { 100.5 + 1_252.0 };
        assert_eq!(weights.at(place), expected);
    }
}
