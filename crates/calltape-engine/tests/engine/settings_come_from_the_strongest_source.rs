//! Argument over environment over pyproject.toml over default; bad values are said and do not stop the program.

use std::path::Path;
use std::time::Duration;

use calltape_engine::Settings;
use calltape_engine::settings::{OnFull, Surroundings};

fn surroundings(directory: &Path, environment: &[(&str, &str)]) -> Surroundings {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Surroundings { directory: directory.to_path_buf(), environment }
}

fn arguments(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from(settings: &Settings, name: &str) -> String {
    let source = settings.sources().iter().find(|source| source.setting == name).expect("a source");
    format!("{} from {}", source.value, source.from)
}

#[test]
fn each_source_is_beaten_by_the_stronger_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("src/deep");
    std::fs::create_dir_all(&inner).expect("made");
    let file = folder.path().join("pyproject.toml");
    let text = "[tool.calltape]\ndb = 'rec/calls.db'\njournal_limit = '32M'\non_full = 'block'\nbreaker_threshold = 7\nexit_timeout = 1.5\n";
    std::fs::write(&file, text).expect("written");
    let environment =
        [("CALLTAPE_JOURNAL_LIMIT", "16MiB"), ("CALLTAPE_BREAKER_THRESHOLD", "8"), ("CALLTAPE_ON_FULL", "")];
    let given = arguments(&[("breaker_threshold", "9")]);
    let settings = Settings::load(&given, &surroundings(&inner, &environment)).expect("good arguments");
    assert_eq!(settings.problems(), [] as [String; 0]);
    assert_eq!(settings.breaker_threshold, 9);
    assert_eq!(settings.journal_limit, 16 << 20);
    assert_eq!(settings.on_full, OnFull::Block);
    assert_eq!(settings.exit_timeout, Duration::from_millis(1500));
    assert_eq!(settings.db, folder.path().join("rec/calls.db"), "relative to the file that says it");
    assert_eq!(from(&settings, "breaker_threshold"), "9 from argument");
    assert_eq!(from(&settings, "journal_limit"), "16MiB from CALLTAPE_JOURNAL_LIMIT");
    assert_eq!(from(&settings, "on_full"), format!("block from {}", file.display()));
    assert_eq!(from(&settings, "breaker_timeout"), "60s from default");
}

#[test]
fn a_path_stands_from_the_working_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings::load(&[], &surroundings(folder.path(), &[])).expect("defaults");
    assert_eq!(settings.db, folder.path().join(".calltape/calls.db"));
    assert!(!settings.disabled);
    let settings = Settings::load(&[], &surroundings(folder.path(), &[("CALLTAPE_DISABLED", "1")])).expect("loads");
    assert!(settings.disabled);
}

#[test]
fn a_bad_value_is_said_and_the_default_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pyproject.toml");
    std::fs::write(&file, "[tool.calltape]\non_ful = 'drop'\nbreaker_timeout = []\n").expect("written");
    let environment =
        [("CALLTAPE_JOURNAL_LIMIT", "lots"), ("CALLTAPE_EXIT_TIMEOUTS", "1"), ("CALLTAPE_BENCH_ROUNDS", "1")];
    let settings = Settings::load(&[], &surroundings(folder.path(), &environment)).expect("no bad argument");
    assert_eq!((settings.journal_limit, settings.breaker_timeout), (64 << 20, Duration::from_secs(60)));
    let shown = file.display();
    assert_eq!(
        settings.problems(),
        [
            format!("on_ful is no setting of calltape ({shown}); did you mean on_full?"),
            "CALLTAPE_EXIT_TIMEOUTS is no setting of calltape (environment); did you mean CALLTAPE_EXIT_TIMEOUT?".to_owned(),
            "journal_limit = \"lots\" from CALLTAPE_JOURNAL_LIMIT cannot be used and 64MiB is taken: give a size of at least 2MiB, such as 64MiB, 512k or 1000".to_owned(),
            format!("breaker_timeout = \"array\" from {shown} cannot be used and 60s is taken: give a time of at least 1ms, such as 7d, 12h, 60s or 250ms"),
        ]
    );
}

/// A name written wrong must not show what is kept under the names beside it.
#[test]
fn of_a_list_of_names_the_good_ones_are_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |fields| {
        let environment = [("CALLTAPE_SENSITIVE_FIELDS", fields)];
        Settings::load(&[], &surroundings(folder.path(), &environment)).expect("no bad argument")
    };
    let settings = read("badge,pi*n,*salary*");
    assert_eq!(settings.sensitive_fields, ["badge", "*salary*"]);
    assert_eq!(
        settings.problems(),
        [
            "sensitive_fields = \"badge,pi*n,*salary*\" from CALLTAPE_SENSITIVE_FIELDS cannot be used and badge,*salary* is taken: \"pi*n\" is no name of a sensitive field: '*' may stand at its beginning and its end only; give names such as badge,*pin,-token"
        ]
    );
    let settings = read("badge;pin");
    assert!(settings.sensitive_fields.is_empty());
    assert!(settings.problems()[0].contains("cannot be used and none is taken: \"badge;pin\" is no name"));
}

#[test]
fn a_file_that_is_not_toml_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pyproject.toml"), "[tool.calltape\n").expect("written");
    let settings = Settings::load(&[], &surroundings(folder.path(), &[])).expect("no bad argument");
    assert_eq!(settings.problems().len(), 1);
    assert!(settings.problems()[0].contains("is not valid TOML, so its settings are not used"));
}

#[test]
fn a_bad_argument_is_an_error_that_names_it_and_the_remedy() {
    let here = surroundings(Path::new("/"), &[]);
    let fault = Settings::load(&arguments(&[("on_full", "wait")]), &here).expect_err("a bad value");
    assert_eq!(
        (fault.name.as_str(), fault.to_string().as_str()),
        ("on_full", "on_full=\"wait\" cannot be used: give one of drop, block")
    );
    let fault = Settings::load(&arguments(&[("journal_limt", "1M")]), &here).expect_err("an unknown name");
    assert_eq!(fault.to_string(), "journal_limt is no setting of calltape (argument); did you mean journal_limit?");
}

#[test]
fn a_size_too_small_for_a_tape_and_errors_kept_shorter_than_calls_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = |environment: &[(&str, &str)]| {
        Settings::load(&[], &surroundings(folder.path(), environment)).expect("no arguments")
    };
    let settings = load(&[("CALLTAPE_RETENTION_SIZE", "1MiB")]);
    assert_eq!(settings.retention_size, 1 << 30);
    assert!(settings.problems()[0].ends_with("give a size of at least 8MiB, such as 1GiB, or 0 for no limit"));
    for text in ["0", "8MiB"] {
        assert_eq!(load(&[("CALLTAPE_RETENTION_SIZE", text)]).problems(), [] as [String; 0]);
    }
    let settings = load(&[("CALLTAPE_RETENTION_ERRORS", "3d")]);
    let said = "retention_errors = \"3d\" from CALLTAPE_RETENTION_ERRORS is less than retention_age = 7d: failed calls \
                are kept 7d too";
    assert_eq!(settings.problems(), [said]);
    assert_eq!(load(&[("CALLTAPE_RETENTION_AGE", "60d")]).problems(), [] as [String; 0], "nobody asked for 30d");
}
