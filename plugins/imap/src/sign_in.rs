//! From a fresh connection to a signed-in one: greeting, STARTTLS, SASL, and what the server offers afterwards.

use wissel_connector::types::{Readiness, SealedForm, Security};
use wissel_connector::{Error, ErrorKind, Host, Result};

use crate::connection::{Collect, Connection, Consumer, Sent};
use crate::describe::ENDPOINT;
use crate::protocol::assemble;
use crate::protocol::command::{Piece, encode_login};
use crate::protocol::failure;
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::core::{IString, NString, Vec1};
use crate::protocol::types::extensions::enable::CapabilityEnable;
use crate::protocol::types::extensions::namespace::Namespace;
use crate::protocol::types::extensions::utf8::Utf8Kind;
use crate::protocol::types::response::{Code, Data, GreetingKind, StatusBody, StatusKind};

/// What the server says about itself after sign-in.
#[derive(Debug, Default)]
pub(crate) struct Server {
    /// Name and version, from ID (RFC 2971).
    pub(crate) software: Option<String>,
    /// What stands before the names of the user's own mailboxes, as on the wire: empty, or such as `INBOX.`.
    pub(crate) prefix: String,
}

/// Connects and signs in, as `mailbox` when it is not the user's own.
pub(crate) fn sign_in(host: &Host, mailbox: Option<&str>) -> Result<(Connection, Server)> {
    let mut connection = Connection::new(host.connect(ENDPOINT)?, host.clone());
    let signed_in = greet(&mut connection)?;
    if connection.stream.security() == Security::StartTlsRequired {
        if signed_in {
            return Err(
                Error::protocol("the server signs in before STARTTLS, so nobody knows as whom").lost()
            );
        }
        start_tls(&mut connection)?;
    }
    if !signed_in {
        learn_capabilities(&mut connection)?;
        authenticate(&mut connection, mailbox)?;
    }
    learn_capabilities(&mut connection)?;
    let server = introduce(&mut connection)?;
    Ok((connection, server))
}

/// Milliseconds that a server may take to greet.
const GREETING: u32 = 20_000;

/// Reads the greeting. True when the connection is signed in already (PREAUTH).
fn greet(connection: &mut Connection) -> Result<bool> {
    if connection.stream.poll(GREETING)? == Readiness::TimedOut {
        let message = format!(
            "the server said nothing for {} seconds after the connection stood, as servers do that wait for TLS: \
             check whether `security` and `port` fit together",
            GREETING / 1000
        );
        return Err(Error::temporary(message).code("no-greeting").lost());
    }
    let line = connection.line()?;
    let greeting = assemble::greeting(&line)?;
    if greeting.kind == GreetingKind::Bye {
        let status = StatusBody { kind: StatusKind::No, code: greeting.code, text: greeting.text };
        return Err(failure::refusal(&status, "accept the connection", ErrorKind::Temporary).lost());
    }
    if let Some(Code::Capability(capabilities)) = &greeting.code {
        connection.learn(capabilities.as_ref());
    }
    Ok(greeting.kind == GreetingKind::PreAuth)
}

fn start_tls(connection: &mut Connection) -> Result<()> {
    learn_capabilities(connection)?;
    if !connection.offers("STARTTLS") {
        return Err(
            Error::invalid_setting("security", "the server does not offer STARTTLS on this port").lost()
        );
    }
    connection.run_quiet(CommandBody::StartTLS, "begin TLS")?;
    connection.stream.start_tls()?;
    connection.forget_capabilities();
    Ok(())
}

fn learn_capabilities(connection: &mut Connection) -> Result<()> {
    if connection.capabilities().is_empty() {
        connection.run_quiet(CommandBody::Capability, "tell its capabilities")?;
    }
    Ok(())
}

fn authenticate(connection: &mut Connection, mailbox: Option<&str>) -> Result<()> {
    let ours = connection.host.mechanisms();
    let shared =
        ours.iter().find(|m| connection.offers(&format!("AUTH={}", m.to_ascii_uppercase()))).cloned();
    let sent = match shared {
        Some(mechanism) => sasl(connection, &mechanism, mailbox)?,
        None if mailbox.is_none() && !connection.offers("LOGINDISABLED") => login(connection, &ours)?,
        None => return Err(no_common_mechanism(connection, &ours)),
    };
    // A refusal without a code is about the credential: nothing else was said so far.
    let done = connection.finish_or(sent, &mut Collect::default(), ErrorKind::AuthorizationNeeded);
    // Some servers say BAD to a wrong password, or to a SASL exchange that they end. To try again would lock accounts.
    done.map(|_| ()).map_err(|error| match error.kind {
        ErrorKind::Protocol if !error.session_lost => {
            Error { kind: ErrorKind::AuthorizationNeeded, ..error }.lost()
        }
        _ => error.lost(),
    })
}

