//! The words of the catalogue filled in: arguments, results and messages of one request.

use std::fmt::Write as _;

use super::random::Random;

const WORDS: [&str; 16] = [
    "green", "tea", "cup", "black", "oolong", "kettle", "linen", "bowl", "spoon", "sencha", "glass", "paper", "filter",
    "honey", "lemon", "mint",
];

/// What is the same in all of a request's tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) order: u64,
    pub(crate) user: u64,
    pub(crate) sku: u64,
}

impl Request {
    /// A request of a shop with 50,000 users and 4,000 articles, of which some are busier than others.
    pub(crate) fn new(number: u64, random: &mut Random) -> Self {
        Self { order: 700_000 + number, user: 1 + random.skewed(50_000), sku: 1 + random.skewed(4_000) }
    }
}

/// A function's arguments as the JSON object that the tape holds: `name=value name=value`.
pub(crate) fn arguments(parameters: &str, request: &Request, random: &mut Random, out: &mut String) {
    out.push('{');
    for (at, (name, value)) in parameters_of(parameters).enumerate() {
        out.push_str(if at == 0 { "\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        fill(value, request, random, out);
    }
    out.push('}');
}

/// Names and values of `parameters`. A value may hold spaces: the next name is a word with `=` outside of quotes.
pub(crate) fn parameters_of(parameters: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = parameters;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let mut is_quoted = false;
        let end = after.bytes().position(|byte| {
            is_quoted ^= byte == b'"';
            byte == b' ' && !is_quoted
        });
        let (value, next) = end.map_or((after, ""), |end| (&after[..end], &after[end + 1..]));
        rest = next;
        Some((name, value))
    })
}

/// `template` with its words filled in.
pub(crate) fn fill(template: &str, request: &Request, random: &mut Random, out: &mut String) {
    let mut pieces = template.split('$');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let length = piece.bytes().take_while(u8::is_ascii_lowercase).count();
        let (word, rest) = piece.split_at(length);
        let _ = match word {
            "order" => write!(out, "{}", request.order),
            "user" => write!(out, "{}", request.user),
            "sku" => write!(out, "A-{:04}", request.sku),
            "mail" => write!(out, "user{}@mail.example", request.user),
            "n" => write!(out, "{}", 1 + random.skewed(90)),
            "money" => write!(out, "{}.{:02}", 3 + random.skewed(400), random.below(100)),
            "ms" => write!(out, "{}", 20 + random.skewed(5_000)),
            "flag" => write!(out, "{}", random.is(0.02)),
            "uuid" => uuid(random, out),
            _ => write!(out, "{}", WORDS[random.below(WORDS.len() as u64) as usize]),
        };
        out.push_str(rest);
    }
}

fn uuid(random: &mut Random, out: &mut String) -> std::fmt::Result {
    let (high, low) = (random.next(), random.next());
    let (a, b, c) = (high >> 32, (high >> 16) & 0xFFFF, high & 0x0FFF);
    write!(out, "{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | (low >> 50), low & 0xFFFF_FFFF_FFFF)
}

/// A text as JSON writes it.
pub(crate) fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            _ => out.push(char),
        }
    }
    out.push('"');
}
