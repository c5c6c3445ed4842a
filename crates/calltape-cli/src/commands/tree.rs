//! `calltape tree`: the calls around one call, in more depth than `show` has them.

use calltape_engine::query::{Tape, TreeLimits};

use super::{show, show_tree};
use crate::arguments::Tree;
use crate::entry::{Failure, Found};
use crate::output::Output;

pub(crate) fn run(tree: &Tree, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let limits = TreeLimits { rows: tree.limit, callers: tree.depth, children: tree.limit, depth: tree.depth };
    let id = show::call_named(&tree.call, tape)?;
    let found = match id {
        Some(id) => tape.tree(id, &limits)?,
        None => None,
    };
    let Some(found) = found else { return show::say_nothing(&tree.call, tape, output) };
    if json {
        for item in &found.items {
            output.line(&show::tree_object(item).finish())?;
        }
    } else {
        show_tree::write(&found, true, output)?;
    }
    Ok(Found::Something)
}
