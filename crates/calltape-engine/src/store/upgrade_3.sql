-- Version 3: what retention removed, calls without a row, errors counted by kind, incidents, errors told apart by the form
-- of their message: those there are keep one form for all.

DROP VIEW accounting;

CREATE TABLE run_function_of_3 (
    run_id        INTEGER NOT NULL REFERENCES run (id),
    slot          INTEGER NOT NULL,
    function_id   INTEGER NOT NULL REFERENCES function (id),
    calls         INTEGER NOT NULL,
    stored        INTEGER NOT NULL,
    sampled_out   INTEGER NOT NULL,
    dropped       INTEGER NOT NULL,
    dropped_errors INTEGER NOT NULL,
    pruned        INTEGER NOT NULL,
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

INSERT INTO run_function_of_3
SELECT run_id, slot, function_id, calls, stored, sampled_out, dropped, dropped_errors, 0 FROM run_function;
DROP TABLE run_function;
ALTER TABLE run_function_of_3 RENAME TO run_function;

CREATE TABLE tally (
    run_id        INTEGER NOT NULL REFERENCES run (id),
    slot          INTEGER NOT NULL,
    state         BLOB NOT NULL,
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE lost_error (
    run_id        INTEGER NOT NULL REFERENCES run (id),
    number        INTEGER NOT NULL,
    function_id   INTEGER NOT NULL REFERENCES function (id),
    type          TEXT NOT NULL,
    file          TEXT NOT NULL,
    line          INTEGER NOT NULL,
    place         TEXT NOT NULL,
    calls         INTEGER NOT NULL,
    first_ns      INTEGER NOT NULL,
    last_ns       INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE elsewhere (
    run_id        INTEGER NOT NULL REFERENCES run (id),
    slot          INTEGER NOT NULL,
    calls         INTEGER,
    PRIMARY KEY (run_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    id            INTEGER PRIMARY KEY,
    run_id        INTEGER,
    kind          TEXT NOT NULL,
    began_ns      INTEGER NOT NULL,
    ended_ns      INTEGER,
    times         INTEGER NOT NULL,
    detail        TEXT NOT NULL
) STRICT;

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

CREATE TABLE hour (
    function_id   INTEGER NOT NULL,
    hour          INTEGER NOT NULL,
    calls         INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    sampled_out   INTEGER NOT NULL,
    dropped       INTEGER NOT NULL,
    total_ns      INTEGER NOT NULL,
    min_ns        INTEGER,
    max_ns        INTEGER,
    latency       BLOB NOT NULL,
    PRIMARY KEY (function_id, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX hour_by_time ON hour (hour);

CREATE TABLE error_of_3 (
    id            INTEGER PRIMARY KEY,
    function_id   INTEGER NOT NULL REFERENCES function (id),
    type          TEXT NOT NULL,
    file          TEXT NOT NULL,
    line          INTEGER NOT NULL,
    place         TEXT NOT NULL,
    status        INTEGER NOT NULL,
    form          TEXT NOT NULL,
    UNIQUE (function_id, type, file, line, place, status, form)
) STRICT;

INSERT INTO error_of_3 SELECT id, function_id, type, file, line, place, status, '(any message)' FROM error;
DROP TABLE error;
ALTER TABLE error_of_3 RENAME TO error;

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
