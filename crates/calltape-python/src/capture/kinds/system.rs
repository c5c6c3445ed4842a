//! What a running program holds of the system: threads, tasks, files, sockets, memory. Nothing is read from, waited for
//! or closed; only C getters of the exact known types and stored attributes are asked.

use pyo3::ffi;

use super::super::walk::{Capture, type_name};
use super::Object;
use super::code::lock;
use super::storage::{Held, getter, is_loaded, method, stored};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("Thread", c"threading", c"Thread", thread),
    ("Task", c"_asyncio", c"Task", task),
    ("Future", c"_asyncio", c"Future", future),
    ("BaseEventLoop", c"asyncio.base_events", c"BaseEventLoop", super::code::named),
    ("Loop", c"uvloop", c"Loop", super::code::named),
    ("lock", c"_thread", c"LockType", lock),
    ("TextIOWrapper", c"_io", c"TextIOWrapper", file),
    ("BufferedReader", c"_io", c"BufferedReader", file),
    ("BufferedWriter", c"_io", c"BufferedWriter", file),
    ("BufferedRandom", c"_io", c"BufferedRandom", file),
    ("FileIO", c"_io", c"FileIO", file),
    ("_IOBase", c"_io", c"_IOBase", super::code::named),
    ("socket", c"_socket", c"socket", socket),
    ("mmap", c"mmap", c"mmap", mapping),
    ("Logger", c"logging", c"Logger", logger),
    ("_Environ", c"os", c"_Environ", environment),
];

/// Characters of a name.
const MOST_NAME: usize = 200;
/// Characters of a file's path.
const MOST_PATH: usize = 500;

/// # Safety
/// As [`super::Reader`], for a thread.
unsafe fn thread(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let name = stored(object.value, "_name").and_then(|name| name.text(MOST_NAME));
        // The main thread's class and foreign threads' are threading's own.
        let own = matches!(type_name(object.kind), "_MainThread" | "_DummyThread");
        capture.named(if own { "Thread" } else { type_name(object.kind) }, name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a task of asyncio's C implementation.
unsafe fn task(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the method and the getter read the task's own struct.
    unsafe {
        let name = method(object.base, "get_name", object.value).and_then(|name| name.text(MOST_NAME));
        let state = state(object);
        let words = [name, state].into_iter().flatten().collect::<Vec<_>>().join(" ");
        capture.named(type_name(object.kind), Some(&words));
    }
}

/// # Safety
/// As [`super::Reader`], for a future of asyncio's C implementation.
unsafe fn future(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let state = state(object);
        capture.named(type_name(object.kind), state.as_deref());
    }
}

/// `pending`, `finished` or `cancelled`.
///
/// # Safety
/// As [`future`].
unsafe fn state(object: Object) -> Option<String> {
    // SAFETY: passed on.
    unsafe { Some(getter(object.base, "_state", object.value)?.text(MOST_NAME)?.to_ascii_lowercase()) }
}

/// # Safety
/// As [`super::Reader`], for a file of `io`'s C classes.
unsafe fn file(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let mode = stored(object.value, "mode").and_then(|mode| mode.text(MOST_NAME));
        let raw = raw_of(object);
        let name = raw.as_ref().and_then(|raw| stored(raw.get(), "name"));
        let mode = mode.or_else(|| raw.and_then(|raw| getter(raw.kind(), "mode", raw.get())?.text(MOST_NAME)));
        let name = name.and_then(|name| match name.int() {
            Some(number) => Some(format!("fd {number}")),
            None => name.text(MOST_PATH).map(|name| format!("'{name}'")),
        });
        let words = [name, mode].into_iter().flatten().collect::<Vec<_>>().join(" ");
        capture.named(type_name(object.kind), Some(&words));
    }
}

/// The raw file at the bottom of a file, as far as each layer is of `io`'s own classes.
///
/// # Safety
/// As [`file`].
unsafe fn raw_of(object: Object) -> Option<Held> {
    // SAFETY: passed on; `buffer` and `raw` are members of the known classes.
    unsafe {
        let mut layer = Held::of(object.value);
        let mut kind = object.base;
        for _ in 0..3 {
            if is_loaded(kind, c"_io", c"FileIO") {
                return Some(layer);
            }
            layer = match type_name(kind) {
                "TextIOWrapper" => getter(kind, "buffer", layer.get())?,
                "BufferedReader" | "BufferedWriter" | "BufferedRandom" => getter(kind, "raw", layer.get())?,
                _ => return None,
            };
            kind = layer.kind();
            let names = [
                (c"FileIO", "FileIO"),
                (c"BufferedReader", "BufferedReader"),
                (c"BufferedWriter", "BufferedWriter"),
                (c"BufferedRandom", "BufferedRandom"),
            ];
            let is_known = |&(name, text): &(_, &str)| type_name(kind) == text && is_loaded(kind, c"_io", name);
            if !names.iter().any(is_known) {
                return None;
            }
        }
        None
    }
}

/// # Safety
/// As [`super::Reader`], for a socket.
unsafe fn socket(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; members and method read the socket's own struct.
    unsafe {
        let number = |name| getter(object.base, name, object.value)?.int();
        let family = match number("family") {
            Some(1) => "AF_UNIX".to_owned(),
            Some(2) => "AF_INET".to_owned(),
            Some(10) => "AF_INET6".to_owned(),
            other => format!("family {}", other.unwrap_or_default()),
        };
        let kind = match number("type") {
            Some(1) => "SOCK_STREAM".to_owned(),
            Some(2) => "SOCK_DGRAM".to_owned(),
            Some(3) => "SOCK_RAW".to_owned(),
            other => format!("type {}", other.unwrap_or_default()),
        };
        let open = match method(object.base, "fileno", object.value).and_then(|number| number.int()) {
            Some(number) if number >= 0 => format!("fd {number}"),
            _ => "closed".to_owned(),
        };
        capture.named(type_name(object.kind), Some(&format!("{family} {kind} {open}")));
    }
}

/// # Safety
/// As [`super::Reader`], for a mapped file.
unsafe fn mapping(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the slot reads the object's own struct, and says where it is closed.
    unsafe {
        let length = (*object.base).tp_as_sequence.as_ref().and_then(|slots| slots.sq_length);
        let length = length.map_or(-1, |length| length(object.value));
        ffi::PyErr_Clear();
        let words = if length < 0 { "closed".to_owned() } else { format!("{length} bytes") };
        capture.named(type_name(object.kind), Some(&words));
    }
}

/// # Safety
/// As [`super::Reader`], for a memoryview.
pub(super) unsafe fn memory(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the getter reads the object's own struct, and says where it is released.
    let bytes = unsafe { getter(object.base, "nbytes", object.value).and_then(|bytes| bytes.int()) };
    let words = bytes.map_or_else(|| "released".to_owned(), |bytes| format!("{bytes} bytes"));
    capture.named("memoryview", Some(&words));
}

/// # Safety
/// As [`super::Reader`], for a logger.
unsafe fn logger(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let name = stored(object.value, "name").and_then(|name| name.text(MOST_NAME));
        capture.named(type_name(object.kind), name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for the process's environment.
unsafe fn environment(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let items = stored(object.value, "_data").and_then(|data| data.items());
        let words = items.map(|items| format!("with {items} items"));
        capture.named(type_name(object.kind), words.as_deref());
    }
}
