//! A text that could not be read, with a caret below the place. Called for conditions and SQL.

use std::ops::Range;

use super::fit;
use super::plain::plain;

/// Columns of text kept before a place that lies far to the right.
const BEFORE: usize = 24;

/// `text` on a line of at most `columns`, set in by two, and on the next a caret below each character of `place` (bytes,
/// on the borders of characters). Of a text that is longer what surrounds the place is shown.
pub(crate) fn pointed(text: &str, place: &Range<usize>, columns: usize) -> [String; 2] {
    let part = |range: Range<usize>| shown(text.get(range).unwrap_or_default());
    let (mut before, wrong, mut after) = (part(0..place.start), part(place.clone()), part(place.end..text.len()));
    let room = columns.saturating_sub(2).max(BEFORE * 2);
    if fit::width(&before) + fit::width(&wrong) + fit::width(&after) > room {
        before = fit::keep_end(&before, BEFORE);
        after = fit::keep_start(&after, room.saturating_sub(fit::width(&before) + fit::width(&wrong)));
    }
    let carets = "^".repeat(fit::width(&wrong).max(1).min(room.saturating_sub(fit::width(&before)).max(1)));
    [format!("  {before}{wrong}{after}"), format!("  {}{carets}", " ".repeat(fit::width(&before)))]
}

/// On one line, and safe for a terminal.
fn shown(text: &str) -> String {
    plain(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_place() {
        assert_eq!(pointed("args.n == 42", &(7..9), 80), ["  args.n == 42", "         ^^"]);
        assert_eq!(pointed("args.n =", &(8..8), 80), ["  args.n =", "          ^"]);
        assert_eq!(
            pointed("名前 = 'x' &", &(13..14), 80)[1].find('^'),
            Some(2 + 11),
            "wide characters take two columns"
        );
    }

    #[test]
    fn of_a_long_text_the_place_is_shown() {
        let text = format!("{} = 1 and status = broken and {} = 2", "a".repeat(60), "b".repeat(60));
        let place = text.find("broken").unwrap();
        let [line, carets] = pointed(&text, &(place..place + 6), 60);
        assert!(fit::width(&line) <= 60 && line.contains("= broken and"), "{line}");
        let columns = carets.find('^').unwrap();
        assert_eq!(line.chars().skip(columns).take(6).collect::<String>(), "broken");
    }

    #[test]
    fn a_text_that_would_move_the_cursor_is_escaped() {
        assert_eq!(pointed("a\x1b[2J\n= ?", &(7..8), 80)[0], "  a\\x1b[2J = ?");
    }
}
