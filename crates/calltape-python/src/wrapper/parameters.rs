//! A function's parameters, read once at decoration: names in the order of its code object.
//!
//! Shown are all but a method's `self` or `cls`: parameter `i` of the code is number `i - skipped` on the tape.

use std::cell::Cell;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::capture::Policy;

const CO_VARARGS: u32 = 0x04;
const CO_VARKEYWORDS: u32 = 0x08;

/// One parameter.
pub(super) struct Parameter {
    /// Interned, so that a keyword is usually found by identity.
    pub(super) name: Py<PyString>,
    /// What becomes of its value, as the function's policy has it.
    pub(super) treatment: Cell<Treatment>,
}

/// What becomes of an argument's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It is captured.
    Captured,
    /// It is withheld: its name is a secret's.
    Masked,
    /// It is no part of the record, as the decoration says.
    LeftOut,
}

/// A function's parameters: positional ones, then keyword-only ones, then `*args` and `**kwargs`.
pub(super) struct Parameters {
    pub(super) all: Vec<Parameter>,
    pub(super) positional_only: usize,
    pub(super) positional: usize,
    pub(super) keyword_only: usize,
    pub(super) var_positional: Option<usize>,
    pub(super) var_keyword: Option<usize>,
    /// 1 for a method, whose first argument is left out.
    pub(super) skipped: usize,
    /// Where the values of omitted arguments come from.
    pub(super) defaults: Defaults,
    /// Names in `**kwargs` that are left out.
    left_out_keywords: Vec<Py<PyString>>,
}

/// Where defaults are found at the time of a call.
pub(super) enum Defaults {
    /// In the function object, which may be given new ones at any time.
    Function,
    /// Nowhere that can be read.
    None,
}

impl Parameters {
    /// The parameters of a Python function's code object.
    pub(super) fn of_code(code: &Bound<'_, PyAny>, skipped: usize) -> PyResult<Self> {
        let positional: usize = code.getattr("co_argcount")?.extract()?;
        let positional_only: usize = code.getattr("co_posonlyargcount")?.extract()?;
        let keyword_only: usize = code.getattr("co_kwonlyargcount")?.extract()?;
        let flags: u32 = code.getattr("co_flags")?.extract()?;
        let names = code.getattr("co_varnames")?;
        let mut count = positional + keyword_only;
        let mut variable = |present: bool| {
            present.then(|| {
                count += 1;
                count - 1
            })
        };
        let var_positional = variable(flags & CO_VARARGS != 0);
        let var_keyword = variable(flags & CO_VARKEYWORDS != 0);
        let names = names.cast::<PyTuple>().map_err(|_| PyTypeError::new_err("co_varnames is not a tuple"))?;
        let all = names.iter().take(count).map(|name| Parameter::named(&name)).collect::<PyResult<_>>()?;
        let skipped = skipped.min(positional);
        let defaults = Defaults::Function;
        Ok(Self {
            all,
            positional_only,
            positional,
            keyword_only,
            var_positional,
            var_keyword,
            skipped,
            defaults,
            left_out_keywords: Vec::new(),
        })
    }

    /// The parameters of another callable, as `(names, positional_only, positional, keyword_only, has *args, has **kwargs)`
    /// with the names in the order above.
    pub(super) fn of_layout(layout: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (names, positional_only, positional, keyword_only, args, kwargs): (
            Vec<Bound<'_, PyAny>>,
            usize,
            usize,
            usize,
            bool,
            bool,
        ) = layout.extract()?;
        let after = positional + keyword_only;
        let all = names.iter().map(Parameter::named).collect::<PyResult<_>>()?;
        Ok(Self {
            all,
            positional_only,
            positional,
            keyword_only,
            var_positional: args.then_some(after),
            var_keyword: kwargs.then_some(after + usize::from(args)),
            skipped: 0,
            defaults: Defaults::None,
            left_out_keywords: Vec::new(),
        })
    }

