-- The tape, version 3. Public: the views at the end (calls, functions, runs, function_minutes, accounting, errors,
-- lost_errors, incidents).
-- The tables behind them may change with the version (PRAGMA user_version) and a step in upgrade.rs.
--
-- A call's id is nearly its start time (see calltape-record, ids), so the rowid order of `call` is time order:
-- time ranges need no index, and `call_by_function` serves (function, time).

CREATE TABLE tape (                 -- one row: facts about the file itself
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    created_ns    INTEGER NOT NULL, -- Unix ns
    id_lead_ns    INTEGER NOT NULL, -- how far an id's time may lie after its call's start, at most seen
    id_lag_ns     INTEGER NOT NULL  -- and how far before
) STRICT;

CREATE TABLE run (                  -- one process's recording
    id            INTEGER PRIMARY KEY,
    pid           INTEGER NOT NULL,
    host          TEXT NOT NULL,
    program       TEXT NOT NULL,
    python        TEXT NOT NULL,
    started_ns    INTEGER NOT NULL, -- Unix ns
    seen_ns       INTEGER NOT NULL, -- Unix ns of its latest event in the tape
    ended_ns      INTEGER,          -- Unix ns; NULL while it runs; of a run that died its latest event
    ending        TEXT              -- NULL while it runs; 'exit', 'died' (adopted by another), 'lost' (its journal is gone)
) STRICT;

CREATE TABLE function (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,    -- pkg.mod.Class.method
    group_name    TEXT NOT NULL,    -- '' for none
    kind          TEXT NOT NULL,    -- function, coroutine, generator, async_generator, span
    file          TEXT NOT NULL,
    line          INTEGER NOT NULL,
    parameters    TEXT NOT NULL,    -- JSON list of names
    UNIQUE (name, group_name, kind, file, line, parameters)
) STRICT;

