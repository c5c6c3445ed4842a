//! The type of monitored functions: its layout, its slots, making and freeing.
//!
//! It is a heap type with vectorcall, marked as a method descriptor, so that `obj.method()` reaches the wrapper without
//! a bound method being made. It holds the wrapped callable and a `__dict__` of its own, and takes part in garbage
//! collection.

use std::ffi::{CStr, c_int, c_uint, c_ulong, c_void};
use std::mem::offset_of;
use std::ptr;
use std::rc::Rc;

use calltape_engine::sampling::Sampling;
use calltape_record::FunctionDef;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::call::vectorcall;
use super::parameters::{Defaults, Parameters};
use super::plan::Plan;
use super::{attributes, binding};
use crate::capture::OwnPolicy;
use crate::runtime::NEVER;

/// A monitored function.
#[repr(C)]
pub(super) struct Monitored {
    head: PyObject,
    vectorcall: Option<ffi::vectorcallfunc>,
    /// The function itself, never null.
    pub(super) wrapped: *mut PyObject,
    /// Its attributes: a function's own `__dict__`, another callable's wrapper has one of its own.
    pub(super) dict: *mut PyObject,
    weak_references: *mut PyObject,
    /// The function's own `__wrapped__` when it was decorated, null for none: compared, never followed.
    pub(super) wrapped_before: *mut PyObject,
    /// Owned, with those of its calls whose bodies go on without it: an [`Rc`] as a pointer, made in [`new_monitored`],
    /// given up in [`deallocate`].
    pub(super) plan: *const Plan,
}

/// What `monitor` decided, as the Python side gives it.
#[derive(FromPyObject)]
pub(crate) struct Options {
    #[pyo3(item)]
    name: String,
    #[pyo3(item)]
    group: String,
    #[pyo3(item)]
    kind: String,
    #[pyo3(item)]
    file: String,
    #[pyo3(item)]
    line: u32,
    /// The share of calls that are kept, 0 to 1; `None` for "auto".
    #[pyo3(item)]
    sample_rate: Option<f64>,
    /// Nanoseconds from which a call is kept whatever its rate.
    #[pyo3(item)]
    keep_slower_ns: Option<u64>,
    #[pyo3(item)]
    capture_args: bool,
    #[pyo3(item)]
    capture_result: bool,
    #[pyo3(item)]
    policy: Option<OwnPolicy>,
    /// Names of arguments that are not captured.
    #[pyo3(item)]
    left_out: Vec<String>,
    /// Whether each of `left_out` must be an argument of the function.
    #[pyo3(item)]
    must_have_left_out: bool,
    #[pyo3(item)]
    skip_first: bool,
    #[pyo3(item)]
    partial: bool,
    #[pyo3(item)]
    layout: Option<Py<PyAny>>,
}

/// The vectorcall as PyO3's types have it. The two differ in one word: this one may be unwound through when the
/// interpreter ends a daemon thread, which changes nothing in how it is called.
// SAFETY: both are function pointers with the same arguments and result in the C calling convention.
const VECTORCALL: ffi::vectorcallfunc = unsafe { std::mem::transmute(vectorcall::<false> as VectorcallThatUnwinds) };

/// The same for functions whose body runs later.
// SAFETY: as above.
const SUSPENDING_VECTORCALL: ffi::vectorcallfunc =
    unsafe { std::mem::transmute(vectorcall::<true> as VectorcallThatUnwinds) };

type VectorcallThatUnwinds =
    unsafe extern "C-unwind" fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;

/// The two types, made once: for Python functions, and for other callables.
static TYPES: PyOnceLock<[Py<PyType>; 2]> = PyOnceLock::new();

/// The type for Python functions, then the one for other callables.
///
/// They differ in one flag. A method descriptor is handed the instance by the interpreter without being asked to bind;
/// functions bind always, other callables by their own rule.
pub(crate) fn types(py: Python<'_>) -> PyResult<&[Py<PyType>; 2]> {
    TYPES.get_or_try_init(py, || {
        let slots = attributes::function_slots(py)?;
        let functions = create_type(py, c"builtins.function", ffi::Py_TPFLAGS_METHOD_DESCRIPTOR, slots)?;
        // As error messages name it: in the words of the interpreter's own type.
        // SAFETY: the type is new, and the name lives for ever.
        unsafe { (*functions.as_type_ptr()).tp_name = c"function".as_ptr() };
        let others = create_type(py, c"calltape._native.MonitoredCallable", 0, attributes::callable_slots())?;
        Ok([functions.unbind(), others.unbind()])
    })
}

