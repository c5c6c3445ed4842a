//! The form of an error's message: what messages have in common that differ only in numbers, ids, quoted text, paths and
//! addresses. The drain stores it with the kind of error, so that `calltape errors` finds groups in an index. Pure: text
//! in, text out, no error, a bounded answer in bounded time for any text.
//!
//! ```text
//! <n>        a number, also within a word: "order 18" and "order 7" are "order <n>"
//! <id>       a UUID, eight or more hexadecimal digits, a long word of letters and digits mixed
//! <text>     what stands in quotes
//! <path>     /absolute, ./relative, with/an.ending, C:\or\such
//! <address>  0x7f00, 10.0.0.1:80, fe80::1, me@example.com, https://example.com/x
//! ```
//!
//! A form's own form is itself. That rests on two things: a placeholder holds nothing that any rule takes, and no rule
//! takes a part of what it has left standing, whether the part is cut off by a placeholder (`<`, `>`) or by the end (`…`).

/// Bytes of a message that are looked at: more say nothing more about what kind of message it is.
const MESSAGE_BYTES: usize = 512;

/// Bytes a form has at most: a few lines of a terminal, and little beside a traceback.
pub(super) const FORM_BYTES: usize = 200;

/// Stands at the end of a form that was cut.
const CUT: char = '…';

/// Letters and digits from which a word of both is an id.
const ID_CHARS: usize = 8;

/// The form of `message`: at most 200 bytes, whitespace single and none at the ends.
///
/// ```
/// use calltape_engine::drain::message_form;
/// assert_eq!(message_form("order 18 of 'ann' not paid"), "order <n> of <text> not paid");
/// assert_eq!(message_form("no file /srv/shop/7.csv"), "no file <path>");
/// ```
pub fn message_form(message: &str) -> String {
    let seen = &message[..message.floor_char_boundary(MESSAGE_BYTES)];
    let chars: Vec<char> = seen.chars().collect();
    let mut scan = Scan { chars: &chars, at: 0, form: String::new(), unclosed: [false; QUOTES.len()], left: 0 };
    while scan.at < chars.len() && scan.form.len() <= FORM_BYTES {
        scan.step();
    }
    let mut form = scan.form;
    form.truncate(form.trim_end().len());
    if form.len() > FORM_BYTES || seen.len() < message.len() {
        form.truncate(form.floor_char_boundary(FORM_BYTES - CUT.len_utf8()));
        form.truncate(form.trim_end().trim_end_matches(CUT).len());
        form.push(CUT);
    }
    form
}

const QUOTES: [char; 3] = ['\'', '"', '`'];

/// A walk along a message.
struct Scan<'message> {
    chars: &'message [char],
    at: usize,
    form: String,
    /// Quotes for which no end follows any more.
    unclosed: [bool; QUOTES.len()],
    /// Up to here the text is known to hold neither path nor address.
    left: usize,
}

