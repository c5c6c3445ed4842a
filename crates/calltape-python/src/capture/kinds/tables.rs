//! pandas, polars and pyarrow: rows, columns and types, never a cell.

use pyo3::ffi::{self, PyTypeObject};

use super::super::walk::{Capture, type_name};
use super::Object;
use super::arrays::{dtype_of, joined, name_of_dtype};
use super::storage::{Held, first_in_mro, getter, is_loaded, loaded, method, stored};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("DataFrame", c"pandas", c"DataFrame", frame),
    ("Series", c"pandas", c"Series", series),
    ("Index", c"pandas", c"Index", index),
    ("ExtensionArray", c"pandas.api.extensions", c"ExtensionArray", extension_array),
    ("Timestamp", c"pandas", c"Timestamp", timestamp),
    ("NaTType", c"pandas._libs.tslibs.nattype", c"NaTType", nothing),
    ("NAType", c"pandas._libs.missing", c"NAType", nothing),
    ("DataFrame", c"polars", c"DataFrame", polars_frame),
    ("Series", c"polars", c"Series", polars_series),
    ("LazyFrame", c"polars", c"LazyFrame", super::code::named),
    ("Expr", c"polars", c"Expr", super::code::named),
    ("Table", c"pyarrow.lib", c"Table", arrow_table),
    ("RecordBatch", c"pyarrow.lib", c"RecordBatch", arrow_table),
    ("Array", c"pyarrow.lib", c"Array", arrow_array),
    ("ChunkedArray", c"pyarrow.lib", c"ChunkedArray", chunked_array),
];

/// Arrays within arrays that are followed to find a length.
const MOST_LAYERS: usize = 6;

/// # Safety
/// As [`super::Reader`], for a pandas DataFrame.
unsafe fn frame(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let axes = stored(object.value, "_mgr").and_then(|manager| axes_of(&manager));
        let length = |at| length_of(&axes.as_ref()?.item(at)?, MOST_LAYERS);
        let size = length(1).zip(length(0)).map(|(rows, columns)| format!("{rows}x{columns}"));
        capture.named(type_name(object.kind), size.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a pandas Series.
unsafe fn series(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let manager = stored(object.value, "_mgr");
        let length = manager.as_ref().and_then(|manager| length_of(&axes_of(manager)?.item(0)?, MOST_LAYERS));
        let values = manager.as_ref().and_then(|manager| {
            let block = part(manager, "blocks")?.item(0)?;
            cython_part(&block, "Block", "values")
        });
        let kind = values.and_then(|values| name_of_values(&values, MOST_LAYERS));
        capture.named(type_name(object.kind), Some(&joined([kind, length.map(|length| length.to_string())])));
    }
}

/// # Safety
/// As [`super::Reader`], for a pandas Index.
unsafe fn index(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let this = Held::of(object.value);
        let kind = stored(object.value, "_data").and_then(|data| name_of_values(&data, MOST_LAYERS));
        let length = length_of(&this, MOST_LAYERS).map(|length| length.to_string());
        capture.named(type_name(object.kind), Some(&joined([kind, length])));
    }
}

/// # Safety
/// As [`super::Reader`], for an array of pandas'.
unsafe fn extension_array(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let length = length_of(&Held::of(object.value), MOST_LAYERS).map(|length| length.to_string());
        capture.named(type_name(object.kind), length.as_deref());
    }
}

/// A point in time by the struct of the `datetime` that it derives from: to the microsecond.
///
/// # Safety
/// As [`super::Reader`], for a pandas Timestamp.
unsafe fn timestamp(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the base is one of the object's.
    unsafe {
        let is_datetime = |base: *mut PyTypeObject| {
            (type_name(base) == "datetime" && is_loaded(base, c"_datetime", c"datetime")).then_some(base)
        };
        match first_in_mro(object.kind, is_datetime) {
            Some(base) => super::times::datetime(capture, Object { base, ..object }),
            None => capture.marker(type_name(object.kind)),
        }
    }
}

/// # Safety
/// As [`super::Reader`], for one of pandas' missing values.
unsafe fn nothing(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: the type of a live value is live.
    let name = unsafe { type_name(object.kind) };
    capture.marker(name.strip_suffix("Type").unwrap_or(name));
}

