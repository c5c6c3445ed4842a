//! Where the lines of a Python file begin, and in which statement and which string. One pass over the file, with no more
//! of Python's grammar than that takes: brackets, strings, comments, continued lines. On a file that is not Python it
//! finds statements that are too long, never a line that is not there.

/// Not inside a string.
const NO_STRING: u32 = u32::MAX;

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Layout {
    lines: Vec<Line>,
}

/// How a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    /// Its first byte.
    start: u32,
    /// The line that its statement begins in.
    statement: u32,
    /// The opening quote of the string that it begins in, or [`NO_STRING`].
    string: u32,
}

/// A string that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    quote: u8,
    is_triple: bool,
}

impl Open {
    /// The string that begins with the quote at `at`, and where its content does.
    pub(super) fn at(text: &[u8], at: usize) -> (Self, usize) {
        let quote = text[at];
        let is_triple = text[at..].starts_with(&[quote; 3]);
        (Self { quote, is_triple }, at + if is_triple { 3 } else { 1 })
    }

    /// Where the string ends whose content goes on at `at`: the first byte past its content, and past its quotes. A
    /// newline ends one that may not hold it.
    pub(super) fn end(self, text: &[u8], mut at: usize) -> (usize, usize) {
        while at < text.len() {
            match text[at] {
                b'\\' => at += 2,
                b'\n' if !self.is_triple => return (at, at),
                byte if byte == self.quote && !self.is_triple => return (at, at + 1),
                byte if byte == self.quote && text[at..].starts_with(&[byte; 3]) => return (at, at + 3),
                _ => at += 1,
            }
        }
        (text.len(), text.len())
    }
}

impl Layout {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut layout = Self { lines: vec![Line { start: 0, statement: 0, string: NO_STRING }] };
        let (mut at, mut depth) = (0, 0usize);
        while at < text.len() {
            match text[at] {
                b'\'' | b'"' => {
                    let (open, content) = Open::at(text, at);
                    let (_, end) = open.end(text, content);
                    layout.string(text, at, end.min(text.len()));
                    at = end;
                    continue;
                }
                b'#' => {
                    at = text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |to| at + to);
                    continue;
                }
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'\\' if text.get(at + 1) == Some(&b'\n') => {
                    layout.line(at + 2, false, NO_STRING);
                    at += 2;
                    continue;
                }
                b'\n' => {
                    // What a misread bracket left open ends where a definition begins.
                    if begins_definition(&text[at + 1..]) {
                        depth = 0;
                    }
                    layout.line(at + 1, depth == 0, NO_STRING);
                }
                _ => {}
            }
            at += 1;
        }
        layout
    }

    /// Lines that begin inside the string from `open` to `end`.
    fn string(&mut self, text: &[u8], open: usize, end: usize) {
        for (at, _) in text[open..end].iter().enumerate().filter(|&(_, &byte)| byte == b'\n') {
            self.line(open + at + 1, false, open as u32);
        }
    }

    fn line(&mut self, start: usize, is_statement: bool, string: u32) {
        let number = self.lines.len() as u32;
        let statement = if is_statement { number } else { self.lines.last().map_or(0, |line| line.statement) };
        self.lines.push(Line { start: start as u32, statement, string });
    }

    /// Memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// Where a line begins; past the last one, where the text ends.
    pub(super) fn start(&self, line: usize, text: &[u8]) -> usize {
        self.lines.get(line).map_or(text.len(), |line| line.start as usize)
    }

    /// The first line of a line's statement.
    pub(super) fn statement(&self, line: usize) -> usize {
        self.lines.get(line).map_or(line, |line| line.statement as usize)
    }

    /// The opening quote of the string that a line begins in.
    pub(super) fn string_at(&self, line: usize) -> Option<usize> {
        self.lines.get(line).map(|line| line.string).filter(|&string| string != NO_STRING).map(|string| string as usize)
    }

    /// The line that holds the byte `at`.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.lines.partition_point(|line| line.start as usize <= at).saturating_sub(1)
    }
}

fn begins_definition(text: &[u8]) -> bool {
    [&b"def "[..], b"class ", b"async def "].iter().any(|word| text.starts_with(word))
}
