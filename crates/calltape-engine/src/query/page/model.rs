//! What a filter finds, by random calls and random conditions, is what a plain reading of its rules over plain values
//! finds; and pages hand out each of them once, whatever is written meanwhile.
//!
//! The model knows no SQL, no index and no prefilter: it holds the calls as values and goes through all of them.

mod calls;
mod conditions;

use calltape_record::Status;
use proptest::prelude::*;

use super::*;
use crate::query::filter::{Condition, TextPattern};
use crate::query::{DurationRange, FunctionPattern, TimeRange};
use calls::{ModelCall, calls, tape};
use conditions::{ModelCondition, condition};

/// The fields of a filter and what they mean for a model's call.
#[derive(Debug, Clone)]
enum Field {
    Function(&'static str),
    Group(&'static str),
    Statuses(Vec<u8>),
    ErrorType(&'static str),
    Since(i64),
    Until(i64),
    AtLeast(u64),
    AtMost(u64),
    Thread(&'static str),
    Task(&'static str),
    Run(u64),
    Pid(i64),
    Parent(usize),
    Root(usize),
    Condition(ModelCondition),
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        prop::sample::select(vec!["place", "shop.*", "pay", "nobody"]).prop_map(Field::Function),
        prop::sample::select(vec!["orders", "m*", "none"]).prop_map(Field::Group),
        prop::collection::vec(0..7u8, 1..3).prop_map(Field::Statuses),
        prop::sample::select(vec!["ValueError", "Declined", "shop.*", "KeyError"]).prop_map(Field::ErrorType),
        (0..60i64).prop_map(Field::Since),
        (0..60i64).prop_map(Field::Until),
        (0..6u64).prop_map(|n| Field::AtLeast(n * 10_000_000)),
        (0..6u64).prop_map(|n| Field::AtMost(n * 10_000_000)),
        prop::sample::select(vec!["MainThread", "worker-?"]).prop_map(Field::Thread),
        prop::sample::select(vec!["Task-1", "*"]).prop_map(Field::Task),
        (1..4u64).prop_map(Field::Run),
        (4711..4714i64).prop_map(Field::Pid),
        (0..40usize).prop_map(Field::Parent),
        (0..40usize).prop_map(Field::Root),
        condition().prop_map(Field::Condition),
        condition().prop_map(Field::Condition),
    ]
}

impl Field {
    fn put(&self, filter: &mut CallFilter, all: &[ModelCall]) {
        let id = |place: usize| Some(all[place % all.len()].id.cast_unsigned());
        let at = |seconds: i64| Some(crate::query::sample_tape::START_NS + seconds * 1_000_000_000);
        match self {
            Self::Function(text) => filter.functions = Some(FunctionPattern::new(*text)),
            Self::Group(text) => filter.group = Some(TextPattern::glob(*text)),
            Self::Statuses(numbers) => {
                filter.statuses = numbers.iter().map(|&number| Status::try_from(number).unwrap()).collect();
            }
            Self::ErrorType(text) => filter.error_type = Some(TextPattern::glob(*text)),
            Self::Since(seconds) => filter.range = TimeRange { since_ns: at(*seconds), ..filter.range },
            Self::Until(seconds) => filter.range = TimeRange { until_ns: at(*seconds), ..filter.range },
            Self::AtLeast(ns) => filter.duration = DurationRange { at_least_ns: Some(*ns), ..filter.duration },
            Self::AtMost(ns) => filter.duration = DurationRange { at_most_ns: Some(*ns), ..filter.duration },
            Self::Thread(text) => filter.thread = Some(TextPattern::glob(*text)),
            Self::Task(text) => filter.task = Some(TextPattern::glob(*text)),
            Self::Run(id) => filter.run_id = Some(*id),
            Self::Pid(pid) => filter.pid = Some(*pid),
            Self::Parent(place) => filter.parent_id = id(*place),
            Self::Root(place) => filter.root_id = id(*place),
            Self::Condition(condition) => {
                let text = condition.to_string();
                filter.condition = Some(Condition::parse(&text).unwrap_or_else(|error| panic!("{error}")));
            }
        }
    }

    fn is_met(&self, call: &ModelCall, all: &[ModelCall]) -> bool {
        let second = (call.started_ns - crate::query::sample_tape::START_NS) as f64 / 1e9;
        let ends_with = |name: Option<&str>, ends: &[&str]| name.is_some_and(|name| ends.contains(&name));
        match self {
            Self::Function("place") => call.function().name == "shop.orders.place",
            Self::Function("pay") => call.function().name == "shop.money.pay",
            Self::Function("shop.*") => call.function().name.starts_with("shop."),
            Self::Group("m*") => call.function().group == "money",
            Self::Group(text) => call.function().group == *text,
            Self::Function(_) => false,
            Self::Statuses(numbers) => numbers.contains(&(call.status as u8)),
            Self::ErrorType("Declined") => ends_with(call.error_type(), &["shop.Declined"]),
            Self::ErrorType("shop.*") => call.error_type().is_some_and(|name| name.starts_with("shop.")),
            Self::ErrorType(text) => ends_with(call.error_type(), &[text]),
            Self::Since(seconds) => second >= *seconds as f64,
            Self::Until(seconds) => second <= *seconds as f64,
            Self::AtLeast(ns) => call.duration_ns.is_some_and(|duration| duration.cast_unsigned() >= *ns),
            Self::AtMost(ns) => call.duration_ns.is_some_and(|duration| duration.cast_unsigned() <= *ns),
            Self::Thread("MainThread") => call.thread().name == "MainThread",
            Self::Thread(_) => call.thread().name.starts_with("worker-"),
            Self::Task("*") => call.task.is_some(),
            Self::Task(text) => call.task == Some(text),
            Self::Run(id) => call.thread().run == id.cast_signed(),
            Self::Pid(pid) => call.thread().pid == *pid,
            Self::Parent(place) => call.parent == Some(all[place % all.len()].id),
            Self::Root(place) => call.root.unwrap_or(call.id) == all[place % all.len()].id,
            Self::Condition(condition) => condition.is_met(call),
        }
    }
}

/// All pages of a filter, the cursor going through its text; `between` is called after each page.
fn read(tape: &Tape, filter: &CallFilter, order: Order, limit: usize, mut between: impl FnMut()) -> Vec<i64> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = tape.calls_within(filter, order, after.as_ref(), limit, 7).unwrap();
        ids.extend(page.calls.iter().map(|call| call.id.cast_signed()));
        between();
        let Some(next) = page.next else { return ids };
        after = Some(next.to_string().parse().unwrap());
    }
}

fn order() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![Order::NewestFirst, Order::OldestFirst, Order::SlowestFirst])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_finds_what_its_rules_say(
        all in calls(40), filters in prop::collection::vec((prop::collection::vec(field(), 0..3), order(), 1..9usize), 24),
    ) {
        let sample = tape(&all);
        let tape = Tape::open(&sample.path()).unwrap();
        for (mut fields, order, limit) in filters {
            // Of two fields of a kind the second would replace the first.
            let mut kinds = Vec::new();
            fields.retain(|field| {
                let kind = std::mem::discriminant(field);
                let is_new = !kinds.contains(&kind);
                kinds.push(kind);
                is_new
            });
            let mut filter = CallFilter::default();
            fields.iter().for_each(|field| field.put(&mut filter, &all));
            let matching = all.iter().filter(|call| fields.iter().all(|field| field.is_met(call, &all)));
            let mut expected: Vec<(i64, i64)> =
                matching.map(|call| (call.duration_ns.unwrap_or(-1), call.id)).collect();
            match order {
                Order::NewestFirst => expected.sort_by_key(|key| std::cmp::Reverse(key.1)),
                Order::OldestFirst => expected.sort_by_key(|key| key.1),
                Order::SlowestFirst => expected.sort_by_key(|key| std::cmp::Reverse(*key)),
            }
            let expected: Vec<i64> = expected.into_iter().map(|key| key.1).collect();
            prop_assert_eq!(read(&tape, &filter, order, limit, || ()), expected, "{:?} {:?}", fields, order);
        }
    }

    #[test]
    fn pages_hand_out_each_call_once_while_others_are_written(
        before in calls(40), mut meanwhile in calls(30), order in order(), limit in 1..6usize, fields in prop::collection::vec(field(), 0..2),
    ) {
        let taken: Vec<i64> = before.iter().map(|call| call.id).collect();
        meanwhile.iter_mut().for_each(|call| call.id += 3);
        meanwhile.retain(|call| !taken.contains(&call.id));
        let sample = tape(&before);
        let tape = Tape::open(&sample.path()).unwrap();
        let mut filter = CallFilter::default();
        fields.iter().for_each(|field| field.put(&mut filter, &before));
        let mut found = read(&tape, &filter, order, limit, || {
            if let Some(call) = meanwhile.pop() {
                call.insert(&sample);
            }
        });
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        prop_assert_eq!(found.len(), count, "a call came twice");
        for call in before.iter().filter(|call| fields.iter().all(|field| field.is_met(call, &before))) {
            prop_assert!(found.contains(&call.id), "{:?} is missing", call);
        }
    }
}
