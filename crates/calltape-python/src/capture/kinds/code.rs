//! Functions, methods, types, modules, and what a function's call made: each by its name, nothing of it called.

use std::ffi::CStr;

use calltape_record::value::Width;
use calltape_redact::{Extent, masked};
use pyo3::ffi::{self, PyObject, PyTypeObject};

use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, dict_of_type, getter, method, stored};

/// Characters of a name.
const MOST_NAME: usize = 200;

unsafe extern "C" {
    /// The type of bound methods.
    pub(super) static mut PyMethod_Type: PyTypeObject;
    /// The function of a bound method, borrowed.
    fn PyMethod_Function(method: *mut PyObject) -> *mut PyObject;
}

/// # Safety
/// As [`super::Reader`], for a function.
pub(super) unsafe fn function(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    let name = unsafe { name_of_function(object.value) };
    capture.named("function", name.as_deref());
}

/// A function that calltape stands in for, as the function itself.
///
/// # Safety
/// As [`super::Reader`], for a monitored function.
pub(super) unsafe fn monitored(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; a monitored function holds the function it was made from.
    unsafe {
        let function = Held::of(crate::wrapper::wrapped_of(object.value));
        match name_of(function.get()) {
            Some((what, name)) => capture.named(what, Some(&name)),
            None => capture.any(function.get()),
        }
    }
}

/// # Safety
/// As [`super::Reader`], for a bound method.
pub(super) unsafe fn bound_method(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; a method has a function.
    let name = unsafe { name_of(PyMethod_Function(object.value)) };
    capture.named("method", name.as_ref().map(|(_, name)| name.as_str()));
}

/// # Safety
/// As [`super::Reader`], for a function or method that is written in C.
pub(super) unsafe fn c_function(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    let (what, name) = unsafe { name_of_c_function(object.value) };
    capture.named(what, Some(&name));
}

/// # Safety
/// As [`super::Reader`], for a method of a type that is written in C, not bound to an object.
pub(super) unsafe fn c_method(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    let name = unsafe { name_of_c_method(object.value) };
    capture.named("method", name.as_deref());
}

