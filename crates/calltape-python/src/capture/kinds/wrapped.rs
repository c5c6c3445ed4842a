//! Containers, mocks and proxies that are written in Python: read from what they store, never from what they answer.

use super::super::level::Shape;
use super::super::walk::{Capture, type_name};
use super::Object;
use super::code::named;
use super::storage::{Held, stored};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("UserDict", c"collections", c"UserDict", user_dict),
    ("UserList", c"collections", c"UserList", user_list),
    ("UserString", c"collections", c"UserString", user_string),
    ("ChainMap", c"collections", c"ChainMap", chain_map),
    ("NonCallableMock", c"unittest.mock", c"NonCallableMock", mock),
    ("NonCallableMock", c"mock.mock", c"NonCallableMock", mock),
    ("LocalProxy", c"werkzeug.local", c"LocalProxy", named),
    ("LazyObject", c"django.utils.functional", c"LazyObject", named),
    ("Promise", c"django.utils.functional", c"Promise", named),
    ("ObjectProxy", c"wrapt", c"ObjectProxy", named),
    ("BaseObjectProxy", c"wrapt", c"BaseObjectProxy", named),
    ("ObjectProxy", c"wrapt._wrappers", c"ObjectProxy", named),
    ("ObjectProxy", c"wrapt.wrappers", c"ObjectProxy", named),
    ("ObjectProxy", c"wrapt.__wrapt__", c"ObjectProxy", named),
    ("Proxy", c"lazy_object_proxy.cext", c"Proxy", named),
    ("Proxy", c"lazy_object_proxy.slots", c"Proxy", named),
    ("Proxy", c"lazy_object_proxy", c"Proxy", named),
];

/// Mocks that a mock hangs on: its name is put together from theirs.
const MOST_PARENTS: usize = 16;
/// Pairs of a chain of dicts whose keys are compared.
const MOST_CHAINED: usize = 64;
/// Characters of a mock's name.
const MOST_NAME: usize = 200;

/// # Safety
/// As [`super::Reader`], for a `UserDict`.
unsafe fn user_dict(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the dict is held while it is walked.
    unsafe {
        match stored(object.value, "data").filter(Held::is_dict) {
            Some(data) => capture.pairs_of(object.value, data.get()),
            None => capture.marker(type_name(object.kind)),
        }
    }
}

/// # Safety
/// As [`super::Reader`], for a `UserList`.
unsafe fn user_list(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the list is held while it is walked.
    unsafe {
        match stored(object.value, "data").filter(|data| data.is_list()) {
            Some(data) => capture.list(data.get()),
            None => capture.marker(type_name(object.kind)),
        }
    }
}

/// # Safety
/// As [`super::Reader`], for a `UserString`.
unsafe fn user_string(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let data = stored(object.value, "data");
        capture.text_or_name(data, object);
    }
}

/// What a look-up in it finds: the pairs of its maps, each key once. One with many pairs is shown by its maps.
///
/// # Safety
/// As [`super::Reader`], for a `ChainMap`.
unsafe fn chain_map(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; keys and values are held while they are written.
    unsafe {
        let Some(maps) = stored(object.value, "maps").filter(|maps| maps.is_list()) else {
            return capture.marker(type_name(object.kind));
        };
        let Some(pairs) = chained(&maps) else {
            let Some(mut level) = capture.enter(object.value, 1, Shape::Fields) else { return };
            if capture.extra_entry(&mut level, "__class__", |capture| capture.plain(type_name(object.kind))) {
                capture.field(&mut level, "maps", maps.get());
            }
            return capture.leave(level);
        };
        let Some(mut level) = capture.enter(object.value, pairs.len(), Shape::Pairs) else { return };
        let _ = pairs.iter().all(|(key, value)| capture.pair(&mut level, key.get(), value.get()));
        capture.leave(level);
    }
}

/// The pairs of several dicts, each key from the first that has it; `None` where there are too many to compare, or
/// where one is no dict.
fn chained(maps: &Held) -> Option<Vec<(Held, Held)>> {
    let count = maps.items().filter(|&count| count <= MOST_CHAINED)?;
    let maps: Vec<Held> = (0..count).map(|at| maps.item(at).filter(Held::is_dict)).collect::<Option<_>>()?;
    if maps.iter().filter_map(Held::items).sum::<usize>() > MOST_CHAINED {
        return None;
    }
    let mut pairs: Vec<(Held, Held)> = Vec::new();
    for (key, value) in maps.iter().flat_map(|map| map.pairs(MOST_CHAINED)) {
        if !pairs.iter().any(|(seen, _)| seen.is_same(&key)) {
            pairs.push((key, value));
        }
    }
    Some(pairs)
}

/// `[MagicMock user.name]`: the name that a mock itself would show.
///
/// # Safety
/// As [`super::Reader`], for a mock.
unsafe fn mock(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    let (kind, name) = unsafe { (type_name(object.kind), name_of_mock(object)) };
    capture.named(kind, Some(&name));
}

/// # Safety
/// As [`mock`].
unsafe fn name_of_mock(object: Object) -> String {
    let mut parts: Vec<String> = Vec::new();
    // SAFETY: passed on; each mock is held while it is looked at.
    unsafe {
        let mut current = Held::of(object.value);
        for _ in 0..MOST_PARENTS {
            let text = |name| stored(current.get(), name).and_then(|text| text.text(MOST_NAME));
            let (own, new) = (text("_mock_name"), text("_mock_new_name"));
            let parent = stored(current.get(), "_mock_new_parent").filter(|parent| !parent.is_none());
            match (parent, new) {
                (Some(parent), Some(new)) if !new.is_empty() => {
                    parts.push(new);
                    current = parent;
                }
                (_, new) => {
                    parts.extend(own.or(new).filter(|name| !name.is_empty()));
                    break;
                }
            }
        }
    }
    parts.reverse();
    let mut name = String::new();
    for part in parts {
        if !name.is_empty() && !part.starts_with('(') {
            name.push('.');
        }
        name.push_str(&part);
    }
    name
}
