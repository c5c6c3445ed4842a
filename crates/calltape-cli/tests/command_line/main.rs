//! The command line as a user meets it: what each command prints for a small tape, as snapshots, and how it behaves
//! around pipes, colours and files that are no tape.

use calltape_engine::drain::message_form;
use calltape_engine::store::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};

mod asking;
mod big_tape;
mod commands;
mod comparing;
mod doctor_words;
mod draining;
mod exporting;
mod finding;
mod following;
mod hostile_text;
mod json_fields;
mod keeping;
mod pipes;
mod processes;
mod prune_limits;
mod recovering;
mod refusals;
#[path = "../../../calltape-engine/src/query/sample_tape.rs"]
#[allow(dead_code, reason = "shared with the query's tests, which use more of it")]
mod sample_tape;
mod session;
mod settings;
mod shop_tape;
mod showing;
mod suspended_calls;
mod waiting_journals;
