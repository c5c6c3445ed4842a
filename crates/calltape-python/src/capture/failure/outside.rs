//! Which frames are not the program's own: those of the standard library, of what is installed beside the program, and
//! of what is frozen into the interpreter. Told by the file's name alone; no file is looked at.

use std::sync::OnceLock;

use pyo3::ffi;

use super::stored::entry;
use crate::capture::to_string;

/// Directories that installers put other people's code into: `site-packages` and `dist-packages`.
const INSTALLED: &str = "-packages/";
const INSTALLERS: &[&str] = &["/site", "/dist"];

/// Characters of a path that are looked at.
const MAX_PATH: usize = 4096;

/// Where the standard library stands, each with a slash at its end. Looked up once: a program that moves it afterwards
/// has its frames told apart as before.
static STANDARD_LIBRARY: OnceLock<Vec<String>> = OnceLock::new();

/// Whether a frame of this file is outside the program.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn is_outside(file: &str) -> bool {
    // SAFETY: passed on.
    let places = STANDARD_LIBRARY.get_or_init(|| unsafe { standard_library() });
    file.starts_with("<frozen ")
        || is_compiled(file)
        || places.iter().any(|place| file.starts_with(place.as_str()))
        || is_installed(file)
}

/// Whether a file is source that was compiled into an extension: its path is the one it had where it was built.
fn is_compiled(file: &str) -> bool {
    file.ends_with(".pyx") || file.ends_with(".pxd") || file.ends_with(".pxi")
}

/// Looks for the rare character first: most paths hold none.
fn is_installed(file: &str) -> bool {
    file.match_indices('-').any(|(at, _)| {
        file[at..].starts_with(INSTALLED) && INSTALLERS.iter().any(|installer| file[..at].ends_with(installer))
    })
}

/// The folder that `os` was loaded from, and the one that the interpreter says.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn standard_library() -> Vec<String> {
    // SAFETY: borrowed references are read at once; dicts are looked through without running code.
    unsafe {
        let os = entry(ffi::PyImport_GetModuleDict(), c"os");
        let is_module = !os.is_null() && ffi::PyModule_Check(os) != 0;
        let file = if is_module { entry(ffi::PyModule_GetDict(os), c"__file__") } else { std::ptr::null_mut() };
        let said = ffi::PySys_GetObject(c"_stdlib_dir".as_ptr());
        let text = |object: *mut ffi::PyObject| {
            (!object.is_null() && ffi::PyUnicode_Check(object) != 0).then(|| to_string(object, MAX_PATH))
        };
        let loaded_from = text(file).and_then(|file| Some(file.rsplit_once('/')?.0.to_owned()));
        let mut places: Vec<String> = [loaded_from, text(said)]
            .into_iter()
            .flatten()
            // A place at the root would make every file one of its own.
            .filter(|place| place.len() > 1 && place.starts_with('/'))
            .map(|place| format!("{}/", place.trim_end_matches('/')))
            .collect();
        places.dedup();
        places
    }
}
