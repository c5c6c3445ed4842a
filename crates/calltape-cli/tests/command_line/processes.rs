//! The `calltape` binary as a process: colours in pipes and under NO_COLOR, a pipe that closes, widths.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use crate::sample_tape::{CallRow, SampleTape};
use crate::shop_tape::ShopTape;

fn command(sample: &SampleTape, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calltape"));
    command.args(arguments).current_dir(sample.folder.path()).env_clear().env("CALLTAPE_DB", "calls.db");
    command.env("TERM", "xterm-256color");
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn colours_are_off_in_a_pipe_and_under_no_color_and_on_when_asked_for() {
    let shop = ShopTape::create();
    let colours = |arguments: &[&str], variable: Option<(&str, &str)>| {
        let output = command(&shop.sample, arguments).envs(variable).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output).contains('\x1b')
    };
    assert!(!colours(&["top"], None));
    assert!(!colours(&["top"], Some(("NO_COLOR", "1"))));
    assert!(colours(&["top", "--color", "always"], None));
    assert!(colours(&["tail", "--color", "always"], Some(("NO_COLOR", "1"))));
    assert!(!colours(&["top", "--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
}

#[test]
fn a_pipe_gets_whole_lines_and_tables_as_wide_as_columns_says() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(500));
    sample.call(CallRow { args: Some(&long), ..CallRow::new(place, 0) });
    let tail = command(&sample, &["tail"]).output().unwrap();
    assert!(text(&tail).contains(&"x".repeat(500)));
    let shop = ShopTape::create();
    let widest = |variable: Option<(&str, &str)>| {
        let top = command(&shop.sample, &["stats"]).envs(variable).output().unwrap();
        text(&top).lines().map(|line| line.chars().count()).max().unwrap()
    };
    assert!(widest(None) > 90);
    assert!(widest(Some(("COLUMNS", "90"))) <= 90);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(2_000));
    for n in 0..500 {
        sample.call(CallRow { args: Some(&long), ..CallRow::new(place, n * 1_000) });
    }
    let mut child =
        command(&sample, &["tail", "-n", "500"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut begin = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut begin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_missing_tape_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_calltape"))
        .args(["top", "--db", "nowhere.db"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(&output).as_str()), (Some(2), ""));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("calltape: no tape at "));
}
