//! Requests and responses: method, URL and status, as stored. Headers, cookies and bodies are left out; in a URL the
//! credentials and what a query says under a sensitive name are masked.

use calltape_record::value::Width;
use pyo3::ffi;

use super::super::level::Shape;
use super::super::walk::{Capture, type_name};
use super::Object;
use super::storage::{Held, find, stored, stored_in_type};
use super::table::Known;

pub(super) const KNOWN: &[Known] = &[
    ("Response", c"requests.models", c"Response", requests_response),
    ("PreparedRequest", c"requests.models", c"PreparedRequest", requests_request),
    ("Request", c"requests.models", c"Request", requests_request),
    ("Request", c"httpx", c"Request", httpx_request),
    ("Response", c"httpx", c"Response", httpx_response),
    ("URL", c"httpx", c"URL", httpx_url),
    ("Headers", c"httpx", c"Headers", httpx_headers),
    ("CaseInsensitiveDict", c"requests.structures", c"CaseInsensitiveDict", requests_headers),
    ("HTTPConnection", c"starlette.requests", c"HTTPConnection", scope_request),
    ("Response", c"starlette.responses", c"Response", plain_response),
    ("URL", c"starlette.datastructures", c"URL", starlette_url),
    ("Request", c"werkzeug.sansio.request", c"Request", werkzeug_request),
    ("Response", c"werkzeug.sansio.response", c"Response", werkzeug_response),
    ("HttpRequest", c"django.http.request", c"HttpRequest", django_request),
    ("HttpResponseBase", c"django.http.response", c"HttpResponseBase", django_response),
];

/// Characters of a URL or of a part of it that are read.
const MOST_URL: usize = 2048;
/// Headers that are read.
const MOST_HEADERS: usize = 256;

/// What is shown of a request or a response.
#[derive(Default)]
struct Exchange {
    status: Option<i64>,
    method: Option<String>,
    url: Option<String>,
}

impl Capture<'_> {
    /// # Safety
    /// As [`super::Reader`].
    unsafe fn exchange(&mut self, object: Object, exchange: &Exchange) {
        let length = usize::from(exchange.status.is_some())
            + usize::from(exchange.method.is_some())
            + usize::from(exchange.url.is_some());
        // SAFETY: passed on; the type of a live value is live.
        unsafe {
            let name = type_name(object.kind);
            if length == 0 {
                return self.marker(name);
            }
            let Some(mut level) = self.enter(object.value, length, Shape::Fields) else { return };
            let mut fits = self.extra_entry(&mut level, "__class__", |capture| capture.plain(name));
            if let Some(status) = exchange.status.filter(|_| fits) {
                fits = self.named_entry(&mut level, "status", |capture| capture.number(status));
            }
            if let Some(method) = exchange.method.as_ref().filter(|_| fits) {
                fits = self.named_entry(&mut level, "method", |capture| capture.plain(method));
            }
            if let Some(url) = exchange.url.as_ref().filter(|_| fits) {
                self.named_entry(&mut level, "url", |capture| capture.plain(url));
            }
            self.leave(level);
        }
    }
}

impl Capture<'_> {
    /// Headers as the object that they are; a sensitive one's value is masked.
    ///
    /// # Safety
    /// As [`super::Reader`].
    unsafe fn headers(&mut self, object: Object, length: usize, header: impl Fn(usize) -> Option<(Held, Held)>) {
        // SAFETY: passed on; name and value are held.
        unsafe {
            let Some(mut level) = self.enter(object.value, length, Shape::Pairs) else { return };
            for (name, value) in (0..length).map_while(header) {
                if !self.pair(&mut level, name.get(), value.get()) {
                    break;
                }
            }
            self.leave(level);
        }
    }
}

/// A text that an object stores, of a str or of bytes.
///
/// # Safety
/// The object is live and held, the interpreter lock held.
unsafe fn text_in(object: *mut ffi::PyObject, name: &str) -> Option<String> {
    // SAFETY: passed on.
    unsafe { text_of(&stored(object, name)?) }
}

fn text_of(value: &Held) -> Option<String> {
    value.text(MOST_URL).or_else(|| value.bytes(MOST_URL))
}

