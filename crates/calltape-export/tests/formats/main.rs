//! Exports as other tools read them: each format parsed again and compared with what SQLite reads from the view `calls`.

use calltape_engine::drain::message_form;
use calltape_engine::store::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};

mod arrow_batches;
mod exported;
mod json_lines;
mod paging;
#[path = "../../../calltape-engine/src/query/sample_tape.rs"]
#[allow(dead_code, reason = "shared with the query's tests, which use more of it")]
mod sample_tape;
mod shop;
mod trace;
