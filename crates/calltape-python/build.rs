//! Makes the interpreter's version known to `cfg`, as PyO3 itself sees it.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
