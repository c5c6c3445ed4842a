//! Minutes: their counts are the rows', their quantiles within 2 % of the exact ones.

use crate::stage::{Stage, drain_all};
use calltape_engine::rollup::Latency;
use calltape_journal::monotonic_ns;
use proptest::prelude::*;

/// The exact value that a share of `quantile` do not exceed.
fn exact(sorted: &[u64], quantile: f64) -> u64 {
    let rank = ((quantile * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
    sorted[rank - 1]
}

proptest! {
    #[test]
    fn a_quantile_is_within_two_percent_also_after_merging(
        first in prop::collection::vec(0u64..60_000_000_000, 1..400),
        second in prop::collection::vec(0u64..10_000, 0..400),
    ) {
        let (mut left, mut right) = (Latency::new(), Latency::new());
        first.iter().for_each(|ns| left.record(*ns));
        second.iter().for_each(|ns| right.record(*ns));
        left.merge(&Latency::decode(&right.encode()).expect("decodes"));
        let mut all = [first, second].concat();
        all.sort_unstable();
        prop_assert_eq!(left.count(), all.len() as u64);
        for quantile in [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
            let (read, exact) = (left.quantile(quantile).expect("not empty"), exact(&all, quantile));
            prop_assert!(read.abs_diff(exact) * 50 <= exact, "{}: {} for {}", quantile, read, exact);
        }
    }
}

proptest! {
    #[test]
    fn histograms_of_parts_are_that_of_the_whole_in_any_order(
        parts in prop::collection::vec(prop::collection::vec(0u64..60_000_000_000, 0..60), 1..8),
        turned in 0usize..8,
    ) {
        let of = |values: &[u64]| {
            let mut latency = Latency::new();
            values.iter().for_each(|ns| latency.record(*ns));
            latency
        };
        let mut merged = Latency::new();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.rotate_left(turned % parts.len());
        order.iter().for_each(|part| merged.merge(&of(&parts[*part])));
        prop_assert_eq!(merged.encode(), of(&parts.concat()).encode());
    }
}

/// What durations look like: `n` of `count`, in a sequence that is the same each time.
fn durations(shape: &str, count: u64) -> Vec<u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut share = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut normal = move || (0..12).map(|_| share()).sum::<f64>() - 6.0;
    (0..count)
        .map(|n| match shape {
            "constant" => 123_456,
            "of one octave" => 65_536 + n % 65_536,
            "exponential" => (-(1.0 - (n as f64 + 0.5) / count as f64).ln() * 2e6) as u64,
            "lognormal" => (1e6 * normal().exp()) as u64,
            "lognormal, wide" => (1e5 * (2.5 * normal()).exp()) as u64,
            "a cache: fast, or slow in two of a hundred" if n % 50 == 0 => (40e6 * (0.3 * normal()).exp()) as u64,
            "a cache: fast, or slow in two of a hundred" => (30e3 * (0.2 * normal()).exp()) as u64,
            "seldom very slow" if n % 101 == 0 => 30_000_000_000 + n,
            _ => 700 + n % 300,
        })
        .collect()
}

#[test]
fn the_99th_percentile_is_within_two_percent_for_every_shape_of_durations() {
    for shape in [
        "constant",
        "of one octave",
        "exponential",
        "lognormal",
        "lognormal, wide",
        "a cache: fast, or slow in two of a hundred",
        "seldom very slow",
    ] {
        let mut values = durations(shape, 50_000);
        let mut latency = Latency::new();
        values.iter().for_each(|ns| latency.record(*ns));
        values.sort_unstable();
        for quantile in [0.5, 0.95, 0.99, 0.999] {
            let (read, exact) = (latency.quantile(quantile).expect("not empty"), exact(&values, quantile));
            assert!(read.abs_diff(exact) * 50 <= exact, "{shape}, {quantile}: {read} for {exact}");
        }
    }
}

#[test]
fn minutes_add_up_to_the_rows_and_hold_their_extremes() {
    let stage = Stage::new();
    let mut caller = stage.caller("MainThread");
    let functions = [caller.define("fast"), caller.define("slow")];
    let mut drain = stage.drain();
    let mut durations = [Vec::new(), Vec::new()];
    for call in 0..3000u64 {
        let which = (call % 3 == 0) as usize;
        // Some calls begin minutes ago, so that several minutes get figures.
        let started = monotonic_ns().saturating_sub((call % 5) * 61_000_000_000);
        let duration = 1_000 + call * if which == 0 { 10 } else { 10_000 };
        let id = caller.take_id();
        caller.begin_as(id, functions[which], None, 1, 2, started).expect("room");
        caller.end_as(id, functions[which], 3, started + duration);
        durations[which].push(duration);
        if call % 500 == 0 {
            drain_all(&mut drain);
        }
    }
    drain_all(&mut drain);
    let database = stage.database();
    database.assert_balanced();
    let sums = |sql: &str| database.lines(sql);
    assert_eq!(
        sums("SELECT function, sum(stored), sum(total_ns), min(min_ns), max(max_ns) FROM function_minutes GROUP BY 1"),
        sums("SELECT function, count(*), sum(duration_ns), min(duration_ns), max(duration_ns) FROM calls GROUP BY 1"),
    );
    assert!(database.one::<i64>("SELECT count(DISTINCT minute) FROM function_minutes") >= 4);
    let mut statement =
        database.connection().prepare("SELECT latency FROM function_minutes WHERE function = 'slow'").expect("reads");
    let mut latency = Latency::new();
    let blobs = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
    blobs.for_each(|blob| latency.merge(&Latency::decode(&blob.expect("a blob")).expect("decodes")));
    durations[1].sort_unstable();
    assert_eq!(latency.count(), 1000);
    let (read, exact) = (latency.quantile(0.99).expect("not empty"), exact(&durations[1], 0.99));
    assert!(read.abs_diff(exact) * 50 <= exact, "{read} for {exact}");
}
