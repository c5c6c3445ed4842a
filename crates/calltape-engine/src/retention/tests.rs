//! What is due, step by step, for made-up tapes: no database, no clock.

use super::*;

mod bounds;
mod rhythm;

const DAY: Duration = Duration::from_secs(86_400);
const MIB: u64 = 1 << 20;
const NOON: i64 = 1_791_979_200_000_000_000;

fn at(seconds: u64) -> Moment {
    Moment { monotonic_ns: seconds * 1_000_000_000, unix_ns: NOON + seconds as i64 * 1_000_000_000 }
}

fn used(used: u64) -> Room {
    Room { used, ..Room::default() }
}

fn finished(removed: u64) -> Done {
    Done { removed, finished: true, ..Done::default() }
}

/// What the retention does with `room`, each step finished at once and removing nothing, until it rests.
fn steps(retention: &mut Retention, room: Room) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(step) = retention.next(at(1), false, room) {
        steps.push(step);
        retention.did(step, finished(0), at(1));
        assert!(steps.len() < 100, "{steps:?}");
    }
    steps
}

fn usual() -> Limits {
    Limits { age: Some(7 * DAY), errors: Some(30 * DAY), minutes: Some(400 * DAY), size: Some(1024 * MIB) }
}

fn days_ago(days: i64) -> i64 {
    at(1).unix_ns - days * DAY.as_nanos() as i64
}

#[test]
fn a_small_young_tape_is_walked_once_by_age() {
    let mut retention = Retention::new(usual());
    let expected = [
        Step::Calls(CallSpan {
            after_id: 0,
            before_id: ids::at(days_ago(30)),
            successes_before_ns: Some(days_ago(7)),
            errors_before_ns: Some(days_ago(30)),
            down_to: 0,
        }),
        Step::Calls(CallSpan {
            after_id: ids::at(days_ago(30)) - 1,
            before_id: ids::at(days_ago(7)),
            successes_before_ns: Some(days_ago(7)),
            errors_before_ns: None,
            down_to: 0,
        }),
        Step::Minutes(days_ago(400).div_euclid(60_000_000_000)),
        Step::Runs(days_ago(400)),
        Step::Names,
    ];
    assert_eq!(steps(&mut retention, used(MIB)), expected);
    assert!(!retention.looks(at(1), false));
    assert!(retention.looks(at(2), false));
}

#[test]
fn a_walk_goes_on_where_the_last_one_ended() {
    let mut retention = Retention::new(Limits { age: Some(7 * DAY), ..Limits::default() });
    let Some(Step::Calls(span)) = retention.next(at(1), false, used(MIB)) else { panic!("a walk") };
    let done = Done { removed: 9, reached_id: 700, ..Done::default() };
    retention.did(Step::Calls(span), done, at(1));
    let Some(Step::Calls(next)) = retention.next(at(9), false, used(MIB)) else { panic!("the walk goes on") };
    assert_eq!((span.after_id, next.after_id), (0, 700));
}

#[test]
fn nothing_is_due_by_age_while_calls_wait() {
    let mut retention = Retention::new(usual());
    assert_eq!(retention.next(at(1), true, used(1023 * MIB)), None);
    assert!(matches!(retention.next(at(1), true, used(1025 * MIB)), Some(Step::Calls(_))));
}

#[test]
fn by_size_successes_go_then_old_minutes_then_errors_then_all_but_an_hour() {
    let by_size = Limits { size: Some(100 * MIB), ..Limits::default() };
    // A week is what holds, too, where no age of calls is set.
    for limits in [Limits { age: Some(7 * DAY), ..by_size }, by_size] {
        assert_order_by_size(limits);
    }
}