/// # Safety
/// As [`super::Reader`], for the method of an object that a slot implements.
pub(super) unsafe fn slot_method(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; both are C of the known type.
    unsafe {
        let owner = getter(object.base, "__self__", object.value).map(|owner| qualified(owner.kind()));
        let name = getter(object.base, "__name__", object.value).and_then(|name| name.text(MOST_NAME));
        let name = owner.zip(name).map(|(owner, name)| format!("{owner}.{name}"));
        capture.named("method", name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a type.
pub(super) unsafe fn class(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: the value is a type.
    let name = unsafe { qualified(object.value.cast()) };
    capture.named("type", Some(&name));
}

/// # Safety
/// As [`super::Reader`], for a module.
pub(super) unsafe fn module(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let name = name_of_module(object.value);
        let what = if object.kind == object.base { "module" } else { type_name(object.kind) };
        capture.named(what, name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a generator, a coroutine or an async generator.
pub(super) unsafe fn suspended(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the getter reads the object's own struct.
    unsafe {
        let name = getter(object.base, "__qualname__", object.value).and_then(|name| name.text(MOST_NAME));
        capture.named(type_name(object.base), name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a code object.
pub(super) unsafe fn code(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the member reads the object's own struct.
    unsafe {
        let name = getter(object.base, "co_qualname", object.value).and_then(|name| name.text(MOST_NAME));
        capture.named("code", name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a frame.
pub(super) unsafe fn frame(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: a frame has a code object, which is returned as a new reference.
    unsafe {
        let code = Held::taken(ffi::PyFrame_GetCode(object.value.cast()).cast());
        let name = code.and_then(|code| getter(code.kind(), "co_qualname", code.get())?.text(MOST_NAME));
        capture.named("frame", name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a `functools.partial`.
pub(super) unsafe fn partial(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the member reads the object's own struct.
    unsafe {
        let function = getter(object.base, "func", object.value);
        capture.of_function(object, function);
    }
}

/// # Safety
/// As [`super::Reader`], for a `functools.partialmethod`.
pub(super) unsafe fn partial_method(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let function = stored(object.value, "func");
        capture.of_function(object, function);
    }
}

/// # Safety
/// As [`super::Reader`], for a `functools.lru_cache` around a function.
pub(super) unsafe fn cached(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let function = stored(object.value, "__wrapped__");
        capture.of_function(object, function);
    }
}

/// # Safety
/// As [`super::Reader`], for a context variable.
pub(super) unsafe fn context_variable(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the member reads the object's own struct.
    unsafe {
        let name = getter(object.base, "name", object.value).and_then(|name| name.text(MOST_NAME));
        capture.named(type_name(object.kind), name.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a slice.
pub(super) unsafe fn slice(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the members read the object's own struct.
    let parts = ["start", "stop", "step"].map(|name| unsafe { getter(object.base, name, object.value) });
    let texts: Option<Vec<String>> = parts
        .iter()
        .map(|part| {
            let part = part.as_ref()?;
            if part.is_none() { Some("None".to_owned()) } else { part.int().map(|number| number.to_string()) }
        })
        .collect();
    match texts {
        Some(texts) => capture.plain(&format!("slice({})", texts.join(", "))),
        None => capture.marker("slice"),
    }
}

/// # Safety
/// As [`super::Reader`], for a weak reference: what it refers to is not touched.
pub(super) unsafe fn weak_reference(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: the type of a live value is live.
    let name = unsafe { if object.kind == object.base { "weakref" } else { type_name(object.kind) } };
    capture.marker(name);
}

/// # Safety
/// As [`super::Reader`], for a weak proxy: what it stands for is not touched.
pub(super) unsafe fn weak_proxy(capture: &mut Capture<'_>, _object: Object) {
    capture.marker("weakproxy");
}

/// # Safety
/// As [`super::Reader`], for any object that is only named.
pub(super) unsafe fn named(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: the type of a live value is live.
    capture.marker(unsafe { type_name(object.kind) });
}

impl Capture<'_> {
    /// Writes `[what name]`, or `[what]` where there is no name. A name may be anything: it is masked and cut.
    pub(super) fn named(&mut self, what: &str, name: Option<&str>) {
        match name.filter(|name| !name.is_empty()) {
            Some(name) => self.summarised(&format!("{what} {name}")),
            None => self.marker(what),
        }
    }

    /// Writes `[summary]` with words that are the program's: masked, and cut to what there is room for.
    pub(super) fn summarised(&mut self, summary: &str) {
        let summary = masked(summary, Extent::Whole, self.policy.names);
        let room = self.left.saturating_sub(Width::MARKER);
        if Width::text(summary.as_bytes()) <= room {
            return self.marker(&summary);
        }
        // An escape is six bytes at most.
        let kept = &summary[..summary.floor_char_boundary(room.saturating_sub(Width::DOTS) / 6)];
        self.marker(&format!("{kept}..."));
    }

    /// # Safety
    /// As [`super::Reader`].
    unsafe fn of_function(&mut self, object: Object, function: Option<Held>) {
        // SAFETY: held, so live.
        unsafe {
            let name = function.and_then(|function| Some(name_of(function.get())?.1));
            match name {
                Some(name) => self.summarised(&format!("{} of {name}", type_name(object.kind))),
                None => self.marker(type_name(object.kind)),
            }
        }
    }
}

/// Callables within one another that are followed to one with a name.
const MOST_WRAPPED: usize = 16;

/// What a callable is and its name, where its type is the interpreter's.
///
/// # Safety
/// `callable` is live, the interpreter lock held.
unsafe fn name_of(mut callable: *mut PyObject) -> Option<(&'static str, String)> {
    let mut is_method = false;
    for _ in 0..MOST_WRAPPED {
        // SAFETY: each is read as what its exact type says; a callable holds the one within it.
        let (what, name) = unsafe {
            let kind = ffi::Py_TYPE(callable);
            if kind == &raw mut PyMethod_Type {
                is_method = true;
                callable = PyMethod_Function(callable);
                continue;
            }
            if crate::wrapper::is_monitored_type(kind) {
                callable = crate::wrapper::wrapped_of(callable);
                continue;
            }
            if kind == &raw mut ffi::PyFunction_Type {
                ("function", name_of_function(callable)?)
            } else if kind == &raw mut ffi::PyCFunction_Type {
                name_of_c_function(callable)
            } else if kind == &raw mut ffi::PyMethodDescr_Type {
                ("method", name_of_c_method(callable)?)
            } else if ffi::PyType_Check(callable) != 0 {
                ("type", qualified(callable.cast()))
            } else {
                return None;
            }
        };
        return Some((if is_method { "method" } else { what }, name));
    }
    None
}

/// # Safety
/// `function` is a live Python function, the interpreter lock held.
unsafe fn name_of_function(function: *mut PyObject) -> Option<String> {
    // SAFETY: the struct's fields are null or live.
    unsafe {
        let function = function.cast::<ffi::PyFunctionObject>();
        let text = |object: *mut PyObject| if object.is_null() { None } else { Held::of(object).text(MOST_NAME) };
        let name = text((*function).func_qualname)?;
        Some(with_module(text((*function).func_module), name))
    }
}

/// # Safety
/// `function` is a live builtin function or method, the interpreter lock held.
unsafe fn name_of_c_function(function: *mut PyObject) -> (&'static str, String) {
    // SAFETY: the struct's fields are null or live, its definition's name a C string.
    unsafe {
        let definition = function.cast::<ffi::PyCFunctionObject>();
        let name = text_at((*(*definition).m_ml).ml_name);
        let owner = (*definition).m_self;
        if owner.is_null() || ffi::PyModule_Check(owner) != 0 {
            let module = (*definition).m_module;
            let module = if module.is_null() { None } else { Held::of(module).text(MOST_NAME) };
            return ("function", with_module(module, name));
        }
        let kind = if ffi::PyType_Check(owner) != 0 { owner.cast() } else { ffi::Py_TYPE(owner) };
        ("method", format!("{}.{name}", qualified(kind)))
    }
}

/// # Safety
/// `method` is a live method descriptor of C's, the interpreter lock held.
unsafe fn name_of_c_method(method: *mut PyObject) -> Option<String> {
    // SAFETY: the struct's fields are null or live.
    unsafe {
        let descriptor = method.cast::<ffi::PyDescrObject>();
        let (kind, name) = ((*descriptor).d_type, (*descriptor).d_name);
        if kind.is_null() || name.is_null() {
            return None;
        }
        Some(format!("{}.{}", qualified(kind), Held::of(name).text(MOST_NAME)?))
    }
}

/// # Safety
/// `module` is a live module, the interpreter lock held.
unsafe fn name_of_module(module: *mut PyObject) -> Option<String> {
    // SAFETY: a module that was not initialised has no dict.
    unsafe {
        let dict = ffi::PyModule_GetDict(module);
        if dict.is_null() || ffi::PyDict_Check(dict) == 0 {
            ffi::PyErr_Clear();
            return None;
        }
        Held::of(dict).entry("__name__")?.text(MOST_NAME)
    }
}

/// A type with its module: `collections.OrderedDict`; a builtin stands bare.
///
/// # Safety
/// `kind` is a live type object, the interpreter lock held.
pub(super) unsafe fn qualified(kind: *mut PyTypeObject) -> String {
    // SAFETY: a heap type has a qualified name; another's is in its C name.
    unsafe {
        if (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return text_at((*kind).tp_name);
        }
        let name = (*kind.cast::<ffi::PyHeapTypeObject>()).ht_qualname;
        let name = if name.is_null() { None } else { Held::of(name).text(MOST_NAME) };
        let module = dict_of_type(kind).and_then(|dict| dict.entry("__module__")?.text(MOST_NAME));
        with_module(module, name.unwrap_or_else(|| type_name(kind).to_owned()))
    }
}

fn with_module(module: Option<String>, name: String) -> String {
    match module {
        Some(module) if !module.is_empty() && module != "builtins" => format!("{module}.{name}"),
        _ => name,
    }
}

/// # Safety
/// `text` is a C string or null.
unsafe fn text_at(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: passed on.
    unsafe { CStr::from_ptr(text).to_string_lossy().chars().take(MOST_NAME).collect() }
}

/// # Safety
/// As [`super::Reader`], for a lock.
pub(super) unsafe fn lock(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the method reads the lock's own struct and does not wait.
    let locked = unsafe { method(object.base, "locked", object.value).and_then(|locked| locked.int()) };
    match locked {
        Some(0) => capture.marker("lock unlocked"),
        Some(_) => capture.marker("lock locked"),
        None => capture.marker("lock"),
    }
}
