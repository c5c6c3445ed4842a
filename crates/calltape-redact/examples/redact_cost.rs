//! What asking costs: nanoseconds for a name, for a text's prefilter and for finding, best of several rounds.
//!
//! `cargo run --release --package calltape-redact --example redact_cost`

use std::hint::black_box;
use std::time::Instant;

use calltape_redact::{Extent, Names, find, may_hold_secret};

/// Many short rounds: the least of them was not disturbed.
const ROUNDS: usize = 2_000;
const TURNS: u32 = 200;

/// The least nanoseconds that one turn took in any round.
fn least(mut turn: impl FnMut()) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..TURNS {
                turn();
            }
            begun.elapsed().as_nanos() as f64 / f64::from(TURNS)
        })
        .fold(f64::INFINITY, f64::min)
}

fn line(what: &str, nanoseconds: f64) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{nanoseconds:9.1} ns  {what}");
}

fn prose(bytes: usize) -> String {
    let text = "The order was shipped on Monday by the warehouse in Leipzig and it should arrive within three working \
        days, unless the carrier has a well-known backlog of parcels. Please let the customer know about this; she \
        wrote twice already and would like to have an answer before the weekend. ";
    text.chars().cycle().take(bytes).collect()
}

fn main() {
    let names = Names::defaults();
    for name in [
        "id",
        "user",
        "name",
        "order_id",
        "version",
        "description",
        "status_code",
        "created_at",
        "token",
        "password",
        "accessToken",
        "X-Api-Key",
        "primary_key",
        "max_tokens",
        "quantity2",
    ] {
        line(
            &format!("is_sensitive({name:?})"),
            least(|| {
                black_box(names.is_sensitive(black_box(name.as_bytes())));
            }),
        );
    }
    let compact =
        format!("{{{}}}", (0..20).map(|n| format!("\"field{n}\":\"value {n}\"")).collect::<Vec<_>>().join(","));
    let texts = [
        ("a word", "alice".to_owned()),
        ("two words", "hello world".to_owned()),
        ("24 bytes", "the quick brown fox jump".to_owned()),
        ("a date", "2024-05-06T07:08:09Z".to_owned()),
        ("a UUID", "550e8400-e29b-41d4-a716-446655440000".to_owned()),
        ("a path", "/usr/lib/python3.12/site-packages/requests/api.py".to_owned()),
        ("a URL", "https://example.com/orders/1234?page=2&sort=asc".to_owned()),
        ("100 bytes of prose", prose(100)),
        ("1 KiB of prose", prose(1024)),
        ("400 bytes of JSON", compact),
        ("1 KiB of hexadecimal", "0123456789abcdef".repeat(64)),
        ("1 KiB of lines with a secret", format!("{}password=hunter2 {}", prose(500), prose(500))),
    ];
    let mut found = Vec::new();
    for (what, text) in &texts {
        let text = text.as_bytes();
        line(
            &format!("may_hold_secret({what}) = {}", may_hold_secret(text)),
            least(|| {
                black_box(may_hold_secret(black_box(text)));
            }),
        );
        line(
            &format!("           find({what})"),
            least(|| {
                found.clear();
                find(black_box(text), Extent::Whole, names, &mut found);
            }),
        );
    }
}