/// # Safety
/// As [`super::Reader`], for a request of requests.
unsafe fn requests_request(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let (method, url) = (text_in(object.value, "method"), text_in(object.value, "url"));
        capture.exchange(object, &Exchange { status: None, method, url });
    }
}

/// # Safety
/// As [`super::Reader`], for a response of requests.
unsafe fn requests_response(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let status = stored(object.value, "status_code").and_then(|status| status.int());
        let request = stored(object.value, "request");
        let method = request.and_then(|request| text_in(request.get(), "method"));
        capture.exchange(object, &Exchange { status, method, url: text_in(object.value, "url") });
    }
}

/// # Safety
/// As [`super::Reader`], for a request of httpx.
unsafe fn httpx_request(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let url = stored(object.value, "url").and_then(|url| text_of_httpx(&url));
        capture.exchange(object, &Exchange { status: None, method: text_in(object.value, "method"), url });
    }
}

/// # Safety
/// As [`super::Reader`], for a response of httpx.
unsafe fn httpx_response(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let status = stored(object.value, "status_code").and_then(|status| status.int());
        let request = stored(object.value, "_request").filter(|request| !request.is_none());
        let method = request.as_ref().and_then(|request| text_in(request.get(), "method"));
        let url = request.and_then(|request| text_of_httpx(&stored(request.get(), "url")?));
        capture.exchange(object, &Exchange { status, method, url });
    }
}

/// # Safety
/// As [`super::Reader`], for a URL of httpx.
unsafe fn httpx_url(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; held by the walk.
    match unsafe { text_of_httpx(&Held::of(object.value)) } {
        Some(url) => capture.plain(&url),
        // SAFETY: the type of a live value is live.
        None => capture.marker(unsafe { type_name(object.kind) }),
    }
}

/// # Safety
/// As [`super::Reader`], for headers of httpx: a list of names as given, names in small letters, values.
unsafe fn httpx_headers(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let list = stored(object.value, "_list").filter(Held::is_list);
        let length = list.as_ref().and_then(Held::items).unwrap_or_default();
        let header = |at| {
            let header = list.as_ref()?.item(at)?;
            Some((header.item(0)?, header.item(2)?))
        };
        capture.headers(object, length, header);
    }
}

/// # Safety
/// As [`super::Reader`], for headers of requests: a dict from names in small letters to names as given and values.
unsafe fn requests_headers(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let store = stored(object.value, "_store").filter(Held::is_dict);
        let headers: Vec<Held> = store.map(|store| store.values(MOST_HEADERS)).unwrap_or_default();
        capture.headers(object, headers.len(), |at| {
            let header = headers.get(at)?;
            Some((header.item(0)?, header.item(1)?))
        });
    }
}

/// A URL of httpx's: a named tuple of scheme, user, host, port, path, query and fragment.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn text_of_httpx(url: &Held) -> Option<String> {
    // SAFETY: passed on.
    let parts = unsafe { stored(url.get(), "_uri_reference")? };
    let part = |at| parts.item(at).filter(|part| !part.is_none()).and_then(|part| text_of(&part));
    let some = |at| part(at).filter(|text| !text.is_empty());
    let mut text = some(0).map_or_else(String::new, |scheme| format!("{scheme}://"));
    if some(1).is_some() {
        text.push_str("***@");
    }
    text.push_str(&part(2)?);
    if let Some(port) = parts.item(3).and_then(|port| port.int()) {
        text.push_str(&format!(":{port}"));
    }
    text.push_str(&part(4).unwrap_or_default());
    for (at, mark) in [(5, '?'), (6, '#')] {
        if let Some(rest) = some(at) {
            text.push(mark);
            text.push_str(&rest);
        }
    }
    Some(text)
}

/// # Safety
/// As [`super::Reader`], for a URL of starlette.
unsafe fn starlette_url(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the type of a live value is live.
    unsafe {
        match text_in(object.value, "_url") {
            Some(url) => capture.plain(&url),
            None => capture.marker(type_name(object.kind)),
        }
    }
}

