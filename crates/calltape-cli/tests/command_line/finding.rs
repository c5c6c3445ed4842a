//! `find`, `slow`, `running` and `tree`: which calls they show, and how.

use insta::assert_snapshot;

use crate::commands::{anywhere, shown};
use crate::sample_tape::{CallRow, SampleTape};
use crate::session::{calltape, surroundings};

/// The ids that `calltape arguments.. --json` finds on the shop's tape.
fn functions(arguments: &str) -> Vec<String> {
    let out = shown(&format!("{arguments} --json"), 80);
    let name = |line: &str| {
        let call: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(call["function"].as_str()?.rsplit('.').next()?.to_owned())
    };
    out.lines().map_while(name).collect()
}

#[test]
fn find_shows_a_line_a_call_the_newest_first() {
    for width in [80, 120] {
        assert_snapshot!(format!("find_{width}"), shown("find", width));
    }
    assert_snapshot!("find_json", shown("find place --json", 80));
}

#[test]
fn every_option_narrows_what_is_found() {
    let found = [
        ("find --status error", &["check", "place", "handle"][..]),
        ("find --status running,interrupted", &["check", "send_order_confirmation_to_customer"]),
        ("find --error-type KeyError", &["check"]),
        ("find --error-type shop.errors.* place", &["place"]),
        ("find --group orders", &["place", "place"]),
        ("find --slower-than 1s", &["place", "handle"]),
        ("find --slower-than 8ms --faster-than 10ms", &["charge", "place"]),
        ("find --since 09:12:37 --until 09:12:40", &["check", "place", "handle"]),
        ("find --thread worker-*", &["send_order_confirmation_to_customer"]),
        ("find --parent PLACED", &["charge", "check"]),
        ("find --run 2", &[]),
        ("find --where 'args.order.id = 17'", &["place"]),
        ("find --where 'result.status >= 200 and duration > 10ms'", &["handle"]),
        ("find --where 'args.order.lines[0].sku in (A-1, B-2)' --oldest-first", &["place"]),
        ("slow --limit 3", &["handle", "place", "handle"]),
        ("running", &["send_order_confirmation_to_customer"]),
        ("tail --status ok -n 2", &["check", "charge"]),
    ];
    for (arguments, expected) in found {
        assert_eq!(functions(arguments), expected, "{arguments}");
    }
}

#[test]
fn an_answer_that_was_cut_says_how_to_go_on() {
    let first = shown("find --limit 4", 100);
    let place = first.lines().last().and_then(|line| line.split("--after ").nth(1)).unwrap();
    let place = place.split_whitespace().next().unwrap();
    assert_snapshot!("find_cut", first);
    let rest = shown(&format!("find --after {place}"), 100);
    assert_eq!(format!("{}\n{rest}", first.lines().take(4).collect::<Vec<_>>().join("\n")), shown("find", 100));
}

#[test]
fn slow_and_running_and_tree_fit_the_terminal() {
    for width in [80, 120] {
        assert_snapshot!(format!("slow_{width}"), shown("slow --limit 4", width));
        assert_snapshot!(format!("running_{width}"), shown("running", width));
        assert_snapshot!(format!("tree_{width}"), shown("tree place", width));
    }
    assert_snapshot!("running_json", shown("running --json", 80));
    assert_snapshot!("tree_json", shown("tree PLACED --json", 80));
    assert_snapshot!("tree_shallow", shown("tree shop.api.handle --depth 1", 80));
}

#[test]
fn a_call_of_another_task_names_the_task_in_running() {
    let sample = SampleTape::create();
    let fetch = sample.function_of("shop.prices.fetch", "", "coroutine");
    let row = CallRow { status: 5, duration_ns: None, result: None, task: Some("Task-12"), ..CallRow::new(fetch, 0) };
    sample.call(row);
    let ran = calltape("running", &surroundings(sample.folder.path()));
    assert!(ran.out.contains("3 min  4711 Task-12  shop.prices.fetch()"), "{ran:?}");
}

#[test]
fn what_is_not_there_is_exit_code_1_and_a_line() {
    for command in ["find nobody", "find --where 'args.colour = red'", "slow --group none", "running place", "tree 42"]
    {
        let said = anywhere(&shown(command, 80));
        assert!(
            said.starts_with("--- stderr\ncalltape: no ") && said.ends_with("--- exit code 1\n"),
            "{command}: {said}"
        );
    }
}

#[test]
fn what_cannot_match_at_all_is_said() {
    let said: Vec<String> = [
        "find plcae",
        "find place --where 'args.ordr.id = 17'",
        "find --group webb",
        "slow --error-type ValueError",
        "errors --error-type ValueError",
        "top refund --since 1h",
        "tail --run 77",
    ]
    .iter()
    .map(|arguments| format!("$ calltape {arguments}\n{}", anywhere(&shown(arguments, 80))))
    .collect();
    assert_snapshot!("notices", said.join("\n"));
}

#[test]
fn a_condition_that_does_not_parse_is_shown_with_a_caret_and_an_example() {
    let wrong = [
        "find --where 'args.user_id ='",
        "find --where 'colour = red'",
        "find --where 'status = broken'",
        "find --where 'args.name ~ \"(\"'",
        "find --where '(args.n = 1'",
        "tail --where 'duration > 50'",
    ];
    let said: Vec<String> =
        wrong.iter().map(|arguments| format!("$ calltape {arguments}\n{}", shown(arguments, 80))).collect();
    assert_snapshot!("conditions_refused", said.join("\n"));
}

#[test]
fn options_that_make_no_sense_are_refused_with_what_would() {
    let wrong = [
        "find --slower-than 50",
        "find --slower-than 2s --faster-than 1s",
        "find --since 1h --until 2h",
        "find --status failed",
        "find --run shop.py",
        "find --parent place",
        "find --after here",
    ];
    let first = |arguments: &str| shown(arguments, 100).lines().take(2).collect::<Vec<_>>().join("\n");
    let said: Vec<String> =
        wrong.iter().map(|arguments| format!("$ calltape {arguments}\n{}", first(arguments))).collect();
    assert_snapshot!("options_refused", said.join("\n"));
}
