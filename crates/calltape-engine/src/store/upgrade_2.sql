-- Version 2: kinds of exception tell errors from cancellations, and notes wait for their call.

CREATE TABLE error_of_2 (
    id            INTEGER PRIMARY KEY,
    function_id   INTEGER NOT NULL REFERENCES function (id),
    type          TEXT NOT NULL,
    file          TEXT NOT NULL,
    line          INTEGER NOT NULL,
    place         TEXT NOT NULL,
    status        INTEGER NOT NULL,
    UNIQUE (function_id, type, file, line, place, status)
) STRICT;

INSERT INTO error_of_2 SELECT id, function_id, type, file, line, place, 1 FROM error;
DROP TABLE error;
ALTER TABLE error_of_2 RENAME TO error;

CREATE TABLE early_note (
    call_id       INTEGER PRIMARY KEY,
    run_id        INTEGER NOT NULL,
    notes         TEXT NOT NULL
) STRICT;
