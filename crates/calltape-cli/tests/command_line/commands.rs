//! What each command prints, for people and as JSON lines.

use insta::assert_snapshot;

use crate::sample_tape::SampleTape;
use crate::session::{calltape, surroundings};
use crate::shop_tape::{ShopTape, grouped};

/// What `calltape arguments..` prints for the shop's tape, `width` columns wide.
pub(crate) fn shown(arguments: &str, width: usize) -> String {
    let shop = ShopTape::create();
    let mut around = surroundings(shop.sample.folder.path());
    around.width = width;
    let arguments = arguments
        .replace("PLACED", &shop.placed.to_string())
        .replace("FAILED", &shop.failed.to_string())
        .replace("RUNNING", &shop.running.to_string())
        .replace("INTERRUPTED", &shop.interrupted.to_string());
    calltape(&arguments, &around).transcript()
}

/// Like [`shown`], where what a library's version or the file system decides is left out.
fn shown_anywhere(arguments: &str, width: usize) -> String {
    let place = anywhere(&shown(arguments, width));
    place.lines().filter(|line| !line.contains("write-ahead log")).collect::<Vec<_>>().join("\n")
}

/// The path of the tape's folder and SQLite's version, replaced.
pub(crate) fn anywhere(text: &str) -> String {
    let version = calltape_engine::query::Tape::sqlite_version();
    let mut text = text.replace(version, "X.Y.Z");
    for name in ["\"database_bytes\":", "\"wal_bytes\":", "\"journal_bytes\":"] {
        if let Some(at) = text.find(name) {
            let from = at + name.len();
            let digits = text[from..].chars().take_while(char::is_ascii_digit).count();
            text.replace_range(from..from + digits, "0");
        }
    }
    let (Some(end), Some(begin)) = (text.find("/calls.db"), text.find('/')) else { return text };
    format!("{}FOLDER{}", &text[..begin], &text[end..])
}

#[test]
fn top_shows_functions_by_time_spent() {
    assert_snapshot!("top", shown("top", 100));
    assert_snapshot!("top_narrow", shown("top", 60));
    assert_snapshot!("top_sorted_and_limited", shown("top --sort errors --limit 2", 140));
    assert_snapshot!("top_json", shown("top --json --sort name", 100));
}

#[test]
fn top_since_a_span_and_of_a_pattern() {
    assert_snapshot!("top_since", shown("top --since 3m orders", 100));
    assert_snapshot!("top_nothing", anywhere(&shown("top --since 2s", 100)));
}

#[test]
fn tail_shows_a_line_a_call() {
    assert_snapshot!("tail", shown("tail", 100));
    assert_snapshot!("tail_wide", shown("tail -n 3", 160));
    assert_snapshot!("tail_narrow", shown("tail", 80));
    assert_snapshot!("tail_of_a_pattern", shown("tail check", 80));
    assert_snapshot!("tail_json", shown("tail -n 2 --json place", 100));
}

#[test]
fn show_has_all_there_is_about_a_call() {
    assert_snapshot!("show", shown("show PLACED", 80));
    assert_snapshot!("show_failed", shown("show FAILED", 80));
    assert_snapshot!("show_running", shown("show RUNNING", 80));
    assert_snapshot!("show_interrupted", shown("show INTERRUPTED", 80));
    assert_snapshot!("show_json", shown("show FAILED --json", 80));
    assert_snapshot!("show_nothing", anywhere(&shown("show 42", 80)));
}

#[test]
fn a_group_of_exceptions_is_shown_with_its_members_set_in() {
    let (sample, failed) = grouped();
    let mut around = surroundings(sample.folder.path());
    around.width = 80;
    assert_snapshot!("show_group", calltape(&format!("show {failed}"), &around).transcript());
    assert_snapshot!("errors_group", calltape("errors", &around).transcript());
    around.color = true;
    assert_snapshot!("show_group_colour", calltape(&format!("show {failed}"), &around).transcript());
}

#[test]
fn errors_are_grouped_by_where_they_come_from() {
    assert_snapshot!("errors", shown("errors", 100));
    assert_snapshot!("errors_narrow", shown("errors", 80));
    assert_snapshot!("errors_limited", shown("errors --limit 1 --since 2026-10-14", 100));
    assert_snapshot!("errors_json", shown("errors --json place", 100));
    assert_snapshot!("errors_nothing", anywhere(&shown("errors --since 5s", 100)));
}

#[test]
fn errors_there_was_no_room_for_are_marked() {
    let shop = ShopTape::create();
    let lose = "INSERT INTO lost_error SELECT 1, number, e.function_id, coalesce(kind, e.type), e.file, e.line, e.place, calls,
                    1791969160000000000, 1791969170000000000
                FROM error e, (SELECT 1 AS number, NULL AS kind, 40 AS calls UNION SELECT 2, 'shop.errors.Lost', 7)
                WHERE e.type = 'KeyError'";
    assert_eq!(shop.sample.connection.execute(lose, []).unwrap(), 2);
    let around = surroundings(shop.sample.folder.path());
    assert_snapshot!("errors_counted_only", calltape("errors --limit 2", &around).transcript());
    assert_snapshot!("errors_counted_only_json", calltape("errors --limit 2 --json", &around).transcript());
}

#[test]
fn stats_balances_the_books() {
    assert_snapshot!("stats", shown_anywhere("stats", 100));
    assert_snapshot!("stats_json", shown_anywhere("stats --json", 100));
}

#[test]
fn an_empty_tape_has_nothing_to_show() {
    let sample = SampleTape::create();
    let around = surroundings(sample.folder.path());
    let transcript: Vec<String> = ["top", "tail", "errors", "top --json"]
        .map(|command| format!("$ calltape {command}\n{}", anywhere(&calltape(command, &around).transcript())))
        .into();
    assert_snapshot!("empty_tape", transcript.join("\n"));
    sample.connection.execute_batch("DELETE FROM thread; DELETE FROM run").unwrap();
    assert_eq!(calltape("stats", &around).code, 1);
}

/// Every command, and none.
const COMMANDS: [&str; 19] = [
    "",
    "top",
    "tail",
    "find",
    "slow",
    "running",
    "show",
    "tree",
    "diff",
    "sql",
    "export",
    "errors",
    "stats",
    "doctor",
    "recover",
    "prune",
    "drain",
    "config",
    "completions",
];

#[test]
fn help_explains_each_command_with_examples() {
    for command in COMMANDS {
        let help = shown(&format!("{command} --help"), 90);
        assert!(help.contains("calltape"), "{help}");
        if ["", "top", "find"].contains(&command) {
            assert_snapshot!(format!("help_{command}"), help);
        }
    }
    let listed = shown("--help", 90);
    let listed = listed.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let listed = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let listed: Vec<&str> =
        listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(listed.iter().all(|name| COMMANDS.contains(name)), "{listed:?}");
    assert_eq!(listed.len(), COMMANDS.len() - 1);
    let version = anywhere(&shown("--version", 90));
    assert_eq!(version, format!("calltape {} (SQLite X.Y.Z)\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn times_are_local_unless_utc_is_asked_for() {
    let shop = ShopTape::create();
    let mut around = surroundings(shop.sample.folder.path());
    around.zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    let line = |arguments: &str| calltape(arguments, &around).out;
    assert!(line("tail -n 1").contains("  11:12:54.000  "), "{}", line("tail -n 1"));
    assert!(line("tail -n 1 --utc").contains("  09:12:54.000  "), "{}", line("tail -n 1 --utc"));
}