/// AUTHENTICATE (RFC 3501, section 6.2.2), with the initial response at once where the server takes it (RFC 4959).
fn sasl(connection: &mut Connection, mechanism: &str, mailbox: Option<&str>) -> Result<Sent> {
    let exchange = connection.host.begin(ENDPOINT, mechanism, mailbox)?;
    let mut initial = exchange.initial(SealedForm::Base64)?;
    let tag = connection.tag();
    connection.stream.write(format!("{tag} AUTHENTICATE {mechanism}").as_bytes())?;
    if connection.offers("SASL-IR")
        && let Some(answer) = initial.take()
    {
        connection.stream.write(b" ")?;
        connection.stream.write_sealed(&answer)?;
    }
    let mut sent = connection.send_pieces(tag, vec![Piece::Line(b"\r\n".to_vec())], "sign in")?;
    connection.forget_capabilities();
    while let Some(challenge) = connection.challenge(&mut sent)? {
        let answer = match initial.take() {
            Some(answer) => answer,
            None => exchange.respond(&challenge, SealedForm::Base64)?,
        };
        connection.stream.write_sealed(&answer)?;
        connection.stream.write(b"\r\n")?;
    }
    Ok(sent)
}

/// LOGIN (RFC 3501, section 6.2.3), for servers that offer no SASL mechanism.
fn login(connection: &mut Connection, ours: &[String]) -> Result<Sent> {
    let password = connection.host.password(ENDPOINT, SealedForm::Quoted);
    let Ok(password) = password else { return Err(no_common_mechanism(connection, ours)) };
    let tag = connection.tag();
    let pieces = encode_login(&tag, &connection.host.user())?;
    let sent = connection.send_pieces(tag, pieces, "sign in")?;
    connection.stream.write_sealed(&password)?;
    connection.stream.write(b"\r\n")?;
    connection.forget_capabilities();
    Ok(sent)
}

fn no_common_mechanism(connection: &Connection, ours: &[String]) -> Error {
    let mut theirs: Vec<_> =
        connection.capabilities().iter().filter_map(|c| c.strip_prefix("AUTH=")).collect();
    theirs.sort_unstable();
    let or_none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
    let message = format!(
        "the server offers the sign-in mechanisms {}, the account can serve {}",
        or_none(theirs.join(", ")),
        or_none(ours.join(", "))
    );
    match connection.stream.security() {
        Security::Clear => Error::invalid_setting("security", format!("{message}; it may ask for TLS first")),
        _ => Error::unsupported(message),
    }
    .lost()
}

/// Says who we are and asks who they are: one round trip for all of it.
fn introduce(connection: &mut Connection) -> Result<Server> {
    let mut sent = Vec::new();
    if connection.offers("ID") {
        let ours = |key: &'static str, value: &'static str| {
            Some((IString::try_from(key).ok()?, NString::try_from(value).ok()?))
        };
        let parameters = [ours("name", "Wissel"), ours("version", env!("CARGO_PKG_VERSION"))];
        let id = CommandBody::Id { parameters: Some(parameters.into_iter().flatten().collect()) };
        sent.push(connection.send(id, "say what it is")?);
    }
    if connection.offers("ENABLE") && connection.offers("UTF8=ACCEPT") {
        let capabilities = Vec1::from(CapabilityEnable::Utf8(Utf8Kind::Accept));
        sent.push(connection.send(CommandBody::Enable { capabilities }, "use UTF-8")?);
    }
    if connection.offers("NAMESPACE") {
        sent.push(connection.send(CommandBody::Namespace, "tell its namespaces")?);
    }
    let mut introduction = Introduction::default();
    for command in sent {
        // None of this is needed to go on.
        if let Err(error) = connection.finish(command, &mut introduction)
            && error.is_final()
        {
            return Err(error);
        }
    }
    connection.utf8 = introduction.utf8;
    Ok(introduction.server)
}

#[derive(Debug, Default)]
struct Introduction {
    server: Server,
    utf8: bool,
}

impl Consumer for Introduction {
    fn data(&mut self, data: Data<'static>) -> Result<()> {
        match data {
            Data::Id { parameters } => self.server.software = software(parameters.unwrap_or_default()),
            Data::Enabled { capabilities } => {
                self.utf8 |= capabilities.contains(&CapabilityEnable::Utf8(Utf8Kind::Accept));
            }
            Data::Namespace { personal, .. } => {
                if let Some(Namespace { prefix, .. }) = personal.into_iter().next() {
                    self.server.prefix = String::from_utf8_lossy(prefix.as_ref()).into_owned();
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn software(parameters: Vec<(IString<'static>, NString<'static>)>) -> Option<String> {
    let value = |name: &str| {
        let (_, value) =
            parameters.iter().find(|(key, _)| key.as_ref().eq_ignore_ascii_case(name.as_bytes()))?;
        Some(String::from_utf8_lossy(value.0.as_ref()?.as_ref()).into_owned())
    };
    let all = [value("name"), value("version")];
    Some(failure::shown(&all.into_iter().flatten().collect::<Vec<_>>().join(" "))).filter(|s| !s.is_empty())
}
