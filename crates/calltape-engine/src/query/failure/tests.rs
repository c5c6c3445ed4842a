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

fn at(file: &str, line: i64, function: &str) -> Frame {
    let (source, locals) = (None, Vec::new());
    Frame::At { file: file.into(), line, function: function.into(), source, is_outside: false, locals }
}

#[test]
fn the_chain_is_read_outermost_first() {
    let text = r#"[{"type":"OrderError","message":"no","relation":null,
          "frames":[{"file":"shop.py","line":7,"function":"place","outside":true,"source":"  raise OrderError  ",
                     "locals":{"big": 123456789012345678901234567890,"lone":"\ud800","...":"4 more"}},"... 3 more"],
          "notes":["order 17"]},
         {"type":"KeyError","message":"'sku'","relation":"cause","frames":[]},
         {"type":"OSError","message":"","relation":"context","frames":[{"file":"a.py","line":1,"function":"f"}]}]"#;
    let chain = failure(text).chain();
    let kinds: Vec<_> = chain.iter().map(|link| (link.error_type.as_str(), link.relation, link.of)).collect();
    assert_eq!(
        kinds,
        [
            ("OrderError", None, None),
            ("KeyError", Some(Relation::Cause), Some(0)),
            ("OSError", Some(Relation::Context), Some(1))
        ]
    );
    assert_eq!(chain[0].notes, ["order 17"]);
    let locals = [("big", "123456789012345678901234567890"), ("lone", "\"\\ufffd\""), ("...", "\"4 more\"")];
    let first = Frame::At {
        file: "shop.py".into(),
        line: 7,
        function: "place".into(),
        source: Some("raise OrderError".to_owned()),
        is_outside: true,
        locals: locals.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    assert_eq!(chain[0].frames, [first, Frame::Cut("... 3 more".into())]);
    assert_eq!(chain[2].frames, [at("a.py", 1, "f")]);
    assert_eq!(failure(text).left_out(), None);
}

#[test]
fn members_belong_to_their_groups() {
    let text = r#"[{"type":"G","message":"","relation":null,"frames":[]},
         {"type":"A","message":"","relation":"member","of":0,"frames":[]},
         "what is this", {"type":"H","message":"","relation":"member","of":0,"frames":[]},
         {"type":"B","message":"","relation":"member","of":3,"frames":[]},
         {"type":"C","message":"","relation":"cause","of":99,"frames":[]},
         {"type":"D","message":"","relation":"cause","of":2,"frames":[]}, "... 7 more"]"#;
    let failure = failure(text);
    let of: Vec<_> = failure.chain().into_iter().map(|link| (link.error_type, link.of)).collect();
    let of: Vec<_> = of.iter().map(|(kind, of)| (kind.as_str(), *of)).collect();
    let before = Some(3);
    assert_eq!(of, [("G", None), ("A", Some(0)), ("H", Some(0)), ("B", Some(2)), ("C", before), ("D", Some(4))]);
    assert_eq!(failure.left_out().as_deref(), Some("... 7 more"));
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
