//! NOTEs: what a program adds to a call while it runs. The drain shows them among the call's arguments.

use crate::varint::{self, Input};
use crate::{DecodeError, value};

/// Writes a NOTE's head into `out`, emptied first; one captured value follows.
///
/// ```
/// use calltape_record::{NoteEvent, begin_note, value::ValueWriter};
/// let mut out = Vec::new();
/// begin_note(&mut out, 9, "user");
/// ValueWriter::int(&mut out, 7);
/// let note = NoteEvent::decode(&out).unwrap();
/// assert_eq!((note.id, note.key.as_str()), (9, "user"));
/// ```
#[inline]
pub fn begin_note(out: &mut Vec<u8>, id: u64, key: &str) {
    out.clear();
    out.extend_from_slice(&id.to_le_bytes());
    varint::put_bytes(out, key.as_bytes());
}

/// A value under a name that a program adds to a call; a later one of the same name replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteEvent<'a> {
    /// The call's id.
    pub id: u64,
    /// The value's name.
    pub key: String,
    /// The value as captured; never empty.
    pub value: &'a [u8],
}

impl<'a> NoteEvent<'a> {
    /// Reads a NOTE back.
    ///
    /// # Errors
    /// When the head is not whole or no value follows. The value is read by [`crate::value::render_json`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Input::new(bytes);
        let (id, key) = (input.fixed()?, input.text()?);
        if input.is_empty() {
            return Err(DecodeError::Truncated);
        }
        Ok(Self { id, key, value: input.rest() })
    }

    /// Appends the name to `json` as it stands between the quotes.
    pub fn render_name(&self, json: &mut String) {
        value::escape_str(&self.key, json);
    }
}
