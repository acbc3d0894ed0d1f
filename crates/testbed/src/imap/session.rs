//! One connection: its state, the loop over commands, and which command goes where.

use std::{io, sync::Arc, time::Duration};

use imap_codec::{
    IdleDoneCodec,
    imap_types::{
        command::{Command, CommandBody},
        core::{Tag, Text},
        extensions::enable::CapabilityEnable,
        response::{Bye, Code, CodeOther, Data, Greeting, Response, Status, StatusBody, StatusKind, Tagged},
    },
};

use super::{
    Face, Security,
    view::View,
    wire::{Input, Stream, Wire, unsendable},
};
use crate::faults::CommandFault;

/// How a connection ended.
pub(super) enum Ended<S> {
    Closed,
    /// The client wants TLS over this stream.
    StartTls(S),
}

/// The tagged answer to a command.
pub(super) struct Reply {
    pub(super) kind: StatusKind,
    pub(super) code: Option<Code<'static>>,
    pub(super) text: String,
}

impl Reply {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self { kind: StatusKind::Ok, code: None, text: text.into() }
    }

    pub(super) fn no(text: impl Into<String>) -> Self {
        Self { kind: StatusKind::No, code: None, text: text.into() }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { kind: StatusKind::Bad, code: None, text: text.into() }
    }

    pub(super) fn code(self, code: Code<'static>) -> Self {
        Self { code: Some(code), ..self }
    }

    /// A response code that imap-codec does not know (RFC 5530).
    pub(super) fn other(self, code: &'static str) -> Self {
        self.code(Code::Other(CodeOther::unvalidated(code.as_bytes())))
    }
}

/// What a command does to the connection.
enum Next {
    Reply(Reply),
    Logout,
    StartTls,
}

pub(super) struct Session<S> {
    pub(super) face: Arc<Face>,
    pub(super) wire: Wire<S>,
    pub(super) security: Security,
    pub(super) signed_in: bool,
    pub(super) utf8: bool,
    pub(super) view: Option<View>,
}

impl<S: Stream> Session<S> {
    pub(super) fn new(face: Arc<Face>, stream: S, security: Security) -> Self {
        let wire = Wire::new(face.clone(), stream);
        Self { face, wire, security, signed_in: false, utf8: false, view: None }
    }

    pub(super) async fn greet_and_run(mut self) -> io::Result<Ended<S>> {
        if self.face.faults.at_greeting() {
            self.wire.send_raw(b"* OK Wis").await?;
            self.wire.close().await;
            return Ok(Ended::Closed);
        }
        let code = Code::Capability(self.capabilities());
        let greeting = Greeting::ok(Some(code), "Wissel test bed").map_err(unsendable)?;
        let bytes = imap_codec::encode::Encoder::encode(&imap_codec::GreetingCodec::default(), &greeting);
        self.wire.send_raw(&bytes.dump()).await?;
        self.run().await
    }

    pub(super) async fn run(mut self) -> io::Result<Ended<S>> {
        loop {
            let command = match self.wire.command().await? {
                Input::Command(command) => *command,
                Input::Malformed(tag) => {
                    self.status(tag, Reply::bad("Cannot read this command")).await?;
                    continue;
                }
            };
            let Command { tag, body } = command;
            let name = body.name();
            self.face.counters.count_command(name);
            let fault = self.face.faults.at_command(name);
            let next = match self.before(fault.as_ref()).await? {
                Some(reply) => Next::Reply(reply),
                None => self.dispatch(body).await?,
            };
            if matches!(fault, Some(CommandFault::DropAfter)) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            match next {
                Next::Reply(reply) => {
                    if !self.announce_changes(name).await? {
                        self.bye("The folder was renumbered").await?;
                        return Ok(Ended::Closed);
                    }
                    self.status(Some(tag), reply).await?;
                }
                Next::Logout => {
                    self.bye("Until next time").await?;
                    self.status(Some(tag), Reply::ok("Logged out")).await?;
                    self.wire.close().await;
                    return Ok(Ended::Closed);
                }
                Next::StartTls => {
                    self.status(Some(tag), Reply::ok("Begin TLS")).await?;
                    if let Some(text) = self.face.faults.before_tls() {
                        self.wire.send_raw(text.as_bytes()).await?;
                    }
                    self.wire.flush().await?;
                    return Ok(Ended::StartTls(self.wire.into_stream()));
                }
            }
        }
    }

