use super::*;
use crate::query::sample_tape::{CallRow, Raised, SampleTape};
use crate::query::{Condition, DurationRange, FunctionPattern, TimeRange};

fn shop() -> (SampleTape, i64) {
    let sample = SampleTape::create();
    let place = sample.function_of("shop.orders.place", "orders", "function");
    sample.function_of("shop.money.pay", "money", "coroutine");
    sample.connection.execute("UPDATE function SET parameters = '[\"order\",\"user_id\"]' WHERE id = 1", []).unwrap();
    sample.connection.execute("UPDATE function SET parameters = '[\"amount\"]' WHERE id = 2", []).unwrap();
    let raised = Raised {
        error_type: "shop.CardDeclined",
        message: "no",
        file: "shop/money.py",
        line: 21,
        place: "check",
        traceback: "[]",
    };
    let id = sample.failed_call(CallRow::new(place, 0), &raised);
    (sample, id)
}

fn notices(filter: &CallFilter) -> Vec<String> {
    let (sample, _) = shop();
    Tape::open(&sample.path()).unwrap().notices(filter).unwrap()
}

fn condition(text: &str) -> CallFilter {
    CallFilter { condition: Some(Condition::parse(text).unwrap()), ..CallFilter::default() }
}

#[test]
fn what_may_match_is_not_noticed() {
    let (sample, id) = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let all = CallFilter::default;
    let filters = [
        all(),
        CallFilter { functions: Some(FunctionPattern::new("place")), ..all() },
        CallFilter { group: Some(TextPattern::glob("mon*")), ..all() },
        CallFilter { error_type: Some(TextPattern::glob("CardDeclined")), ..all() },
        CallFilter { thread: Some(TextPattern::glob("Main*")), pid: Some(4711), run_id: Some(1), ..all() },
        CallFilter { root_id: Some(id.cast_unsigned()), ..all() },
        condition("args.user_id = 42 and args.\"(set)\".x = 1 and args ~ x and result.whatever = 3"),
        condition("function = shop.money.pay or group = orders or error_type = shop.CardDeclined"),
        condition("function ~ pay$ or group ~ ^o or error_type ~ Card and thread !~ x^y or host ~ '.'"),
        condition("args ~ '(x|)^y*$' or args ~ '(?m)x\\n^y' or args ~ '(a^b)*c' or args ~ 'a^b|c' or args ~ '^$'"),
        // What cannot match may be left out.
        condition("args ~ '[a&&b]*^.' or args ~ '([a&&b]|)^.' or args ~ 'x$[a&&b]*'"),
    ];
    for filter in filters {
        assert_eq!(tape.notices(&filter).unwrap(), Vec::<String>::new(), "{filter:?}");
    }
}

#[test]
fn what_cannot_match_is_noticed_with_what_would() {
    let all = CallFilter::default;
    let cases = [
        (
            CallFilter { functions: Some(FunctionPattern::new("palce")), ..all() },
            "no function matches `palce`: did you mean `place`?",
        ),
        (
            CallFilter { functions: Some(FunctionPattern::new("warehouse.*")), ..all() },
            "no function matches `warehouse.*`; there are shop.money.pay, shop.orders.place",
        ),
        (
            CallFilter { functions: Some(FunctionPattern::new("orders.plac?")), ..all() },
            "no function matches `orders.plac?`: did you mean `*.orders.plac?`?",
        ),
        (
            CallFilter { group: Some(TextPattern::glob("web")), ..all() },
            "no function is of the group `web`; there are money, orders",
        ),
        (
            CallFilter { error_type: Some(TextPattern::glob("ValueError")), ..all() },
            "no call raised `ValueError`; there are shop.CardDeclined",
        ),
        (CallFilter { pid: Some(1), ..all() }, "no process 1 recorded on this tape"),
        (CallFilter { run_id: Some(7), ..all() }, "there is no run 0000000000000007 on this tape"),
        (CallFilter { parent_id: Some(3), ..all() }, "there is no call 3 on this tape"),
        (
            CallFilter { thread: Some(TextPattern::glob("worker-*")), ..all() },
            "no thread is called `worker-*`; there are MainThread",
        ),
        (condition("args.usr_id = 42"), "no function has a parameter `usr_id`: did you mean args.user_id?"),
        (
            CallFilter { functions: Some(FunctionPattern::new("pay")), ..condition("args.user_id = 42") },
            "no function asked for has a parameter `user_id`; there are amount",
        ),
        (condition("error_type = CardDeclined"), "no call raised `CardDeclined`; there are shop.CardDeclined"),
        (
            condition("function ~ '^warehouse'"),
            "no function's name matches `^warehouse`; there are shop.money.pay, shop.orders.place",
        ),
        (condition("error_type ~ 'Value.*'"), "no type of error matches `Value.*`; there are shop.CardDeclined"),
        (condition("group ~ ^web$"), "no group matches `^web$`; there are money, orders"),
        (condition("args ~ 'k-17$x'"), "no text matches `k-17$x`"),
        (condition("args.order ~ '(x^y|$a{2})'"), "no text matches `(x^y|$a{2})`"),
        (condition("error_message ~ '[^\\\\s\\\\S]+'"), "no text matches `[^\\s\\S]+`"),
        (
            CallFilter { range: TimeRange { since_ns: Some(2), until_ns: Some(1) }, ..all() },
            "the range of time ends before it begins",
        ),
        (
            CallFilter { duration: DurationRange { at_least_ns: Some(2), at_most_ns: Some(1) }, ..all() },
            "the shortest duration asked for is longer than the longest",
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(notices(&filter), [expected], "{filter:?}");
    }
}

#[test]
fn a_span_may_hold_any_value() {
    let (sample, _) = shop();
    sample.function_of("load", "", "span");
    let tape = Tape::open(&sample.path()).unwrap();
    assert_eq!(tape.notices(&condition("args.usr_id = 42")).unwrap(), Vec::<String>::new());
}
