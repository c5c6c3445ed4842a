//! docs/settings.md shows the table of settings, row by row; run with `CALLTAPE_WRITE_DOCS=1` to write it anew.

use std::path::Path;

use calltape_engine::settings::TABLE;

const MARK: &str = "<!-- settings: from calltape-engine's table, compared by a test -->\n";

fn rows() -> String {
    let mut text = String::from(
        "\n| setting | environment | default | a plain number is | what it does |\n|---|---|---|---|---|\n",
    );
    for setting in TABLE {
        text.push_str(&format!(
            "| `{}` | `{}` | `{}` | {} | {} |\n",
            setting.name,
            setting.environment_name(),
            setting.default,
            if setting.unit.is_empty() { "-" } else { setting.unit },
            setting.help,
        ));
    }
    text
}

#[test]
fn the_settings_page_lists_every_setting_with_its_default() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let text = std::fs::read_to_string(&page).expect("the page");
    let (before, after) = text.split_once(MARK).expect("the mark");
    if std::env::var_os("CALLTAPE_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{MARK}{}", rows())).expect("written");
        return;
    }
    assert_eq!(after, rows(), "write it anew with CALLTAPE_WRITE_DOCS=1");
}