/// The axes of a block manager: columns and rows, or rows alone.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn axes_of(manager: &Held) -> Option<Held> {
    // SAFETY: passed on.
    unsafe { part(manager, "axes") }
}

/// What a block manager stores: in Cython's struct, or where it is written in Python in its dict.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn part(manager: &Held, name: &str) -> Option<Held> {
    // SAFETY: passed on.
    unsafe { stored(manager.get(), name).or_else(|| cython_part(manager, "BlockManager", name)) }
}

/// What the Cython class of pandas' internals that an object derives from stores under a name.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn cython_part(object: &Held, class: &str, name: &str) -> Option<Held> {
    let module = c"pandas._libs.internals";
    let classes = [("BlockManager", c"BlockManager"), ("Block", c"Block"), ("NumpyBlock", c"NumpyBlock")];
    // SAFETY: the getter is that of the very class that the object derives from.
    unsafe {
        let base = first_in_mro(object.kind(), |base| {
            let known = classes.iter().any(|&(text, attribute)| {
                text.ends_with(class) && type_name(base) == text && is_loaded(base, module, attribute)
            });
            known.then_some(base).filter(|&base| getter(base, name, object.get()).is_some())
        })?;
        getter(base, name, object.get())
    }
}

/// How long an index or an array is, by what it stores: an array of numpy's or arrow's at the bottom, or a range.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn length_of(values: &Held, layers: usize) -> Option<i64> {
    // SAFETY: passed on; each is asked by the getter or slot of its exact type.
    unsafe {
        let kind = values.kind();
        if is_numpy_array(values) {
            return getter(loaded(c"numpy", c"ndarray").cast(), "shape", values.get())?.ints()?.last().copied();
        }
        if kind == &raw mut ffi::PyRange_Type {
            let length = (*kind).tp_as_sequence.as_ref()?.sq_length?(values.get());
            ffi::PyErr_Clear();
            return i64::try_from(length).ok().filter(|&length| length >= 0);
        }
        if is_loaded(kind, c"pyarrow.lib", c"ChunkedArray") {
            return chunked_length(kind, values);
        }
        if layers == 0 {
            return None;
        }
        if let Some(codes) = stored(values.get(), "_codes").filter(|codes| codes.is_list() || codes.is_tuple()) {
            return length_of(&codes.item(0)?, layers - 1);
        }
        let below = ["_data", "_range", "_ndarray", "_pa_array", "_left", "_codes"]
            .iter()
            .find_map(|name| stored(values.get(), name))
            .or_else(|| ndarray_backed(values))?;
        length_of(&below, layers - 1)
    }
}

/// The array within one of pandas' that is backed by one, which Cython's base class stores.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn ndarray_backed(values: &Held) -> Option<Held> {
    // SAFETY: the getter is that of the very class that the object derives from.
    unsafe {
        let base = first_in_mro(values.kind(), |base| {
            (type_name(base) == "NDArrayBacked" && is_loaded(base, c"pandas._libs.arrays", c"NDArrayBacked"))
                .then_some(base)
        })?;
        getter(base, "_ndarray", values.get())
    }
}

/// What the values of a series are called: numpy's name of their type, or the class of another array.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn name_of_values(values: &Held, layers: usize) -> Option<String> {
    // SAFETY: passed on.
    unsafe {
        if is_numpy_array(values) {
            return name_of_dtype(&dtype_of_array(values)?);
        }
        let name = type_name(values.kind());
        if matches!(name, "DatetimeArray" | "TimedeltaArray") && layers > 0 {
            return name_of_values(&ndarray_backed(values)?, layers - 1);
        }
        Some(name.trim_end_matches("Array").to_owned())
    }
}

/// # Safety
/// The interpreter lock is held; the array is one of numpy's.
unsafe fn dtype_of_array(values: &Held) -> Option<Held> {
    // SAFETY: passed on.
    unsafe {
        if is_loaded(values.kind(), c"numpy", c"ndarray") {
            return dtype_of(values);
        }
        getter(loaded(c"numpy", c"ndarray").cast(), "dtype", values.get())
    }
}

/// # Safety
/// The interpreter lock is held.
unsafe fn is_numpy_array(values: &Held) -> bool {
    // SAFETY: the class is live while numpy holds it.
    unsafe {
        let class = loaded(c"numpy", c"ndarray").cast::<PyTypeObject>();
        !class.is_null() && ffi::PyType_Check(class.cast()) != 0 && ffi::PyType_IsSubtype(values.kind(), class) != 0
    }
}

