use super::*;
use crate::query::sample_tape::{CallRow, Raised, START_NS, SampleTape};

const SECOND: i64 = 1_000_000_000;

fn raised(error_type: &'static str, message: &'static str, line: i64) -> Raised<'static> {
    Raised { error_type, message, file: "shop/orders.py", line, place: "check", traceback: "[]" }
}

/// Three ValueErrors of `place` a second apart, one KeyError of `place`, one ValueError of `cancel` at the same place.
fn sample() -> (SampleTape, Vec<i64>) {
    let sample = SampleTape::create();
    let (place, cancel) = (sample.function("shop.place"), sample.function("shop.cancel"));
    let failed = |function, after, raised: Raised<'_>| sample.failed_call(CallRow::new(function, after), &raised);
    let ids = vec![
        failed(place, 0, raised("ValueError", "order 1", 21)),
        failed(place, SECOND, raised("ValueError", "order 2", 21)),
        failed(cancel, SECOND + 500, raised("ValueError", "other", 21)),
        failed(place, 2 * SECOND, raised("ValueError", "order 3", 21)),
        failed(place, 3 * SECOND, raised("KeyError", "'sku'", 30)),
    ];
    (sample, ids)
}

fn groups(sample: &SampleTape, filter: &ErrorFilter) -> Vec<(String, String, u64, String)> {
    let found = Tape::open(&sample.path()).unwrap().errors(filter).unwrap();
    let message = |group: &ErrorGroup| group.last.as_ref().map_or("(none)".into(), |last| last.failure.message.clone());
    found
        .into_iter()
        .map(|group| (group.error_type.clone(), group.function.clone(), group.count, message(&group)))
        .collect()
}

fn group(error_type: &str, function: &str, count: u64, message: &str) -> (String, String, u64, String) {
    (error_type.into(), function.into(), count, message.into())
}

#[test]
fn errors_are_grouped_by_function_type_and_place() {
    let (sample, ids) = sample();
    assert_eq!(
        groups(&sample, &ErrorFilter::default()),
        [
            group("ValueError", "shop.place", 3, "order 3"),
            group("KeyError", "shop.place", 1, "'sku'"),
            group("ValueError", "shop.cancel", 1, "other"),
        ]
    );
    let first = &Tape::open(&sample.path()).unwrap().errors(&ErrorFilter::default()).unwrap()[0];
    assert_eq!((first.file.as_str(), first.line, first.place.as_str()), ("shop/orders.py", 21, "check"));
    assert_eq!(first.last.as_ref().map(|last| last.call_id), Some(ids[3].cast_unsigned()));
    let took = 1_240_000;
    assert_eq!((first.first_seen_ns, first.last_seen_ns), (START_NS + took, START_NS + 2 * SECOND + took));
}

#[test]
fn errors_of_one_place_are_told_apart_by_the_form_of_their_message() {
    let (sample, _) = sample();
    sample.failed_call(CallRow::new(1, 4 * SECOND), &raised("ValueError", "no stock of 'tea'", 21));
    let found = Tape::open(&sample.path()).unwrap().errors(&ErrorFilter::default()).unwrap();
    let forms: Vec<_> = found.iter().map(|group| (group.message_form.as_str(), group.count)).collect();
    assert_eq!(forms, [("order <n>", 3), ("no stock of <text>", 1), ("<text>", 1), ("other", 1)]);
}

#[test]
fn errors_there_was_no_room_for_are_alone_where_their_kind_has_several_forms() {
    let (sample, _) = sample();
    sample.failed_call(CallRow::new(1, 4 * SECOND), &raised("ValueError", "no stock of 'tea'", 21));
    lose(&sample, 1, 1, &raised("ValueError", "", 21), 9, START_NS + 60 * SECOND);
    let found = Tape::open(&sample.path()).unwrap().errors(&ErrorFilter::default()).unwrap();
    assert_eq!((found[0].message_form.as_str(), found[0].count, found[0].lost), (ANY_MESSAGE, 9, 9));
    assert!(found[1..].iter().all(|group| group.lost == 0));
}

#[test]
fn since_counts_only_what_began_then_or_later() {
    let (sample, _) = sample();
    let since_ns = Some(START_NS + SECOND + 1);
    assert_eq!(
        groups(&sample, &ErrorFilter { since_ns, ..Default::default() }),
        [
            group("KeyError", "shop.place", 1, "'sku'"),
            group("ValueError", "shop.place", 1, "order 3"),
            group("ValueError", "shop.cancel", 1, "other"),
        ]
    );
}

#[test]
fn until_counts_only_what_began_by_then() {
    let (sample, _) = sample();
    let count = |until_ns: i64| -> u64 {
        let filter = ErrorFilter { until_ns: Some(until_ns), ..Default::default() };
        groups(&sample, &filter).iter().map(|group| group.2).sum()
    };
    let all: u64 = groups(&sample, &ErrorFilter::default()).iter().map(|group| group.2).sum();
    let since = ErrorFilter { since_ns: Some(START_NS + SECOND + 1), ..Default::default() };
    let after: u64 = groups(&sample, &since).iter().map(|group| group.2).sum();
    assert_eq!(count(START_NS + SECOND), all - after);
    assert_eq!((count(START_NS - 1), count(i64::MAX)), (0, all));
}

