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

/// The pairs of all its maps, the first map's first; a key that stands in several maps is shown for each.
///
/// # Safety
/// As [`super::Reader`], for a `ChainMap`.
unsafe fn chain_map(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; each dict is held while it is walked.
    unsafe {
        let Some(maps) = stored(object.value, "maps").filter(|maps| maps.is_list()) else {
            return capture.marker(type_name(object.kind));
        };
        if maps.items() == Some(1)
            && let Some(only) = maps.item(0).filter(Held::is_dict)
        {
            return capture.pairs_of(object.value, only.get());
        }
        let Some(mut level) = capture.enter(object.value, 1, Shape::Fields) else { return };
        if capture.extra_entry(&mut level, "__class__", |capture| capture.plain(type_name(object.kind))) {
            capture.field(&mut level, "maps", maps.get());
        }
        capture.leave(level);
    }
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
