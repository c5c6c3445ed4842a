use super::*;
use crate::query::sample_tape::{CallRow, SampleTape};

const MILLISECOND: i64 = 1_000_000;

fn draw(tree: &CallTree) -> Vec<String> {
    let draw = |item: &TreeItem| {
        let text = match item {
            TreeItem::Call { call, marked, .. } => format!("{}{}", call.function, if *marked { " *" } else { "" }),
            TreeItem::Gap { callers, .. } => format!("({callers} callers)"),
            TreeItem::More { calls, at_least, .. } => {
                format!("({}{calls} more)", if *at_least { "at least " } else { "" })
            }
        };
        format!("{}{text}", "  ".repeat(item.depth()))
    };
    tree.items.iter().map(draw).collect()
}

fn tree(sample: &SampleTape, id: i64, limits: &TreeLimits) -> Vec<String> {
    draw(&Tape::open(&sample.path()).unwrap().tree(id.cast_unsigned(), limits).unwrap().unwrap())
}

#[test]
fn the_tree_shows_who_made_a_call_and_what_it_made() {
    let sample = SampleTape::create();
    let [handle, auth, place, save] = ["handle", "auth", "place", "save"].map(|name| sample.function(name));
    let root = sample.call(CallRow::new(handle, 0));
    sample.call(CallRow::new(auth, MILLISECOND).made_by(root, root));
    let placed = sample.call(CallRow::new(place, 2 * MILLISECOND).made_by(root, root));
    let running = CallRow { status: 5, duration_ns: None, ..CallRow::new(save, 3 * MILLISECOND) };
    sample.call(running.made_by(placed, root));
    let drawn = ["handle", "  auth", "  place *", "    save"];
    assert_eq!(tree(&sample, placed, &TreeLimits::default()), drawn);
    assert_eq!(Tape::open(&sample.path()).unwrap().tree(1, &TreeLimits::default()).unwrap(), None);
}

#[test]
fn calls_stand_in_the_order_of_their_starts_though_ids_do_not() {
    let sample = SampleTape::create();
    let [handle, first, second] = ["handle", "first", "second"].map(|name| sample.function(name));
    let root = sample.call(CallRow::new(handle, 0));
    let (one, two) = (CallRow::new(first, MILLISECOND), CallRow::new(second, 2 * MILLISECOND));
    let (one_id, two_id) = (one.id, two.id);
    sample.call(CallRow { id: two_id, ..one }.made_by(root, root));
    sample.call(CallRow { id: one_id, ..two }.made_by(root, root));
    assert_eq!(tree(&sample, root, &TreeLimits::default()), ["handle *", "  first", "  second"]);
}

#[test]
fn what_does_not_fit_is_counted() {
    let sample = SampleTape::create();
    let [handle, item, deep] = ["handle", "item", "deep"].map(|name| sample.function(name));
    let root = sample.call(CallRow::new(handle, 0));
    let items: Vec<i64> =
        (1..=50).map(|n| sample.call(CallRow::new(item, n * MILLISECOND).made_by(root, root))).collect();
    let below = sample.call(CallRow::new(deep, 60 * MILLISECOND).made_by(items[0], root));
    sample.call(CallRow::new(deep, 61 * MILLISECOND).made_by(below, root));
    let limits = TreeLimits { children: 2, depth: 2, ..TreeLimits::default() };
    let drawn = ["handle *", "  item", "    deep", "      (at least 1 more)", "  item", "  (48 more)"];
    assert_eq!(tree(&sample, root, &limits), drawn);
    // The call asked for is there, whatever its place.
    let drawn = ["handle", "  item", "    deep", "      (at least 1 more)", "  item", "  item *", "  (47 more)"];
    assert_eq!(tree(&sample, items[40], &limits), drawn);
    let limits = TreeLimits { rows: 3, ..TreeLimits::default() };
    assert_eq!(tree(&sample, root, &limits), ["handle *", "  item", "    (at least 1 more)", "  item", "  (48 more)"]);
}

#[test]
fn a_deep_recursion_keeps_its_root_and_the_nearest_callers() {
    let sample = SampleTape::create();
    let [main, recurse] = ["main", "recurse"].map(|name| sample.function(name));
    let root = sample.call(CallRow::new(main, 0));
    let mut last = root;
    for n in 1..=1_500 {
        last = sample.call(CallRow::new(recurse, n * MILLISECOND).made_by(last, root));
    }
    let limits = TreeLimits { callers: 2, ..TreeLimits::default() };
    let drawn = ["main", "  (1497 callers)", "    recurse", "      recurse", "        recurse *"];
    assert_eq!(tree(&sample, last, &limits), drawn);
    let shown = tree(&sample, root, &limits);
    assert_eq!((shown.len(), shown[9].trim()), (10, "(at least 1 more)"), "{shown:?}");
}

#[test]
fn a_missing_caller_is_said_and_a_circle_ends() {
    let sample = SampleTape::create();
    let [place, save] = ["place", "save"].map(|name| sample.function(name));
    let (one, two) = (CallRow::new(place, 0), CallRow::new(save, MILLISECOND));
    let (one_id, two_id) = (one.id, two.id);
    let orphan = sample.call(CallRow::new(place, 2 * MILLISECOND).made_by(77, 77));
    sample.call(one.made_by(two_id, two_id));
    sample.call(two.made_by(one_id, two_id));
    let tape = Tape::open(&sample.path()).unwrap();
    let read = |id: i64| tape.tree(id.cast_unsigned(), &TreeLimits::default()).unwrap().unwrap();
    assert_eq!((draw(&read(orphan)), read(orphan).missing_caller), (vec!["place *".to_owned()], Some(77)));
    let circle = read(two_id);
    assert_eq!(draw(&circle), ["place", "  save *"]);
    assert_eq!(circle.missing_caller, Some(two_id.cast_unsigned()));
}
