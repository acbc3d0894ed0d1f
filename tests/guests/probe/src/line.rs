//! A made-up line protocol: greeting, commands, answers of one line each.

use crate::bindings::exports::wissel::connector::email_account::Wake;
use crate::bindings::wissel::connector::credentials::{self, SealedForm};
use crate::bindings::wissel::connector::streams::{self, Connection, Readiness};
use crate::bindings::wissel::connector::types::{Error, ErrorKind};
use crate::{ProbeSession, error};

fn text(line: Vec<u8>) -> String {
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

impl ProbeSession {
    pub(crate) fn talk(&self) -> Result<Vec<(String, String)>, Error> {
        let connection = streams::connect("line")?;
        let answer = self.talk_on(&connection);
        connection.close();
        answer
    }

    fn talk_on(&self, connection: &Connection) -> Result<Vec<(String, String)>, Error> {
        let mut facts = vec![("greeting".to_owned(), text(connection.read_line(1000)?))];
        match self.behaviour.as_str() {
            "start-tls" => {
                connection.write(b"STARTTLS\r\n")?;
                connection.read_line(1000)?;
                connection.start_tls()?;
                connection.write(b"HELLO\r\n")?;
                facts.push(("secure".to_owned(), text(connection.read_line(1000)?)));
            }
            "sealed" | "sealed-elsewhere" => {
                let endpoint = if self.behaviour == "sealed" { "line" } else { "other" };
                let mechanism = credentials::mechanisms().remove(0);
                let exchange = credentials::begin(endpoint, &mechanism, None)?;
                let initial = exchange.initial(SealedForm::Base64)?;
                let initial = initial.ok_or_else(|| error(ErrorKind::Protocol, "no initial response"))?;
                connection.write(format!("AUTH {mechanism} ").as_bytes())?;
                connection.write_sealed(&initial)?;
                connection.write(b"\r\n")?;
                facts.push(("answer".to_owned(), text(connection.read_line(1000)?)));
            }
            "password" => {
                let password = credentials::password("line", SealedForm::Quoted)?;
                connection.write(b"LOGIN ")?;
                connection.write_sealed(&password)?;
                connection.write(b"\r\n")?;
                facts.push(("answer".to_owned(), text(connection.read_line(1000)?)));
            }
            "unsent" => drop(credentials::password("line", SealedForm::Raw)?),
            "silent" => {
                connection.read_line(1000)?;
            }
            _ => {}
        }
        Ok(facts)
    }

    /// Waits on a connection of its own for a line of the server.
    pub(crate) fn idle(&self, timeout_ms: u32) -> Result<Wake, Error> {
        let mut kept = self.connection.borrow_mut();
        if kept.is_none() {
            let connection = streams::connect("line")?;
            connection.read_line(1000)?;
            *kept = Some(connection);
        }
        let Some(connection) = kept.as_ref() else { return Ok(Wake::TimedOut) };
        Ok(match connection.poll(timeout_ms)? {
            Readiness::Ready => {
                connection.read_line(1000)?;
                Wake::Changed
            }
            Readiness::TimedOut => Wake::TimedOut,
            Readiness::Interrupted => Wake::Interrupted,
        })
    }
}
