//! What of a filter cannot match on this tape: a function nobody recorded, a parameter no function has, a type of error
//! nothing raised. Asked after a question that found nothing; reads names and never a call.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::calls::sql_id;
use super::filter::{Check, Column, Relation, Root, Step, Subject, Test, TextPattern, Value, matches_nothing};
use super::scan::function_ids;
use super::{CallFilter, FunctionPattern, QueryError, Tape};
use crate::settings::nearest;

/// Names a notice lists.
const LISTED: usize = 8;

/// Characters of a name that are shown.
const SHOWN: usize = 80;

impl Tape {
    /// What of `filter` no call on the tape can meet, a sentence each; nothing where every part of it may match. Names come
    /// as recorded: who shows them on a terminal escapes them.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn notices(&self, filter: &CallFilter) -> Result<Vec<String>, QueryError> {
        self.read(|connection| {
            let mut notices = Vec::new();
            notices.extend(empty_ranges(filter));
            notices.extend(functions(connection, filter)?);
            if let Some(pattern) = &filter.group {
                let groups = groups(connection)?;
                notices.extend(unmatched("no function is of the group", pattern, &groups));
            }
            if let Some(pattern) = &filter.error_type {
                let types = error_types(connection)?;
                let is_known = types.iter().any(|name| pattern.matches_last_part(name));
                notices.extend((!is_known).then(|| unknown("no call raised", pattern.as_str(), &types)));
            }
            notices.extend(places(connection, filter)?);
            notices.extend(condition(connection, filter)?);
            Ok(notices)
        })
    }
}

/// Ranges that nothing lies in, whatever was recorded.
fn empty_ranges(filter: &CallFilter) -> Vec<String> {
    let mut notices = Vec::new();
    if let (Some(since), Some(until)) = (filter.range.since_ns, filter.range.until_ns)
        && since > until
    {
        notices.push("the range of time ends before it begins".to_owned());
    }
    if let (Some(least), Some(most)) = (filter.duration.at_least_ns, filter.duration.at_most_ns)
        && least > most
    {
        notices.push("the shortest duration asked for is longer than the longest".to_owned());
    }
    notices
}

/// The filter's function pattern, where no function has such a name.
fn functions(connection: &Connection, filter: &CallFilter) -> rusqlite::Result<Option<String>> {
    let Some(pattern) = &filter.functions else { return Ok(None) };
    if !pattern.function_ids(connection)?.is_empty() {
        return Ok(None);
    }
    let names = texts(connection, "SELECT DISTINCT name FROM function ORDER BY name")?;
    if names.is_empty() {
        return Ok(Some("no function was recorded yet".to_owned()));
    }
    // What people mistype is a part between dots, most often the last.
    let last_parts = names.iter().map(|name| name.rsplit('.').next().unwrap_or(name));
    let given = pattern.as_str();
    let (near, distance) = nearest(given, names.iter().map(String::as_str).chain(last_parts));
    // A glob is of the whole name, and of a class or a module within a package people know the end.
    let from_anywhere = format!("*.{given}");
    let hint = if distance <= 1 + given.len() / 4 {
        format!(": did you mean `{}`?", shown(near))
    } else if pattern.is_glob() && !FunctionPattern::new(&*from_anywhere).function_ids(connection)?.is_empty() {
        format!(": did you mean `{}`?", shown(&from_anywhere))
    } else {
        format!("; there are {}", list(&names))
    };
    Ok(Some(format!("no function matches `{}`{hint}", shown(given))))
}

/// A process, a run, a caller or a root that is not on the tape.
fn places(connection: &Connection, filter: &CallFilter) -> rusqlite::Result<Vec<String>> {
    let exists = |sql: &str, id: i64| connection.prepare_cached(sql)?.exists([id]);
    let mut notices = Vec::new();
    if let Some(pid) = filter.pid
        && !exists("SELECT 1 FROM run WHERE pid = ?1", pid)?
    {
        notices.push(format!("no process {pid} recorded on this tape"));
    }
    if let Some(run) = filter.run_id
        && !exists("SELECT 1 FROM run WHERE id = ?1", sql_id(run))?
    {
        notices.push(format!("there is no run {run:016x} on this tape"));
    }
    for id in [filter.parent_id, filter.root_id].into_iter().flatten() {
        if !exists("SELECT 1 FROM call WHERE id = ?1", sql_id(id))? {
            notices.push(format!("there is no call {id} on this tape"));
        }
    }
    if let Some(pattern) = &filter.thread {
        let names = texts(connection, "SELECT DISTINCT name FROM thread ORDER BY name")?;
        notices.extend(unmatched("no thread is called", pattern, &names));
    }
    Ok(notices)
}

/// Tests of the condition that no call can meet.
fn condition(connection: &Connection, filter: &CallFilter) -> rusqlite::Result<Vec<String>> {
    let Some(condition) = &filter.condition else { return Ok(Vec::new()) };
    let mut tests: Vec<&Test> = Vec::new();
    condition.expression().each_test(&mut |test| tests.push(test));
    let mut notices = Vec::new();
    let parameters =
        if tests.iter().any(|test| named_argument(test).is_some()) { parameters(connection, filter)? } else { None };
    for test in tests {
        if let Some(name) = named_argument(test)
            && let Some(parameters) = &parameters
            && !parameters.contains(name)
        {
            notices.push(unknown_parameter(name, parameters, filter));
        }
        notices.extend(text(connection, test)?);
    }
    notices.dedup();
    Ok(notices)
}

