//! The value at a path of captured JSON, without building the rest of it. Text that is no JSON holds nothing, and
//! whatever comes before the value decides; the text is never changed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::condition::{Number, Step};
use super::matches::Field;

/// The value that `path` leads to in `json`; of keys that stand there twice, the first.
pub(super) fn at<'a>(json: &'a str, path: &[Step]) -> Field<'a> {
    if path.is_empty() {
        return classify(json.trim_ascii());
    }
    let mut found = None;
    let walk = Walk { path, found: &mut found };
    // The walk ends at the value with an error, so that what follows it is not read.
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_str(json));
    found.map_or(Field::Missing, classify)
}

/// A JSON text as what it is.
fn classify(json: &str) -> Field<'_> {
    match json.as_bytes().first() {
        None => Field::Missing,
        Some(b'"') => text(json).map_or(Field::Structure(json), |text| Field::Text { text, json }),
        Some(b'{' | b'[') => Field::Structure(json),
        _ => match json {
            "null" => Field::Null,
            "true" => Field::Bool(true),
            "false" => Field::Bool(false),
            number => number_of(number).map_or(Field::Missing, |number| Field::Number { number, json }),
        },
    }
}

/// The number a JSON text is: exact where it is an integer of 64 bits.
pub(super) fn number_of(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Number::Integer(i128::from(integer)));
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Some(Number::Integer(i128::from(integer)));
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Number::Float)
}

/// What a JSON string says; a lone surrogate reads as a replacement character.
fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.get(1..json.len().checked_sub(1)?)?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let bytes = serde_json::Deserializer::from_str(json).deserialize_bytes(Bytes).ok()?;
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

/// Goes down the steps that are left.
struct Walk<'p, 'f, 'a> {
    path: &'p [Step],
    found: &'f mut Option<&'a str>,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.path.first() {
            None => {
                let value: &RawValue = serde::Deserialize::deserialize(deserializer)?;
                *self.found = Some(value.get());
                Ok(())
            }
            Some(Step::Key(_)) => deserializer.deserialize_map(self),
            Some(Step::Place(_)) => deserializer.deserialize_seq(self),
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the path leads through")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(key), rest)) = self.path.split_first() else { return Ok(()) };
        while let Some(is_it) = map.next_key_seed(IsKey(key))? {
            if is_it {
                map.next_value_seed(Walk { path: rest, found: self.found })?;
                return Err(A::Error::custom(""));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((&Step::Place(place), rest)) = self.path.split_first() else { return Ok(()) };
        for _ in 0..place {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        list.next_element_seed(Walk { path: rest, found: self.found })?;
        Err(A::Error::custom(""))
    }
}

/// Whether the next key is this one. Compared as bytes: a key may hold a lone surrogate, which no `str` does.
struct IsKey<'k>(&'k str);

impl<'a> DeserializeSeed<'a> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<bool, E> {
        Ok(bytes == self.0.as_bytes())
    }
}
