//! To the nanosecond: when retention looks, rests, begins a walk anew, and where a walk goes on.

use super::*;

fn later(ns: u64) -> Moment {
    Moment { monotonic_ns: at(1).monotonic_ns + ns, unix_ns: at(1).unix_ns + ns as i64 }
}

/// Steps at one moment, each finished at once and removing nothing, until there is none.
fn all_at(retention: &mut Retention, now: Moment) -> Vec<Step> {
    let mut steps = Vec::new();
    // When it looks is another test's.
    retention.next_look_ns = 0;
    while let Some(step) = retention.next(now, false, used(MIB)) {
        steps.push(step);
        retention.did(step, finished(0), now);
        assert!(steps.len() < 20, "{steps:?}");
    }
    steps
}

/// Where the walks by age among the steps begin.
fn begins(steps: &[Step]) -> Vec<u64> {
    steps.iter().filter_map(|step| if let Step::Calls(span) = step { Some(span.after_id) } else { None }).collect()
}

#[test]
fn it_looks_when_it_is_time_or_when_something_came_and_there_is_a_limit_on_size() {
    let mut by_age = Retention::new(Limits { age: Some(7 * DAY), ..Limits::default() });
    let mut usual = Retention::new(usual());
    for retention in [&mut by_age, &mut usual] {
        assert!(retention.looks(at(1), false));
        all_at(retention, at(1));
        assert!(!retention.looks(later(LOOK_NS - 1), false));
        assert!(retention.looks(later(LOOK_NS), false));
    }
    assert!(usual.looks(at(1), true));
    assert!(!by_age.looks(at(1), true), "what came is not old");
    assert!(!Retention::new(Limits::default()).looks(at(1), true));
    assert!(!Retention::new(Limits::default()).looks(at(1), false));
}

#[test]
fn it_rests_four_times_as_long_as_a_step_took() {
    let mut retention = Retention::new(usual());
    let step = retention.next(at(1), false, used(MIB)).expect("a step");
    retention.did(step, Done { took: Duration::from_nanos(1000), ..finished(5) }, at(1));
    assert!(!retention.looks(later(3999), false));
    assert!(retention.looks(later(4000), false));
    assert_eq!(retention.next(later(3999), false, used(MIB)), None);
    assert!(retention.next(later(4000), false, used(MIB)).is_some());
}

#[test]
fn a_walk_by_age_begins_a_minute_after_the_last_and_every_hour_from_the_very_beginning() {
    let mut retention = Retention::new(usual());
    assert_eq!(begins(&all_at(&mut retention, at(1))).first(), Some(&0));
    assert_eq!(all_at(&mut retention, later(CYCLE_NS - 1)), []);
    let week_old = |now: Moment| ids::at(now.unix_ns - 7 * DAY.as_nanos() as i64);
    let second = begins(&all_at(&mut retention, later(CYCLE_NS)));
    let month_old = ids::at(at(1).unix_ns - 30 * DAY.as_nanos() as i64);
    assert_eq!(second[0], month_old - 1, "on from where the first walk ended");
    assert_eq!(second[1], week_old(at(1)) - 1);
    assert_eq!(all_at(&mut retention, later(2 * CYCLE_NS - 1)), []);
    let mut walks = 0;
    loop {
        walks += 1;
        let now = later(walks * CYCLE_NS + 2 * CYCLE_NS);
        let begin = begins(&all_at(&mut retention, now));
        if walks * CYCLE_NS + 2 * CYCLE_NS >= SWEEP_NS {
            assert_eq!(begin[0], 0, "the hour is over");
            break;
        }
        assert!(begin[0] > 0 && begin[1] > begin[0], "walk {walks}");
    }
}

