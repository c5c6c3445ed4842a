//! The tree of calls around one call: who made it, and what it made. Climbs by `parent_id` to the root, then walks down
//! along the index on parents, under limits on rows: a call may have made a million others.

use std::collections::{HashMap, HashSet, VecDeque};

use rusqlite::{Connection, OptionalExtension};

use super::calls::{row_limit, sql_id, unsigned};
use super::scan::{Names, fetch_all};
use super::{Call, QueryError, Tape};

/// Steps a climb takes before it gives up: ten times the deepest recursion Python allows by default.
const CLIMB_STEPS: usize = 10_000;

/// Calls counted under one call before the count says "at least".
const COUNTED_CHILDREN: usize = 10_000;

/// How much of a tree to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeLimits {
    /// Calls in all.
    pub rows: usize,
    /// Callers right above the call; between them and the root is a gap.
    pub callers: usize,
    /// Calls shown under one call.
    pub children: usize,
    /// Levels below the callers' calls and the call itself.
    pub depth: usize,
}

impl Default for TreeLimits {
    /// A few screens full.
    fn default() -> Self {
        Self { rows: 200, callers: 8, children: 30, depth: 8 }
    }
}

/// A tree, in the order it is printed.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTree {
    /// The lines, the root first, each call followed by what it made, in the order of their starts.
    pub items: Vec<TreeItem>,
    /// The caller of the first item, where the tape does not hold it: dropped, removed since, or not drained yet.
    pub missing_caller: Option<u64>,
}

/// One line of a tree. `depth` counts from the root, which is 0.
#[derive(Debug, Clone, PartialEq)]
pub enum TreeItem {
    /// A call.
    Call {
        /// Its level.
        depth: usize,
        /// Its row.
        call: Box<Call>,
        /// Whether it is the call asked for.
        marked: bool,
    },
    /// Callers left out between the root and the nearest ones.
    Gap {
        /// Their level.
        depth: usize,
        /// How many.
        callers: usize,
    },
    /// Calls left out.
    More {
        /// Their level.
        depth: usize,
        /// How many.
        calls: u64,
        /// Whether there may be more: what lies below them, or beyond what was counted.
        at_least: bool,
    },
}

impl TreeItem {
    /// The item's level.
    pub fn depth(&self) -> usize {
        match self {
            Self::Call { depth, .. } | Self::Gap { depth, .. } | Self::More { depth, .. } => *depth,
        }
    }
}

impl Tape {
    /// The tree around the call `id`, running or not; `None` when the tape has no such call.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn tree(&self, id: u64, limits: &TreeLimits) -> Result<Option<CallTree>, QueryError> {
        self.read(|connection| {
            let Some(climbed) = climb(connection, sql_id(id))? else { return Ok(None) };
            let names = Names::new(connection);
            let mut growth = Growth::new(&names, &climbed, limits)?;
            growth.grow(&names)?;
            let items = growth.print(connection)?;
            Ok(Some(CallTree { items, missing_caller: climbed.missing_caller }))
        })
    }
}

/// The way from a call up to its root.
struct Climbed {
    /// Root first, the call last.
    path: Vec<i64>,
    missing_caller: Option<u64>,
}

pub(super) const PARENT: &str = "SELECT parent_id FROM call WHERE id = ?1";

fn climb(connection: &Connection, id: i64) -> rusqlite::Result<Option<Climbed>> {
    let mut parent_of = connection.prepare_cached(PARENT)?;
    let mut step = |id: i64| parent_of.query_row([id], |row| row.get::<_, Option<i64>>(0)).optional();
    let Some(mut next) = step(id)? else { return Ok(None) };
    let (mut path, mut met) = (vec![id], HashSet::from([id]));
    let mut missing_caller = None;
    while let Some(parent) = next {
        // A damaged tape may hold a circle.
        if path.len() >= CLIMB_STEPS || !met.insert(parent) {
            missing_caller = Some(unsigned(parent));
            break;
        }
        match step(parent)? {
            Some(above) => {
                path.push(parent);
                next = above;
            }
            None => {
                missing_caller = Some(unsigned(parent));
                break;
            }
        }
    }
    path.reverse();
    Ok(Some(Climbed { path, missing_caller }))
}

/// A call in the tree while it grows.
struct Node {
    call: Call,
    /// Level; the root's is 0.
    depth: usize,
    /// Levels below the path.
    below: usize,
    children: Vec<i64>,
    /// Whether `children` was read.
    expanded: bool,
}

/// A tree while it grows, breadth first from the call asked for, then from its callers, until the rows are used up.
struct Growth<'a> {
    nodes: HashMap<i64, Node>,
    limits: &'a TreeLimits,
    /// The part of the path that is shown: the root, and after the gap the nearest callers and the call.
    shown: Vec<i64>,
    /// Callers between the first and the second of `shown`.
    gap: usize,
}

