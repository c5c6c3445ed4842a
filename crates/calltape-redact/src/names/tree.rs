//! The entries of a list as a tree of their letters, last letter first, in two arrays.
//!
//! A name is walked from its end; the first letter that continues no entry ends the walk. A node's child for a letter
//! stands at the node's base plus the letter's class, and names its owner, so a step is one addition and one compare.

use std::collections::BTreeMap;

use super::Found;

/// How an entry matches, as bits: an entry may have been added twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rule(u8);

impl Rule {
    /// The whole name.
    pub(super) const ALONE: Rule = Rule(1);
    /// The whole name or its last words.
    pub(super) const LAST: Rule = Rule(2);
    /// The end of any name.
    pub(super) const ANY: Rule = Rule(4);
    /// The whole name, which is then no secret.
    pub(super) const EXEMPT: Rule = Rule(8);

    pub(super) fn has(self, other: Rule) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn and(self, other: Rule) -> Rule {
        Rule(self.0 | other.0)
    }
}

/// The class of a byte that stands between words.
const SEPARATOR: u8 = 0;

/// The first class of bytes beyond ASCII.
const FOREIGN: u8 = 37;

/// Letters of either case are 1 to 26, digits 27 to 36, bytes beyond ASCII the rest.
const CLASSES: [u8; 256] = {
    let mut classes = [SEPARATOR; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        classes[byte] = if value.is_ascii_alphabetic() {
            value.to_ascii_lowercase() - b'a' + 1
        } else if value.is_ascii_digit() {
            value - b'0' + 27
        } else if value >= 0x80 {
            value - 0x80 + FOREIGN
        } else {
            SEPARATOR
        };
        byte += 1;
    }
    classes
};

/// Slots beyond the highest base, so that a base plus any class is in bounds.
const CLASS_COUNT: usize = 256;

const ROOT: u32 = 0;

/// No node has this number.
const NOBODY: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Slot {
    owner: u32,
    base: u32,
    rule: Rule,
}

const FREE: Slot = Slot { owner: NOBODY, base: 0, rule: Rule(0) };

/// The tree; its root is the first slot.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    slots: Vec<Slot>,
}

impl Tree {
    /// A tree of folded entries.
    pub(super) fn build(entries: &BTreeMap<Vec<u8>, Rule>) -> Tree {
        let mut building = Building { nodes: vec![Node::default()] };
        for (entry, rule) in entries {
            building.add(entry, *rule);
        }
        building.laid_out()
    }

    /// Whether the whole name, its last words or its end are an entry.
    #[inline]
    pub(super) fn ends_in_entry(&self, name: &[u8]) -> Option<Found> {
        let mut node = ROOT;
        let mut base = self.slots[0].base;
        for (at, &byte) in name.iter().enumerate().rev() {
            let class = CLASSES[usize::from(byte)];
            if class == SEPARATOR {
                continue;
            }
            if class >= FOREIGN {
                return Some(Found::Foreign);
            }
            let child = base + u32::from(class);
            let slot = &self.slots[child as usize];
            if slot.owner != node {
                return None;
            }
            if slot.rule != Rule(0) && matches(slot.rule, name, at) {
                return Some(Found::Entry);
            }
            node = child;
            base = slot.base;
        }
        None
    }

    /// As [`Tree::ends_in_entry`] for a name that is folded already: bytes beyond ASCII are letters like others.
    pub(super) fn ends_in_entry_or_foreign(&self, name: &[u8]) -> bool {
        self.rules_along(name).any(|(rule, at)| matches(rule, name, at))
    }

    /// Whether the whole name is exempt.
    pub(super) fn is_exempt(&self, name: &[u8]) -> bool {
        self.rules_along(name).any(|(rule, at)| rule.has(Rule::EXEMPT) && is_start(name, at))
    }

    fn rules_along<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = (Rule, usize)> + 'a {
        let letters = name.iter().enumerate().rev().map(|(at, &byte)| (at, CLASSES[usize::from(byte)]));
        letters
            .filter(|&(_, class)| class != SEPARATOR)
            .scan(ROOT, |node, (at, class)| {
                let child = self.slots[*node as usize].base + u32::from(class);
                let slot = self.slots[child as usize];
                (slot.owner == *node).then(|| {
                    *node = child;
                    (slot.rule, at)
                })
            })
            .filter(|&(rule, _)| rule != Rule(0))
    }
}

/// Whether an entry with this rule that begins at `at` and reaches to the name's end matches.
fn matches(rule: Rule, name: &[u8], at: usize) -> bool {
    rule.has(Rule::ANY)
        || rule.has(Rule::LAST) && is_word_start(name, at)
        || rule.has(Rule::ALONE) && is_start(name, at)
}

/// Whether only separators stand before `at`.
fn is_start(name: &[u8], at: usize) -> bool {
    name[..at].iter().all(|&byte| CLASSES[usize::from(byte)] == SEPARATOR)
}

/// Whether a word begins at `at`: after a separator or a digit, at a capital after a small letter (`accessToken`), or
/// at the last capital before small letters (`APIToken`).
fn is_word_start(name: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| name[before]) else { return true };
    if !before.is_ascii_alphabetic() && before.is_ascii() {
        return true;
    }
    let next_is_small = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    name[at].is_ascii_uppercase() && (!before.is_ascii_uppercase() || next_is_small)
}

#[derive(Default)]
struct Node {
    rule: Rule,
    children: BTreeMap<u8, usize>,
}

/// The tree while it grows, before its nodes have their places.
struct Building {
    nodes: Vec<Node>,
}

impl Building {
    fn add(&mut self, entry: &[u8], rule: Rule) {
        let mut node = 0;
        for &byte in entry.iter().rev() {
            let next = self.nodes.len();
            let child = *self.nodes[node].children.entry(CLASSES[usize::from(byte)]).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
            }
            node = child;
        }
        self.nodes[node].rule = self.nodes[node].rule.and(rule);
    }

    /// Each node's children go to the first base at which all their places are free.
    fn laid_out(&self) -> Tree {
        let mut slots = vec![FREE; CLASS_COUNT];
        slots[0].owner = NOBODY - 1;
        let mut first_free = 1;
        let mut queue = std::collections::VecDeque::from([(0_usize, ROOT)]);
        while let Some((node, place)) = queue.pop_front() {
            let children = &self.nodes[node].children;
            let base = free_base(&slots, children, first_free);
            slots.resize(slots.len().max(base + CLASS_COUNT), FREE);
            slots[place as usize].base = base as u32;
            for (&class, &child) in children {
                let at = base + usize::from(class);
                slots[at] = Slot { owner: place, base: 0, rule: self.nodes[child].rule };
                queue.push_back((child, at as u32));
            }
            while slots[first_free].owner != NOBODY {
                first_free += 1;
            }
        }
        Tree { slots }
    }
}

/// The lowest base that leaves every child a free slot; a leaf has none and may stand on any.
fn free_base(slots: &[Slot], children: &BTreeMap<u8, usize>, first_free: usize) -> usize {
    let Some((&lowest, _)) = children.first_key_value() else { return 0 };
    let is_free = |at: usize| slots.get(at).is_none_or(|slot| slot.owner == NOBODY);
    let from = first_free.saturating_sub(usize::from(lowest));
    (from..).find(|base| children.keys().all(|&class| is_free(base + usize::from(class)))).unwrap_or(slots.len())
}
