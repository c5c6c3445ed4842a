//! Which lines are shown, and what of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use calltape_record::value::SourceLines;

use super::*;

/// Later than any file a test makes.
const LATER: i64 = i64::MAX;

fn shown_of(sources: &mut Sources, path: &std::path::Path, line: u32, entries: &[&str]) -> Option<String> {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    let mut lines = sources.lines(Some(&entries), LATER);
    lines.line(path.to_str().unwrap(), line).map(str::to_owned)
}

/// The lines of a file of this text, numbered from one; those that are not shown are empty.
fn shown(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.py");
    fs::write(&path, text).unwrap();
    let mut sources = Sources::default();
    let count = text.lines().count() as u32;
    (1..=count).map(|line| shown_of(&mut sources, &path, line, &["badge"]).unwrap_or_default()).collect()
}

#[test]
fn a_line_is_stripped_and_bounded() {
    let long = format!("    x = [{}]\n", "y, ".repeat(5_000));
    let lines = shown(&format!("import os\n\n    total = sum(1, 2)  \n{long}\tlast(é)"));
    assert_eq!(lines[..3], ["import os", "", "total = sum(1, 2)"]);
    assert!(lines[3].starts_with("x = [y, y,") && lines[3].ends_with("...") && lines[3].len() == 203, "{}", lines[3]);
    assert_eq!(lines[4], "last(é)");
}

#[test]
fn a_statement_that_names_a_secret_shows_none_of_its_strings() {
    let text = r#"connect(host="db", password="hunter2")
connect(
    password=(
        "hunter2"
        + part("more hunter2")
    ),
    retries=3, pin_code=123456,
)
if "hunter2" == password: raise ValueError("no")
headers["Authorization"] = make("hunter2", 17)
settings = {"db": {"api_key": "hunter2"}}
secret = b'hunter2' \
    rb"hunter2"
run(["--password", "hunter2"], "x")
badge = "hunter2"
if author == "ann": raise ValueError("plain", 12345)
"#;
    let lines = shown(text);
    assert!(!lines.join("\n").contains("hunter2"), "{lines:#?}");
    assert!(!lines.join("\n").contains("123456"), "{lines:#?}");
    assert!(lines[9].starts_with(r#"headers["Authorization"] = "#), "{}", lines[9]);
    assert_eq!(lines[15], r#"if author == "ann": raise ValueError("plain", 12345)"#);
}

#[test]
fn a_line_in_a_string_of_several_is_seen_as_part_of_it() {
    let text = r#"password = f"""
    first hunter2
    {compute()} hunter2
"""
template = f"""
    plain words {compute()}
"""
api_key = sign('''
hunter2
''', "x")
secret = """
"#;
    let filler = "hunter2 filler of a long string\n".repeat(2_000);
    let lines = shown(&format!("{text}{filler}"));
    assert!(!lines.join("\n").contains("hunter2"), "{:#?}", &lines[..12]);
    assert_eq!(lines[5], "plain words {compute()}");
}

#[test]
fn what_is_no_python_does_no_harm() {
    for text in ["'", "\"\"\"", "((((", "\\", "#", "f'{", "<html>it's</html>\n'''\n{{ x }}", "\u{0}\n\r\n\\\n\\"] {
        shown(text);
    }
    let after_confusion = shown("x = ((('\npassword = 'hunter2'\ndef f():\n    raise ValueError('said')\n");
    assert_eq!(after_confusion[3], "raise ValueError('said')");
}

#[test]
fn a_file_that_changed_since_the_call_began_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.py");
    fs::write(&path, "first = 1\n").unwrap();
    let name = path.to_str().unwrap();
    let mut sources = Sources::default();
    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_millis(100);
    let began = began.as_nanos() as i64;
    assert_eq!(sources.lines(Some(&[]), began).line(name, 1), Some("first = 1"));
    assert_eq!(sources.lines(Some(&[]), began - 10_000_000_000).line(name, 1), None);
    std::thread::sleep(Duration::from_millis(200));
    fs::write(&path, "other = 2\n").unwrap();
    let old = SystemTime::now() - Duration::from_secs(3_600);
    fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    sources.begin(false);
    assert_eq!(sources.lines(Some(&[]), began).line(name, 1), None);
    assert_eq!(sources.lines(Some(&[]), LATER).line(name, 1), Some("other = 2"));
    fs::remove_file(&path).unwrap();
    sources.begin(false);
    assert_eq!(sources.lines(Some(&[]), LATER).line(name, 1), None);
}

#[test]
fn only_regular_files_of_a_bounded_size_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let big = folder.path().join("big.py");
    fs::write(&big, "x\n".repeat(1 << 20)).unwrap();
    let private = folder.path().join("private.py");
    fs::write(&private, "x = 1\n").unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).unwrap();
    let pipe = folder.path().join("pipe.py");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut sources = Sources::default();
    for path in
        [big.as_path(), &pipe, folder.path(), "/dev/zero".as_ref(), "/dev/tty".as_ref(), "/proc/self/environ".as_ref()]
    {
        assert_eq!(shown_of(&mut sources, path, 1, &[]), None, "{}", path.display());
    }
    for path in ["program.py", "", "<string>", "../x.py", "/a\0b", &"/a".repeat(5_000)] {
        assert_eq!(sources.lines(Some(&[]), LATER).line(path, 1), None, "{path}");
    }
    assert_eq!(shown_of(&mut sources, &private, 1, &[]), Some("x = 1".to_owned()));
    assert_eq!(shown_of(&mut sources, &private, 0, &[]), None);
    assert_eq!(shown_of(&mut sources, &private, u32::MAX, &[]), None);
    sources.begin(true);
    assert_eq!(shown_of(&mut sources, &private, 1, &[]), None);
}

#[test]
fn without_the_names_to_withhold_no_line_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.py");
    fs::write(&path, "badge = 'hunter2'\n").unwrap();
    let name = path.to_str().unwrap();
    let mut sources = Sources::default();
    assert_eq!(sources.lines(None, LATER).line(name, 1), None);
    assert_eq!(sources.lines(Some(&["a*b".to_owned()]), LATER).line(name, 1), None);
    assert_eq!(shown_of(&mut sources, &path, 1, &[]), Some("badge = 'hunter2'".to_owned()));
    assert_eq!(shown_of(&mut sources, &path, 1, &["badge"]), Some("badge = '***'".to_owned()));
}

#[test]
fn what_is_kept_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Sources::default();
    for number in 0..40 {
        let path = folder.path().join(format!("{number}.py"));
        fs::write(&path, "x = 1\n\n".repeat(70_000)).unwrap();
        for line in 1..if number < 2 { 1_200 } else { 3 } {
            shown_of(&mut sources, &path, line, &[]);
        }
        assert!(sources.bytes <= MOST_BYTES);
        assert_eq!(sources.bytes, sources.files.values().map(Known::bytes).sum::<usize>());
        assert!(sources.files.values().all(|known| known.lines.len() <= MOST_LINES));
    }
    for number in 0..3_000 {
        sources.lines(Some(&[format!("name{number}")]), LATER).line(&format!("/nowhere/{number}.py"), 1);
    }
    assert!(sources.files.len() <= MOST_FILES && sources.names.len() <= MOST_NAMES);
}
