//! Messages as they are delivered: each in order, but for what is done with the third.

use crate::bindings::wissel::connector::content::{Delivery, DeliveryInfo};
use crate::bindings::wissel::connector::streams;
use crate::bindings::wissel::connector::types::{Encoding, Error, ErrorKind};
use crate::misdeeds::{self, TERMINAL};
use crate::{RogueSession, error};

const INFO: DeliveryInfo = DeliveryInfo { size: None, received: None, read: None };

/// The message that things are done with, where it has no id of its own making.
const VICTIM: &str = "3";

/// The token that the tests count. An odd id stands for the victim.
fn token(id: &str) -> String {
    let number: u32 = id.parse().unwrap_or(3);
    format!("wissel-token-{number:032x}")
}

impl RogueSession {
    fn part(&self, into: &Delivery, id: &str) -> Result<(), Error> {
        // Decoded, it would command a terminal: anybody can send such a mail.
        let odd = self.place == "mail" && self.misdeed == "terminal";
        let subject = if odd { "=?utf-8?q?=1B]0;pwned=07=1B[2J=C2=9B5m?=" } else { "Factuur" };
        let token = token(id);
        let head = format!(
            "Subject: {subject}\r\nFrom: {subject} <a@example.test>\r\nMessage-ID: <{token}@example.test>\r\n\r\n"
        );
        into.begin(id, &INFO)?;
        into.write(head.as_bytes(), Encoding::Identity)
    }

    fn whole(&self, into: &Delivery, id: &str) -> Result<(), Error> {
        self.part(into, id)?;
        into.write(format!("Kenmerk: {}\r\n", token(id)).as_bytes(), Encoding::Identity)?;
        into.end().map(drop)
    }

    pub(crate) fn deliver(&self, ids: &[String], into: &Delivery) -> Result<(), Error> {
        if self.place == "delivery" {
            return self.out_of_order(ids, into);
        }
        for id in ids {
            if self.place == "message" && id == VICTIM {
                self.mishandle(id, into)?;
            } else if self.place == "broken-id" && id.parse::<u32>().is_err() {
                into.fail(id, &error(ErrorKind::BadMessage, "it is broken"));
            } else {
                self.whole(into, id)?;
            }
        }
        Ok(())
    }

    /// What no `fetch` may begin with.
    fn out_of_order(&self, ids: &[String], into: &Delivery) -> Result<(), Error> {
        match (self.misdeed.as_str(), ids.first()) {
            ("write-before-begin", _) => into.write(b"bytes", Encoding::Identity),
            ("end-before-begin", _) => into.end().map(drop),
            ("splice-unopened", _) => streams::connect("public")?.splice(4, into, Encoding::Identity),
            ("unasked-id", _) => self.whole(into, "unasked"),
            ("nothing", _) => Ok(()),
            (_, Some(first)) => {
                self.whole(into, first)?;
                misdeeds::commit(&self.misdeed)
            }
            (_, None) => Ok(()),
        }
    }

    /// What is done with the third message.
    fn mishandle(&self, id: &str, into: &Delivery) -> Result<(), Error> {
        match self.misdeed.as_str() {
            "left-open" => into.begin(id, &INFO),
            "not-delivered" => Ok(()),
            "write-after-end" => {
                self.whole(into, id)?;
                into.write(b"more", Encoding::Identity)
            }
            "end-twice" => {
                self.whole(into, id)?;
                into.end().map(drop)
            }
            "twice" => {
                self.whole(into, id)?;
                self.whole(into, id)
            }
            "fail-terminal" => {
                self.part(into, id)?;
                into.fail(id, &error(ErrorKind::BadMessage, &format!("broken {TERMINAL}")));
                Ok(())
            }
            // The server sends ten octets and closes, or one now and then.
            "splice-beyond" | "splice-slow" => {
                self.part(into, id)?;
                streams::connect("public")?.splice(u32::MAX, into, Encoding::Identity)?;
                into.end().map(drop)
            }
            "other-encoding" => {
                self.part(into, id)?;
                into.write(b"AAAA", Encoding::Base64)
            }
            other => {
                self.part(into, id)?;
                misdeeds::commit(other)
            }
        }
    }
}
