use super::*;
use crate::query::range::MINUTE_NS;
use crate::query::sample_tape::{START_NS, SampleTape};

fn histogram(values: &[u64]) -> Vec<u8> {
    let mut latency = Latency::new();
    values.iter().for_each(|&ns| latency.record(ns));
    latency.encode()
}

/// place: 3 calls in minute 0 and 1 in minute 2, charge: 100 calls of which 98 were sampled out.
fn sample() -> SampleTape {
    let sample = SampleTape::create();
    let place = sample.function("shop.orders.place");
    let charge = sample.function_of("shop.billing.charge", "billing", "function");
    sample.minute(place, 0, [3, 1, 0, 0, 60_000, 10_000, 30_000], &histogram(&[10_000, 20_000, 30_000]));
    sample.minute(place, 2, [1, 0, 0, 2, 90_000, 90_000, 90_000], &histogram(&[90_000]));
    sample.minute(charge, 1, [2, 0, 98, 0, 8_000, 4_000, 4_000], &histogram(&[4_000, 4_000]));
    sample
}

fn page(sample: &SampleTape, filter: &OverviewFilter) -> OverviewPage {
    Tape::open(&sample.path()).unwrap().overview(filter).unwrap()
}

fn names(page: &OverviewPage) -> Vec<&str> {
    page.functions.iter().map(|row| row.function.as_str()).collect()
}

#[test]
fn minutes_add_up_to_a_function() {
    let page = page(&sample(), &OverviewFilter { sort: OverviewColumn::Name, ..Default::default() });
    assert_eq!(names(&page), ["shop.billing.charge", "shop.orders.place"]);
    let place = &page.functions[1];
    assert_eq!((place.calls, place.stored, place.errors, place.dropped), (6, 4, 1, 2));
    assert_eq!((place.total_ns, place.min_ns, place.max_ns), (150_000, Some(10_000), Some(90_000)));
    let (p50, p99) = (place.p50_ns.unwrap(), place.p99_ns.unwrap());
    assert!(p50.abs_diff(20_000) <= 320 && p99.abs_diff(90_000) <= 1_440, "{p50} {p99}");
}

#[test]
fn what_was_only_counted_scales_the_total_up() {
    let page = page(&sample(), &OverviewFilter::default());
    assert_eq!(names(&page), ["shop.billing.charge", "shop.orders.place"]);
    let charge = &page.functions[0];
    assert_eq!((charge.calls, charge.is_complete(), charge.estimated_total_ns()), (100, false, 400_000));
    assert_eq!(charge.group.as_deref(), Some("billing"));
}

#[test]
fn since_leaves_out_the_minutes_before_its_own() {
    let since_ns = Some(START_NS + 2 * MINUTE_NS);
    let page = page(&sample(), &OverviewFilter { since_ns, ..Default::default() });
    assert_eq!(names(&page), ["shop.orders.place"]);
    assert_eq!(page.functions[0].stored, 1);
}

#[test]
fn until_leaves_out_the_minutes_after_its_own() {
    let page = |until_ns| page(&sample(), &OverviewFilter { until_ns: Some(until_ns), ..Default::default() });
    assert_eq!(page(START_NS - MINUTE_NS).matching, 0);
    let all = page(START_NS + 2 * MINUTE_NS).functions;
    let before = page(START_NS + MINUTE_NS).functions;
    let calls = |functions: &[Overview]| functions.iter().map(|function| function.calls).sum::<u64>();
    assert_eq!(calls(&all) - calls(&before), 3, "one stored, two dropped");
}

#[test]
fn any_column_sorts_and_the_limit_says_what_it_hides() {
    let sample = sample();
    let first = |sort| page(&sample, &OverviewFilter { sort, limit: Some(1), ..Default::default() });
    for sort in [OverviewColumn::Errors, OverviewColumn::P50, OverviewColumn::P99, OverviewColumn::Max] {
        let page = first(sort);
        assert_eq!((names(&page), page.matching), (vec!["shop.orders.place"], 2), "{sort:?}");
    }
    assert_eq!(names(&first(OverviewColumn::Calls)), ["shop.billing.charge"]);
}

#[test]
fn a_pattern_is_a_glob_or_a_part_of_the_dotted_name() {
    let sample = sample();
    let matching = |pattern: &str| {
        let pattern = Some(FunctionPattern::new(pattern));
        page(&sample, &OverviewFilter { pattern, ..Default::default() }).matching
    };
    let found = ["place", "orders", "orders.place", "shop.orders", "shop", "shop.orders.place"].map(matching);
    assert_eq!(found, [1, 1, 1, 1, 2, 1]);
    assert_eq!(["*.place", "shop.*", "sho[p].?rders.*", "*"].map(matching), [1, 2, 1, 2]);
    assert_eq!(["lace", "PLACE", "order", "shop.place", "*.orders", "'; DROP TABLE call"].map(matching), [0; 6]);
}

#[test]
fn one_function_defined_twice_is_one_line() {
    let sample = sample();
    sample
        .connection
        .execute(
            "INSERT INTO function (name, group_name, kind, file, line, parameters)
             VALUES ('shop.orders.place', '', 'function', 'shop/orders.py', 23, '[]')",
            [],
        )
        .unwrap();
    let moved = sample.connection.last_insert_rowid();
    sample.minute(moved, 3, [1, 0, 0, 0, 5_000, 5_000, 5_000], &histogram(&[5_000]));
    let page = page(&sample, &OverviewFilter { sort: OverviewColumn::Name, ..Default::default() });
    assert_eq!(names(&page), ["shop.billing.charge", "shop.orders.place"]);
    assert_eq!(page.functions[1].stored, 5);
}

#[test]
fn a_damaged_histogram_costs_percentiles_and_nothing_else() {
    let sample = sample();
    sample.connection.execute("UPDATE minute SET latency = x'ff00ff' WHERE calls = 1", []).unwrap();
    let page = page(&sample, &OverviewFilter { sort: OverviewColumn::Name, ..Default::default() });
    assert_eq!((page.damaged_minutes, page.functions[1].calls), (1, 6));
}
