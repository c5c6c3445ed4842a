-- Version 3: what retention removed, calls without a row, errors counted by kind, incidents.

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

CREATE VIEW lost_errors AS
SELECT f.name AS function, nullif(f.group_name, '') AS group_name, l.run_id, l.type AS error_type, l.file, l.line, l.place,
       l.calls, l.first_ns, l.last_ns
FROM lost_error l JOIN function f ON f.id = l.function_id;

CREATE VIEW incidents AS
SELECT id, run_id, kind, began_ns, ended_ns, times, detail FROM incident;