    /// Lets a fault strike; a reply takes the place of the command.
    async fn before(&mut self, fault: Option<&CommandFault>) -> io::Result<Option<Reply>> {
        match fault {
            None | Some(CommandFault::DropAfter) => Ok(None),
            Some(CommandFault::Drop | CommandFault::Endless) => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(CommandFault::Stall(time)) => {
                self.wire.flush().await?;
                tokio::time::sleep(*time).await;
                Ok(None)
            }
            Some(CommandFault::Throttle(backoff)) => Ok(Some(throttled(*backoff))),
            Some(CommandFault::Refuse(text)) => Ok(Some(Reply::no(text.clone()))),
            Some(CommandFault::Status(..)) => Ok(Some(Reply::no("Temporary failure").other("UNAVAILABLE"))),
            Some(CommandFault::Malformed(text)) => Ok(Some(Reply::bad(text.clone()))),
            Some(CommandFault::Unasked(line)) => {
                self.wire.send_raw(format!("{line}\r\n").as_bytes()).await?;
                Ok(None)
            }
        }
    }

    async fn dispatch(&mut self, body: CommandBody<'static>) -> io::Result<Next> {
        match body {
            CommandBody::Logout => return Ok(Next::Logout),
            CommandBody::StartTLS if self.security == Security::StartTls && !self.signed_in => {
                return Ok(Next::StartTls);
            }
            _ => {}
        }
        let anonymous = matches!(
            body,
            CommandBody::Capability
                | CommandBody::Noop
                | CommandBody::Id { .. }
                | CommandBody::Login { .. }
                | CommandBody::Authenticate { .. }
        );
        let reply = if anonymous {
            self.any_state(body).await?
        } else if self.signed_in {
            self.with_mailbox(body).await?
        } else {
            Reply::bad("Sign in first")
        };
        Ok(Next::Reply(reply))
    }

    async fn any_state(&mut self, body: CommandBody<'static>) -> io::Result<Reply> {
        match body {
            CommandBody::Capability => {
                let capabilities = self.capabilities();
                self.data(Data::Capability(capabilities)).await?;
            }
            CommandBody::Id { .. } => {
                let name = ("name".try_into(), "Wissel test bed".try_into());
                let parameters =
                    if let (Ok(key), Ok(value)) = name { Some(vec![(key, value)]) } else { None };
                self.data(Data::Id { parameters }).await?;
            }
            CommandBody::Login { username, password } => {
                return Ok(self.login(username.as_ref(), password.declassify().as_ref()));
            }
            CommandBody::Authenticate { mechanism, initial_response } => {
                let initial = initial_response.map(|initial| initial.declassify().to_vec());
                return self.authenticate(mechanism, initial).await;
            }
            _ => {}
        }
        Ok(Reply::ok("Done"))
    }

    async fn with_mailbox(&mut self, body: CommandBody<'static>) -> io::Result<Reply> {
        match body {
            CommandBody::Namespace => self.namespace().await,
            CommandBody::Enable { capabilities } => {
                let accepted: Vec<_> = capabilities
                    .into_iter()
                    .filter(|capability| matches!(capability, CapabilityEnable::Utf8(_)))
                    .collect();
                self.utf8 |= !accepted.is_empty();
                self.data(Data::Enabled { capabilities: accepted }).await?;
                Ok(Reply::ok("Enabled"))
            }
            CommandBody::List { reference, mailbox_wildcard } => {
                self.list(&reference, &mailbox_wildcard, false).await
            }
            CommandBody::Lsub { reference, mailbox_wildcard } => {
                self.list(&reference, &mailbox_wildcard, true).await
            }
            CommandBody::Subscribe { .. } | CommandBody::Unsubscribe { .. } => Ok(Reply::ok("Noted")),
            CommandBody::Status { mailbox, item_names } => self.folder_status(&mailbox, &item_names).await,
            CommandBody::Create { mailbox } => Ok(self.create_folder(&mailbox)),
            CommandBody::Delete { mailbox } => Ok(self.delete_folder(&mailbox)),
            CommandBody::Rename { from, to } => Ok(self.rename_folder(&from, &to)),
            CommandBody::Select { mailbox, .. } => self.select(&mailbox, false).await,
            CommandBody::Examine { mailbox, .. } => self.select(&mailbox, true).await,
            CommandBody::Append { mailbox, flags, date, message } => {
                Ok(self.append(&mailbox, &flags, date, message))
            }
            CommandBody::Idle => self.idle().await,
            other => match self.view.take() {
                Some(view) => self.selected(view, other).await,
                None => Ok(Reply::bad("Select a folder first, or command not known")),
            },
        }
    }

