//! Which calls a question is about: the fields of [`CallFilter`], and the language of its `condition`.
//!
//! | file | job |
//! |---|---|
//! | `call_filter.rs` | the fields, all of which a call must meet |
//! | `text_pattern.rs` | globs over names |
//! | `column.rs` | the columns a condition may name, and what stands in them |
//! | `parser.rs`, `comparison.rs`, `literal.rs` | text to condition; every refusal says where and what would do |
//! | `expression.rs` | the regular expressions in it |
//! | `condition.rs` | a condition that was read |
//! | `matches.rs` | whether a call meets it |
//! | `json.rs` | the value at a path of captured JSON |
//! | `error.rs` | the refusal |
//!
//! # What a condition means
//!
//! A comparison is about a column, an argument (`args.order.id`) or a part of the result (`result[0]`).
//!
//! - **What is not there meets no comparison**, not even `!=`: a path that leads nowhere, a duration while the call runs,
//!   the error of a call that returned. `has args.x` asks whether it is there, `not` turns any answer round.
//! - **Numbers compare as numbers** (`42 = 42.0`; integers beyond 64 bits as floating point), **text as text**, by code
//!   points; `true`, `false` and `null` equal themselves. Values of two kinds are never equal and in no order; `null` is
//!   JSON's null, which is there.
//! - Lists and objects equal nothing. `~` looks at text as it is and at every other value as its JSON text, so
//!   `args ~ "k-17"` looks through all arguments.
//! - `~` is a regular expression (crate `regex`), found anywhere in the text; `!~` is what is there and does not match.

mod call_filter;
mod column;
mod comparison;
mod condition;
mod error;
mod expression;
mod json;
mod literal;
mod matches;
mod parser;
mod text_pattern;

pub use call_filter::{CallFilter, DurationRange};
pub(in crate::query) use column::Column;
pub use condition::Condition;
pub(in crate::query) use condition::{Check, Number, Relation, Root, Step, Subject, Test, Value};
pub use error::FilterError;
pub(in crate::query) use expression::matches_nothing;
pub(in crate::query) use matches::{Columns, Field};
pub use text_pattern::TextPattern;

#[cfg(test)]
mod tests;
