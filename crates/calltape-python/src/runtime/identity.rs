//! Who this process and this thread are, as the tape names them.

use calltape_journal::{RunIdentity, unix_ns};
use calltape_record::ThreadEvent;
use calltape_redact::{Extent, Names, masked};
use pyo3::ffi;
use pyo3::prelude::*;

use crate::capture::{Held, stored_attribute};

/// Characters kept of a thread's name.
const MAX_THREAD_NAME: usize = 200;

/// The identity of this process for its run.
pub(super) fn of_this_process(py: Python<'_>) -> RunIdentity {
    let argv0 = || -> PyResult<String> { py.import("sys")?.getattr("argv")?.get_item(0)?.extract() };
    RunIdentity {
        pid: std::process::id(),
        boot_id: boot_id().unwrap_or_default(),
        started_unix_ns: unix_ns(),
        host: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
        program: argv0().unwrap_or_default(),
        python: Python::version_str().split_whitespace().next().unwrap_or_default().to_owned(),
    }
}

fn boot_id() -> Option<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(id)
}

/// The calling thread. Its name is read from `threading`'s own table: asking `threading.current_thread()` would enter a
/// thread there that the program did not make.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn this_thread_event() -> ThreadEvent {
    // SAFETY: the lock is held; both calls only ask.
    let (ident, native_id) = unsafe { (ffi::PyThread_get_thread_ident() as u64, libc::gettid() as u64) };
    // SAFETY: passed on.
    let name = unsafe { name_of(ident) }.unwrap_or_else(|| format!("thread-{native_id}"));
    let name = masked(&name, Extent::Whole, Names::defaults()).into_owned();
    ThreadEvent { ident, native_id, name }
}

/// # Safety
/// The interpreter lock is held.
unsafe fn name_of(ident: u64) -> Option<String> {
    // SAFETY: borrowed references are used before anything could drop them, owned ones are dropped here; a subclass's
    // `name` property is not run, since `_name` is read from the instance.
    unsafe {
        let threading = ffi::PyDict_GetItemString(ffi::PyImport_GetModuleDict(), c"threading".as_ptr());
        if threading.is_null() || ffi::PyModule_Check(threading) == 0 {
            return None;
        }
        let active = ffi::PyDict_GetItemString(ffi::PyModule_GetDict(threading), c"_active".as_ptr());
        if active.is_null() || ffi::PyDict_Check(active) == 0 {
            return None;
        }
        let key = ffi::PyLong_FromUnsignedLongLong(ident);
        let thread = if key.is_null() { key } else { ffi::PyDict_GetItemWithError(active, key) };
        ffi::Py_XDECREF(key);
        if thread.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let name = Held::taken(stored_attribute(thread, c"_name")?)?.text(MAX_THREAD_NAME)?;
        // A program may put it together from anything.
        Some(masked(&name, Extent::Whole, Names::defaults()).into_owned())
    }
}
