//! Random conditions, as text and as what they mean for a model's call.

use std::cmp::Ordering;
use std::fmt;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::calls::{ModelCall, scalar};

#[derive(Debug, Clone)]
pub(super) enum ModelCondition {
    All(Vec<ModelCondition>),
    Any(Vec<ModelCondition>),
    Not(Box<ModelCondition>),
    Test(&'static str, Asked),
}

#[derive(Debug, Clone)]
pub(super) enum Asked {
    Has,
    Compare(&'static str, Value),
    In(Vec<Value>, bool),
    Matches(&'static str, bool),
}

pub(super) fn condition() -> impl Strategy<Value = ModelCondition> {
    prop_oneof![3 => captured(), 1 => column()].prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(ModelCondition::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(ModelCondition::Any),
            inner.prop_map(|part| ModelCondition::Not(Box::new(part))),
        ]
    })
}

const PATHS: &[&str] = &[
    "args.x",
    "args.y",
    "args.\"a b\"",
    "args.x.y",
    "args.x[0]",
    "args.x[1].x",
    "result",
    "result[0]",
    "result.x",
    "args",
];

const PATTERNS: &[&str] = &["k-1[0-9]", "^4", "a|b", "null", "ö", "x", "^$", "\\\\d\\\\.5"];

fn captured() -> impl Strategy<Value = ModelCondition> {
    let ordered = prop::sample::select(vec!["<", "<=", ">", ">="]);
    let asked = prop_oneof![
        1 => Just(Asked::Has),
        3 => scalar().prop_map(|value| Asked::Compare("=", value)),
        2 => scalar().prop_map(|value| Asked::Compare("!=", value)),
        2 => (ordered, scalar()).prop_map(|(relation, value)| match value {
            Value::Null | Value::Bool(_) => Asked::Compare(relation, json!(2)),
            value => Asked::Compare(relation, value),
        }),
        1 => (prop::collection::vec(scalar(), 1..4), any::<bool>()).prop_map(|(values, not)| Asked::In(values, not)),
        1 => (prop::sample::select(PATTERNS.to_vec()), any::<bool>()).prop_map(|(regex, not)| Asked::Matches(regex, not)),
    ];
    (prop::sample::select(PATHS.to_vec()), asked).prop_map(|(path, asked)| ModelCondition::Test(path, asked))
}

fn column() -> impl Strategy<Value = ModelCondition> {
    let columns = vec![
        ("function", json!("shop.money.pay")),
        ("group", json!("orders")),
        ("kind", json!("coroutine")),
        ("status", json!("error")),
        ("status", json!("running")),
        ("error_type", json!("ValueError")),
        ("error_message", json!("declined: 42")),
        ("thread", json!("worker-1")),
        ("task", json!("Task-1")),
        ("host", json!("box")),
        ("pid", json!(4712)),
        ("run", json!(2)),
        ("weight", json!(1)),
        ("weight", json!(2.5)),
        ("yields", json!(3)),
        ("parent", json!(5)),
        ("duration", json!(30_000_000)),
        ("active", json!(15_000_000)),
    ];
    let relation = prop::sample::select(vec!["=", "!=", "<", ">="]);
    (prop::sample::select(columns), relation, 0..6u8).prop_map(|((column, value), relation, kind)| {
        let is_word = ["status", "kind"].contains(&column);
        let asked = match kind {
            0 => Asked::Has,
            1 => Asked::In(vec![value.clone()], false),
            2 => Asked::In(vec![value.clone()], true),
            _ if is_word && relation.starts_with(['<', '>']) => Asked::Compare("=", value),
            _ => Asked::Compare(relation, value),
        };
        ModelCondition::Test(column, asked)
    })
}

impl fmt::Display for ModelCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
            f.write_str(&parts.join(word))
        };
        let literal = |subject: &str, value: &Value| match value {
            Value::Number(ns) if ["duration", "active"].contains(&subject) => format!("{ns}ns"),
            Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            value => value.to_string(),
        };
        match self {
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Not(part) => write!(f, "not ({part})"),
            Self::Test(subject, Asked::Has) => write!(f, "has {subject}"),
            Self::Test(subject, Asked::Compare(relation, value)) => {
                write!(f, "{subject} {relation} {}", literal(subject, value))
            }
            Self::Test(subject, Asked::In(values, negated)) => {
                let values: Vec<String> = values.iter().map(|value| literal(subject, value)).collect();
                write!(f, "{subject} {}in ({})", if *negated { "not " } else { "" }, values.join(", "))
            }
            Self::Test(subject, Asked::Matches(regex, negated)) => {
                write!(f, "{subject} {}~ \"{regex}\"", if *negated { "!" } else { "" })
            }
        }
    }
}

