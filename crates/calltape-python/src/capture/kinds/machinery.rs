//! Objects of the standard library's and of well-known libraries' own classes: sessions, engines, queues, clients.
//!
//! Asked once a type, by `decide`, after every rule that knows the type. What such an object stores are the parts it
//! works with; shown, they would fill a value's budget and say nothing of the call. It is only named, unless its class
//! declares fields. A subclass that a program makes is the program's own.

use pyo3::ffi::{self, PyTypeObject};

use super::storage::{dict_of_type, loaded, stored_in_type};

/// Packages beside the standard library whose plain objects are only named, sorted.
const LIBRARIES: &[&str] = &[
    "aiohttp",
    "anthropic",
    "anyio",
    "asyncpg",
    "boto3",
    "botocore",
    "celery",
    "click",
    "django",
    "elasticsearch",
    "fastapi",
    "flask",
    "fsspec",
    "gevent",
    "google",
    "grpc",
    "httpcore",
    "httpx",
    "jax",
    "jinja2",
    "kafka",
    "keras",
    "kombu",
    "langchain",
    "lxml",
    "matplotlib",
    "mysql",
    "numpy",
    "openai",
    "opentelemetry",
    "pandas",
    "paramiko",
    "playwright",
    "polars",
    "psycopg",
    "psycopg2",
    "pyarrow",
    "pydantic",
    "pymongo",
    "pymysql",
    "redis",
    "requests",
    "rest_framework",
    "rich",
    "scipy",
    "selenium",
    "sklearn",
    "sqlalchemy",
    "starlette",
    "structlog",
    "tensorflow",
    "torch",
    "tornado",
    "transformers",
    "trio",
    "twisted",
    "typer",
    "urllib3",
    "uvicorn",
    "uvloop",
    "werkzeug",
];

/// Plain classes of these packages that are there to hold what a program puts into them: module and name.
const HOLDERS: &[(&str, &str)] = &[
    ("argparse", "Namespace"),
    ("optparse", "Values"),
    ("starlette.datastructures", "Headers"),
    ("starlette.datastructures", "State"),
    ("subprocess", "CompletedProcess"),
    ("types", "SimpleNamespace"),
    ("unittest.mock", "_SentinelObject"),
];

/// What a class stores whose fields are declared; named tuples are asked for by what they are.
const DECLARATIONS: &[&str] =
    &["__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__", "__struct_fields__", "_sa_class_manager"];

/// Bytes of a module's name that are looked at.
const MOST_MODULE: usize = 200;

/// Whether objects of `kind`, which no rule knows, are a library's own affair.
///
/// # Safety
/// `kind` is a live type, the interpreter lock held.
pub(super) unsafe fn is_machinery(kind: *mut PyTypeObject) -> bool {
    // SAFETY: passed on; a class made by Python code stores its module in its own dict.
    unsafe {
        if ffi::PyType_HasFeature(kind, ffi::Py_TPFLAGS_TUPLE_SUBCLASS) != 0 {
            return false;
        }
        let Some(module) = dict_of_type(kind).and_then(|dict| dict.entry("__module__")) else { return false };
        let Some(module) = module.text(MOST_MODULE) else { return false };
        let package = module.split('.').next().unwrap_or_default();
        if LIBRARIES.binary_search(&package).is_err() && !is_standard(package) {
            return false;
        }
        let name = super::super::walk::type_name(kind);
        !HOLDERS.contains(&(module.as_str(), name))
            && !DECLARATIONS.iter().any(|declaration| stored_in_type(kind, declaration).is_some())
    }
}

/// Whether a package is the standard library's, as the interpreter lists it.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn is_standard(package: &str) -> bool {
    // SAFETY: an exact frozenset of strs is asked for an exact str, which runs no other code.
    unsafe {
        let names = loaded(c"sys", c"stdlib_module_names");
        if names.is_null() || ffi::PyFrozenSet_CheckExact(names) == 0 {
            return false;
        }
        let package = ffi::PyUnicode_FromStringAndSize(package.as_ptr().cast(), package.len() as isize);
        let found = !package.is_null() && ffi::PySet_Contains(names, package) == 1;
        ffi::Py_XDECREF(package);
        ffi::PyErr_Clear();
        found
    }
}

const _: () = {
    let mut index = 1;
    while index < LIBRARIES.len() {
        assert!(is_before(LIBRARIES[index - 1].as_bytes(), LIBRARIES[index].as_bytes()), "LIBRARIES must be sorted");
        index += 1;
    }
};

const fn is_before(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] < right[at];
        }
        at += 1;
    }
    left.len() < right.len()
}
