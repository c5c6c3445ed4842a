//! Finding calls: from a filter to rows, in the order of ids, without reading more than must be.
//!
//! | file | job |
//! |---|---|
//! | `plan.rs` | which rows must be looked at: a range of ids, along which index, by which keys |
//! | `feed.rs` | those rows, merged from the keys' walks into one order |
//! | `candidate.rs` | one such row, as the fields and the condition of a filter see it |
//! | `residual.rs` | what a row must meet beyond how it was found |
//! | `names.rs` | names of functions and threads, and what calls raised, each looked up once |
//! | `row.rs` | a row as a [`Call`](super::Call) |
//!
//! The statements are put together from fixed parts; everything a person wrote is bound or compared in Rust. No walk
//! sorts, and none is limited by SQLite: who reads stops when it has enough.

mod candidate;
mod feed;
mod names;
mod plan;
mod residual;
mod row;

pub(in crate::query) use candidate::Candidate;
pub(in crate::query) use feed::{Direction, Feed, Source, sql};
pub(in crate::query) use names::Names;
pub(in crate::query) use plan::{Plan, function_ids};
pub(in crate::query) use residual::Residual;
pub(in crate::query) use row::{Columns, fetch, fetch_all};

#[cfg(test)]
pub(in crate::query) use row::BY_ID;