#[test]
fn names_are_looked_for_where_rows_went_and_not_within_the_hour() {
    let mut retention = Retention::new(usual());
    assert_eq!(all_at(&mut retention, at(1)).pop(), Some(Step::Names), "a drain before this one may have left some");
    let mut walk = |cycle: u64, removed: u64| {
        let now = later(cycle * CYCLE_NS);
        let mut names = false;
        retention.next_look_ns = 0;
        while let Some(step) = retention.next(now, false, used(MIB)) {
            names |= step == Step::Names;
            retention.did(
                step,
                Done { removed: if matches!(step, Step::Minutes(_)) { removed } else { 0 }, ..finished(0) },
                now,
            );
        }
        names
    };
    assert!(!walk(60, 0), "nothing went");
    assert!(walk(61, 3), "minutes went, and the hour is over");
    assert!(!walk(62, 3), "within the hour");
    assert!(!walk(120, 0));
    assert!(walk(121, 0), "for what went within it");
    assert!(!walk(181, 0));
}

#[test]
fn a_reader_that_holds_the_wal_is_asked_again_after_a_second() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = Room { used: 20 * MIB, free: 0, wal: 90 * MIB };
    assert_eq!(retention.next(at(1), true, room), Some(Step::CutWal));
    retention.did(Step::CutWal, Done::default(), at(1));
    assert_eq!(retention.next(later(CUT_NS - 1), true, room), None);
    assert_eq!(retention.next(later(CUT_NS), true, room), Some(Step::CutWal));
}

#[test]
fn where_all_that_may_go_is_gone_it_is_tried_again_after_a_second() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = used(200 * MIB);
    while let Some(step) = retention.next(at(1), true, room) {
        retention.did(step, finished(0), at(1));
    }
    assert_eq!(retention.next(later(RETRY_NS - 1), true, room), None);
    let Some(Step::Calls(span)) = retention.next(later(RETRY_NS), true, room) else { panic!("calls") };
    assert_eq!(span.errors_before_ns, None, "successes first, as always");
}

#[test]
fn a_walk_by_size_goes_on_where_it_stopped_and_never_past_what_may_still_come() {
    let mut retention = Retention::new(Limits { size: Some(100 * MIB), ..Limits::default() });
    let room = used(200 * MIB);
    let calls = |retention: &mut Retention| match retention.next(at(1), true, room) {
        Some(step @ Step::Calls(span)) => (step, span),
        other => panic!("{other:?}"),
    };
    let (step, span) = calls(&mut retention);
    assert_eq!(span.after_id, 0);
    retention.did(step, Done { removed: 3, reached_id: 700, ..Done::default() }, at(1));
    let (step, span) = calls(&mut retention);
    assert_eq!(span.after_id, 700);
    // Calls that begin now may still get ids of two seconds ago.
    let young = ids::at(at(1).unix_ns) + 5;
    retention.did(step, Done { removed: 3, reached_id: young, ..Done::default() }, at(1));
    let (step, span) = calls(&mut retention);
    assert_eq!(span.after_id, young, "this walk passed them");
    retention.did(step, finished(0), at(1));
    // Old minutes, then errors, one of which goes: successes again.
    loop {
        let step = retention.next(at(1), true, room).expect("a step");
        let is_errors = matches!(step, Step::Calls(span) if span.errors_before_ns.is_some());
        if let (true, Step::Calls(span)) = (is_errors, step) {
            assert_eq!(span.after_id, 0, "no error was passed");
        }
        retention.did(
            step,
            Done { removed: u64::from(is_errors), finished: !is_errors, reached_id: 800, ..Done::default() },
            at(1),
        );
        if is_errors {
            break;
        }
    }
    let (step, span) = calls(&mut retention);
    assert_eq!(
        span.after_id,
        ids::at(at(1).unix_ns - ID_SLACK_NS),
        "the next walk begins with what may have come since"
    );
    // Minutes as old as calls may be went already: errors are next.
    retention.did(step, finished(0), at(1));
    assert!(calls(&mut retention).1.errors_before_ns.is_some());
}