/// # Safety
/// As [`super::Reader`], for a request of starlette: all of it stands in a dict.
unsafe fn scope_request(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let Some(scope) = stored(object.value, "scope").filter(Held::is_dict) else {
            return capture.marker(type_name(object.kind));
        };
        let text = |name| scope.entry(name).and_then(|value| text_of(&value));
        let host = scope.entry("server").and_then(|server| {
            let host = server.item(0).and_then(|host| text_of(&host))?;
            Some((host, server.item(1).and_then(|port| port.int())))
        });
        let path = format!("{}{}", text("root_path").unwrap_or_default(), text("path").unwrap_or_default());
        let url = url_of(text("scheme"), host, &path, text("query_string"));
        capture.exchange(object, &Exchange { status: None, method: text("method"), url: Some(url) });
    }
}

/// # Safety
/// As [`super::Reader`], for a response that stores its status.
unsafe fn plain_response(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let status = stored(object.value, "status_code").and_then(|status| status.int());
        capture.exchange(object, &Exchange { status, ..Exchange::default() });
    }
}

/// # Safety
/// As [`super::Reader`], for a request of werkzeug or Flask.
unsafe fn werkzeug_request(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let host = stored(object.value, "server").and_then(|server| {
            let host = server.item(0).and_then(|host| text_of(&host))?;
            Some((host, server.item(1).and_then(|port| port.int())))
        });
        let text = |name| text_in(object.value, name);
        let path = format!("{}{}", text("root_path").unwrap_or_default(), text("path").unwrap_or_default());
        let method = text("method");
        let url = method.is_some().then(|| url_of(text("scheme"), host, &path, text("query_string")));
        capture.exchange(object, &Exchange { status: None, method, url });
    }
}

/// # Safety
/// As [`super::Reader`], for a response of werkzeug or Flask.
unsafe fn werkzeug_response(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let status = stored(object.value, "_status_code").and_then(|status| status.int());
        capture.exchange(object, &Exchange { status, ..Exchange::default() });
    }
}

/// # Safety
/// As [`super::Reader`], for a request of Django.
unsafe fn django_request(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on; the server's variables are a dict.
    unsafe {
        let meta = stored(object.value, "META").filter(Held::is_dict);
        let variable = |name| {
            let found = find(meta.as_ref()?.get(), name);
            if found.is_null() { None } else { text_of(&Held::of(found)) }
        };
        let host = variable("HTTP_HOST").map(|host| (host, None)).or_else(|| {
            let port = variable("SERVER_PORT").and_then(|port| port.parse().ok());
            Some((variable("SERVER_NAME")?, port))
        });
        let path = text_in(object.value, "path").unwrap_or_default();
        let method = text_in(object.value, "method");
        let query = variable("QUERY_STRING");
        let url = method.is_some().then(|| url_of(variable("wsgi.url_scheme"), host, &path, query));
        capture.exchange(object, &Exchange { status: None, method, url });
    }
}

/// # Safety
/// As [`super::Reader`], for a response of Django, whose status may be its class's.
unsafe fn django_response(capture: &mut Capture<'_>, object: Object) {
    // SAFETY: passed on.
    unsafe {
        let status = stored(object.value, "status_code").or_else(|| stored_in_type(object.kind, "status_code"));
        let status = status.and_then(|status| status.int());
        capture.exchange(object, &Exchange { status, ..Exchange::default() });
    }
}

/// A URL of its parts; a port that the scheme implies is left out, and without a host the path stands alone.
fn url_of(scheme: Option<String>, host: Option<(String, Option<i64>)>, path: &str, query: Option<String>) -> String {
    let scheme = scheme.unwrap_or_else(|| "http".to_owned());
    let mut text = String::with_capacity(path.len() + Width::QUOTES);
    if let Some((host, port)) = host {
        text.push_str(&format!("{scheme}://{host}"));
        let implied = matches!((scheme.as_str(), port), ("http" | "ws", Some(80)) | ("https" | "wss", Some(443)));
        if let Some(port) = port.filter(|_| !implied) {
            text.push_str(&format!(":{port}"));
        }
    }
    text.push_str(path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        text.push('?');
        text.push_str(&query);
    }
    text
}