/// Whether `kind` is one of the two types.
///
/// # Safety
/// The interpreter lock is held.
pub(crate) unsafe fn is_monitored_type(kind: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on.
    let py = unsafe { Python::assume_attached() };
    TYPES.get(py).is_some_and(|types| types.iter().any(|own| own.as_ptr() == kind.cast()))
}

fn create_type<'py>(
    py: Python<'py>,
    name: &'static CStr,
    flag: c_ulong,
    of_attributes: Vec<ffi::PyType_Slot>,
) -> PyResult<Bound<'py, PyType>> {
    let member = |name: &'static CStr, offset: usize| ffi::PyMemberDef {
        name: name.as_ptr(),
        type_code: ffi::Py_T_PYSSIZET,
        offset: offset as ffi::Py_ssize_t,
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    };
    // The interpreter keeps pointers into these for as long as the type lives.
    let members: &'static mut [ffi::PyMemberDef] = Box::leak(Box::new([
        member(c"__vectorcalloffset__", offset_of!(Monitored, vectorcall)),
        member(c"__dictoffset__", offset_of!(Monitored, dict)),
        member(c"__weaklistoffset__", offset_of!(Monitored, weak_references)),
        ffi::PyMemberDef::default(),
    ]));
    let slot = |slot: c_int, function: *mut c_void| ffi::PyType_Slot { slot, pfunc: function };
    let mut slots = vec![
        slot(ffi::Py_tp_dealloc, deallocate as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_clear, clear as *mut c_void),
        slot(ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
    ];
    slots.extend(of_attributes);
    slots.extend(binding::slots());
    slots.push(slot(0, ptr::null_mut()));
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | ffi::Py_TPFLAGS_HAVE_VECTORCALL
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION
        | flag;
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: size_of::<Monitored>() as c_int,
        itemsize: 0,
        flags: flags as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec is well formed and its parts outlive the call; names and members outlive the type.
    let made = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec))? };
    Ok(made.cast_into::<PyType>()?)
}

/// Makes a monitored function around `wrapped`.
pub(crate) fn new_monitored<'py>(wrapped: &Bound<'py, PyAny>, options: Options) -> PyResult<Bound<'py, PyAny>> {
    let py = wrapped.py();
    // SAFETY: a live object.
    let is_function = unsafe { ffi::PyFunction_Check(wrapped.as_ptr()) } != 0;
    let kind = types(py)?[usize::from(!is_function)].bind(py);
    if !wrapped.is_callable() {
        return Err(PyTypeError::new_err("monitor: the object is not callable"));
    }
    let suspends = options.kind != "function";
    let plan = Rc::new(plan_for(wrapped, options)?);
    let dict = match wrapped.getattr("__dict__").ok().and_then(|own| own.cast_into::<PyDict>().ok()) {
        // One dict for both: what is set or deleted on either is so on the other.
        Some(own) if is_function => own,
        _ => PyDict::new(py),
    };
    let wrapped_before = dict.get_item("__wrapped__")?;
    // SAFETY: the type's instances are `Monitored`; every field is set before the collector may see the object.
    unsafe {
        let kind = kind.as_type_ptr();
        let Some(allocate) = (*kind).tp_alloc else {
            return Err(PyTypeError::new_err("the monitored type cannot be allocated"));
        };
        let object = allocate(kind, 0);
        if object.is_null() {
            return Err(PyErr::fetch(py));
        }
        let monitored = object.cast::<Monitored>();
        (*monitored).vectorcall = Some(if suspends { SUSPENDING_VECTORCALL } else { VECTORCALL });
        (*monitored).wrapped = wrapped.clone().into_ptr();
        (*monitored).dict = dict.into_ptr();
        (*monitored).wrapped_before = wrapped_before.map_or(ptr::null_mut(), |before| before.as_ptr());
        (*monitored).plan = Rc::into_raw(plan);
        Ok(Bound::from_owned_ptr(py, object))
    }
}

