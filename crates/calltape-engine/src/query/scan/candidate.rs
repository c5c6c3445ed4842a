//! One row while it is decided on. Looks up what its numbers mean only when asked.

use std::cell::OnceCell;
use std::rc::Rc;

use calltape_record::Status;
use rusqlite::Row;

use super::Names;
use super::names::{FunctionName, RaisedName, ThreadName};
use super::row::{may_have_raised, place, read_call, read_status};
use crate::query::Call;
use crate::query::filter::{self, Column, Field, Number, Root};

/// A row of `call`, read as far as it is asked for.
pub(in crate::query) struct Candidate<'r> {
    row: &'r Row<'r>,
    names: &'r Names<'r>,
    pub(in crate::query) id: i64,
    function: OnceCell<Option<Rc<FunctionName>>>,
    thread: OnceCell<Option<Rc<ThreadName>>>,
    raised: OnceCell<Option<RaisedName>>,
}

impl<'r> Candidate<'r> {
    pub(in crate::query) fn new(row: &'r Row<'r>, names: &'r Names<'r>) -> rusqlite::Result<Self> {
        let id = row.get(place::ID)?;
        Ok(Self { row, names, id, function: OnceCell::new(), thread: OnceCell::new(), raised: OnceCell::new() })
    }

    /// The row as a call, if all its columns were read.
    pub(in crate::query) fn call(&self) -> rusqlite::Result<Option<Call>> {
        read_call(self.row, self.names)
    }

    pub(in crate::query) fn status(&self) -> rusqlite::Result<Status> {
        self.row.get(place::STATUS).map(read_status)
    }

    pub(super) fn started_ns(&self) -> rusqlite::Result<i64> {
        self.row.get(place::STARTED)
    }

    pub(in crate::query) fn duration_ns(&self) -> rusqlite::Result<Option<i64>> {
        self.row.get(place::DURATION)
    }

    /// Calls it stands for.
    pub(in crate::query) fn weight(&self) -> rusqlite::Result<f64> {
        Ok(self.row.get::<_, Option<f64>>(place::WEIGHT)?.unwrap_or(1.0))
    }

    pub(in crate::query) fn function_id(&self) -> rusqlite::Result<i64> {
        self.row.get(place::FUNCTION)
    }

    pub(super) fn parent_id(&self) -> rusqlite::Result<Option<i64>> {
        self.row.get(place::PARENT)
    }

    pub(super) fn root_id(&self) -> rusqlite::Result<i64> {
        Ok(self.row.get::<_, Option<i64>>(place::ROOT)?.unwrap_or(self.id))
    }

    pub(super) fn task(&self) -> rusqlite::Result<Option<&str>> {
        self.text_at(place::TASK)
    }

    pub(super) fn function(&self) -> rusqlite::Result<Option<&FunctionName>> {
        known(&self.function, || self.names.function(self.function_id()?)).map(Option::as_deref)
    }

    pub(super) fn thread(&self) -> rusqlite::Result<Option<&ThreadName>> {
        known(&self.thread, || self.names.thread(self.row.get(place::THREAD)?)).map(Option::as_deref)
    }

    pub(super) fn raised(&self) -> rusqlite::Result<Option<&RaisedName>> {
        known(&self.raised, || if may_have_raised(self.status()?) { self.names.raised(self.id) } else { Ok(None) })
            .map(Option::as_ref)
    }

    fn text_at(&self, place: usize) -> rusqlite::Result<Option<&str>> {
        Ok(self.row.get_ref(place)?.as_str_or_null()?)
    }

    fn figure_at(&self, place: usize) -> rusqlite::Result<Field<'_>> {
        Ok(self.row.get::<_, Option<i64>>(place)?.map_or(Field::Missing, Field::integer))
    }
}

/// What `cell` keeps, looked up where it is empty.
fn known<T>(
    cell: &OnceCell<Option<T>>,
    look_up: impl FnOnce() -> rusqlite::Result<Option<T>>,
) -> rusqlite::Result<&Option<T>> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let found = look_up()?;
    Ok(cell.get_or_init(|| found))
}

impl filter::Columns for Candidate<'_> {
    type Error = rusqlite::Error;

    fn column(&self, column: Column) -> rusqlite::Result<Field<'_>> {
        let named = |named: fn(&FunctionName) -> &str| self.function().map(|found| found.map(named));
        Ok(match column {
            Column::Function => named(|function| &function.name)?.map_or(Field::Missing, Field::text),
            Column::Group => {
                let group = named(|function| &function.group)?;
                group.filter(|group| !group.is_empty()).map_or(Field::Missing, Field::text)
            }
            Column::Kind => named(|function| &function.kind)?.map_or(Field::Missing, Field::text),
            Column::Status => Field::text(self.status()?.name()),
            Column::Duration => self.figure_at(place::DURATION)?,
            Column::Started => self.figure_at(place::STARTED)?,
            Column::ErrorType => self.raised()?.map_or(Field::Missing, |raised| Field::text(&raised.error_type)),
            Column::ErrorMessage => self.raised()?.map_or(Field::Missing, |raised| Field::text(&raised.message)),
            Column::Thread => self.thread()?.map_or(Field::Missing, |thread| Field::text(&thread.name)),
            Column::Task => self.task()?.map_or(Field::Missing, Field::text),
            Column::Pid => self.thread()?.map_or(Field::Missing, |thread| Field::integer(thread.pid)),
            Column::Host => self.thread()?.map_or(Field::Missing, |thread| Field::text(&thread.host)),
            Column::Run => self.thread()?.map_or(Field::Missing, |thread| Field::integer(thread.run_id)),
            Column::Parent => self.figure_at(place::PARENT)?,
            Column::Root => Field::integer(self.root_id()?),
            Column::Id => Field::integer(self.id),
            Column::Weight => Field::Figure(Number::Float(self.weight()?)),
            Column::Yields => self.figure_at(place::YIELDS)?,
            Column::Active => match self.figure_at(place::ACTIVE)? {
                Field::Missing if self.function()?.is_some_and(|function| function.kind == "function") => {
                    self.figure_at(place::DURATION)?
                }
                active => active,
            },
        })
    }

    fn captured(&self, root: Root) -> rusqlite::Result<Option<&str>> {
        self.text_at(match root {
            Root::Args => place::ARGS,
            Root::Result => place::RESULT,
        })
    }
}
