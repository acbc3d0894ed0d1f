//! HTTP: several requests under way at once, messages cut out of an answer, a message sent.

use crate::bindings::exports::wissel::connector::email_account::{Certainty, Envelope, Receipt, SendError};
use crate::bindings::wissel::connector::content::{Delivery, DeliveryInfo, Source};
use crate::bindings::wissel::connector::http::{self, Payload, Request};
use crate::bindings::wissel::connector::types::{Encoding, Error, ErrorKind};
use crate::{ProbeSession, error};

const INFO: DeliveryInfo = DeliveryInfo { size: None, received: None, read: None };

fn get(url: String) -> Request {
    Request {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: None,
        authenticate: false,
        idempotent: true,
    }
}

impl ProbeSession {
    pub(crate) fn browse(&self) -> Result<Vec<(String, String)>, Error> {
        let mut request = get(self.url.clone());
        match self.behaviour.as_str() {
            "http-ask" => {}
            "http-auth" => request.authenticate = true,
            "http-post" => {
                request.authenticate = true;
                (request.method, request.idempotent) = ("POST".to_owned(), false);
                request.body = Some(Payload::new(b"do this"));
            }
            "http-batch" => {
                let body = Payload::new(b"many");
                body.counts_as(20);
                (request.method, request.body) = ("POST".to_owned(), Some(body));
            }
            "http-header" => request.headers.push(("Authorization".to_owned(), "Bearer mine".to_owned())),
            "http-inject" => {
                request.headers.push(("X-Mine".to_owned(), "1\r\nAuthorization: mine".to_owned()));
            }
            "http-inject-name" => request.headers.push(("X\r\nHost".to_owned(), "elsewhere".to_owned())),
            "http-inject-method" => request.method = "GET / HTTP/1.1\r\nX: ".to_owned(),
            "http-many-headers" => {
                request.headers.extend((0..101).map(|number| (format!("x-{number}"), String::new())));
            }
            "http-home" => request.url = format!("http://localhost:{}/", self.port),
            "http-metadata" => request.url = "http://169.254.169.254/latest/meta-data".to_owned(),
            "http-follow" => {
                let response = http::send(request)?;
                let next = response.header("location").unwrap_or_default();
                response.close();
                request = get(next);
                request.authenticate = true;
            }
            // Not the origin that the account grants.
            _ => request.url = request.url.replace("127.0.0.1", "localhost"),
        }
        let response = http::send(request)?;
        let echo = response.header("x-echo").unwrap_or_default();
        let body = String::from_utf8_lossy(&response.read_all(10_000)?).into_owned();
        Ok(vec![
            ("status".to_owned(), response.status().to_string()),
            ("echo".to_owned(), echo),
            ("body".to_owned(), body),
        ])
    }

    /// Starts all requests, then takes the answers in their order.
    pub(crate) fn download(&self, ids: &[String], into: &Delivery) -> Result<(), Error> {
        let authenticate = self.behaviour == "http-four-auth";
        let request = |id| Request { authenticate, ..get(format!("{}/{id}", self.url)) };
        let pending: Vec<_> = ids.iter().map(|id| (id, http::start(request(id)))).collect();
        for (id, pending) in pending {
            let response = pending.wait()?;
            into.begin(id, &INFO)?;
            response.splice(into, Encoding::Identity)?;
            into.end()?;
        }
        Ok(())
    }

    /// All messages in one JSON document, in base64.
    pub(crate) fn cut_out(&self, ids: &[String], into: &Delivery) -> Result<(), Error> {
        let response = http::send(get(self.url.clone()))?;
        for id in ids {
            let before = response.read_until(br#""data":""#, 1000)?;
            if !before.ends_with(br#""data":""#) {
                return Err(error(ErrorKind::Protocol, "the answer has too few messages"));
            }
            into.begin(id, &INFO)?;
            response.splice_until(b"\"", into, Encoding::Base64)?;
            into.end()?;
        }
        let rest = response.read_all(1000)?;
        if rest != b"}]" {
            return Err(error(ErrorKind::Protocol, &String::from_utf8_lossy(&rest)));
        }
        Ok(())
    }

    pub(crate) fn post(&self, envelope: &Envelope, content: &Source) -> Result<Receipt, SendError> {
        let failed = |certainty| move |reason| SendError { certainty, reason, refused: Vec::new() };
        let body = Payload::new(b"{\"raw\":\"");
        body.append_source(content, 0, None, Encoding::Base64).map_err(failed(Certainty::NotSent))?;
        body.append(b"\"}");
        if self.behaviour == "trap-before-send" {
            std::process::abort();
        }
        let request = Request {
            method: "POST".to_owned(),
            body: Some(body),
            idempotent: false,
            ..get(self.url.clone())
        };
        content.point_of_no_return();
        let response = http::send(request).map_err(failed(Certainty::Unknown))?;
        Ok(Receipt {
            message: None,
            answer: response.status().to_string(),
            refused: Vec::new(),
            internet_message_id: envelope.internet_message_id.clone(),
        })
    }
}