fn plan_for(wrapped: &Bound<'_, PyAny>, options: Options) -> PyResult<Plan> {
    let py = wrapped.py();
    let called = if options.partial { wrapped.getattr("func")? } else { wrapped.clone() };
    // SAFETY: a live object.
    let is_function = unsafe { ffi::PyFunction_Check(called.as_ptr()) } != 0;
    let mut parameters = match &options.layout {
        _ if is_function => Parameters::of_code(&called.getattr("__code__")?, usize::from(options.skip_first))?,
        Some(layout) => Parameters::of_layout(layout.bind(py))?,
        None => return Err(PyTypeError::new_err("a callable that is no Python function needs its layout")),
    };
    if !is_function {
        parameters.defaults = Defaults::None;
    }
    let unknown = parameters.leave_out(py, &options.left_out);
    if let Some(unknown) = unknown.filter(|_| options.must_have_left_out) {
        return Err(PyValueError::new_err(format!(
            "monitor: capture[\"args\"] names {unknown:?}, which is no argument of {}",
            options.name
        )));
    }
    let left_out = parameters.left_out(py);
    let definition = FunctionDef {
        name: options.name,
        group: options.group,
        kind: options.kind,
        file: options.file,
        line: options.line,
        parameters: parameters.shown(py),
        sensitive_fields: Vec::new(),
    };
    let mut plan = Plan::new(definition, parameters);
    plan.capture_arguments = options.capture_args;
    plan.capture_result = options.capture_result;
    plan.own_policy = OwnPolicy { left_out, ..options.policy.unwrap_or_default() };
    plan.is_partial = options.partial;
    plan.sample(options.sample_rate.map_or(Sampling::Auto, Sampling::of_share));
    plan.slow_ns = options.keep_slower_ns.unwrap_or(u64::MAX);
    Ok(plan)
}

/// What a monitored callable was made from, whatever its `__wrapped__` has been set to; `None` for anything else.
pub(crate) fn wrapped<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    if !types(py)?.iter().any(|kind| object.get_type().is(kind)) {
        return Ok(None);
    }
    // SAFETY: an instance of either type is a `Monitored`, whose function is never null.
    Ok(Some(unsafe { Bound::from_borrowed_ptr(py, (*object.as_ptr().cast::<Monitored>()).wrapped) }))
}

/// Marks the function as a method whose first argument is its instance or class, which is then left out.
///
/// # Safety
/// `monitored` is live, the interpreter lock held.
pub(super) unsafe fn skip_first(monitored: *mut Monitored) {
    // SAFETY: nobody else has the plan as long as no call has met a run, and this is not inside `enter`.
    unsafe {
        let plan = &mut *(*monitored).plan.cast_mut();
        if plan.parameters.skipped == 0 && plan.parameters.positional > 0 && plan.generation.get() == NEVER {
            plan.parameters.skipped = 1;
            plan.definition.parameters = plan.parameters.shown(Python::assume_attached());
        }
    }
}

unsafe extern "C" fn deallocate(object: *mut PyObject) {
    // SAFETY: called once, for an object that nothing refers to any more.
    unsafe {
        let monitored = object.cast::<Monitored>();
        ffi::PyObject_GC_UnTrack(object.cast());
        if !(*monitored).weak_references.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        clear(object);
        ffi::Py_XDECREF((*monitored).wrapped);
        if !(*monitored).plan.is_null() {
            drop(Rc::from_raw((*monitored).plan));
        }
        let kind = ffi::Py_TYPE(object);
        if let Some(free) = (*kind).tp_free {
            free(object.cast());
        }
        ffi::Py_DECREF(kind.cast());
    }
}

unsafe extern "C" fn traverse(object: *mut PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: the collector calls this with a live object; the fields are null or owned references.
    unsafe {
        let monitored = object.cast::<Monitored>();
        for reference in [ffi::Py_TYPE(object).cast(), (*monitored).wrapped, (*monitored).dict] {
            if !reference.is_null() {
                let stop = visit(reference, argument);
                if stop != 0 {
                    return stop;
                }
            }
        }
        0
    }
}

/// Empties the attributes. The function stays, as a function's code does: what cycles through it is broken in the
/// function's own attributes, and a call from a finaliser still finds it.
unsafe extern "C" fn clear(object: *mut PyObject) -> c_int {
    // SAFETY: the field is emptied before its reference is dropped, so a finaliser sees a consistent object.
    unsafe {
        let monitored = object.cast::<Monitored>();
        let dict = std::mem::replace(&mut (*monitored).dict, ptr::null_mut());
        ffi::Py_XDECREF(dict);
        0
    }
}
