use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn refusal(text: &str) -> FilterError {
    let parsed = Condition::parse_at(text, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
    parsed.expect_err(text)
}

#[test]
fn a_refusal_shows_the_place_and_an_example() {
    let shown = refusal("status = eror and pid = 4711").to_string();
    let expected = "`eror` is none of ok, error, cancelled, closed, abandoned, running, interrupted\n  \
                    status = eror and pid = 4711\n           ^^^^\nsuch as: status in (error, interrupted)";
    assert_eq!(shown, expected);
}

#[test]
fn a_refusal_names_what_is_wrong() {
    let cases = [
        ("", "the condition is empty", ""),
        ("args.x = ", "a value is missing at the end", ""),
        ("args.x", "`args.x` is compared with nothing; `has` asks whether it is there", "args.x"),
        ("args.x 42", "expected one of = != < <= > >= ~ !~ in, found `42`", "42"),
        ("args.x = = 42", "expected a value, found `=`", "="),
        ("user_id = 42", "there is no column `user_id`: the argument user_id is args.user_id", "user_id"),
        ("statsu = ok", "there is no column `statsu`: did you mean status?", "statsu"),
        ("duration > 50", "50 of what? A duration has a unit: ns, us, ms, s, m, h or d", "50"),
        ("duration ~ 5", "~ looks at text: compare durations and times with < <= > >=", "~"),
        ("args.x < true", "`true` has no order: use = or !=", "true"),
        ("args.x = None", "None is written null here", "None"),
        ("args.x = 2026-01-01", "`2026-01-01` is neither a number nor a word: put text into quotes", "2026-01-01"),
        ("args.x = \"a", "this quote is never closed", "\"a"),
        ("(pid = 1", "this `(` is never closed", "("),
        ("pid = 1)", "no `(` belongs to this `)`", ")"),
        ("pid = 1 && run = 2", "tests are joined by `and` and `or`", "&&"),
        ("pid in 1", "`in` is followed by values in parentheses", "1"),
        ("pid in (1 2)", "expected `,` or `)`, found `2`", "2"),
        ("task = null", "a column is there or not: `has` asks for it", "null"),
        ("args[-1] = 2", "a place in a list is a number from 0 on, in brackets", "[-"),
        ("args.x ~ \"(\"", "`(` is no regular expression: unclosed group", "("),
        (
            "args.x ~ '^a[z-b]c'",
            "`^a[z-b]c` is no regular expression: invalid character class range, the start must be <= the end",
            "z-b",
        ),
        (
            "args.x ~ 'a{3,1}'",
            "`a{3,1}` is no regular expression: invalid repetition count range, the start must be <= the end",
            "{3,1}",
        ),
        ("args.x ~ '\\'('", "`'(` is no regular expression: unclosed group", "'\\'('"),
        (
            "run = shop.py",
            "`shop.py` is no run: 16 digits, as `calltape stats` and `calltape show` have them",
            "shop.py",
        ),
        ("started > soon", "`soon` is neither a time nor a span of time before now, such as 10m", "soon"),
    ];
    for (text, message, wrong) in cases {
        let error = refusal(text);
        assert_eq!((error.message.as_str(), &text[error.range.clone()]), (message, wrong), "{text}");
    }
}

#[test]
fn every_example_and_every_way_of_writing_is_read() {
    let texts = [
        "args.user_id = 42 and status = error",
        "(status = error or duration > 1s) and pid = 4711",
        "args.\"content-type\" = 'text/html'",
        "args.items[0].sku == \"k-17\"",
        "NOT has parent AND status IN (error, interrupted,)",
        "args.x not in (1, -2.5e3, true, null, word, \"two words\")",
        "error_message !~ timeout and started >= 10m",
        "active<50ms or weight>1",
        "args.name = \"O'Brien\" and args.q = 'say \\'hi\\''",
        "result[0][1].größe <> 3",
    ];
    for text in texts {
        let parsed =
            Condition::parse_at(text, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24), &TimeZone::UTC);
        assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
    }
    for name in Column::names() {
        let (_, _, example) = Column::named(name).unwrap();
        let parsed = Condition::parse(example);
        assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
    }
}

/// Words of the language and what people mistake for them, in any order.
const PIECES: &[&str] = &[
    "args",
    "result",
    ".x",
    ".\"a b\"",
    "[0]",
    "[",
    "]",
    ".",
    "status",
    "duration",
    "started",
    "task",
    "=",
    "!=",
    "<",
    ">=",
    "~",
    "!~",
    "in",
    "not",
    "and",
    "or",
    "has",
    "(",
    ")",
    ",",
    "42",
    "-1.5e3",
    "50ms",
    "null",
    "true",
    "\"text\"",
    "'it'",
    "\"",
    "\\",
    "error",
    "größe",
    "\u{1f600}",
    "\n",
    " ",
    "[a-",
    "(?i)",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec((prop::sample::select(PIECES.to_vec()), prop::bool::ANY), 0..24).prop_map(|pieces| {
        pieces.iter().map(|(piece, space)| format!("{piece}{}", if *space { " " } else { "" })).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_at_a_place_inside_it(text in prop_oneof![soup(), any::<String>()]) {
        match Condition::parse_at(&text, Timestamp::UNIX_EPOCH, &TimeZone::UTC) {
            Ok(condition) => prop_assert_eq!(condition.as_str(), text.as_str()),
            Err(error) => {
                prop_assert!(error.text == text && text.get(error.range.clone()).is_some(), "{:?}", error);
                prop_assert_eq!(error.to_string().lines().count(), 4, "{}", error);
            }
        }
    }
}

#[test]
fn what_is_too_deep_or_too_long_is_refused() {
    for text in ["(".repeat(5000), "not ".repeat(5000), format!("args{} = 1", ".x".repeat(5000))] {
        assert!(refusal(&text).range.end <= text.len());
    }
    let long = format!("args.x = \"{}\"", "x".repeat(100_000));
    assert_eq!(refusal(&long).message, "the condition is longer than 64 KiB");
}

#[test]
fn the_page_on_conditions_has_every_column_and_only_what_is_read() {
    let page = include_str!("../../../../../docs/conditions.md");
    let mut described: Vec<Column> = Vec::new();
    for line in page.lines().skip_while(|line| *line != "## Columns") {
        if let Some(name) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next()) {
            described.push(Column::named(name).unwrap_or_else(|| panic!("no column {name}")).0);
        }
    }
    for name in Column::names() {
        let column = Column::named(name).unwrap().0;
        assert_eq!(described.iter().filter(|found| **found == column).count(), 1, "{name}");
    }
    let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
    let [conditions @ .., refused, said] = &blocks[..] else { panic!("too few blocks") };
    for line in conditions.iter().flat_map(|block| block.lines().skip(1)) {
        assert!(Condition::parse(line).is_ok(), "{line}: {}", Condition::parse(line).unwrap_err());
    }
    let text = refused.trim_start_matches("text").trim();
    assert_eq!(said.trim_start_matches("text").trim(), refusal(text).to_string());
}