/// The argument a test asks for.
fn named_argument(test: &Test) -> Option<&str> {
    match &test.subject {
        Subject::Captured { root: Root::Args, path } => match path.first() {
            // What the recorder itself adds stands in parentheses.
            Some(Step::Key(name)) if !name.starts_with('(') => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// A text or a regular expression that none of a column's few texts meets, or that no text can.
fn text(connection: &Connection, test: &Test) -> rusqlite::Result<Option<String>> {
    let is_met: &dyn Fn(&str) -> bool = match &test.check {
        Check::Compare(Relation::Equal, Value::Text(text)) => &move |name| name == text,
        Check::Matches { regex, negated: false } if matches_nothing(regex) => {
            return Ok(Some(format!("no text matches `{}`", shown(regex.as_str()))));
        }
        Check::Matches { regex, negated: false } => &move |name| regex.is_match(name),
        _ => return Ok(None),
    };
    let (known, what, matched) = match test.subject {
        Subject::Column(Column::Function) => {
            let names = texts(connection, "SELECT DISTINCT name FROM function ORDER BY name")?;
            (names, "no function is called", "no function's name matches")
        }
        Subject::Column(Column::Group) => (groups(connection)?, "no function is of the group", "no group matches"),
        Subject::Column(Column::ErrorType) => (error_types(connection)?, "no call raised", "no type of error matches"),
        Subject::Column(Column::Host) => {
            let names = texts(connection, "SELECT DISTINCT host FROM run ORDER BY host")?;
            (names, "nothing was recorded on", "no host's name matches")
        }
        Subject::Column(Column::Thread) => {
            let names = texts(connection, "SELECT DISTINCT name FROM thread ORDER BY name")?;
            (names, "no thread is called", "no thread's name matches")
        }
        _ => return Ok(None),
    };
    if known.iter().any(|name| is_met(name)) {
        return Ok(None);
    }
    Ok(match &test.check {
        Check::Matches { regex, .. } => Some(unknown(matched, regex.as_str(), &known)),
        Check::Compare(_, Value::Text(text)) => Some(unknown(what, text, &known)),
        _ => None,
    })
}

/// The parameters of all functions the filter names; `None` where anything may stand among a call's arguments: in a span,
/// and of a function whose parameters nobody knows.
fn parameters(connection: &Connection, filter: &CallFilter) -> rusqlite::Result<Option<BTreeSet<String>>> {
    let ids = function_ids(connection, filter)?;
    let mut statement = connection.prepare_cached("SELECT id, kind, parameters FROM function")?;
    let mut rows = statement.query([])?;
    let mut names = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if ids.as_ref().is_some_and(|ids| ids.binary_search(&id).is_err()) {
            continue;
        }
        let (kind, json): (String, String) = (row.get(1)?, row.get(2)?);
        match serde_json::from_str::<Vec<String>>(&json) {
            Ok(parameters) if kind != "span" && !parameters.is_empty() => names.extend(parameters),
            Ok(_) if kind != "span" => {}
            _ => return Ok(None),
        }
    }
    Ok(Some(names).filter(|names| !names.is_empty()))
}

fn unknown_parameter(name: &str, parameters: &BTreeSet<String>, filter: &CallFilter) -> String {
    let whose =
        if filter.functions.is_some() || filter.group.is_some() { "no function asked for" } else { "no function" };
    let known: Vec<String> = parameters.iter().cloned().collect();
    let (near, distance) = nearest(name, known.iter().map(String::as_str));
    let hint = if distance <= 1 + name.len() / 4 {
        format!(": did you mean args.{}?", shown(near))
    } else {
        format!("; there are {}", list(&known))
    };
    format!("{whose} has a parameter `{}`{hint}", shown(name))
}

const GROUPS: &str = "SELECT DISTINCT group_name FROM function WHERE group_name <> '' ORDER BY group_name";

const ERROR_TYPES: &str = "SELECT type FROM error UNION SELECT type FROM lost_error ORDER BY type";

fn groups(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    texts(connection, GROUPS)
}

fn error_types(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    // A tape of version 2 has no table of lost errors.
    let has_lost: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'lost_error'", [], |row| row.get(0))
        .optional()?;
    texts(connection, if has_lost.is_some() { ERROR_TYPES } else { "SELECT DISTINCT type FROM error ORDER BY type" })
}

fn texts(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn unmatched(what: &str, pattern: &TextPattern, names: &[String]) -> Option<String> {
    let is_known = names.iter().any(|name| pattern.matches(name));
    (!is_known).then(|| unknown(what, pattern.as_str(), names))
}

fn unknown(what: &str, text: &str, known: &[String]) -> String {
    let hint = if known.is_empty() { "; there is none".to_owned() } else { format!("; there are {}", list(known)) };
    format!("{what} `{}`{hint}", shown(text))
}

/// The first of the names.
fn list(names: &[String]) -> String {
    let mut listed: Vec<String> = names.iter().take(LISTED).map(|name| shown(name)).collect();
    if names.len() > LISTED {
        listed.push(format!("{} more", names.len() - LISTED));
    }
    listed.join(", ")
}

fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN - 3).chain("...".chars()).collect()
    }
}

#[cfg(test)]
mod tests;
