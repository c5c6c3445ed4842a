//! What `prune` takes for an age and a size: 0 is refused, failed calls outlive the others, and each option works alone.

use calltape_cli::Surroundings;
use insta::assert_snapshot;

use crate::sample_tape::{CallRow, Raised, SampleTape};
use crate::session::{calltape, calltape_until, surroundings};

const DAY_NS: i64 = 86_400_000_000_000;

const RAISED: Raised<'_> = Raised {
    error_type: "ValueError",
    message: "no such sku",
    file: "shop.py",
    line: 7,
    place: "place",
    traceback: "[]",
};

/// A success and a failure of one, of ten and of forty days ago.
fn of_three_ages() -> SampleTape {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    for days in [40, 10, 1] {
        sample.call(CallRow::new(place, -days * DAY_NS));
        sample.failed_call(CallRow::new(place, -days * DAY_NS + 60_000_000_000), &RAISED);
    }
    sample.books(1, place, [6, 6, 0, 0, 0]);
    sample
}

/// Successes and errors that a dry run would remove.
fn would_go(arguments: &str, around: &Surroundings) -> [u64; 2] {
    let ran = calltape_until(&format!("prune --dry-run --json {arguments}"), around, &|| false);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    ["successes", "errors"].map(|name| found[name].as_u64().unwrap())
}

#[test]
fn failed_calls_stay_as_long_as_they_are_kept_unless_an_option_says_otherwise() {
    let sample = of_three_ages();
    let mut around = surroundings(sample.folder.path());
    assert_eq!(would_go("--older-than 7d", &around), [2, 1], "retention_errors is 30d");
    assert_eq!(would_go("--older-than 7d --errors-older-than 7d", &around), [2, 2]);
    assert_eq!(would_go("--older-than 35d", &around), [1, 1]);
    assert_eq!(would_go("--errors-older-than 8d", &around), [2, 2], "alone: retention_age is 7d");
    assert_eq!(would_go("--errors-older-than 20d", &around), [2, 1]);
    around.environment.insert("CALLTAPE_RETENTION_ERRORS".to_owned(), "0".to_owned());
    assert_eq!(would_go("--older-than 7d", &around), [2, 0]);
}

#[test]
fn ages_and_sizes_that_make_no_sense_are_refused_in_a_line() {
    let sample = of_three_ages();
    let mut around = surroundings(sample.folder.path());
    let refused = |arguments: &str, around: &Surroundings| {
        let ran = calltape(&format!("prune {arguments}"), around);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        ran.err
    };
    let mut said: Vec<String> = [
        "--older-than 0",
        "--errors-older-than 0s",
        "--larger-than 0",
        "--older-than 5",
        "--errors-older-than 1.5",
        "--larger-than 500",
        "--larger-than 1_000",
        "--larger-than 5i",
        "--older-than 7d --errors-older-than 3d",
        "--errors-older-than 2d",
    ]
    .iter()
    .map(|arguments| refused(arguments, &around))
    .collect();
    around.environment.insert("CALLTAPE_RETENTION_AGE".to_owned(), "0".to_owned());
    said.push(refused("--errors-older-than 60d", &around));
    assert_snapshot!("prune_refusals", said.join("\n"));
}
