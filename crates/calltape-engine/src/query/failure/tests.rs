use super::*;

fn failure(traceback: &str) -> Failure {
    Failure {
        error_type: "OrderError".into(),
        message: "no".into(),
        file: "shop.py".into(),
        line: 7,
        place: "place".into(),
        traceback: traceback.into(),
    }
}

#[test]
fn the_chain_is_read_outermost_first() {
    let text = r#"[{"type":"OrderError","message":"no","relation":null,
          "frames":[{"file":"shop.py","line":7,"function":"place","source":"  raise OrderError  "},"... 3 more"],
          "notes":["order 17"]},
         {"type":"KeyError","message":"'sku'","relation":"cause","frames":[]},
         {"type":"OSError","message":"","relation":"context","frames":[{"file":"a.py","line":1,"function":"f"}]}]"#;
    let chain = failure(text).chain();
    let kinds: Vec<_> = chain.iter().map(|link| (link.error_type.as_str(), link.relation)).collect();
    assert_eq!(
        kinds,
        [("OrderError", None), ("KeyError", Some(Relation::Cause)), ("OSError", Some(Relation::Context))]
    );
    assert_eq!(chain[0].notes, ["order 17"]);
    let source = Some("raise OrderError".to_owned());
    assert_eq!(
        chain[0].frames,
        [
            Frame::At { file: "shop.py".into(), line: 7, function: "place".into(), source },
            Frame::Cut("... 3 more".into())
        ]
    );
}

#[test]
fn what_cannot_be_read_still_has_the_type_and_place() {
    for text in ["", "null", "[]", "{\"a\":1}", "[{\"type\":", "[1, \"cut\"]"] {
        let chain = failure(text).chain();
        assert_eq!((chain.len(), chain[0].error_type.as_str(), chain[0].frames.len()), (1, "OrderError", 1), "{text}");
    }
}

#[test]
fn lone_surrogates_do_not_hide_the_chain() {
    let text = r#"[{"type":"E","message":"\ud800 \udc00\ud83e\udd80 \\ud800 \ud800\ud800","frames":[]}]"#;
    assert_eq!(failure(text).chain()[0].message, "\u{fffd} \u{fffd}🦀 \\ud800 \u{fffd}\u{fffd}");
    assert_eq!(replace_lone_surrogates("\\ud8"), "\\ud8");
    assert_eq!(replace_lone_surrogates("\\é\\"), "\\é\\");
    assert_eq!(replace_lone_surrogates("\\ud800é"), "\\ufffdé");
}