    /// Commands on the selected folder. The view is put back unless the command closes it.
    async fn selected(&mut self, mut view: View, body: CommandBody<'static>) -> io::Result<Reply> {
        let reply = match body {
            CommandBody::Check => Reply::ok("Checked"),
            CommandBody::Unselect => return Ok(Reply::ok("Closed")),
            CommandBody::Close => {
                self.expunge(&view, None);
                return Ok(Reply::ok("Closed"));
            }
            CommandBody::Expunge => self.expunge(&view, None),
            CommandBody::ExpungeUid { sequence_set } => self.expunge(&view, Some(&sequence_set)),
            CommandBody::Search { criteria, uid, .. } => self.search(&view, criteria, uid).await?,
            CommandBody::Fetch { sequence_set, macro_or_item_names, uid, .. } => {
                self.fetch(&mut view, &sequence_set, macro_or_item_names, uid).await?
            }
            CommandBody::Store { sequence_set, kind, response, flags, uid, .. } => {
                self.store(&mut view, &sequence_set, kind, response, &flags, uid).await?
            }
            CommandBody::Copy { sequence_set, mailbox, uid } => {
                self.copy(&view, &sequence_set, &mailbox, uid)
            }
            CommandBody::Move { sequence_set, mailbox, uid } => {
                self.move_messages(&view, &sequence_set, &mailbox, uid).await?
            }
            _ => Reply::bad("Command not known"),
        };
        self.view = Some(view);
        Ok(reply)
    }

    async fn idle(&mut self) -> io::Result<Reply> {
        let mut changes = self.face.mailbox.watch();
        self.wire.proceed("Idling").await?;
        let codec = IdleDoneCodec::default();
        loop {
            // What changed before the watch began is announced as well.
            if !self.announce_changes("IDLE").await? {
                return Ok(Reply::no("The folder was renumbered"));
            }
            self.wire.flush().await?;
            tokio::select! {
                done = self.wire.line(&codec) => {
                    return Ok(if done?.is_some() { Reply::ok("Done") } else { Reply::bad("Expected DONE") });
                }
                changed = changes.changed() => changed.map_err(unsendable)?,
            }
        }
    }

    pub(super) async fn data(&mut self, data: Data<'_>) -> io::Result<()> {
        self.wire.send(Response::Data(data)).await
    }

    /// An untagged OK with a code.
    pub(super) async fn remark(&mut self, code: Code<'static>, text: &'static str) -> io::Result<()> {
        self.status(None, Reply::ok(text).code(code)).await
    }

    async fn status(&mut self, tag: Option<Tag<'_>>, reply: Reply) -> io::Result<()> {
        let Reply { kind, code, text } = reply;
        let body = StatusBody { kind, code, text: Text::try_from(text).map_err(unsendable)? };
        let status = match tag {
            Some(tag) => Status::Tagged(Tagged { tag, body }),
            None => Status::Untagged(body),
        };
        self.wire.send(Response::Status(status)).await
    }

    async fn bye(&mut self, text: &'static str) -> io::Result<()> {
        let text = Text::try_from(text).map_err(unsendable)?;
        self.wire.send(Response::Status(Status::Bye(Bye { code: None, text }))).await?;
        self.wire.flush().await
    }
}

fn throttled(backoff: Duration) -> Reply {
    let text = format!("Too many requests. Suggested Backoff Time: {} milliseconds", backoff.as_millis());
    Reply::no(text).other("UNAVAILABLE")
}