fn assert_order_by_size(limits: Limits) {
    let mut retention = Retention::thorough(limits);
    let all = steps(&mut retention, used(200 * MIB));
    let word = |step: &Step| match step {
        Step::Calls(span) if span.errors_before_ns.is_some() => "errors".to_owned(),
        Step::Calls(_) => "successes".to_owned(),
        Step::Minutes(before) => format!("minutes {}h", (at(1).unix_ns / 60_000_000_000 - before) / 60),
        Step::Runs(_) => "runs".to_owned(),
        Step::Names => "names".to_owned(),
        step => format!("{step:?}"),
    };
    let mut words: Vec<String> = all.iter().map(word).collect();
    // The walk by age comes last, and finds nothing.
    let by_age = words.split_off(words.iter().rposition(|word| word == "runs").expect("runs") + 1);
    let walk: &[&str] = if limits.age.is_some() { &["successes", "names"] } else { &["names"] };
    assert_eq!(by_age, walk);
    assert_eq!(words.first().map(String::as_str), Some("successes"));
    let errors = words.iter().position(|word| word == "errors").expect("errors");
    assert_eq!(words[1], "minutes 9600h");
    assert_eq!(words[errors - 1], "minutes 168h", "minutes as old as calls may be go before errors");
    assert_eq!(&words[errors + 1..errors + 3], ["minutes 168h", "runs"]);
    assert_eq!(words[words.len() - 2..], ["minutes 1h", "runs"]);
}

#[test]
fn after_some_errors_went_successes_are_asked_first_again() {
    let mut retention = Retention::restless(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = used(200 * MIB);
    loop {
        let step = retention.next(at(1), false, room).expect("a step");
        let errors = matches!(step, Step::Calls(span) if span.errors_before_ns.is_some());
        retention.did(step, Done { removed: u64::from(errors), finished: !errors, ..Done::default() }, at(1));
        if errors {
            break;
        }
    }
    let Some(Step::Calls(span)) = retention.next(at(1), false, room) else { panic!("successes") };
    assert_eq!(span.errors_before_ns, None);
}

#[test]
fn a_wal_that_takes_the_room_is_cut_and_no_row_removed() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = Room { used: 20 * MIB, free: 0, wal: 90 * MIB };
    assert_eq!(retention.next(at(1), false, room), Some(Step::CutWal));
    retention.did(Step::CutWal, finished(0), at(1));
    assert!(!matches!(retention.next(at(1), false, room), Some(Step::Calls(span)) if span.before_id == u64::MAX));
}

#[test]
fn too_long_a_wal_is_cut_while_calls_wait_and_again_at_once_unless_a_reader_holds_it() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = Room { used: 20 * MIB, free: 0, wal: 90 * MIB };
    assert_eq!(retention.next(at(1), true, room), Some(Step::CutWal));
    retention.did(Step::CutWal, finished(0), at(1));
    assert_eq!(retention.next(at(1), true, room), Some(Step::CutWal));
    assert!(retention.is_overfull());
    retention.did(Step::CutWal, Done::default(), at(1));
    assert!(!retention.is_overfull(), "a reader keeps nobody from storing");
    assert_eq!(retention.next(at(1), true, room), None);
    assert_eq!(retention.next(at(2), true, room), Some(Step::CutWal));
}

/// A tape stood at its limit, a sixteenth, a batch and twelve KiB: the WAL of what was removed came on top of the batch.
#[test]
fn above_a_sixteenth_too_much_even_a_short_wal_is_cut_before_anything_is_removed() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = Room { used: 105 * MIB, free: 0, wal: 2 * MIB };
    assert!(matches!(retention.next(at(1), true, Room { wal: MIB, ..room }), Some(Step::Calls(_))));
    assert_eq!(retention.next(at(1), true, room), Some(Step::CutWal));
    retention.did(Step::CutWal, finished(0), at(1));
    assert!(matches!(retention.next(at(1), true, Room { wal: 0, ..room }), Some(Step::Calls(_))));
    assert_eq!(retention.next(at(1), true, room), Some(Step::CutWal));
    retention.did(Step::CutWal, Done::default(), at(1));
    assert!(matches!(retention.next(at(1), true, room), Some(Step::Calls(_))), "a reader holds it: rows go meanwhile");
}

#[test]
fn nothing_more_is_stored_above_a_sixteenth_too_much_until_all_that_may_go_is_gone() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    retention.next(at(1), true, used(105 * MIB)).expect("a step");
    assert!(!retention.is_overfull());
    let mut walked = 0;
    while let Some(step) = retention.next(at(1), true, used(107 * MIB)) {
        retention.did(step, finished(0), at(1));
        assert!(retention.is_overfull(), "after {step:?}, which found nothing");
        walked += 1;
    }
    assert!(walked > 4, "{walked} steps");
    assert!(!retention.is_overfull());
}

