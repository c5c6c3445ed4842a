//! Making text fit a number of terminal columns. Expects text that [`super::plain`] has seen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of `text`, ending with an ellipsis where it does not fit.
pub(crate) fn keep_start(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let kept = taken(text.chars(), columns - 1);
    format!("{}…", text.chars().take(kept).collect::<String>())
}

/// The end of `text`, beginning with an ellipsis where it does not fit: of a dotted name or a path the end says most.
pub(crate) fn keep_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let kept = taken(text.chars().rev(), columns - 1);
    let skipped = text.chars().count() - kept;
    format!("…{}", text.chars().skip(skipped).collect::<String>())
}

/// How many of `characters` fit.
fn taken(characters: impl Iterator<Item = char>, columns: usize) -> usize {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .count()
}

/// `text` in lines of at most `columns`, broken after a space or a comma where one is near, else after another sign that
/// ends a word, else anywhere.
pub(crate) fn fold(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > columns {
        let fitting: usize = rest.chars().take(taken(rest.chars(), columns).max(1)).map(char::len_utf8).sum();
        let (line, after) = rest.split_at(break_at(rest, fitting));
        lines.push(line.trim_end().to_owned());
        rest = after.trim_start_matches(' ');
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// Where to break `text`, of which `fitting` bytes fit. A space just behind them needs no column.
fn break_at(text: &str, fitting: usize) -> usize {
    if text[fitting..].starts_with(' ') {
        return fitting;
    }
    let after_last = |signs: &[char]| {
        text[..fitting].char_indices().rfind(|(_, sign)| signs.contains(sign)).map(|(at, sign)| at + sign.len_utf8())
    };
    let spaces = after_last(&[' ', ',']).filter(|&at| at > fitting / 2);
    let signs = || after_last(&['/', '-', '_', '.', ':', ';', '&', '=', '{', '[', '(', '}', ']', ')']);
    spaces.or_else(|| signs().filter(|&at| at > fitting / 2)).unwrap_or(fitting)
}

/// `parts` joined by ` · ` in lines of at most `columns`, broken between parts; a part longer than a line is folded.
pub(crate) fn fold_parts(parts: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + 3 + width(part) <= columns => {
                line.push_str(" · ");
                line.push_str(part);
            }
            _ => lines.extend(fold(part, columns)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_fits_is_left_alone() {
        assert_eq!(keep_start("shop.place", 10), "shop.place");
        assert_eq!(keep_end("shop.place", 10), "shop.place");
        assert_eq!(fold("shop place", 10), ["shop place"]);
        assert_eq!(fold("", 10), [""]);
    }

    #[test]
    fn text_that_does_not_fit_says_so() {
        assert_eq!(keep_start("shop.orders.place", 8), "shop.or…");
        assert_eq!(keep_end("shop.orders.place", 8), "…s.place");
        assert_eq!(keep_start("你好你好", 6), "你好…");
        assert_eq!((keep_start("abc", 0), keep_end("abc", 1)), (String::new(), "…".to_owned()));
    }

    #[test]
    fn long_values_fold_where_words_end() {
        assert_eq!(fold("one, two, three, four", 10), ["one, two,", "three,", "four"]);
        assert_eq!(fold("abcdefghijklmnop", 10), ["abcdefghij", "klmnop"]);
        assert_eq!(fold("abcdefghij klm", 10), ["abcdefghij", "klm"]);
        assert_eq!(fold("orders/prices.py", 10), ["orders/", "prices.py"]);
        assert_eq!(fold("你好你好你好", 8), ["你好你好", "你好"]);
    }

    #[test]
    fn parts_stay_whole_where_they_fit() {
        let parts = ["thread MainThread", "task a", "pid 1"].map(str::to_owned);
        assert_eq!(fold_parts(&parts, 80), ["thread MainThread · task a · pid 1"]);
        assert_eq!(fold_parts(&parts, 18), ["thread MainThread", "task a · pid 1"]);
    }
}
