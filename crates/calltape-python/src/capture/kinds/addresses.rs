//! Internet addresses and networks of `ipaddress`, written from the numbers they store. Called by `walk` through the
//! table of known types.

use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::ffi;

use super::super::scalar::bit_length;
use super::super::text::ascii;
use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, getter, stored};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("IPv4Address", c"ipaddress", c"IPv4Address", address),
    ("IPv6Address", c"ipaddress", c"IPv6Address", address),
    ("IPv4Network", c"ipaddress", c"IPv4Network", network),
    ("IPv6Network", c"ipaddress", c"IPv6Network", network),
];

/// Characters kept of an address's zone.
const MOST_ZONE: usize = 64;

/// # Safety
/// As [`super::Reader`], for an address.
unsafe fn address(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    let text = unsafe { address_text(object.value, object.base) };
    match text {
        Some(text) => capture.plain(&text),
        // SAFETY: the type of a live value is live.
        None => capture.marker(unsafe { type_name(object.kind) }),
    }
}

/// # Safety
/// As [`super::Reader`], for a network.
unsafe fn network(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the address is held.
    let text = unsafe {
        stored(object.value, "network_address").and_then(|address| {
            let is_wide = type_name(object.base) == "IPv6Network";
            let bits = stored(object.value, "_prefixlen")?.int()?;
            let class = if is_wide { c"IPv6Address" } else { c"IPv4Address" };
            let of_class = super::storage::is_loaded(address.kind(), c"ipaddress", class);
            of_class.then_some(())?;
            Some(format!("{}/{bits}", address_text(address.get(), address.kind())?))
        })
    };
    match text {
        Some(text) => capture.plain(&text),
        // SAFETY: the type of a live value is live.
        None => capture.marker(unsafe { type_name(object.kind) }),
    }
}

/// # Safety
/// `value` is a live address of the known class `base`, the interpreter lock held.
unsafe fn address_text(value: *mut ffi::PyObject, base: *mut ffi::PyTypeObject) -> Option<String> {
    // SAFETY: `_ip` and `_scope_id` are slots of the classes; a number's hexadecimal text looks at no signals.
    unsafe {
        let number = getter(base, "_ip", value)?;
        if ffi::PyLong_Check(number.get()) == 0 || bit_length(number.get()) > 128 {
            return None;
        }
        let text = Held::taken(ffi::PyNumber_ToBase(number.get(), 16))?;
        let digits = std::str::from_utf8(ascii(text.get())?.strip_prefix(b"0x")?).ok()?;
        let number = u128::from_str_radix(digits, 16).ok()?;
        if type_name(base) == "IPv4Address" {
            return Some(Ipv4Addr::from(u32::try_from(number).ok()?).to_string());
        }
        let zone = getter(base, "_scope_id", value).and_then(|zone| zone.text(MOST_ZONE));
        let zone = zone.map(|zone| format!("%{zone}")).unwrap_or_default();
        Some(format!("{}{zone}", Ipv6Addr::from(number)))
    }
}
