//! numpy, scipy.sparse, torch and PIL: shape, type and size, never an element of an array.

use pyo3::ffi::{self, PyTypeObject};

use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, getter, is_loaded, loaded, method, slot_text, stored};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("ndarray", c"numpy", c"ndarray", array),
    ("generic", c"numpy", c"generic", scalar),
    ("dtype", c"numpy", c"dtype", data_type),
    ("_spbase", c"scipy.sparse._base", c"_spbase", sparse),
    ("spmatrix", c"scipy.sparse._base", c"spmatrix", sparse),
    ("Tensor", c"torch", c"Tensor", tensor),
    ("Image", c"PIL.Image", c"Image", image),
];

/// Characters of a type's or a mode's name.
const MOST_NAME: usize = 100;

/// # Safety
/// As [`super::Reader`], for a `numpy.ndarray`.
unsafe fn array(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the getters read the array's own struct.
    unsafe {
        let shape = getter(object.base, "shape", object.value).and_then(|shape| shape.ints());
        let kind = getter(object.base, "dtype", object.value).and_then(|dtype| name_of_dtype(&dtype));
        let words = [kind, shape.map(|shape| shape_text(&shape))];
        capture.named(type_name(object.kind), Some(&joined(words)));
    }
}

/// # Safety
/// As [`super::Reader`], for a numpy scalar.
unsafe fn scalar(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; those that derive from a builtin begin with its struct, and the method makes a builtin of
    // another, as does the slot of a date's text.
    unsafe {
        if ffi::PyUnicode_Check(object.value) != 0 {
            return capture.text(object.value);
        }
        if ffi::PyBytes_Check(object.value) != 0 {
            return capture.bytes(object.value);
        }
        if ffi::PyFloat_Check(object.value) != 0 {
            return super::plain::float(capture, object);
        }
        if has_base(object.kind, &["datetime64", "timedelta64", "longdouble", "clongdouble"]) {
            return capture.text_or_name(slot_text(known_base(object.kind), true, object.value), object);
        }
        if has_base(object.kind, &["void"]) {
            return void(capture, object);
        }
        match method(object.base, "item", object.value) {
            Some(item) if item.kind() != object.kind => capture.any(item.get()),
            _ => capture.marker(type_name(object.kind)),
        }
    }
}

/// Bytes of a numpy scalar that are copied to be shown.
const MOST_BYTES: i64 = 4096;

/// Bytes without a type as they are; of a record, whose fields may have names of secrets, its size.
///
/// # Safety
/// As [`scalar`], for a `numpy.void`.
unsafe fn void(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the getters and the method are C of the known type, and read the object's own struct.
    unsafe {
        let bytes = getter(object.base, "itemsize", object.value).and_then(|bytes| bytes.int()).unwrap_or_default();
        let is_record = loaded_dtype().and_then(|class| {
            let dtype = getter(object.base, "dtype", object.value)?;
            Some(ffi::PyType_IsSubtype(dtype.kind(), class) == 0 || !getter(class, "fields", dtype.get())?.is_none())
        });
        if is_record == Some(false)
            && bytes <= MOST_BYTES
            && let Some(item) = method(object.base, "item", object.value)
        {
            return capture.any(item.get());
        }
        capture.named(type_name(object.kind), Some(&format!("{bytes} bytes")));
    }
}

/// numpy's class of types, borrowed, where it is one of C's.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn loaded_dtype() -> Option<*mut PyTypeObject> {
    // SAFETY: passed on.
    unsafe {
        let class = loaded(c"numpy", c"dtype").cast::<PyTypeObject>();
        (!class.is_null() && ffi::PyType_Check(class.cast()) != 0).then_some(class)
    }
}

/// Whether a numpy scalar's type is, or derives from, one of these.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
unsafe fn has_base(kind: *mut PyTypeObject, names: &[&str]) -> bool {
    // SAFETY: passed on.
    unsafe { names.contains(&type_name(known_base(kind))) }
}

/// The nearest base that is no class of Python's.
///
/// # Safety
/// As [`has_base`].
unsafe fn known_base(mut kind: *mut PyTypeObject) -> *mut PyTypeObject {
    // SAFETY: bases are live types, up to `object`.
    unsafe {
        while (*kind).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 && !(*kind).tp_base.is_null() {
            kind = (*kind).tp_base;
        }
    }
    kind
}

/// # Safety
/// As [`super::Reader`], for a `numpy.dtype`.
unsafe fn data_type(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: held by the walk.
    let name = unsafe { name_of_dtype(&Held::of(object.value)) };
    capture.named("dtype", name.as_deref());
}

