//! A thread that makes recorded calls, with the bytes and counts the wrapper writes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use calltape_journal::{Full, Journal, RunIdentity, Writer, bump, monotonic_ns, unix_ns};
use calltape_record::value::ValueWriter;
use calltape_record::{
    Activity, ArgumentWriter, EndHead, Failure, FunctionDef, StartHead, Status, ThreadEvent, begin_end, begin_note,
    begin_start, begin_suspended_end, kind, write_failure,
};

/// Who records, for tests.
pub fn identity() -> RunIdentity {
    RunIdentity {
        pid: std::process::id(),
        boot_id: [7; 16],
        started_unix_ns: unix_ns(),
        host: "testhost".to_owned(),
        program: "test.py".to_owned(),
        python: "3.13.0".to_owned(),
    }
}

/// An exception a call ends with.
#[derive(Debug, Clone, Copy)]
pub struct Raised {
    /// Its type.
    pub error_type: &'static str,
    /// Its message.
    pub message: &'static str,
    /// The line that raised it.
    pub line: u32,
}

impl Raised {
    /// Writes it as what an END says of it.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let mut chain = Vec::new();
        ValueWriter::list(&mut chain);
        ValueWriter::text(&mut chain, self.message.as_bytes());
        ValueWriter::end(&mut chain);
        let failure = Failure {
            error_type: self.error_type.to_owned(),
            message: self.message.to_owned(),
            file: "shop.py".to_owned(),
            line: self.line,
            place: "place".to_owned(),
            chain: &chain,
        };
        write_failure(out, &failure);
    }
}

/// One recording thread.
pub struct Caller {
    journal: Arc<Journal>,
    writer: Option<Writer>,
    /// What its segments begin with.
    thread: Vec<u8>,
    ids: Range<u64>,
    scratch: Vec<u8>,
}

impl Caller {
    /// Bytes kept free for the END of a call that has begun.
    pub(crate) const END_RESERVE: usize = 256;

    /// A thread of this name.
    ///
    /// # Panics
    /// When the journal has no segment for it.
    pub fn new(journal: &Arc<Journal>, name: &str) -> Self {
        let mut caller = Self::without_segment(journal, name);
        caller.writer = Some(journal.lease(&caller.thread).expect("a segment for a new thread"));
        caller
    }

    /// Like [`Self::new`] for a journal that may be full: the thread leases its segment when it first needs one.
    pub fn without_segment(journal: &Arc<Journal>, name: &str) -> Self {
        let event = ThreadEvent { ident: 1000 + name.len() as u64, native_id: 77, name: name.to_owned() };
        let thread = event.encode();
        Self { journal: Arc::clone(journal), writer: None, thread, ids: 0..0, scratch: Vec::new() }
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Appends a frame of a call that goes on or succeeds.
    pub(crate) fn append_calls(&mut self, kind: u8, payload: &[u8], keep_free: usize) -> Result<(), Full> {
        if self.writer.is_none() {
            self.writer = Some(self.journal.lease(&self.thread)?);
        }
        self.writer().append(kind, payload, keep_free)
    }

    /// Appends a frame of an error, or an END.
    pub(crate) fn append_errors(&mut self, kind: u8, payload: &[u8], keep_free: usize) -> Result<(), Full> {
        if self.writer.is_none() {
            self.writer = Some(self.journal.lease_for_error(&self.thread)?);
        }
        self.writer().append_error(kind, payload, keep_free)
    }

    /// Defines a function of two parameters `a` and `b`: its slot.
    ///
    /// # Panics
    /// When the journal refuses.
    pub fn define(&self, name: &str) -> u32 {
        self.define_kind(name, "function")
    }

    /// Like [`Self::define`] for another kind of function.
    ///
    /// # Panics
    /// When the journal refuses.
    pub fn define_kind(&self, name: &str, kind: &str) -> u32 {
        let definition = FunctionDef {
            name: name.to_owned(),
            group: String::new(),
            kind: kind.to_owned(),
            file: "shop.py".to_owned(),
            line: 3,
            parameters: vec!["a".to_owned(), "b".to_owned()],
            sensitive_fields: Vec::new(),
        };
        self.journal.define(&definition.encode()).expect("a slot")
    }

    /// A call id nobody else has.
    pub fn take_id(&mut self) -> u64 {
        if self.ids.is_empty() {
            self.ids = self.journal.take_ids();
        }
        self.ids.next().expect("a block has ids")
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().expect("the thread has not ended")
    }

    /// Begins a call with the arguments `a` and `b`: its id.
    ///
    /// # Errors
    /// When the journal is full; the call is counted as dropped.
    pub fn begin(&mut self, function: u32, parent: Option<(u64, u64)>, a: i64, b: i64) -> Result<u64, Full> {
        let id = self.take_id();
        self.begin_as(id, function, parent, a, b, monotonic_ns())
    }

    /// Like [`Self::begin`] with an id and a time of the test's choice.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn begin_as(
        &mut self,
        id: u64,
        function: u32,
        parent: Option<(u64, u64)>,
        a: i64,
        b: i64,
        started: u64,
    ) -> Result<u64, Full> {
        bump(&self.journal.counters(function).calls);
        let (parent, root) = parent.unwrap_or((0, id));
        let head = StartHead { id, parent, root, started, function, weight: 1.0 };
        let mut scratch = std::mem::take(&mut self.scratch);
        begin_start(&mut scratch, &head);
        ArgumentWriter::leading(&mut scratch, 2);
        ValueWriter::int(&mut scratch, a);
        ValueWriter::int(&mut scratch, b);
        let appended = self.writer().append(kind::START, &scratch, Self::END_RESERVE);
        self.scratch = scratch;
        if appended.is_err() {
            bump(&self.journal.counters(function).dropped);
        }
        appended.map(|()| id)
    }