impl<'a> Growth<'a> {
    fn new(names: &Names<'_>, climbed: &Climbed, limits: &'a TreeLimits) -> rusqlite::Result<Self> {
        let path = &climbed.path;
        let near = path.len().saturating_sub(limits.callers + 1).max(1);
        let shown: Vec<i64> = path[..1].iter().chain(path.get(near..).unwrap_or_default()).copied().collect();
        let gap = near - 1;
        let mut nodes = HashMap::new();
        for (position, &id) in shown.iter().enumerate() {
            let depth = position + usize::from(gap > 0 && position > 0);
            if let Some(call) = fetch_all(names, &[id])?.pop() {
                nodes.insert(id, Node { call, depth, below: 0, children: Vec::new(), expanded: false });
            }
        }
        Ok(Self { nodes, limits, shown, gap })
    }

    fn grow(&mut self, names: &Names<'_>) -> rusqlite::Result<()> {
        let mut queue: VecDeque<i64> = self.shown.iter().rev().copied().collect();
        if self.gap > 0 {
            // The root's calls lie in the gap.
            queue.pop_back();
        }
        while let Some(id) = queue.pop_front() {
            if self.nodes.len() >= self.limits.rows && !self.shown.contains(&id) {
                break;
            }
            let Some(node) = self.nodes.get(&id) else { continue };
            if node.below >= self.limits.depth {
                continue;
            }
            let (depth, below) = (node.depth + 1, node.below + 1);
            let room = self.limits.rows.saturating_sub(self.nodes.len()).min(self.limits.children);
            let mut children = child_ids(names.connection, id, room)?;
            if let Some(pinned) = self.next_on_path(id)
                && !children.contains(&pinned)
            {
                children.push(pinned);
            }
            for call in fetch_all(names, &children)? {
                let child = sql_id(call.id);
                self.nodes.entry(child).or_insert_with(|| {
                    queue.push_back(child);
                    Node { call, depth, below, children: Vec::new(), expanded: false }
                });
            }
            children.sort_by_key(|child| self.nodes.get(child).map(|node| (node.call.started_ns, *child)));
            if let Some(node) = self.nodes.get_mut(&id) {
                node.children = children;
                node.expanded = true;
            }
        }
        Ok(())
    }

    /// The call below `id` on the way to the call asked for.
    fn next_on_path(&self, id: i64) -> Option<i64> {
        let position = self.shown.iter().position(|&shown| shown == id)?;
        self.shown.get(position + 1).copied()
    }

    fn print(mut self, connection: &Connection) -> rusqlite::Result<Vec<TreeItem>> {
        let mut items = Vec::with_capacity(self.nodes.len());
        let marked = self.shown.last().copied();
        let mut stack: Vec<Step> = self.shown.first().map(|&root| Step::Call(root)).into_iter().collect();
        while let Some(step) = stack.pop() {
            let id = match step {
                Step::Call(id) => id,
                Step::Item(item) => {
                    items.push(item);
                    continue;
                }
            };
            // Removed, so that a circle ends here.
            let Some(node) = self.nodes.remove(&id) else { continue };
            let below = node.depth + 1;
            if self.gap > 0 && Some(&id) == self.shown.first() {
                stack.extend(self.shown.get(1).map(|&near| Step::Call(near)));
                stack.push(Step::Item(TreeItem::Gap { depth: below, callers: self.gap }));
            } else {
                stack.extend(left_out(connection, id, &node)?.map(Step::Item));
                stack.extend(node.children.iter().rev().map(|&child| Step::Call(child)));
            }
            items.push(TreeItem::Call { depth: node.depth, call: Box::new(node.call), marked: Some(id) == marked });
        }
        Ok(items)
    }
}

/// What a walk through the grown tree comes to next.
enum Step {
    Call(i64),
    Item(TreeItem),
}

/// The index on parents hands the calls out in the order of ids, which is nearly that of their starts.
pub(super) const CHILDREN: &str = "SELECT id FROM call WHERE parent_id = ?1 ORDER BY id LIMIT ?2";

pub(super) const CHILD_COUNT: &str = "SELECT count(*) FROM (SELECT 1 FROM call WHERE parent_id = ?1 LIMIT ?2)";

fn child_ids(connection: &Connection, id: i64, limit: usize) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached(CHILDREN)?.query_map([id, row_limit(limit)], |row| row.get(0))?.collect()
}

/// The line for the calls of `node` that are not shown.
fn left_out(connection: &Connection, id: i64, node: &Node) -> rusqlite::Result<Option<TreeItem>> {
    let counted: i64 =
        connection.prepare_cached(CHILD_COUNT)?.query_row([id, row_limit(COUNTED_CHILDREN + 1)], |row| row.get(0))?;
    let shown = if node.expanded { node.children.len() as u64 } else { 0 };
    // What lies below a node that is not opened is not counted.
    let at_least = !node.expanded || unsigned(counted) > COUNTED_CHILDREN as u64;
    let total = unsigned(counted).min(COUNTED_CHILDREN as u64);
    let calls = total.saturating_sub(shown);
    Ok((calls > 0).then_some(TreeItem::More { depth: node.depth + 1, calls, at_least }))
}

#[cfg(test)]
mod tests;
