//! SQLite before 3.51.3 can lose committed rows when several connections use one WAL; the bundled one must be later.

use calltape_engine::store::MINIMUM_SQLITE;

#[test]
fn the_sqlite_linked_in_is_3_51_3_or_later() {
    assert_eq!(MINIMUM_SQLITE, 3_051_003);
    assert!(rusqlite::version_number() >= MINIMUM_SQLITE, "linked: {}", rusqlite::version());
}
