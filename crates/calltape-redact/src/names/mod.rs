//! Names whose values are withheld: passwords and the like, whatever their case and separators.
//!
//! [`Names::is_sensitive`] is asked for every key, attribute and parameter that is captured, so it must be a matter of
//! nanoseconds for a name that is none of them. It walks the name from its end through a tree of the list's entries,
//! which most names leave after two or three letters.
//!
//! The rule. Case and everything that is neither letter nor digit are ignored, digits at the end too (`password2`). An
//! entry matches a name that is this entry as a whole or, for most entries, has it as its last words: after a separator
//! (`github_token`), at a capital letter (`githubToken`, `APIToken`) or after a digit. A few long entries, `password`
//! for one, match at the end of any name (`smtppassword`). So `author`, `tokenizer` and `max_tokens` are no secrets.

mod entries;
mod list;
mod tree;

use std::sync::LazyLock;

pub use entries::BadName;
use entries::Part;
use tree::{Rule, Tree};

/// Bytes at the end of a name that are looked at. Longer ones are no names, only keys; the end decides anyway.
const LONGEST_NAME: usize = 128;

/// Bytes of a name in which parts (`*pin*`) are looked for.
const LONGEST_FOLDED: usize = 1024;

/// A list of names whose values are withheld.
#[derive(Debug, Clone)]
pub struct Names {
    tree: Tree,
    parts: Vec<Part>,
    has_exempt: bool,
}

impl Names {
    /// The default list: what the secret scrubbers of error trackers and tracers withhold, and more.
    pub fn defaults() -> &'static Names {
        static DEFAULTS: LazyLock<Names> = LazyLock::new(|| Names::of(entries::Entries::defaults()));
        &DEFAULTS
    }

    /// The default list, changed by entries in order.
    ///
    /// `"badge"` adds a name, matched whole or as the last words of a longer one, in any case and with any separators.
    /// `"*pin*"`, `"pin*"` and `"*pin"` add what names contain, begin with and end with. `"-token"` removes `token`
    /// from the list, and exempts names that are just this. `"-*"` removes all there is so far.
    ///
    /// # Errors
    ///
    /// [`BadName`] for an entry without a letter or digit, with `*` in its middle, with a comma, semicolon or line
    /// break in it, or longer than 64 bytes.
    pub fn with(entries: &[&str]) -> Result<Names, BadName> {
        let mut changed = entries::Entries::defaults();
        for entry in entries {
            changed.apply(entry)?;
        }
        Ok(Names::of(changed))
    }

    fn of(entries: entries::Entries) -> Names {
        let has_exempt = entries.rules.values().any(|rule| rule.has(Rule::EXEMPT));
        Names { tree: Tree::build(&entries.rules), parts: entries.parts, has_exempt }
    }

    /// Whether a value under this name is withheld. The name is UTF-8 of any length, lone surrogates allowed.
    ///
    /// ```
    /// use calltape_redact::Names;
    ///
    /// let names = Names::defaults();
    /// assert!(names.is_sensitive(b"X-Api-Key") && names.is_sensitive(b"db_password_1"));
    /// assert!(!names.is_sensitive(b"author") && !names.is_sensitive(b"max_tokens"));
    /// ```
    #[inline]
    pub fn is_sensitive(&self, name: &[u8]) -> bool {
        let tail = &name[name.len().saturating_sub(LONGEST_NAME)..];
        match self.tree.ends_in_entry(tail) {
            Some(Found::Entry) if !self.has_exempt => true,
            None if self.parts.is_empty() => {
                tail.last().is_some_and(u8::is_ascii_digit) && self.is_sensitive_with_number(name, tail)
            }
            _ => self.is_sensitive_slow(name, tail),
        }
    }

    /// A name with a number at its end, which is not itself an entry.
    fn is_sensitive_with_number(&self, name: &[u8], tail: &[u8]) -> bool {
        match self.tree.ends_in_entry(trim_number(tail)) {
            None => false,
            Some(Found::Entry) if !self.has_exempt => true,
            Some(_) => self.is_sensitive_slow(name, tail),
        }
    }

    /// Names with letters beyond ASCII, and lists with parts or exemptions.
    #[cold]
    fn is_sensitive_slow(&self, name: &[u8], tail: &[u8]) -> bool {
        let plain;
        let tail = if tail.is_ascii() {
            tail
        } else {
            plain = entries::lower_words(tail);
            &plain
        };
        if self.has_exempt && self.tree.is_exempt(tail) {
            return false;
        }
        let without_digits = trim_number(tail);
        self.tree.ends_in_entry_or_foreign(tail)
            || self.tree.ends_in_entry_or_foreign(without_digits)
            || self.has_part(name)
    }

    fn has_part(&self, name: &[u8]) -> bool {
        if self.parts.is_empty() {
            return false;
        }
        let folded = entries::folded(&name[..name.len().min(LONGEST_FOLDED)]);
        self.parts.iter().any(|part| part.is_in(&folded))
    }
}

/// What the walk through the tree came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// An entry matches.
    Entry,
    /// A byte beyond ASCII came before the walk was decided: the name has to be folded first.
    Foreign,
}

/// The name without the number at its end: `password_2` is `password`.
fn trim_number(name: &[u8]) -> &[u8] {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    &name[..name.iter().rposition(is_letter).map_or(0, |at| at + 1)]
}

#[cfg(test)]
mod tests;
