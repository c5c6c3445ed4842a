//! `config` says what is set and by whom; `completions` is a script the shell can read. Neither needs a tape.

use insta::assert_snapshot;

use crate::session::{calltape, surroundings};

/// What `calltape arguments..` says in a folder with a `pyproject.toml` and two settings in the environment, of which
/// one cannot be used; the folder's path replaced.
fn said(arguments: &str, width: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pyproject.toml"), "[tool.calltape]\nretention_age = \"3d\"\n").unwrap();
    let mut around = surroundings(folder.path());
    around.width = width;
    for (name, value) in [("CALLTAPE_JOURNAL_LIMIT", "16MiB"), ("CALLTAPE_MAX_DEPTH", "deep")] {
        around.environment.insert(name.to_owned(), value.to_owned());
    }
    calltape(arguments, &around).transcript().replace(&folder.path().display().to_string(), "FOLDER")
}

/// How wide a column is depends on the path of the folder the test runs in: its gaps are made equal, and lines with a
/// path are left out.
fn without_paths(text: &str) -> String {
    let one_gap =
        |line: &str| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>().join("  ");
    text.lines()
        .filter(|line| !line.contains("pyproject.toml") && !line.contains("calls.db"))
        .map(one_gap)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn each_setting_is_shown_with_its_value_and_where_that_comes_from() {
    let wide = said("config", 200);
    assert!(wide.contains("FOLDER/calls.db  CALLTAPE_DB") && wide.contains("FOLDER/pyproject.toml"), "{wide}");
    assert_snapshot!("config", without_paths(&wide));
    assert_snapshot!("config_narrow", without_paths(&said("config", 80)));
    assert_snapshot!("config_json", said("config --json", 80));
}

#[test]
fn a_setting_that_is_asked_for_says_how_to_set_it() {
    assert_snapshot!("config_settings", said("config CALLTAPE_RETENTION_AGE sensitive-fields", 80));
    assert_snapshot!("config_unknown", said("config colour", 80));
}

#[test]
fn the_tape_named_by_an_option_is_from_there() {
    let ran = said("config db --db other.db --json", 80);
    let line: serde_json::Value = serde_json::from_str(ran.lines().next().unwrap()).unwrap();
    assert_eq!((line["value"].as_str(), line["from"].as_str()), (Some("FOLDER/other.db"), Some("--db")));
}

#[test]
fn without_a_problem_the_exit_code_is_0() {
    let folder = tempfile::tempdir().unwrap();
    let ran = calltape("config", &surroundings(folder.path()));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let ran = calltape(&format!("completions {shell}"), &surroundings(folder.path()));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        for command in ["top", "tail", "show", "errors", "stats", "doctor", "recover", "prune", "drain", "config"] {
            assert!(ran.out.contains(command), "{shell}: {command}");
        }
    }
}
