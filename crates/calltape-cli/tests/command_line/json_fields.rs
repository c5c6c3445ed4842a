//! Each command's help lists the fields of its JSON. Here the two are compared, for a field that is not documented is one
//! nobody may rely on, and one that is documented and missing breaks who does.

use std::collections::BTreeSet;

use crate::commands::shown;

/// The fields that `calltape command --help` lists behind `Each line of --json:`, up to the full stop.
fn documented(command: &str) -> BTreeSet<String> {
    let help = shown(&format!("{command} --help"), 100).split_whitespace().collect::<Vec<_>>().join(" ");
    let list = help.split_once("Each line of --json: ").unwrap_or_else(|| panic!("{command}: {help}")).1;
    let list = list.split_once(". ").map_or(list, |(list, _)| list).trim_end_matches('.');
    list.split(", ").map(str::to_owned).collect()
}

/// The fields of all objects that `calltape arguments.. --json` prints.
fn printed(arguments: &str) -> BTreeSet<String> {
    let out = shown(&format!("{arguments} --json"), 100);
    let objects = out.lines().map_while(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let fields: BTreeSet<String> = objects
        .inspect(|object| assert!(object.is_object(), "{object}"))
        .flat_map(|object| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>())
        .collect();
    assert!(!fields.is_empty(), "{arguments}: {out}");
    fields
}

#[test]
fn the_fields_of_each_line_are_those_its_help_lists() {
    for (command, arguments) in [
        ("top", "top"),
        ("tail", "tail"),
        ("find", "find"),
        ("slow", "slow"),
        ("running", "running"),
        ("diff", "diff ..09:13 09:13.."),
        ("errors", "errors"),
        ("doctor", "doctor"),
        ("config", "config"),
    ] {
        assert_eq!(printed(arguments), documented(command), "{command}");
    }
}
