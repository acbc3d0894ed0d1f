//! What a connector must not get away with over HTTP.

use crate::bindings::wissel::connector::http::{self, Request};
use crate::bindings::wissel::connector::types::{Error, ErrorKind};
use crate::error;

fn get(url: String) -> Request {
    let method = "GET".to_owned();
    Request { method, url, headers: Vec::new(), body: None, authenticate: true, idempotent: true }
}

fn without_credential(url: String) -> Request {
    Request { authenticate: false, ..get(url) }
}

pub(crate) fn commit(misdeed: &str, web: &str, port: &str) -> Result<(), Error> {
    let mut request = get(web.to_owned());
    match misdeed {
        "elsewhere" => request.url = "http://127.0.0.1:1/".to_owned(),
        // The origin is granted, and sends on to one that is not.
        "redirected" => {
            let response = http::send(request)?;
            request = get(response.header("location").unwrap_or_default());
        }
        // Described by this connector, and named by nobody else.
        "metadata" => request = without_credential("http://169.254.169.254/latest/meta-data".to_owned()),
        "loopback-name" => request = without_credential(format!("http://localhost:{port}/")),
        "loopback" => request = without_credential(format!("http://127.0.0.1:{port}/")),
        "authorization" => request.headers.push(("authorization".to_owned(), "Bearer mine".to_owned())),
        "injection" => request.headers.push(("X-Mine".to_owned(), "1\r\nAuthorization: mine".to_owned())),
        "user-info" => request.url = web.replace("://", "://jan:secret@"),
        // The server's part: a body without an end, or one that grows.
        "all" => request = without_credential(web.to_owned()),
        other => return Err(error(ErrorKind::Unsupported, &format!("there is no misdeed '{other}'"))),
    }
    let length = http::send(request)?.read_all(u32::MAX)?.len();
    Err(error(ErrorKind::Protocol, &format!("{length} octets were answered")))
}