CREATE TABLE run_function (         -- the books: one row a run and function; figures are absolute, so writing them twice changes nothing
    run_id        INTEGER NOT NULL REFERENCES run (id),
    slot          INTEGER NOT NULL, -- the function's number in that run's journal
    function_id   INTEGER NOT NULL REFERENCES function (id),
    calls         INTEGER NOT NULL, -- the caller's own count
    stored        INTEGER NOT NULL, -- rows whose call has ended, interrupted ones with their run
    sampled_out   INTEGER NOT NULL,
    dropped       INTEGER NOT NULL,
    dropped_errors INTEGER NOT NULL, -- of the dropped
    pruned        INTEGER NOT NULL, -- of the stored: rows that retention has removed
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (                -- how much of the calls without a row is in minute already; absolute, as run_function
    run_id        INTEGER NOT NULL REFERENCES run (id),
    slot          INTEGER NOT NULL,
    state         BLOB NOT NULL,    -- calltape-engine, drain
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE lost_error (           -- errors there was no room for, counted by kind; figures are absolute
    run_id        INTEGER NOT NULL REFERENCES run (id),
    number        INTEGER NOT NULL, -- the kind's place in that run's journal
    function_id   INTEGER NOT NULL REFERENCES function (id),
    type          TEXT NOT NULL,    -- as in error
    file          TEXT NOT NULL,
    line          INTEGER NOT NULL,
    place         TEXT NOT NULL,
    calls         INTEGER NOT NULL,
    first_ns      INTEGER NOT NULL, -- Unix ns
    last_ns       INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE elsewhere (             -- calls of a run that ended in another file, set aside or deleted before this tape began
    run_id        INTEGER NOT NULL REFERENCES run (id),
    slot          INTEGER NOT NULL,
    calls         INTEGER,          -- NULL: nobody can tell
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (             -- when recording was less than it should be, and why
    id            INTEGER PRIMARY KEY,
    run_id        INTEGER,          -- NULL: the tape's, not one process's
    kind          TEXT NOT NULL,
    began_ns      INTEGER NOT NULL, -- Unix ns
    ended_ns      INTEGER,          -- NULL while it lasts
    times         INTEGER NOT NULL, -- how often it began between the two
    detail        TEXT NOT NULL     -- what was said of it; '' for nothing
) STRICT;

CREATE TABLE thread (
    id            INTEGER PRIMARY KEY,
    run_id        INTEGER NOT NULL REFERENCES run (id),
    ident         INTEGER NOT NULL, -- Python's threading.get_ident()
    native_id     INTEGER NOT NULL, -- the kernel's
    name          TEXT NOT NULL,
    UNIQUE (run_id, ident, native_id, name)
) STRICT;

CREATE TABLE call (
    id            INTEGER PRIMARY KEY,
    function_id   INTEGER NOT NULL,
    thread_id     INTEGER NOT NULL,
    status        INTEGER NOT NULL, -- calltape-record, Status
    started_ns    INTEGER NOT NULL, -- Unix ns
    duration_ns   INTEGER,
    args          TEXT,
    result        TEXT,
    parent_id     INTEGER,
    root_id       INTEGER,          -- NULL: the call is its own root
    weight        REAL,             -- NULL: 1
    active_ns     INTEGER,
    yields        INTEGER,
    task          TEXT
) STRICT;

CREATE INDEX call_by_function ON call (function_id);
CREATE INDEX call_by_parent ON call (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX call_unfinished ON call (status) WHERE status >= 5;  -- running, interrupted

CREATE TABLE error (                -- exceptions that are the same, but for what differs from call to call
    id            INTEGER PRIMARY KEY,
    function_id   INTEGER NOT NULL REFERENCES function (id),
    type          TEXT NOT NULL,    -- with its module, as in json.decoder.JSONDecodeError
    file          TEXT NOT NULL,    -- where it was raised
    line          INTEGER NOT NULL,
    place         TEXT NOT NULL,    -- the function that raised it
    status        INTEGER NOT NULL, -- how it ended its calls: 1 error, 2 cancelled
    form          TEXT NOT NULL,    -- their messages' form; '(any message)' beyond twenty: calltape-engine, drain
    UNIQUE (function_id, type, file, line, place, status, form)
) STRICT;

CREATE TABLE failure (              -- what a call that ended in an exception adds to its row
    call_id       INTEGER PRIMARY KEY,
    error_id      INTEGER NOT NULL REFERENCES error (id),
    message       TEXT NOT NULL,
    traceback     TEXT NOT NULL     -- JSON
) STRICT;

CREATE INDEX failure_by_error ON failure (error_id);

CREATE TABLE minute (               -- kept up by the drain; the overview reads nothing else but hour
    function_id   INTEGER NOT NULL,
    minute        INTEGER NOT NULL, -- Unix minutes of the call's end
    calls         INTEGER NOT NULL, -- ended calls stored
    errors        INTEGER NOT NULL, -- errors and latencies are of all calls, with a row or without
    sampled_out   INTEGER NOT NULL,
    dropped       INTEGER NOT NULL,
    total_ns      INTEGER NOT NULL,
    min_ns        INTEGER,
    max_ns        INTEGER,
    latency       BLOB NOT NULL,    -- histogram, see calltape-engine, rollup
    PRIMARY KEY (function_id, minute)
) STRICT, WITHOUT ROWID;

CREATE TABLE hour (                 -- minutes of hours that are over, added up: each hour up to the greatest, none later
    function_id   INTEGER NOT NULL,
    hour          INTEGER NOT NULL, -- Unix hours of the call's end
    calls         INTEGER NOT NULL, -- this and the following as in minute
    errors        INTEGER NOT NULL,
    sampled_out   INTEGER NOT NULL,
    dropped       INTEGER NOT NULL,
    total_ns      INTEGER NOT NULL,
    min_ns        INTEGER,
    max_ns        INTEGER,
    latency       BLOB NOT NULL,
    PRIMARY KEY (function_id, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX hour_by_time ON hour (hour);  -- the greatest

CREATE TABLE cursor (               -- how far each segment of a journal is in this database; committed with the rows
    run_id        INTEGER NOT NULL,
    segment       INTEGER NOT NULL,
    epoch         INTEGER NOT NULL,
    offset        INTEGER NOT NULL,
    thread_id     INTEGER,          -- the thread whose frames stand there
    PRIMARY KEY (run_id, segment)
) STRICT, WITHOUT ROWID;

CREATE TABLE early_end (            -- an END frame met before its START
    call_id       INTEGER PRIMARY KEY,
    run_id        INTEGER NOT NULL,
    payload       BLOB NOT NULL
) STRICT;

CREATE TABLE early_note (           -- what a program set in a call whose START has not been met, as one JSON object
    call_id       INTEGER PRIMARY KEY,
    run_id        INTEGER NOT NULL,
    notes         TEXT NOT NULL
) STRICT;

CREATE VIEW calls AS
SELECT c.id, c.parent_id, coalesce(c.root_id, c.id) AS root_id,
       f.name AS function, nullif(f.group_name, '') AS group_name, f.kind,
       CASE c.status WHEN 0 THEN 'ok' WHEN 1 THEN 'error' WHEN 2 THEN 'cancelled' WHEN 3 THEN 'closed'
                     WHEN 4 THEN 'abandoned' WHEN 5 THEN 'running' ELSE 'interrupted' END AS status,
       c.started_ns,
       strftime('%Y-%m-%dT%H:%M:%S', c.started_ns / 1000000000, 'unixepoch')
           || printf('.%09dZ', c.started_ns % 1000000000) AS started_at,
       c.duration_ns, coalesce(c.active_ns, CASE WHEN f.kind = 'function' THEN c.duration_ns END) AS active_ns, c.yields,
       c.args, c.result,
       e.type AS error_type, x.message AS error_message, x.traceback,
       t.name AS thread, c.task, r.pid, r.host, t.run_id,
       coalesce(c.weight, 1.0) AS weight
FROM call c
JOIN function f ON f.id = c.function_id
JOIN thread t ON t.id = c.thread_id
JOIN run r ON r.id = t.run_id
LEFT JOIN failure x ON x.call_id = c.id
LEFT JOIN error e ON e.id = x.error_id;

CREATE VIEW functions AS
SELECT id, name, nullif(group_name, '') AS group_name, kind, file, line, parameters FROM function;

CREATE VIEW runs AS
SELECT id, pid, host, program, python, started_ns, ended_ns, coalesce(ending, 'running') AS ending FROM run;

CREATE VIEW function_minutes AS
SELECT f.name AS function, nullif(f.group_name, '') AS group_name, m.function_id, m.minute,
       strftime('%Y-%m-%dT%H:%MZ', m.minute * 60, 'unixepoch') AS minute_at,
       m.calls + m.sampled_out + m.dropped AS calls, m.calls AS stored, m.errors, m.sampled_out, m.dropped,
       m.total_ns, m.min_ns, m.max_ns, m.latency
FROM minute m JOIN function f ON f.id = m.function_id;

-- Promise: calls = stored + sampled_out + dropped + in_flight + unknown, a row a run and function.
-- in_flight: begun and not ended, or not yet drained; unknown: not in this tape and nowhere counted (in another file, or lost
-- with a journal); NULL where nobody can tell.
CREATE VIEW accounting AS
SELECT f.name AS function, nullif(f.group_name, '') AS group_name, b.run_id, coalesce(r.ending, 'running') AS run,
       b.calls, b.stored, b.sampled_out, b.dropped, b.dropped_errors, b.pruned,
       CASE WHEN r.ending IS NULL THEN b.calls - b.stored - b.sampled_out - b.dropped - coalesce(e.calls, 0)
            ELSE 0 END AS in_flight,
       CASE WHEN r.ending IS NULL AND e.run_id IS NULL THEN 0
            WHEN r.ending IS NULL THEN e.calls
            WHEN r.ending = 'lost' THEN NULL
            ELSE b.calls - b.stored - b.sampled_out - b.dropped END AS unknown
FROM run_function b
JOIN function f ON f.id = b.function_id
JOIN run r ON r.id = b.run_id
LEFT JOIN elsewhere e ON e.run_id = b.run_id AND e.slot = b.slot;

CREATE VIEW errors AS
SELECT f.name AS function, nullif(f.group_name, '') AS group_name,
       CASE e.status WHEN 1 THEN 'error' ELSE 'cancelled' END AS status,
       e.type AS error_type, e.file, e.line, e.place, e.form AS message_form,
       (SELECT count(*) FROM failure x WHERE x.error_id = e.id) AS calls,
       (SELECT min(x.call_id) FROM failure x WHERE x.error_id = e.id) AS first_call_id,
       (SELECT max(x.call_id) FROM failure x WHERE x.error_id = e.id) AS last_call_id
FROM error e JOIN function f ON f.id = e.function_id;

CREATE VIEW lost_errors AS
SELECT f.name AS function, nullif(f.group_name, '') AS group_name, l.run_id, l.type AS error_type, l.file, l.line, l.place,
       l.calls, l.first_ns, l.last_ns
FROM lost_error l JOIN function f ON f.id = l.function_id;

CREATE VIEW incidents AS
SELECT id, run_id, kind, began_ns, ended_ns, times, detail FROM incident;
