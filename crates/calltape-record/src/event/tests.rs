//! Events come back as written, and a cut event is an error, never a panic.

use super::*;
use crate::value::ValueWriter;
use proptest::prelude::*;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn head() -> StartHead {
    StartHead { id: 700_000_000_000_017, parent: 0, root: 700_000_000_000_017, started: 5, function: 3, weight: 1.0 }
}

#[test]
fn arguments_read_like_the_call_with_defaults_listed() {
    let mut out = Vec::new();
    begin_start(&mut out, &head());
    ArgumentWriter::leading(&mut out, 2);
    ValueWriter::int(&mut out, 3);
    ValueWriter::text(&mut out, b"tea");
    ArgumentWriter::named(&mut out, 2, true);
    ValueWriter::bool(&mut out, false);
    ArgumentWriter::named(&mut out, ARGUMENT_OVERFLOW, false);
    ValueWriter::none(&mut out);
    let start = StartEvent::decode(&out).unwrap();
    let mut json = String::new();
    assert_eq!(start.render_arguments(&names(&["count", "item", "dry_run"]), false, &mut json), Ok(true));
    assert_eq!(json, r#"{"count":3,"item":"tea","dry_run":false,"(extra)":null,"(defaults)":["dry_run"]}"#);
}

#[test]
fn arguments_that_were_taken_at_the_end_say_so() {
    let mut out = Vec::new();
    begin_start(&mut out, &head());
    ArgumentWriter::leading(&mut out, 1);
    ValueWriter::int(&mut out, 3);
    ArgumentWriter::named(&mut out, 1, true);
    ValueWriter::none(&mut out);
    let start = StartEvent::decode(&out).unwrap();
    let mut json = String::new();
    assert_eq!(start.render_arguments(&names(&["count", "item"]), true, &mut json), Ok(true));
    assert_eq!(json, r#"{"count":3,"item":null,"(defaults)":["item"],"(taken at end)":true}"#);
}

#[test]
fn arguments_that_were_not_captured_render_nothing() {
    let mut out = Vec::new();
    begin_start(&mut out, &head());
    let mut json = String::new();
    assert_eq!(StartEvent::decode(&out).unwrap().render_arguments(&[], true, &mut json), Ok(false));
    assert_eq!(json, "");
}

#[test]
fn a_failure_comes_back_as_written() {
    let failure = Failure {
        error_type: "json.decoder.JSONDecodeError".into(),
        message: "Expecting value".into(),
        file: "json/decoder.py".into(),
        line: 355,
        place: "raw_decode".into(),
        chain: &[0],
    };
    let mut out = Vec::new();
    begin_end(&mut out, &EndHead { id: 9, ended: 12, function: 4, status: Status::Error, certain: true });
    write_failure(&mut out, &failure);
    let end = EndEvent::decode(&out).unwrap();
    assert_eq!((end.id, end.ended, end.function, end.status), (9, 12, 4, Status::Error));
    assert!(end.certain);
    assert_eq!((end.activity, end.outcome), (None, Outcome::Failure(failure)));
}

#[test]
fn a_cancelled_coroutine_says_how_its_body_ran_and_why_it_ended() {
    let activity = Activity { active_ns: 40, yields: None, task: "Task-1" };
    let failure = Failure {
        error_type: "asyncio.CancelledError".into(),
        message: String::new(),
        file: "shop.py".into(),
        line: 3,
        place: "place".into(),
        chain: &[],
    };
    let mut out = Vec::new();
    let head = EndHead { id: 9, ended: 12, function: 4, status: Status::Cancelled, certain: false };
    begin_suspended_end(&mut out, &head, &activity);
    write_failure(&mut out, &failure);
    let end = EndEvent::decode(&out).unwrap();
    assert_eq!((end.status, end.activity), (Status::Cancelled, Some(activity)));
    assert_eq!(end.outcome, Outcome::Failure(failure));
}

#[test]
fn a_note_without_a_value_is_refused() {
    let mut out = Vec::new();
    begin_note(&mut out, 9, "user");
    assert_eq!(NoteEvent::decode(&out), Err(DecodeError::Truncated));
}

proptest! {
    #[test]
    fn a_start_comes_back_as_written(
        id in 1u64..(1 << 62), parent in 0u64..(1 << 62), root in 1u64..(1 << 62), started: u64, function in 0u32..(1 << 30),
        weight in prop_oneof![Just(1.0), Just(2.0), Just(1.0 / 0.3)],
    ) {
        prop_assume!(parent != id);
        let root = if parent == 0 { id } else { root };
        let head = StartHead { id, parent, root, started, function, weight };
        let mut out = Vec::new();
        begin_start(&mut out, &head);
        prop_assert_eq!(StartEvent::decode(&out), Ok(StartEvent { head, arguments: &[] }));
    }

    #[test]
    fn an_end_comes_back_as_written(
        id: u64, ended: u64, function: u32, number in 0u8..5, active_ns: u64,
        yields in proptest::option::of(0..u64::MAX), task: String, value in 0i64..128, suspended: bool, certain: bool,
    ) {
        let status = Status::try_from(number).unwrap();
        let activity = suspended.then_some(Activity { active_ns, yields, task: &task });
        let head = EndHead { id, ended, function, status, certain };
        let mut out = vec![1, 2, 3];
        match &activity {
            Some(activity) => begin_suspended_end(&mut out, &head, activity),
            None => begin_end(&mut out, &head),
        }
        let head = out.len();
        if status == Status::Ok {
            ValueWriter::int(&mut out, value);
        }
        let outcome = Outcome::Value(&out[head..]);
        prop_assert_eq!(EndEvent::decode(&out), Ok(EndEvent { id, ended, function, status, certain, activity, outcome }));
    }

    #[test]
    fn a_note_comes_back_as_written(id: u64, key: String, value in proptest::collection::vec(any::<u8>(), 1..20)) {
        let mut out = vec![1, 2, 3];
        begin_note(&mut out, id, &key);
        out.extend_from_slice(&value);
        prop_assert_eq!(NoteEvent::decode(&out), Ok(NoteEvent { id, key, value: &value }));
    }

    #[test]
    fn any_bytes_decode_or_fail_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ThreadEvent::decode(&bytes);
        let _ = EndEvent::decode(&bytes);
        let _ = NoteEvent::decode(&bytes);
        let _ = crate::FunctionDef::decode(&bytes);
        if let Ok(start) = StartEvent::decode(&bytes) {
            let _ = start.render_arguments(&names(&["a", "b"]), bytes.len() % 2 == 0, &mut String::new());
        }
    }
}
