//! A tape holds whatever a program passed around; none of it may act on the terminal that shows it.
//!
//! The failure this guards against: an argument such as `"\x1b]0;..\x07"` renames the window, moves the cursor over other
//! lines, or on some terminals types into the shell.

use crate::sample_tape::{CallRow, Raised, SampleTape};
use crate::session::{calltape, surroundings};

/// Sets the title, clears the screen, C1 CSI, bell, backspace, bidi override, a line of its own.
const ATTACK: &str = "\x1b]0;owned\x07\x1b[2J\u{9b}31m\x08\u{202e}\r\nfake line";

/// A tape with the attack in every text column that a program's values reach.
fn attacked() -> (SampleTape, i64) {
    let sample = SampleTape::create();
    let function = sample.function_of(ATTACK, ATTACK, "function");
    sample.thread(2, 1, ATTACK);
    sample.connection.execute("UPDATE run SET program = ?1, host = ?1, python = ?1", [ATTACK]).unwrap();
    sample.connection.execute("UPDATE function SET file = ?1", [ATTACK]).unwrap();
    let chain = serde_json::json!([{
        "type": ATTACK, "message": ATTACK, "relation": null, "notes": [ATTACK],
        "frames": [{"file": ATTACK, "line": 1, "function": ATTACK, "source": ATTACK}, ATTACK],
    }])
    .to_string();
    let raised =
        Raised { error_type: ATTACK, message: ATTACK, file: ATTACK, line: 1, place: ATTACK, traceback: &chain };
    let quoted = serde_json::json!({ATTACK: ATTACK, "raw": 1}).to_string();
    let row = CallRow { thread: 2, args: Some(&quoted), ..CallRow::new(function, 0) };
    let failed = sample.failed_call(row, &raised);
    // Not even JSON.
    sample.call(CallRow { thread: 2, args: Some(ATTACK), result: Some(ATTACK), ..CallRow::new(function, 1_000) });
    sample.minute(function, 0, [1, 1, 0, 0, 5, 5, 5], &[]);
    sample.books(1, function, [1, 1, 0, 0, 0]);
    (sample, failed)
}

#[test]
fn nothing_recorded_reaches_the_terminal_raw() {
    let (sample, failed) = attacked();
    let around = surroundings(sample.folder.path());
    let show = format!("show {failed}");
    for command in ["top", "tail", &show, "errors", "stats"] {
        for json in ["", " --json"] {
            let ran = calltape(&format!("{command}{json}"), &around);
            assert_eq!(ran.code, 0, "{command}: {ran:?}");
            let text = ran.out + &ran.err;
            let acting = text.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
            assert_eq!(acting, None, "{command}{json}: {text:?}");
            let own_line = |line: &str| json.is_empty() && line.trim_start().starts_with("fake line");
            let broken_out = text.lines().any(own_line) && !command.starts_with("show");
            assert!(!broken_out, "{command}: {text}");
        }
    }
}

#[test]
fn json_lines_stay_valid_whatever_is_recorded() {
    let (sample, failed) = attacked();
    let around = surroundings(sample.folder.path());
    for command in ["top --json", "tail --json", &format!("show {failed} --json"), "errors --json", "stats --json"] {
        for line in calltape(command, &around).out.lines() {
            let object: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(object.is_object(), "{line}");
        }
    }
}