    /// Ends a call with a result.
    ///
    /// # Panics
    /// When there is no room, which the reserve of its beginning excludes.
    pub fn end(&mut self, id: u64, function: u32, result: i64) {
        self.end_as(id, function, result, monotonic_ns());
    }

    /// Like [`Self::end`] at a time of the test's choice.
    ///
    /// # Panics
    /// As [`Self::end`].
    pub fn end_as(&mut self, id: u64, function: u32, result: i64, ended: u64) {
        let mut scratch = std::mem::take(&mut self.scratch);
        begin_end(&mut scratch, &EndHead { id, ended, function, status: Status::Ok, certain: false });
        ValueWriter::int(&mut scratch, result);
        self.writer().append(kind::END, &scratch, 0).expect("room for an END");
        self.scratch = scratch;
    }

    /// Ends a call with an exception.
    ///
    /// # Panics
    /// As [`Self::end`].
    pub fn raise(&mut self, id: u64, function: u32, raised: Raised) {
        self.raise_as(id, function, raised, monotonic_ns());
    }

    /// Like [`Self::raise`] at a time of the test's choice.
    ///
    /// # Panics
    /// As [`Self::end`].
    pub fn raise_as(&mut self, id: u64, function: u32, raised: Raised, ended: u64) {
        let mut scratch = std::mem::take(&mut self.scratch);
        begin_end(&mut scratch, &EndHead { id, ended, function, status: Status::Error, certain: false });
        raised.write(&mut scratch);
        self.writer().append(kind::END, &scratch, 0).expect("room for an END");
        self.scratch = scratch;
    }

    /// Ends a call whose body can be suspended, at `ended`: with `raised`, or with the result 0 where it is `Ok`.
    ///
    /// # Panics
    /// As [`Self::end`].
    pub fn end_suspended(
        &mut self,
        (id, function): (u64, u32),
        ended: u64,
        status: Status,
        activity: &Activity<'_>,
        raised: Option<Raised>,
    ) {
        let mut scratch = std::mem::take(&mut self.scratch);
        begin_suspended_end(&mut scratch, &EndHead { id, ended, function, status, certain: false }, activity);
        match raised {
            Some(raised) => raised.write(&mut scratch),
            None if status == Status::Ok => ValueWriter::int(&mut scratch, 0),
            None => {}
        }
        self.writer().append(kind::END, &scratch, 0).expect("room for an END");
        self.scratch = scratch;
    }

    /// Adds a value to a call, as `current().set` does.
    ///
    /// # Panics
    /// When there is no room.
    pub fn note(&mut self, id: u64, key: &str, value: i64) {
        let mut scratch = std::mem::take(&mut self.scratch);
        begin_note(&mut scratch, id, key);
        ValueWriter::int(&mut scratch, value);
        self.writer().append(kind::NOTE, &scratch, 0).expect("room for a NOTE");
        self.scratch = scratch;
    }

    /// One whole call; false when it was dropped.
    pub fn call(&mut self, function: u32, a: i64, b: i64) -> bool {
        match self.begin(function, None, a, b) {
            Ok(id) => {
                self.end(id, function, a + b);
                true
            }
            Err(Full) => false,
        }
    }

    /// A call that sampling leaves out.
    pub fn sample_out(&self, function: u32) {
        let counters = self.journal.counters(function);
        bump(&counters.calls);
        bump(&counters.sampled_out);
    }

    /// A call that finds no room.
    pub fn drop_one(&self, function: u32) {
        let counters = self.journal.counters(function);
        bump(&counters.calls);
        bump(&counters.dropped);
    }

    /// A counter of the journal's, for tests that set one.
    pub fn calls(&self, function: u32) -> &AtomicU64 {
        &self.journal.counters(function).calls
    }

    /// Appends bytes of the test's choice.
    ///
    /// # Panics
    /// When there is no room.
    pub fn append(&mut self, kind: u8, payload: &[u8]) {
        self.writer().append(kind, payload, 0).expect("room");
    }

    /// The thread ends; its segment is for the next.
    pub fn give_back(mut self) {
        if let Some(writer) = self.writer.take() {
            self.journal.give_back(writer);
        }
    }
}
