//! Waiting for a change in a folder: IDLE (RFC 2177) where the server has it, else NOOP every half minute.

use wissel_connector::Result;
use wissel_connector::types::{Readiness, Wake};

use crate::connection::{Connection, Consumer, Event};
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::response::Data;
use crate::select::Purpose;
use crate::session::ImapSession;

/// A server may end an IDLE after 30 minutes (RFC 2177, section 3).
const LONGEST_IDLE_MS: f64 = 29.0 * 60_000.0;
/// Between two NOOPs.
const NOOP_MS: f64 = 30_000.0;

impl ImapSession {
    pub(crate) fn wait_for_change(&mut self, folder: &str, timeout_ms: u32) -> Result<Wake> {
        self.select(folder, Purpose::Read)?;
        let connection = &mut self.connection;
        let end = connection.host.monotonic_ms() + f64::from(timeout_ms);
        let idles = connection.offers("IDLE");
        loop {
            let left = end - connection.host.monotonic_ms();
            if left <= 0.0 {
                return Ok(Wake::TimedOut);
            }
            let wake = match idles {
                true => idle(connection, left.min(LONGEST_IDLE_MS))?,
                false => noop(connection, left.min(NOOP_MS))?,
            };
            if wake != Wake::TimedOut {
                return Ok(wake);
            }
        }
    }
}

/// Notices changes of the open folder.
#[derive(Debug, Default)]
struct Notice {
    changed: bool,
}

impl Consumer for Notice {
    fn data(&mut self, data: Data<'static>) -> Result<()> {
        self.changed |= matches!(
            data,
            Data::Exists(_)
                | Data::Recent(1..)
                | Data::Expunge(_)
                | Data::Vanished { .. }
                | Data::Fetch { .. }
        );
        Ok(())
    }
}

/// One IDLE, ended properly.
fn idle(connection: &mut Connection, ms: f64) -> Result<Wake> {
    let mut notice = Notice::default();
    let mut sent = connection.send(CommandBody::Idle, "wait")?;
    let mut wake = Wake::TimedOut;
    if connection.challenge_noticing(&mut sent, &mut notice)?.is_some() {
        wake = until_change(connection, ms, &mut notice)?;
        connection.stream.write(b"DONE\r\n")?;
    }
    connection.finish(sent, &mut notice)?;
    Ok(if notice.changed { Wake::Changed } else { wake })
}

fn until_change(connection: &mut Connection, ms: f64, notice: &mut Notice) -> Result<Wake> {
    let end = connection.host.monotonic_ms() + ms;
    while !notice.changed {
        let left = (end - connection.host.monotonic_ms()).max(0.0);
        match connection.stream.poll(left as u32)? {
            Readiness::TimedOut => return Ok(Wake::TimedOut),
            Readiness::Interrupted => return Ok(Wake::Interrupted),
            Readiness::Ready => match connection.next(notice)? {
                Event::Untagged => {}
                // The server ended the IDLE by itself.
                Event::Tagged(_) | Event::Continue(_) => {
                    return Err(wissel_connector::Error::temporary("the server ended the wait").lost());
                }
            },
        }
    }
    Ok(Wake::Changed)
}

/// One NOOP, and then a pause in which the host can interrupt.
fn noop(connection: &mut Connection, ms: f64) -> Result<Wake> {
    let mut notice = Notice::default();
    connection.run(CommandBody::Noop, "answer", &mut notice)?;
    match notice.changed {
        true => Ok(Wake::Changed),
        false => until_change(connection, ms, &mut notice),
    }
}