#[test]
fn a_tape_is_pressed_while_it_is_larger_than_it_may_be() {
    let mut retention = Retention::new(usual());
    assert!(!retention.is_pressed());
    for (room, is_pressed) in [
        (used(1024 * MIB), false),
        (used(1024 * MIB + 1), true),
        (Room { used: 1023 * MIB, wal: 2 * MIB, ..Room::default() }, true),
        (used(1023 * MIB), false),
    ] {
        let _ = retention.next(at(1), true, room);
        assert_eq!(retention.is_pressed(), is_pressed, "{room:?}");
    }
}

#[test]
fn after_a_step_the_room_is_looked_at_once_more() {
    let most = 1024 * MIB + 64 * MIB;
    let pressed = || {
        let mut retention = Retention::new(usual());
        assert!(retention.next(at(1), true, used(1025 * MIB)).is_some());
        assert!(!retention.is_overfull());
        retention
    };
    for (room, is_overfull) in [
        (used(most), false),
        (used(most + 1), true),
        (Room { used: 1000 * MIB, wal: 88 * MIB, ..Room::default() }, false),
        (Room { used: 1000 * MIB, wal: 88 * MIB + 1, ..Room::default() }, true),
    ] {
        let mut retention = pressed();
        retention.weigh(room);
        assert_eq!(retention.is_overfull(), is_overfull, "{room:?}");
    }
    let mut retention = pressed();
    retention.weigh(used(most + 1));
    retention.weigh(used(10));
    assert!(retention.is_overfull(), "only the next step decides that there is room again");
    let mut within = Retention::new(usual());
    let _ = within.next(at(1), true, used(10));
    within.weigh(used(most + 1));
    assert!(!within.is_overfull(), "what was not too large before the step is looked at before the next");
}

#[test]
fn no_row_goes_for_the_room_of_a_wal_that_cannot_be_cut() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = Room { used: 87 * MIB, free: 0, wal: 40 * MIB };
    assert_eq!(retention.next(at(1), true, room), Some(Step::CutWal));
    retention.did(Step::CutWal, Done::default(), at(1));
    assert_eq!(retention.next(at(1), true, room), None);
    let Some(Step::Calls(span)) = retention.next(at(1), true, Room { used: 88 * MIB, ..room }) else { panic!("calls") };
    assert_eq!(span.down_to, 100 * MIB - 100 * MIB / 8);
}

#[test]
fn free_pages_are_given_back_but_for_a_spare_eighth() {
    let limits = Limits { age: Some(7 * DAY), ..Limits::default() };
    let mut retention = Retention::new(limits);
    steps(&mut retention, used(800 * MIB));
    let some = Room { used: 800 * MIB, free: 99 * MIB, wal: 0 };
    assert_eq!(retention.next(at(2), false, some), None);
    let much = Room { free: 300 * MIB, ..some };
    assert_eq!(retention.next(at(3), false, much), Some(Step::Vacuum(250 * MIB)));
    assert_eq!(steps(&mut Retention::thorough(Limits::default()), used(MIB)).pop(), Some(Step::Names));
}

#[test]
fn a_step_is_followed_by_a_rest_four_times_as_long() {
    let mut retention = Retention::new(usual());
    let step = retention.next(at(1), false, used(MIB)).expect("a step");
    let took = Duration::from_secs(1);
    retention.did(step, Done { took, ..finished(5) }, at(2));
    assert!(!retention.looks(at(5), false));
    assert!(retention.looks(at(6), false));
}

#[test]
fn running_calls_stay_and_interrupted_ones_are_errors() {
    let (successes_before_ns, errors_before_ns) = (Some(i64::MAX), Some(10));
    let span = CallSpan { successes_before_ns, errors_before_ns, ..CallSpan::default() };
    let takes = |status: u8| (span.takes(status, 9), span.takes(status, 10));
    assert_eq!([0, 2, 3, 4].map(takes), [(true, true); 4]);
    assert_eq!([1, 6].map(takes), [(true, false); 2]);
    assert_eq!(takes(5), (false, false));
    assert!(!CallSpan { errors_before_ns: None, ..span }.takes(1, 0));
}

#[test]
fn errors_are_never_kept_shorter_than_successes() {
    let limits = |age, errors| Limits { age, errors, ..Limits::default() }.errors();
    assert_eq!(limits(Some(7 * DAY), Some(DAY)), Some(7 * DAY));
    assert_eq!(limits(Some(7 * DAY), None), None);
    assert_eq!(limits(None, Some(DAY)), None);
}