/// # Safety
/// As [`super::Reader`], for a polars DataFrame.
unsafe fn polars_frame(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the methods are Rust's, of the exact class that polars holds the data in.
    unsafe {
        let inner = stored(object.value, "_df").filter(is_native);
        let number = |name| inner.as_ref().and_then(|inner| method(inner.kind(), name, inner.get())?.int());
        let size = number("height").zip(number("width")).map(|(rows, columns)| format!("{rows}x{columns}"));
        capture.named(type_name(object.kind), size.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a polars Series.
unsafe fn polars_series(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: as above.
    unsafe {
        let inner = stored(object.value, "_s").filter(is_native);
        let length = inner.and_then(|inner| method(inner.kind(), "len", inner.get())?.int());
        capture.named(type_name(object.kind), length.map(|length| length.to_string()).as_deref());
    }
}

/// Whether an object is of a class that polars' native module holds.
fn is_native(inner: &Held) -> bool {
    let modules = [c"polars._plr", c"polars.polars", c"_polars_runtime_32._polars_runtime", c"polars._polars_runtime"];
    let names = [c"PyDataFrame", c"PySeries"];
    // SAFETY: held, so live, with the interpreter lock; the borrowed references are only compared.
    let is = |module, name| unsafe { is_loaded(inner.kind(), module, name) };
    modules.iter().any(|module| names.iter().any(|name| is(module, name)))
}

/// # Safety
/// As [`super::Reader`], for a pyarrow Table or RecordBatch.
unsafe fn arrow_table(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the getters are Cython's, and are asked only where the object was built.
    unsafe {
        if method(object.base, "_is_initialized", object.value).and_then(|built| built.int()) != Some(1) {
            return capture.marker(type_name(object.kind));
        }
        let number = |name| getter(object.base, name, object.value)?.int();
        let size = number("num_rows").zip(number("num_columns")).map(|(rows, columns)| format!("{rows}x{columns}"));
        capture.named(type_name(object.kind), size.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a pyarrow Array or ChunkedArray.
unsafe fn arrow_array(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let length = slot_length(object.base, &Held::of(object.value)).map(|length| length.to_string());
        capture.named(type_name(object.kind), length.as_deref());
    }
}

/// # Safety
/// As [`super::Reader`], for a pyarrow ChunkedArray.
unsafe fn chunked_array(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let length = chunked_length(object.base, &Held::of(object.value)).map(|length| length.to_string());
        capture.named(type_name(object.kind), length.as_deref());
    }
}

/// How long a chunked array is. One that was not built has no data to point to, and its length must not be asked: its
/// own words are all null or None then.
///
/// # Safety
/// The object is of the type or a subclass, the interpreter lock held.
unsafe fn chunked_length(base: *mut PyTypeObject, values: &Held) -> Option<i64> {
    // SAFETY: the words from the end of its base's struct to the end of its own are the object's.
    unsafe {
        let parent = (*base).tp_base;
        let from = if parent.is_null() { 0 } else { (*parent).tp_basicsize as usize / size_of::<usize>() };
        let to = (*base).tp_basicsize as usize / size_of::<usize>();
        let words = values.get().cast::<*mut ffi::PyObject>();
        let pointers = (from..to).filter(|&at| {
            let word = words.add(at).read();
            !word.is_null() && word != ffi::Py_None()
        });
        // The table of methods is always there; the data and what owns it are two more.
        if pointers.count() < 3 { None } else { slot_length(base, values) }
    }
}

/// What the C slot of a known type says of an object's length.
///
/// # Safety
/// The object is of the type or a subclass, the interpreter lock held.
unsafe fn slot_length(base: *mut PyTypeObject, values: &Held) -> Option<i64> {
    // SAFETY: passed on.
    unsafe {
        let sequence = (*base).tp_as_sequence.as_ref().and_then(|slots| slots.sq_length);
        let length = sequence.or_else(|| (*base).tp_as_mapping.as_ref()?.mp_length)?(values.get());
        ffi::PyErr_Clear();
        i64::try_from(length).ok().filter(|&length| length >= 0)
    }
}
