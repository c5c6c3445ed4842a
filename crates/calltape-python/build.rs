//! Makes the interpreter's version known to `cfg`, as PyO3 itself sees it, and has the linker put what runs while a process
//! records side by side (`text-order.ld`).

use std::env;

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    println!("cargo::rerun-if-changed=text-order.ld");
    println!("cargo::rerun-if-env-changed=CALLTAPE_TEXT_ORDER");
    // For a linker that reads no scripts: CALLTAPE_TEXT_ORDER=off.
    let wanted = env::var("CALLTAPE_TEXT_ORDER").map_or(true, |value| value != "off");
    if wanted && env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
        println!("cargo::rustc-link-arg-cdylib=-Wl,-T,{folder}/text-order.ld");
    }
}
