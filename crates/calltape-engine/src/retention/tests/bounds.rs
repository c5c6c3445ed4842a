//! To the byte: from when on the room a tape takes makes a step due, which, and how much of it.

use super::*;

/// An eighth of it is 20 MiB, a sixteenth 10.
const SIZE: u64 = 160 * MIB;

fn by_size() -> Limits {
    Limits { size: Some(SIZE), ..Limits::default() }
}

fn room(used: u64, free: u64, wal: u64) -> Room {
    Room { used, free, wal }
}

/// Calls, down to an eighth less than the limit.
const CALLS: Step = Step::Calls(CallSpan {
    after_id: 0,
    before_id: u64::MAX,
    successes_before_ns: Some(i64::MAX),
    errors_before_ns: None,
    down_to: 140 * MIB,
});

#[test]
fn rows_go_from_a_sixteenth_below_the_limit_on_and_the_wal_where_it_is_the_cause() {
    for (busy, room, expected) in [
        (false, room(150 * MIB, 0, 0), None),
        (false, room(150 * MIB + 1, 0, 0), Some(CALLS)),
        (false, room(149 * MIB, 0, MIB), None),
        (false, room(149 * MIB, 0, MIB + 1), Some(CALLS)),
        // Where calls wait, only above the limit itself.
        (true, room(SIZE, 0, 0), None),
        (true, room(SIZE + 1, 0, 0), Some(CALLS)),
        (true, room(SIZE - MIB, 0, MIB + 1), Some(CALLS)),
        // A WAL of more than an eighth; at rest a shorter one, where it alone is too much.
        (true, room(141 * MIB, 0, 20 * MIB), Some(CALLS)),
        (true, room(141 * MIB, 0, 20 * MIB + 1), Some(Step::CutWal)),
        (false, room(141 * MIB, 0, 20 * MIB), Some(CALLS)),
        (false, room(140 * MIB, 0, 15 * MIB), Some(Step::CutWal)),
        (false, room(140 * MIB + 1, 0, 15 * MIB), Some(CALLS)),
        (true, room(139 * MIB, 0, 21 * MIB), None),
        // Any, above a sixteenth too much.
        (true, room(165 * MIB, 0, 5 * MIB), Some(CALLS)),
        (true, room(165 * MIB, 0, 5 * MIB + 1), Some(Step::CutWal)),
        (true, room(175 * MIB, 0, 0), Some(CALLS)),
    ] {
        let step = Retention::new(by_size()).next(at(1), busy, room);
        // By age, names are looked for once.
        let step = step.filter(|step| busy || *step != Step::Names);
        assert_eq!(step, expected, "busy {busy}, {room:?}");
    }
}

#[test]
fn a_person_gets_the_limit_itself() {
    assert!(!matches!(Retention::thorough(by_size()).next(at(1), false, used(SIZE)), Some(Step::Calls(_))));
    let Some(Step::Calls(span)) = Retention::thorough(by_size()).next(at(1), false, used(SIZE + 1)) else {
        panic!("calls");
    };
    assert_eq!(span.down_to, SIZE);
}

#[test]
fn once_begun_rows_go_down_to_an_eighth_below_the_limit() {
    let mut retention = Retention::new(by_size());
    assert_eq!(retention.next(at(1), false, used(151 * MIB)), Some(CALLS));
    retention.did(CALLS, Done { removed: 5, reached_id: 70, ..Done::default() }, at(1));
    assert!(matches!(retention.next(at(1), false, used(140 * MIB + 1)), Some(Step::Calls(_))));
    assert!(!matches!(retention.next(at(1), false, used(140 * MIB)), Some(Step::Calls(_))));
    // And is at rest then.
    assert!(!matches!(retention.next(at(2), false, used(150 * MIB)), Some(Step::Calls(_))));
    assert!(matches!(retention.next(at(3), false, used(151 * MIB)), Some(Step::Calls(_))));
}

#[test]
fn nothing_more_is_stored_from_a_sixteenth_too_much_on() {
    for (room, is_overfull) in [
        (used(170 * MIB), false),
        (used(170 * MIB + 1), true),
        (room(165 * MIB, 0, 5 * MIB), false),
        (room(165 * MIB, 0, 5 * MIB + 1), true),
    ] {
        let mut retention = Retention::new(by_size());
        let step = retention.next(at(1), true, room).expect("a step");
        assert_eq!(retention.is_overfull(), is_overfull, "{room:?}");
        for (done, stays) in [
            (Done { removed: 1, ..Done::default() }, true),
            (finished(0), true),
            // Only of calls: what was looked at and kept is not looked at again.
            (Done::default(), matches!(step, Step::Calls(_))),
        ] {
            let mut retention = Retention::new(by_size());
            let step = retention.next(at(1), true, room).expect("a step");
            retention.did(step, done, at(1));
            assert_eq!(retention.is_overfull(), is_overfull && stays, "{room:?}, {done:?}");
        }
    }
}

#[test]
fn free_pages_go_beyond_a_spare_eighth_and_where_the_file_is_larger_than_it_may_be() {
    let by_age = Limits { age: Some(7 * DAY), ..Limits::default() };
    for (limits, room, expected) in [
        // At least 4 MiB are spared; of more, half.
        (by_age, room(16 * MIB, 4 * MIB, 0), None),
        (by_age, room(16 * MIB, 4 * MIB + 1, 0), Some(2 * MIB + 1)),
        (by_age, room(80 * MIB, 10 * MIB, 0), None),
        (by_age, room(80 * MIB, 10 * MIB + 1, 0), Some(5 * MIB + 1)),
        // What the file takes beyond the limit on size, and no more than is free.
        (by_size(), room(145 * MIB, 15 * MIB, 0), None),
        (by_size(), room(145 * MIB, 15 * MIB + 1, 0), Some(1)),
        (by_size(), room(140 * MIB, 15 * MIB, 6 * MIB), Some(MIB)),
        (by_size(), room(147 * MIB, 2 * MIB, 12 * MIB), None),
    ] {
        let mut retention = Retention::new(limits);
        retention.by_age = ByAge::Rest;
        retention.next_cycle_ns = u64::MAX;
        // The WAL is not to be cut now.
        retention.next_cut_ns = u64::MAX;
        let step = retention.next(at(1), false, room).filter(|step| !matches!(step, Step::Calls(_)));
        assert_eq!(step, expected.map(Step::Vacuum), "{room:?}");
    }
    let mut thorough = Retention::thorough(Limits::default());
    thorough.next_cycle_ns = u64::MAX;
    assert_eq!(thorough.next(at(1), false, room(80 * MIB, 3, 0)), Some(Step::Vacuum(3)));
    assert_eq!(thorough.next(at(1), false, room(80 * MIB, 0, 0)), None);
}

#[test]
fn minutes_go_by_whole_hours() {
    const HOUR: i64 = 3_600_000_000_000;
    let moment = |unix_ns| Moment { monotonic_ns: 0, unix_ns };
    let an_hour = Duration::from_secs(3600);
    assert_eq!(moment(11 * HOUR).minute_before(an_hour), 600);
    assert_eq!(moment(11 * HOUR - 1).minute_before(an_hour), 540);
    assert_eq!(moment(0).before(an_hour), -HOUR);
}
