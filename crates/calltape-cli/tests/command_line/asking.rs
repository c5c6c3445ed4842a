//! `sql`: a person's own question is answered, limited, and never changes the tape.

use insta::assert_snapshot;

use crate::commands::shown;
use crate::session::{calltape, surroundings};
use crate::shop_tape::ShopTape;

const BY_FUNCTION: &str = "sql 'SELECT function, count(*) AS calls, max(duration_ns) AS slowest_ns, group_name FROM calls \
                           GROUP BY function ORDER BY 2 DESC, 1'";

#[test]
fn an_answer_is_a_table_or_an_object_a_line() {
    assert_snapshot!("sql", shown(BY_FUNCTION, 100));
    assert_snapshot!("sql_narrow", shown("sql 'SELECT id, function, args FROM calls ORDER BY id LIMIT 2'", 80));
    assert_snapshot!("sql_lists", shown("sql 'SELECT * FROM calls ORDER BY id LIMIT 2'", 60));
    assert_snapshot!("sql_json", shown(&format!("{BY_FUNCTION} --json"), 100));
    let kinds = "sql 'SELECT 1 AS a, 2.5 AS a, NULL AS n, zeroblob(2) AS b, char(97, 10, 98) AS t'";
    assert_snapshot!("sql_kinds", shown(&format!("{kinds} --json"), 80));
    assert_snapshot!("sql_kinds_table", shown(kinds, 80));
}

#[test]
fn an_answer_that_is_cut_says_so() {
    assert_snapshot!("sql_cut", shown("sql 'SELECT id FROM calls ORDER BY id' --limit 2", 80));
    assert_snapshot!("sql_nothing", shown("sql 'SELECT id FROM calls WHERE id < 0'", 80));
}

#[test]
fn what_is_no_question_is_refused_with_a_caret_where_the_place_is_known() {
    let wrong = [
        "sql 'SELECT colour FROM calls'",
        "sql 'SELEKT 1'",
        "sql 'SELECT 1; SELECT 2'",
        "sql 'DELETE FROM call'",
        "sql 'ATTACH \"other.db\" AS other'",
        "sql ''",
    ];
    let said: Vec<String> =
        wrong.iter().map(|arguments| format!("$ calltape {arguments}\n{}", shown(arguments, 80))).collect();
    assert_snapshot!("sql_refused", said.join("\n"));
}

#[test]
fn the_tape_is_not_changed() {
    let shop = ShopTape::create();
    let around = surroundings(shop.sample.folder.path());
    for statement in ["DELETE FROM call", "PRAGMA user_version = 7", "CREATE TABLE t (x)"] {
        assert_eq!(calltape(&format!("sql '{statement}'"), &around).code, 2, "{statement}");
    }
    let count: i64 = shop.sample.connection.query_row("SELECT count(*) FROM call", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 9);
}

#[test]
fn a_question_that_is_interrupted_ends_quietly() {
    let shop = ShopTape::create();
    let mut around = surroundings(shop.sample.folder.path());
    around.interrupt = Some(|| true);
    let endless = "sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n'";
    let ran = calltape(endless, &around);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (130, "", ""));
}