impl ModelCondition {
    pub(super) fn is_met(&self, call: &ModelCall) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.is_met(call)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met(call)),
            Self::Not(part) => !part.is_met(call),
            Self::Test(subject, asked) => look_up(call, subject).is_some_and(|value| match asked {
                Asked::Has => true,
                Asked::Compare("=", other) => equals(&value, other),
                Asked::Compare("!=", other) => !equals(&value, other),
                Asked::Compare("<", other) => order(&value, other) == Some(Ordering::Less),
                Asked::Compare(">", other) => order(&value, other) == Some(Ordering::Greater),
                Asked::Compare("<=", other) => order(&value, other).is_some_and(Ordering::is_le),
                Asked::Compare(_, other) => order(&value, other).is_some_and(Ordering::is_ge),
                Asked::In(values, negated) => values.iter().any(|other| equals(&value, other)) != *negated,
                Asked::Matches(regex, negated) => {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let regex = regex.replace("\\\\", "\\");
                    regex::Regex::new(&regex).unwrap().is_match(&text) != *negated
                }
            }),
        }
    }
}

/// What stands in a column or at the end of a path; `None` for nothing.
fn look_up(call: &ModelCall, subject: &str) -> Option<Value> {
    let (function, thread) = (call.function(), call.thread());
    match subject {
        "function" => Some(json!(function.name)),
        "group" => Some(json!(function.group)).filter(|_| !function.group.is_empty()),
        "kind" => Some(json!(function.kind)),
        "status" => Some(json!(call.status.name())),
        "error_type" => call.raised.map(|raised| json!(raised.0)),
        "error_message" => call.raised.map(|raised| json!(raised.1)),
        "thread" => Some(json!(thread.name)),
        "task" => call.task.map(|task| json!(task)),
        "host" => Some(json!("box")),
        "pid" => Some(json!(thread.pid)),
        "run" => Some(json!(thread.run)),
        "weight" => Some(json!(call.weight.unwrap_or(1.0))),
        "yields" => call.yields.map(|yields| json!(yields)),
        "parent" => call.parent.map(|parent| json!(parent)),
        "duration" => call.duration_ns.map(|ns| json!(ns)),
        "active" => {
            let own = call.duration_ns.filter(|_| function.kind == "function");
            call.active_ns.or(own).map(|ns| json!(ns))
        }
        "args" => call.args.clone(),
        path => at_path(call, path),
    }
}

fn at_path(call: &ModelCall, path: &str) -> Option<Value> {
    let (args, result) = (call.args.as_ref(), call.result.as_ref());
    let value = match path {
        "args.x" => args?.get("x")?,
        "args.y" => args?.get("y")?,
        "args.\"a b\"" => args?.get("a b")?,
        "args.x.y" => args?.get("x")?.get("y")?,
        "args.x[0]" => args?.get("x")?.get(0)?,
        "args.x[1].x" => args?.get("x")?.get(1)?.get("x")?,
        "result" => result?,
        "result[0]" => result?.get(0)?,
        "result.x" => result?.get("x")?,
        other => panic!("the model knows no {other}"),
    };
    Some(value.clone())
}

fn equals(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        _ => order(value, other) == Some(Ordering::Equal),
    }
}

fn order(value: &Value, other: &Value) -> Option<Ordering> {
    match (value, other) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => {
            let whole = |n: &serde_json::Number| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
            match (whole(a), whole(b)) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
            }
        }
        _ => None,
    }
}