/// `float64`, `bool`, `<U10`, `datetime64[ns]`: what a numpy type is called, by its C members.
///
/// # Safety
/// The interpreter lock is held.
pub(super) unsafe fn name_of_dtype(dtype: &Held) -> Option<String> {
    // SAFETY: the class is numpy's own, and the object of it.
    unsafe {
        let class = loaded_dtype().filter(|&class| ffi::PyType_IsSubtype(dtype.kind(), class) != 0)?;
        let bytes = getter(class, "itemsize", dtype.get())?.int()?;
        let code = || getter(class, "str", dtype.get())?.text(MOST_NAME);
        let kind = getter(class, "kind", dtype.get())?.text(1)?;
        Some(match kind.as_str() {
            "b" => "bool".to_owned(),
            "i" => format!("int{}", bytes * 8),
            "u" => format!("uint{}", bytes * 8),
            "f" => format!("float{}", bytes * 8),
            "c" => format!("complex{}", bytes * 8),
            "O" => "object".to_owned(),
            "T" => "StringDType".to_owned(),
            "M" => with_unit("datetime64", &code()?),
            "m" => with_unit("timedelta64", &code()?),
            "V" => format!("void{}", bytes * 8),
            _ => code()?,
        })
    }
}

/// `datetime64[ns]` of `<M8[ns]`.
fn with_unit(name: &str, code: &str) -> String {
    code.find('[').map_or_else(|| name.to_owned(), |at| format!("{name}{}", &code[at..]))
}

/// A shape as Python writes the tuple.
pub(super) fn shape_text(shape: &[i64]) -> String {
    let numbers: Vec<String> = shape.iter().map(i64::to_string).collect();
    format!("({}{})", numbers.join(", "), if shape.len() == 1 { "," } else { "" })
}

/// The words that are there, a space between.
pub(super) fn joined<const N: usize>(words: [Option<String>; N]) -> String {
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// # Safety
/// As [`super::Reader`], for a scipy sparse matrix or array.
unsafe fn sparse(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the array within is numpy's own or is not read.
    unsafe {
        let shape = stored(object.value, "_shape").and_then(|shape| shape.ints());
        let data = stored(object.value, "data");
        let is_array = |data: &&Held| is_loaded(data.kind(), c"numpy", c"ndarray");
        let dtype = stored(object.value, "dtype");
        let dtype = dtype.or_else(|| dtype_of(data.as_ref().filter(is_array)?));
        let count = match stored(object.value, "_dict").and_then(|dict| dict.items()) {
            Some(items) => i64::try_from(items).ok(),
            None if stored(object.value, "rows").is_some() => None,
            None => data.as_ref().filter(is_array).and_then(|data| {
                getter(data.kind(), "shape", data.get())?.ints().map(|shape| shape.iter().product::<i64>())
            }),
        };
        let stored = count.map_or_else(String::new, |count| format!(", {count} stored"));
        let words = joined([dtype.and_then(|dtype| name_of_dtype(&dtype)), shape.map(|shape| shape_text(&shape))]);
        capture.named(
            type_name(object.kind),
            Some(&format!("{words}{stored}")).filter(|_| !words.is_empty()).map(String::as_str),
        );
    }
}

/// The numpy type of an exact numpy array.
///
/// # Safety
/// The interpreter lock is held; the array is one.
pub(super) unsafe fn dtype_of(array: &Held) -> Option<Held> {
    // SAFETY: passed on.
    unsafe { getter(array.kind(), "dtype", array.get()) }
}

/// # Safety
/// As [`super::Reader`], for a `torch.Tensor`.
unsafe fn tensor(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on. A subclass of Python's may have its code asked by torch's getters: it is only named. The
    // getters of the base read the tensor's own struct, and the texts are made by C slots.
    unsafe {
        let is_parameter = is_loaded(object.kind, c"torch.nn.parameter", c"Parameter");
        let base = loaded(c"torch._C", c"TensorBase").cast::<PyTypeObject>();
        if (object.kind != object.base && !is_parameter) || base.is_null() || ffi::PyType_Check(base.cast()) == 0 {
            return capture.marker(type_name(object.kind));
        }
        let part = |name| getter(base, name, object.value);
        let text = |part: Held, by_str| slot_text(part.kind(), by_str, part.get())?.text(MOST_NAME);
        let dtype = part("dtype").and_then(|dtype| text(dtype, false));
        let dtype = dtype.map(|dtype| dtype.trim_start_matches("torch.").to_owned());
        let shape = part("shape").and_then(|shape| shape.ints()).map(|shape| shape_text(&shape));
        let device = part("device").and_then(|device| text(device, true));
        capture.named(type_name(object.kind), Some(&joined([dtype, shape, device])));
    }
}

/// # Safety
/// As [`super::Reader`], for a PIL image.
unsafe fn image(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let mode = stored(object.value, "_mode").or_else(|| stored(object.value, "mode"));
        let size = stored(object.value, "_size").and_then(|size| size.ints());
        let size = match size.as_deref() {
            Some(&[width, height]) => Some(format!("{width}x{height}")),
            _ => None,
        };
        let words = joined([mode.and_then(|mode| mode.text(MOST_NAME)), size]);
        capture.named(type_name(object.kind), Some(&words));
    }
}