impl Scan<'_> {
    /// Takes one thing.
    fn step(&mut self) {
        let at = self.at;
        let char = self.chars[at];
        if char.is_whitespace() || char.is_control() {
            if !self.form.is_empty() && !self.form.ends_with(' ') {
                self.form.push(' ');
            }
            self.at += 1;
        } else if let Some(end) = self.quoted() {
            self.put("<text>", end);
        } else if let Some((placeholder, end)) = self.stretch() {
            self.put(placeholder, end);
        } else if let Some(end) = self.id() {
            self.put("<id>", end);
        } else if let Some(end) = self.number() {
            self.put("<n>", end);
        } else {
            self.form.push(char);
            self.at += 1;
        }
    }

    fn put(&mut self, placeholder: &str, end: usize) {
        self.form.push_str(placeholder);
        self.at = end;
    }

    fn char(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    /// What stands before the place, when that is not a part of the same word or what a placeholder took from it.
    fn begins_word(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.char(before)).is_none_or(|char| !is_word(char) && char != '>')
    }

    /// Where a run of chars that `belongs` ends, from `at` on.
    fn run(&self, at: usize, belongs: impl Fn(char) -> bool) -> usize {
        self.chars[at..].iter().position(|&char| !belongs(char)).map_or(self.chars.len(), |length| at + length)
    }

    /// The end of a quoted text. An apostrophe within a word begins and ends none.
    fn quoted(&mut self) -> Option<usize> {
        let at = self.at;
        // b'..', r'..', f'..', u'..': as Python shows them.
        let is_prefixed = matches!(self.char(at), Some('b' | 'r' | 'f' | 'u'))
            && self.char(at + 1).is_some_and(|next| QUOTES.contains(&next));
        let open = at + usize::from(is_prefixed);
        let which = QUOTES.iter().position(|&quote| Some(quote) == self.char(open))?;
        if self.unclosed[which] || !self.begins_word(at) {
            return None;
        }
        let follows = |at: usize| self.char(at).is_none_or(|char| !is_word(char) && char != '<' && char != CUT);
        let close = (open + 1..self.chars.len()).find(|&at| self.chars[at] == QUOTES[which] && follows(at + 1));
        self.unclosed[which] = close.is_none();
        close.map(|close| close + 1)
    }

    /// The end of what may hold dots, slashes, colons: an address or a path. Where it is neither, no part of it is.
    fn stretch(&mut self) -> Option<(&'static str, usize)> {
        if self.at < self.left || !is_stretch(self.chars[self.at]) {
            return None;
        }
        let end = self.run(self.at, is_stretch);
        let stretch = &self.chars[self.at..end];
        let begins = self.begins_word(self.at);
        if begins && is_url(stretch) {
            return Some(("<address>", self.run(end, |char| is_stretch(char) || "=?&#".contains(char))));
        }
        if begins && let Some(length) = email(stretch).or_else(|| numbered_address(stretch)) {
            return Some(("<address>", self.at + length));
        }
        if begins && is_windows_path(stretch) {
            return Some(("<path>", end));
        }
        let part = self.run(self.at, |char| is_stretch(char) && char != ':');
        if is_path(&self.chars[self.at..part], begins) {
            return Some(("<path>", part));
        }
        self.left = (part + 1).min(end);
        None
    }

    /// The end of an id: a UUID, hexadecimal digits, or letters and digits mixed.
    fn id(&self) -> Option<usize> {
        if !self.begins_word(self.at) && !matches!(self.at.checked_sub(1).and_then(|at| self.char(at)), Some('_')) {
            return None;
        }
        if let Some(end) = self.uuid() {
            return Some(end);
        }
        let end = self.run(self.at, |char| char.is_ascii_alphanumeric());
        let word = &self.chars[self.at..end];
        let digits = word.iter().filter(|char| char.is_ascii_digit()).count();
        if word.len() < ID_CHARS || digits == 0 || digits == word.len() {
            return None;
        }
        let runs = word.split(|char| !char.is_ascii_digit()).filter(|digits| !digits.is_empty()).count();
        (runs > 1 || word.iter().all(char::is_ascii_hexdigit)).then_some(end)
    }

    fn uuid(&self) -> Option<usize> {
        let end = self.at + 36;
        let uuid = self.chars.get(self.at..end)?;
        let fits = uuid.iter().enumerate().all(|(at, char)| match at {
            8 | 13 | 18 | 23 => *char == '-',
            _ => char.is_ascii_hexdigit(),
        });
        (fits && uuid.iter().any(char::is_ascii_digit) && self.char(end).is_none_or(|next| !is_word(next)))
            .then_some(end)
    }

    /// The end of a number, with its sign, its separators and its exponent.
    fn number(&self) -> Option<usize> {
        let digit = |at: usize| self.char(at).is_some_and(char::is_numeric);
        let signed = matches!(self.char(self.at), Some('-' | '+')) && self.begins_word(self.at);
        let first = self.at + usize::from(signed);
        if !digit(first) {
            return None;
        }
        let mut end = self.run(first, char::is_numeric);
        loop {
            match self.char(end) {
                Some('.' | ',' | '_') if digit(end + 1) => end = self.run(end + 1, char::is_numeric),
                Some('e' | 'E') if digit(end + 1) => end = self.run(end + 1, char::is_numeric),
                Some('e' | 'E') if matches!(self.char(end + 1), Some('-' | '+')) && digit(end + 2) => {
                    end = self.run(end + 2, char::is_numeric);
                }
                _ => return Some(end),
            }
        }
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Whether a char can stand inside a path or an address.
fn is_stretch(char: char) -> bool {
    is_word(char) || "-.~+%@/:\\".contains(char)
}

/// `scheme://` and what follows.
fn is_url(stretch: &[char]) -> bool {
    let scheme = stretch.iter().take_while(|char| char.is_ascii_alphanumeric() || "+-.".contains(**char)).count();
    scheme > 0 && matches!(stretch[scheme..], [':', '/', '/', _, ..])
}

/// `name@host.domain`.
fn email(stretch: &[char]) -> Option<usize> {
    let of_name = |char: &char| is_word(*char) || "-.+".contains(*char);
    let at = stretch.iter().position(|char| !of_name(char))?;
    if at == 0 || stretch[at] != '@' {
        return None;
    }
    let host = stretch[at + 1..].iter().position(|char| !is_word(*char) && !"-.".contains(*char));
    let end = host.map_or(stretch.len(), |length| at + 1 + length);
    let dotted = stretch[at + 1..end].windows(3).any(|three| three[1] == '.' && is_word(three[0]) && is_word(three[2]));
    dotted.then_some(end)
}

/// `0x..`, four numbers with dots, or hexadecimal numbers with colons; with a port.
fn numbered_address(stretch: &[char]) -> Option<usize> {
    let count =
        |from: usize, belongs: &dyn Fn(&char) -> bool| stretch[from..].iter().take_while(|c| belongs(c)).count();
    if let ['0', 'x' | 'X', rest @ ..] = stretch {
        let digits = rest.iter().take_while(|char| char.is_ascii_hexdigit()).count();
        return (digits > 0).then_some(2 + digits);
    }
    let length = count(0, &|char| char.is_ascii_hexdigit() || *char == ':' || *char == '.');
    let address: String = stretch[..length].iter().collect();
    let bare = address.trim_end_matches([':', '.']);
    let is_address = bare.parse::<std::net::IpAddr>().is_ok()
        || bare.parse::<std::net::SocketAddr>().is_ok()
        || (bare.len() == 17 && bare.split(':').count() == 6 && bare.split(':').all(|part| part.len() == 2));
    let ends = stretch.get(length).is_none_or(|next| !is_word(*next));
    (is_address && ends && bare.bytes().any(|byte| byte.is_ascii_digit())).then_some(bare.len())
}

/// `C:\` and what follows.
fn is_windows_path(stretch: &[char]) -> bool {
    matches!(stretch, [drive, ':', '\\' | '/', ..] if drive.is_ascii_alphabetic())
}

/// A path: absolute, beginning with dots or `~`, or with a slash before a name that has an ending.
fn is_path(part: &[char], begins: bool) -> bool {
    let Some(slash) = part.iter().position(|char| *char == '/') else { return false };
    let is_rooted = matches!(&part[..slash], [] | ['.'] | ['.', '.'] | ['~']);
    let goes_on = part.get(slash + 1).is_some_and(|char| is_word(*char) || ".~-".contains(*char));
    let has_ending =
        part[slash..].windows(3).any(|three| three[1] == '.' && is_word(three[0]) && three[2].is_alphabetic());
    (begins && is_rooted && goes_on) || has_ending
}

#[cfg(test)]
mod tests;
