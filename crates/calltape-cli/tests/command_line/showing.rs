//! `show` with a function is its last call; long values are laid out, long names stay whole where a line has room.

use insta::assert_snapshot;

use crate::sample_tape::{CallRow, SampleTape};
use crate::session::{calltape, surroundings};
use crate::shop_tape::ShopTape;

#[test]
fn a_function_shows_its_last_call() {
    let shop = ShopTape::create();
    let around = surroundings(shop.sample.folder.path());
    let by_name = calltape("show orders.place", &around);
    assert_eq!(by_name, calltape(&format!("show {}", shop.failed), &around));
    assert_eq!(by_name.code, 0);
}

#[test]
fn a_function_without_calls_says_where_to_look() {
    let shop = ShopTape::create();
    let ran = calltape("show shop.refund", &surroundings(shop.sample.folder.path()));
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("no call of shop.refund on ") && ran.err.contains("`calltape top` lists"), "{ran:?}");
}

#[test]
fn long_values_are_laid_out_and_long_names_stay_whole() {
    let sample = SampleTape::create();
    let place = sample.function("shop.orders.place");
    let args = r#"{"order":{"id":17,"customer":{"name":"Ann Example","city":"Leiden"},"lines":[{"sku":"A-1","n":2},{"sku":"B-22","n":1}]},"note":"please ring twice, the bell is old and hangs behind the ivy"}"#;
    let id = sample.call(CallRow {
        args: Some(args),
        result: Some(r#"{"receipt":"R-2026-10-14-000017","total":"19.90","paid":true,"mails":["ann@example.org","books@example.org"]}"#),
        task: Some("request /orders/17/confirmation?notify=ann@example.org&retry=3"),
        ..CallRow::new(place, 0)
    });
    let mut around = surroundings(sample.folder.path());
    for width in [80, 120] {
        around.width = width;
        assert_snapshot!(format!("show_long_{width}"), calltape(&format!("show {id}"), &around).transcript());
    }
}