    /// The values of a span, each given by its name.
    pub(super) fn named(names: &[Bound<'_, PyAny>]) -> PyResult<Self> {
        Ok(Self {
            all: names.iter().map(Parameter::named).collect::<PyResult<_>>()?,
            positional_only: 0,
            positional: 0,
            keyword_only: names.len(),
            var_positional: None,
            var_keyword: None,
            skipped: 0,
            defaults: Defaults::None,
            left_out_keywords: Vec::new(),
        })
    }

    /// Leaves arguments out of the record; the first name that is no argument of the function, if there is one.
    pub(super) fn leave_out<'a>(&mut self, py: Python<'_>, names: &'a [String]) -> Option<&'a str> {
        let mut unknown = None;
        for name in names {
            let is_named = |parameter: &Parameter| parameter.name.bind(py).to_string_lossy() == name.as_str();
            let found = (self.skipped..self.all.len()).find(|&at| is_named(&self.all[at]));
            if let Some(at) = found {
                self.all[at].treatment.set(Treatment::LeftOut);
            }
            match found {
                Some(at) if at >= self.positional_only => {}
                // A keyword may have the name of a parameter that is given by its place alone.
                _ if self.var_keyword.is_some() => self.left_out_keywords.push(PyString::new(py, name).unbind()),
                Some(_) => {}
                None => unknown = unknown.or(Some(name.as_str())),
            }
        }
        unknown
    }

    /// The local variables that hold what is left out: the parameters, and `**kwargs` where it is a part of that.
    pub(super) fn left_out(&self, py: Python<'_>) -> Vec<String> {
        let holds_one = |at: usize, parameter: &Parameter| {
            parameter.treatment.get() == Treatment::LeftOut
                || (self.var_keyword == Some(at) && !self.left_out_keywords.is_empty())
        };
        let all = self.all.iter().enumerate().filter(|&(at, parameter)| holds_one(at, parameter));
        all.map(|(_, parameter)| parameter.name.bind(py).to_string_lossy().into_owned()).collect()
    }

    /// Decides by a policy which values are withheld.
    pub(super) fn meet(&self, policy: &Policy) {
        for parameter in &self.all {
            // SAFETY: calls of the function are recorded with the interpreter lock held, and so is this.
            let py = unsafe { Python::assume_attached() };
            let masked = policy.names.is_sensitive(parameter.name.bind(py).to_string_lossy().as_bytes());
            if parameter.treatment.get() != Treatment::LeftOut {
                parameter.treatment.set(if masked { Treatment::Masked } else { Treatment::Captured });
            }
        }
    }

    /// Whether a keyword that is no parameter is left out.
    ///
    /// # Safety
    /// `keyword` is a live str, the interpreter lock held.
    pub(super) unsafe fn leaves_out(&self, keyword: *mut PyObject) -> bool {
        // SAFETY: both are strs; comparing strs runs no other code.
        self.left_out_keywords.iter().any(|name| unsafe { ffi::PyUnicode_Compare(name.as_ptr(), keyword) == 0 })
    }

    /// Whether a parameter is `**kwargs` of which a part is left out.
    pub(super) fn hides_keywords(&self, at: usize) -> bool {
        self.var_keyword == Some(at) && !self.left_out_keywords.is_empty()
    }

    /// What becomes of positional arguments beyond the parameters. In a wrong call they are withheld where the function
    /// takes one that is not captured, which may be among them.
    pub(super) fn surplus_positional(&self) -> Treatment {
        match self.var_positional {
            Some(at) => self.all[at].treatment.get(),
            None if self.all.iter().all(|parameter| parameter.treatment.get() == Treatment::Captured) => {
                Treatment::Captured
            }
            None => Treatment::Masked,
        }
    }

    /// All names held, taken out.
    pub(super) fn take_names(&mut self) -> impl Iterator<Item = Py<PyString>> {
        let names = self.all.drain(..).map(|parameter| parameter.name);
        names.chain(self.left_out_keywords.drain(..))
    }

    /// The names shown on the tape.
    pub(super) fn shown(&self, py: Python<'_>) -> Vec<String> {
        self.all[self.skipped..]
            .iter()
            .map(|parameter| parameter.name.bind(py).to_string_lossy().into_owned())
            .collect()
    }

    /// The number of the parameter a keyword names, if it may be given by keyword.
    ///
    /// # Safety
    /// `keyword` is a live str, the interpreter lock held.
    #[inline]
    pub(super) unsafe fn by_keyword(&self, keyword: *mut PyObject) -> Option<usize> {
        let end = self.positional + self.keyword_only;
        let range = self.positional_only.min(end)..end;
        let by_identity = range.clone().find(|&at| self.all[at].name.as_ptr() == keyword);
        by_identity.or_else(|| {
            // SAFETY: both are strs; comparing strs runs no other code.
            range.into_iter().find(|&at| unsafe { ffi::PyUnicode_Compare(self.all[at].name.as_ptr(), keyword) == 0 })
        })
    }
}

impl Parameter {
    fn named(name: &Bound<'_, PyAny>) -> PyResult<Self> {
        let text = name.cast::<PyString>().map_err(|_| PyTypeError::new_err("a parameter name is not a str"))?;
        let name = PyString::intern(text.py(), &text.to_string_lossy());
        Ok(Self { name: name.unbind(), treatment: Cell::new(Treatment::Captured) })
    }
}
