//! Ways to deliver messages, right and wrong.

use crate::bindings::wissel::connector::content::{Delivery, DeliveryInfo};
use crate::bindings::wissel::connector::streams;
use crate::bindings::wissel::connector::types::{Encoding, Error, ErrorKind};
use crate::{ProbeSession, error};

const INFO: DeliveryInfo = DeliveryInfo { size: None, received: None, read: None };

fn whole(into: &Delivery, id: &str) -> Result<(), Error> {
    into.begin(id, &INFO)?;
    into.write(format!("Subject: probe {id}\r\n\r\nhello\r\n").as_bytes(), Encoding::Identity)?;
    into.end()?;
    Ok(())
}

impl ProbeSession {
    pub(crate) fn deliver(&self, ids: &[String], into: &Delivery) -> Result<(), Error> {
        match self.behaviour.as_str() {
            "http-four" | "http-four-auth" => return self.download(ids, into),
            "splice-until" => return self.cut_out(ids, into),
            "literals" => return literals(ids, into),
            _ => {}
        }
        for (number, id) in ids.iter().enumerate() {
            match (self.behaviour.as_str(), number) {
                ("trap-in-fetch", 1) => {
                    into.begin(id, &INFO)?;
                    into.write(b"half", Encoding::Identity)?;
                    std::process::abort();
                }
                ("write-after-end", 1) => into.write(b"more", Encoding::Identity)?,
                ("unasked-id", 1) => whole(into, "unasked")?,
                ("twice", 1) => ids.first().map_or(Ok(()), |first| whole(into, first))?,
                ("left-open", 1) => into.begin(id, &INFO)?,
                ("fail-one", 1) => into.fail(id, &error(ErrorKind::BadMessage, "it is broken")),
                ("bad-base64", 1) => {
                    into.begin(id, &INFO)?;
                    match into.write(b"no*base64", Encoding::Base64).and_then(|()| into.end()) {
                        Ok(_) => {}
                        Err(reason) => into.fail(id, &reason),
                    }
                }
                _ => whole(into, id)?,
            }
        }
        Ok(())
    }
}

/// Each message as a line with its size and then that many octets, straight into the delivery.
fn literals(ids: &[String], into: &Delivery) -> Result<(), Error> {
    let connection = streams::connect("line")?;
    connection.read_line(1000)?;
    for id in ids {
        connection.write(format!("GET {id}\r\n").as_bytes())?;
        let size = String::from_utf8_lossy(&connection.read_line(100)?).trim().parse();
        let size = size.map_err(|_| error(ErrorKind::Protocol, "that is no size"))?;
        into.begin(id, &INFO)?;
        connection.splice(size, into, Encoding::Identity)?;
        into.end()?;
    }
    connection.close();
    Ok(())
}
