//! Fetching messages: the MIME form of each, several under way at a time, moved by the host from the answer into the
//! delivery. No byte of a message passes through here.

use wissel_connector::types::{DeliveryInfo, Encoding};
use wissel_connector::{Delivery, Error, ErrorKind, Response, Result};

use crate::batch::ends_all;
use crate::folders::shown_id;
use crate::protocol::ids::Listed;
use crate::session::GraphSession;

/// Messages in a row whose failure may pass: then it is the service that is out of order, or the network, and each
/// further message would cost all of the host's attempts.
const OUTAGE: usize = 5;

/// Nothing is known beforehand; the listing told what the host needs.
const NOTHING_KNOWN: DeliveryInfo = DeliveryInfo { size: None, received: None, read: None };

impl GraphSession {
    pub(crate) fn fetch_all(&mut self, messages: &[String], into: &dyn Delivery) -> Result<()> {
        let mut addressed = Vec::with_capacity(messages.len());
        for id in messages {
            match Listed::read(id) {
                Ok(listed) => addressed.push((id, self.service.url(&format!("{}/$value", listed.path())))),
                Err(error) => into.fail(id, error),
            }
        }
        let host = self.service.host.clone();
        let half = host.remaining_ms() / 2;
        let (mut fetched, mut denied, mut in_a_row, mut stopped) = (0_usize, Vec::new(), 0, false);
        let ended = self.service.each(
            addressed,
            |(_, url)| url.clone(),
            |(id, _), answer| {
                match self.take(id, answer, into)? {
                    Taken::Whole => (fetched, in_a_row) = (fetched + 1, 0),
                    Taken::Denied(error) => denied.push((id, error)),
                    Taken::Failed(error) => {
                        in_a_row = if error.kind == ErrorKind::Temporary { in_a_row + 1 } else { 0 };
                        into.fail(id, error.clone());
                        if in_a_row == OUTAGE {
                            return Err(error);
                        }
                    }
                }
                // Large messages: what is not attempted now comes with the next call.
                stopped = host.remaining_ms() < half;
                if stopped { Err(Error::temporary("the time of the call is used up")) } else { Ok(()) }
            },
        );
        if let (Some((_, error)), 0) = (denied.first(), fetched) {
            // A matter of these messages, or of the whole mailbox?
            if self.service.folder("inbox", "open the mailbox").is_err() {
                return Err(error.clone());
            }
        }
        denied.into_iter().for_each(|(id, error)| into.fail(id, error));
        if stopped { Ok(()) } else { ended }
    }

    /// Takes in one message. An error means that no further one can be fetched.
    fn take(&self, id: &str, answer: Result<Box<dyn Response>>, into: &dyn Delivery) -> Result<Taken> {
        let result = answer.and_then(|mut answer| match answer.status() {
            200 => deliver(id, &mut *answer, into),
            _ => Err(self.service.refusal(&mut *answer, &format!("fetch the message {}", shown_id(id)))),
        });
        match result {
            Ok(()) => Ok(Taken::Whole),
            Err(error) if ends_all(&error) => Err(error),
            Err(error) if error.kind == ErrorKind::PermissionMissing => Ok(Taken::Denied(error)),
            Err(error) => Ok(Taken::Failed(error)),
        }
    }
}

/// What became of one message.
enum Taken {
    Whole,
    Failed(Error),
    /// The service denies it.
    Denied(Error),
}

fn deliver(id: &str, answer: &mut dyn Response, into: &dyn Delivery) -> Result<()> {
    // Something between here and the service answers with a page of its own: no message has this type.
    if answer.header("Content-Type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html")) {
        let message = "a web page came in place of a message; is there a proxy that asks for something?";
        return Err(Error::temporary(message));
    }
    into.begin(id, &NOTHING_KNOWN)?;
    if answer.splice(into, Encoding::Identity)? == 0 {
        let message = format!("Microsoft Graph sent nothing of the message {}", shown_id(id));
        return Err(Error::temporary(message));
    }
    into.end().map(drop)
}