#[test]
fn a_type_is_named_in_full_or_by_its_last_part() {
    let (sample, _) = sample();
    let types = |pattern: &str| {
        let error_type = Some(TextPattern::glob(pattern));
        let found = groups(&sample, &ErrorFilter { error_type, ..Default::default() });
        found.into_iter().map(|group| group.0).collect::<Vec<_>>()
    };
    assert_eq!(types("KeyError"), ["KeyError"]);
    assert!(types("Val*").iter().all(|name| name == "ValueError") && !types("Val*").is_empty());
    assert_eq!(types("Error"), Vec::<String>::new());
}

#[test]
fn a_pattern_and_a_limit_narrow_the_groups() {
    let (sample, _) = sample();
    let pattern = Some(FunctionPattern::new("cancel"));
    assert_eq!(groups(&sample, &ErrorFilter { pattern, ..Default::default() }).len(), 1);
    let limit = Some(1);
    assert_eq!(groups(&sample, &ErrorFilter { limit, ..Default::default() })[0].2, 3);
}

#[test]
fn what_cancelled_a_call_is_no_error() {
    let (sample, _) = sample();
    let place = sample.function("shop.fetch");
    let same = raised("asyncio.CancelledError", "", 40);
    sample.cancelled_call(CallRow::new(place, 4 * SECOND), &same);
    assert_eq!(groups(&sample, &ErrorFilter::default()).len(), 3);
    sample.failed_call(CallRow::new(place, 5 * SECOND), &same);
    let pattern = Some(FunctionPattern::new("fetch"));
    assert_eq!(
        groups(&sample, &ErrorFilter { pattern, ..Default::default() }),
        [group("asyncio.CancelledError", "shop.fetch", 1, "")]
    );
}

#[test]
fn a_tape_of_version_1_is_read_as_it_is() {
    let (sample, _) = sample();
    sample
        .connection
        .execute_batch(
            "PRAGMA foreign_keys = off; PRAGMA user_version = 1; DROP TABLE early_note;
         CREATE TABLE kind (id INTEGER PRIMARY KEY, function_id, type, file, line, place);
         INSERT INTO kind SELECT id, function_id, type, file, line, place FROM error;
         PRAGMA legacy_alter_table = on; DROP TABLE error; ALTER TABLE kind RENAME TO error;",
        )
        .unwrap();
    assert_eq!(groups(&sample, &ErrorFilter::default()).len(), 3);
    let pattern = Some(FunctionPattern::new("cancel"));
    assert_eq!(groups(&sample, &ErrorFilter { pattern, ..Default::default() }).len(), 1);
}

/// A kind of error of the run 1 that there was no room for.
fn lose(sample: &SampleTape, number: i64, function: i64, kind: &Raised<'_>, calls: i64, last_ns: i64) {
    let values = (number, function, kind.error_type, kind.file, kind.line, kind.place, calls, START_NS, last_ns);
    let sql = "INSERT INTO lost_error VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    sample.connection.execute(sql, values).unwrap();
}

#[test]
fn errors_there_was_no_room_for_stand_with_those_of_their_kind_or_alone() {
    let (sample, ids) = sample();
    let place = 1;
    lose(&sample, 1, place, &raised("KeyError", "", 30), 40, START_NS + 60 * SECOND);
    lose(&sample, 2, place, &raised("OSError", "", 50), 7, START_NS + 30 * SECOND);
    assert_eq!(
        groups(&sample, &ErrorFilter::default()),
        [
            group("KeyError", "shop.place", 41, "'sku'"),
            group("OSError", "shop.place", 7, "(none)"),
            group("ValueError", "shop.place", 3, "order 3"),
            group("ValueError", "shop.cancel", 1, "other"),
        ]
    );
    let found = Tape::open(&sample.path()).unwrap().errors(&ErrorFilter::default()).unwrap();
    assert_eq!(found.iter().map(|group| group.lost).collect::<Vec<_>>(), [40, 7, 0, 0]);
    assert_eq!(found[0].last.as_ref().map(|last| last.call_id), Some(ids[4].cast_unsigned()));
    assert_eq!((found[0].first_seen_ns, found[0].last_seen_ns), (START_NS, START_NS + 60 * SECOND));
    let limit = Some(1);
    assert_eq!(groups(&sample, &ErrorFilter { limit, ..Default::default() }).len(), 1);
}

#[test]
fn errors_there_was_no_room_for_are_narrowed_by_pattern_and_time() {
    let (sample, _) = sample();
    lose(&sample, 1, 1, &raised("OSError", "", 50), 7, START_NS + 30 * SECOND);
    let lost = |filter: &ErrorFilter| groups(&sample, filter).into_iter().filter(|group| group.0 == "OSError").count();
    let since = |seconds: i64| ErrorFilter { since_ns: Some(START_NS + seconds * SECOND), ..Default::default() };
    assert_eq!((lost(&since(30)), lost(&since(31))), (1, 0));
    let of = |pattern| ErrorFilter { pattern: Some(FunctionPattern::new(pattern)), ..Default::default() };
    assert_eq!((lost(&of("place")), lost(&of("cancel"))), (1, 0));
}
