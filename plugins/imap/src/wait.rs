//! Waiting for a change in a folder: IDLE (RFC 2177) where the server has it, else NOOP every half minute.

use wissel_connector::types::{Readiness, Wake};
use wissel_connector::{Error, ErrorKind, Result};

use crate::connection::{Connection, Consumer, Event};
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::response::{Data, Tagged};
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
        let mut idles = connection.offers("IDLE");
        loop {
            let left = end - connection.host.monotonic_ms();
            if left <= 0.0 {
                return Ok(Wake::TimedOut);
            }
            let wake = match idles {
                true => match idle(connection, left.min(LONGEST_IDLE_MS)) {
                    Ok((wake, lasts)) => {
                        idles = lasts;
                        wake
                    }
                    // It offers what it refuses.
                    Err(error) if !error.is_final() && error.kind != ErrorKind::Throttled => {
                        idles = false;
                        Wake::TimedOut
                    }
                    Err(error) => return Err(error),
                },
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

/// One IDLE, ended properly. False when the server ended it: another one might end as soon.
fn idle(connection: &mut Connection, ms: f64) -> Result<(Wake, bool)> {
    let mut notice = Notice::default();
    let mut sent = connection.send(CommandBody::Idle, "wait")?;
    let (mut wake, mut lasts) = (Wake::TimedOut, false);
    if connection.challenge_noticing(&mut sent, &mut notice)?.is_some() {
        match until_change(connection, ms, &mut notice)? {
            Ok(woken) => {
                (wake, lasts) = (woken, true);
                connection.stream.write(b"DONE\r\n")?;
            }
            Err(ended) => sent.answered(ended),
        }
    }
    connection.finish(sent, &mut notice)?;
    Ok((if notice.changed { Wake::Changed } else { wake }, lasts))
}

/// Waits; the inner error is a tagged response that came instead of what was waited for.
fn until_change(
    connection: &mut Connection,
    ms: f64,
    notice: &mut Notice,
) -> Result<std::result::Result<Wake, Tagged<'static>>> {
    let end = connection.host.monotonic_ms() + ms;
    while !notice.changed {
        let left = (end - connection.host.monotonic_ms()).max(0.0);
        match connection.stream.poll(left as u32)? {
            Readiness::TimedOut => return Ok(Ok(Wake::TimedOut)),
            Readiness::Interrupted => return Ok(Ok(Wake::Interrupted)),
            Readiness::Ready => match connection.next(notice)? {
                Event::Untagged => {}
                Event::Tagged(tagged) => return Ok(Err(tagged)),
                Event::Continue(_) => return Err(out_of_step()),
            },
        }
    }
    Ok(Ok(Wake::Changed))
}

fn out_of_step() -> Error {
    Error::protocol("the server answers what it was not asked").lost()
}

/// One NOOP, and then a pause in which the host can interrupt.
fn noop(connection: &mut Connection, ms: f64) -> Result<Wake> {
    let mut notice = Notice::default();
    connection.run(CommandBody::Noop, "answer", &mut notice)?;
    match notice.changed {
        true => Ok(Wake::Changed),
        false => until_change(connection, ms, &mut notice)?.map_err(|_| out_of_step()),
    }
}
