//! Kinds of error at hand: which number the errors of a function, type, place and message's form have. Kept between
//! batches by `pass.rs`, which drops it whenever the database may have changed without it; asked by `write.rs`.

use std::collections::HashMap;

use super::form::message_form;
use crate::store::{ErrorKey, RowWriter, StoreError};

/// Forms kept at hand, of all kinds together; beyond, the list is begun anew.
const MOST_AT_HAND: usize = 10_000;

/// Forms that the errors of one function, type and place are told apart by. A message that fits none of as many says
/// something else each time, and would make a group of its own for each error.
const MOST_FORMS: usize = 20;

/// The form of all further messages.
pub const ANY_MESSAGE: &str = "(any message)";

/// The numbers of kinds of error.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    known: HashMap<ErrorKey, HashMap<String, i64>>,
    forms: usize,
}

impl Kinds {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.forms = 0;
    }

    /// The number of the errors that came from where `key` says with a message like this one.
    pub(super) fn number(&mut self, key: ErrorKey, message: &str, writer: &RowWriter<'_>) -> Result<i64, StoreError> {
        let form = message_form(message);
        if let Some(&number) = self.known.get(&key).and_then(|forms| forms.get(&form)) {
            return Ok(number);
        }
        if self.forms >= MOST_AT_HAND {
            self.clear();
        }
        if !self.known.contains_key(&key) {
            let stored: HashMap<String, i64> = writer.forms(&key)?.into_iter().collect();
            self.forms += stored.len();
            self.known.insert(key.clone(), stored);
        }
        let forms = self.known.entry(key.clone()).or_default();
        let form = if forms.contains_key(&form) || forms.len() < MOST_FORMS { form } else { ANY_MESSAGE.to_owned() };
        if let Some(&number) = forms.get(&form) {
            return Ok(number);
        }
        let number = writer.add_form(&key, &form)?;
        forms.insert(form, number);
        self.forms += 1;
        Ok(number)
    }
}
