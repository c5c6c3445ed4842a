//! An export reads page by page: every call once, whatever is written meanwhile, and no further than it is asked to.

use std::cell::Cell;
use std::collections::HashSet;

use calltape_engine::query::{CallFilter, FunctionPattern, Tape, TimeRange};
use calltape_export::{ExportError, Format, batches, export};

use crate::exported::exported;
use crate::sample_tape::{CallRow, START_NS, SampleTape};

const US: i64 = 1_000;

/// A tape of so many calls, a microsecond apart.
fn many(calls: i64) -> (SampleTape, i64) {
    let sample = SampleTape::create();
    let function = sample.function("shop.place");
    sample.connection.execute_batch("BEGIN").unwrap();
    for number in 0..calls {
        sample.call(CallRow::new(function, number * US));
    }
    sample.connection.execute_batch("COMMIT").unwrap();
    (sample, function)
}

#[test]
fn each_call_is_exported_once_over_many_pages() {
    let (sample, _) = many(20_000);
    let (lines, done) = exported(&sample, Format::JsonLines);
    let ids: HashSet<&str> =
        std::str::from_utf8(&lines).unwrap().lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!((ids.len(), done.calls, done.part), (20_000, 20_000, 1.0));
    let tape = Tape::open(&sample.path()).unwrap();
    let rows: usize = batches(&tape, &CallFilter::default()).unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 20_000);
}

#[test]
fn calls_with_large_arguments_come_in_small_pages() {
    let sample = SampleTape::create();
    let function = sample.function("shop.place");
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(64 * 1024));
    sample.connection.execute_batch("BEGIN").unwrap();
    for number in 0..500 {
        sample.call(CallRow { args: Some(&large), ..CallRow::new(function, number * US) });
    }
    sample.connection.execute_batch("COMMIT").unwrap();
    let tape = Tape::open(&sample.path()).unwrap();
    let sizes: Vec<usize> =
        batches(&tape, &CallFilter::default()).unwrap().map(|batch| batch.unwrap().num_rows()).collect();
    // Of the first page nothing is known.
    assert_eq!((sizes.iter().sum::<usize>(), sizes[0]), (500, 256));
    assert!(sizes[1..].iter().all(|size| *size <= 32), "{sizes:?}");
}

#[test]
fn only_the_calls_of_the_filter_are_exported() {
    let (sample, _) = many(3_000);
    let other = sample.function("web.get");
    sample.call(CallRow::new(other, 5_000 * US));
    let tape = Tape::open(&sample.path()).unwrap();
    let count = |filter: &CallFilter| export(&tape, filter, Format::Csv, &mut Vec::new(), &|_| true).unwrap().calls;
    let web = CallFilter { functions: Some(FunctionPattern::new("web.*")), ..Default::default() };
    assert_eq!(count(&web), 1);
    let since = CallFilter { range: TimeRange::since(Some(START_NS + 2_990 * US)), ..Default::default() };
    assert_eq!(count(&since), 11);
}

#[test]
fn calls_that_come_while_it_runs_are_not_waited_for() {
    let (sample, function) = many(2_000);
    let tape = Tape::open(&sample.path()).unwrap();
    let next = Cell::new(2_000);
    let done = export(&tape, &CallFilter::default(), Format::JsonLines, &mut Vec::new(), &|_| {
        for _ in 0..5_000 {
            sample.call(CallRow::new(function, next.get() * US));
            next.set(next.get() + 1);
        }
        true
    });
    assert_eq!(done.unwrap().calls, 2_000);
}

#[test]
fn an_export_ends_where_it_is_asked_to() {
    let (sample, _) = many(20_000);
    let tape = Tape::open(&sample.path()).unwrap();
    let asked = Cell::new(0);
    let done = export(&tape, &CallFilter::default(), Format::Csv, &mut Vec::new(), &|exported| {
        asked.set(asked.get() + 1);
        assert!(exported.calls > 0 && exported.part > 0.0 && exported.part < 1.0, "{exported:?}");
        asked.get() < 2
    });
    assert!(matches!(done, Err(ExportError::Stopped)));
    assert_eq!(asked.get(), 2);
}

#[test]
fn an_empty_tape_makes_a_file_without_rows() {
    let sample = SampleTape::create();
    for (format, has) in [(Format::JsonLines, ""), (Format::Csv, "id,parent_id"), (Format::Trace, "traceEvents")] {
        let (bytes, done) = exported(&sample, format);
        assert_eq!(done.calls, 0);
        assert!(String::from_utf8(bytes).unwrap().contains(has), "{format:?}");
    }
    let (bytes, _) = exported(&sample, Format::Parquet);
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}
