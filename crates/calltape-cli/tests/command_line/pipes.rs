//! In a pipe nothing folds and nothing is cut: whoever reads it may search it.

use crate::sample_tape::{CallRow, Raised, SampleTape};
use crate::session::{calltape, surroundings};

#[test]
fn a_long_message_is_one_line_in_a_pipe() {
    let sample = SampleTape::create();
    let place = sample.function("shop.place");
    let message = format!("no such sku: {}", "x y ".repeat(200));
    let raised = Raised {
        error_type: "KeyError",
        message: message.trim_end(),
        file: "shop/stock.py",
        line: 12,
        place: "reserve",
        traceback: "[]",
    };
    let args = format!(r#"{{"text":"{}"}}"#, "a b ".repeat(400).trim_end());
    let id = sample.failed_call(CallRow { args: Some(&args), ..CallRow::new(place, 0) }, &raised);
    let mut around = surroundings(sample.folder.path());
    around.terminal = false;
    around.width = 10_000;
    for command in ["errors".to_owned(), "tail".to_owned(), format!("show {id}")] {
        let ran = calltape(&command, &around);
        assert!(ran.out.lines().any(|line| line.contains(message.trim_end())), "{command}: {}", ran.out);
    }
    let shown = calltape(&format!("show {id}"), &around).out;
    assert!(shown.lines().any(|line| line.contains(&"a b ".repeat(399))), "{shown}");
}
