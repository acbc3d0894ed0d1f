//! `wissel account authorize`: a person, here or elsewhere, lets Wissel into the mailbox.

mod lines;
mod outcome;
mod sign_in;

use std::io::{IsTerminal as _, Read as _};

use clap::Args;
use serde_json::json;
use wissel_auth::{Answer, AuthError, Authority, Authorization, Grant, NotAnAnswer, Provider};
use wissel_model::description::{AuthKind, AuthMethod};
use wissel_model::{Account, Description};

use self::lines::Lines;
use super::named_or_default;
use crate::authorization::is_authorized_by_wissel;
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;
use crate::text::quoted;

/// The loopback address for an answer that nobody listens for: the browser shows it, and it is pasted.
const NOBODY_LISTENS: &str = "http://localhost/";

/// A sign-in.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The account; the default account when absent
    name: Option<String>,
    /// Print a link for somebody who signs in on another machine within a day; what comes of it is given with --paste, at
    /// once
    #[arg(long, conflicts_with_all = ["paste", "device", "no_browser", "port"])]
    link: bool,
    /// What came of the link: the whole address of the last page, or the code it shows; `-` reads standard input
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["device", "no_browser", "port"])]
    paste: Option<String>,
    /// Sign in on any device, by entering a short code there
    #[arg(long, conflicts_with_all = ["no_browser", "port"])]
    device: bool,
    /// Ask only for the permissions that the account cannot do without
    #[arg(long, conflicts_with = "paste")]
    without_optional: bool,
    /// Take the authorisation although somebody else signed in than before: from then on the account is his mailbox
    #[arg(long, conflicts_with = "link")]
    as_another_user: bool,
    /// Open no browser; only print the link
    #[arg(long)]
    no_browser: bool,
    /// Wait for the answer on this port of this machine [default: any that is free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let account = named_or_default(context, arguments.name.as_deref()).await?;
    let description = context.description(&account.connector).await?;
    let method = method(&account, &description, arguments.device)?;
    let authority = context.authority().await?;
    let provider = match authority.provider(&account, &description, method).await {
        Ok(provider) if arguments.without_optional => provider.without_optional(),
        Ok(provider) => provider,
        Err(error) => return Err(explained(context, &account, error).await),
    };
    let less = provider.plan().asks_for_optional();
    let approval = (less || method.admin_consent.is_some())
        .then(|| context.language.needs_approval(&quoted(&account.name), less));
    let signing_in = SigningIn {
        context,
        authority,
        account: &account,
        provider: &provider,
        approval,
        lines: Lines::default(),
        pasted: arguments.paste.is_some(),
        as_another_user: arguments.as_another_user,
    };
    let by_link = match method.kind {
        AuthKind::OAuth2Code => arguments.link || (relay(&account).is_some() && !context.interactive()),
        _ if arguments.link || arguments.paste.is_some() => {
            return Err(Problem::usage(
                format!("the auth method '{}' of account '{}' has no link to open", method.id, account.name),
                "Leave out --link and --paste.",
            )
            .into());
        }
        _ => false,
    };
    if by_link && arguments.paste.is_none() {
        return signing_in.link().await;
    }
    let grant = match (method.kind, &arguments.paste) {
        (_, Some(text)) => signing_in.pasted(text).await,
        (AuthKind::OAuth2Client, None) => provider.as_client(None).await.map_err(Ended::Failed),
        (AuthKind::OAuth2Device, None) => signing_in.device().await,
        (_, None) => signing_in.browser(arguments.port, !arguments.no_browser).await,
    };
    match grant {
        Ok(grant) => signing_in.done(&description, method, &grant).await,
        Err(Ended::Stopped) => Ok(Code::Stopped),
        Err(Ended::Failed(error)) => Err(signing_in.explained(error).await),
    }
}

/// How a sign-in ended without a grant.
enum Ended {
    /// The person stopped it.
    Stopped,
    /// It failed.
    Failed(AuthError),
}

impl From<AuthError> for Ended {
    fn from(error: AuthError) -> Self {
        Self::Failed(error)
    }
}

/// What a sign-in works with.
struct SigningIn<'a> {
    context: &'a Context,
    authority: &'a Authority,
    account: &'a Account,
    provider: &'a Provider<'a>,
    /// What to do where the provider's page wants an administrator, and never leads back here.
    approval: Option<String>,
    /// What a person types meanwhile.
    lines: Lines,
    /// The answer to a link is given.
    pasted: bool,
    /// Somebody else may sign in than before.
    as_another_user: bool,
}

impl SigningIn<'_> {
    /// The failure with the best advice that there is for it.
    async fn explained(&self, error: AuthError) -> anyhow::Error {
        let stuck = match &error {
            AuthError::NobodyCame { .. } => true,
            AuthError::Refused(refusal) => {
                refusal.error == "access_denied" || self.provider.plan().is_about_scopes(refusal)
            }
            _ => false,
        };
        // A code is good for some minutes, and once.
        let stale = matches!(&error, AuthError::Refused(refusal) if refusal.error == "invalid_grant");
        if self.pasted && stale {
            let next = self.context.language.answer_too_old(&quoted(&self.account.name));
            let problem = self.context.explain(self.account, &error.into()).await;
            return Problem { next, ..problem }.into();
        }
        let explained = explained(self.context, self.account, error).await;
        match (explained.downcast::<Problem>(), &self.approval) {
            (Ok(problem), Some(approval)) if stuck => {
                let next = format!("{} {approval}", problem.next);
                Problem { next: next.trim().to_owned(), ..problem }.into()
            }
            (Ok(problem), _) => problem.into(),
            (Err(other), _) => other,
        }
    }

    /// Prints a link, and keeps what its answer is checked against.
    async fn link(&self) -> CommandResult {
        let (relay, demanded) = (relay(self.account), self.demanded().await);
        let begun =
            Authorization::begin(self.provider.plan(), relay.unwrap_or(NOBODY_LISTENS), demanded.as_deref());
        let kept = match begun {
            Ok(begun) => {
                let plan = self.provider.plan();
                self.authority.keep_pending(self.account, plan, &begun.pending).await.map(|()| begun.link)
            }
            Err(error) => Err(error),
        };
        let link = match kept {
            Ok(link) => link,
            Err(error) => return Err(explained(self.context, self.account, error).await),
        };
        let next = format!("wissel account authorize {} --paste -", quoted(&self.account.name));
        if self.context.json {
            output::json(&json!({ "account": self.account.name, "link": link, "next": next }));
        } else {
            output::line(link.as_str());
            output::note(&self.context.language.link_advice(&next, relay.is_some()));
            self.tell_of_approval();
        }
        Ok(Code::Done)
    }

    /// What the service demands of the token beside what is always asked for.
    async fn demanded(&self) -> Option<String> {
        self.authority.demanded(self.account, self.provider.plan()).await
    }

    /// Redeems what came of a link.
    async fn pasted(&self, text: &str) -> Result<Grant, Ended> {
        let answer = if text != "-" {
            Answer::read(text)?
        } else if std::io::stdin().is_terminal() {
            output::note(self.context.language.paste_now());
            let pasted = async { self.lines.answer().await.ok_or_else(nothing) };
            self.bounded(pasted).await?
        } else {
            let mut read = String::new();
            let taken = std::io::stdin().take(64 << 10).read_to_string(&mut read);
            taken.map_err(|_| Ended::Failed(unreadable()))?;
            Answer::read(&read)?
        };
        let pending = self.authority.pending(self.account, self.provider.plan()).await?;
        Ok(self.provider.finish(&pending, &answer).await?)
    }
}

fn nothing() -> AuthError {
    AuthError::NotAnAnswer(NotAnAnswer::Nothing)
}

fn unreadable() -> AuthError {
    AuthError::Setting {
        key: None,
        message: "standard input is not text; paste the address there".to_owned(),
    }
}

/// The page that shows the answer for pasting, when the client has one registered.
fn relay(account: &Account) -> Option<&str> {
    account.client.as_ref()?.redirect.as_deref()
}

/// The account's method, or the one for another device that gives tokens for the same.
fn method<'a>(
    account: &Account,
    description: &'a Description,
    device: bool,
) -> Result<&'a AuthMethod, Problem> {
    let name = &account.name;
    let own = description.auth_method(&account.auth).ok_or_else(|| {
        Problem::usage(
            format!(
                "account '{name}': connector '{}' has no auth method '{}'",
                description.name, account.auth
            ),
            format!("Choose one with `wissel account edit {} --auth ID`.", quoted(name)),
        )
    })?;
    if !is_authorized_by_wissel(own) {
        return Err(Problem::usage(
            format!("account '{name}' signs in with '{}', which is not authorised but stored", own.id),
            format!("Store the password or token with `wissel account edit {}`.", quoted(name)),
        ));
    }
    if !device || own.kind == AuthKind::OAuth2Device {
        return Ok(own);
    }
    let fits = |other: &&AuthMethod| {
        other.kind == AuthKind::OAuth2Device && other.resource == own.resource && other.token == own.token
    };
    description.auth.iter().find(fits).ok_or_else(|| {
        Problem::usage(
            format!("account '{name}': connector '{}' has no sign-in on another device", description.name),
            "Use --link instead: the link can be opened on any machine.",
        )
    })
}

/// The failure with the best advice that there is for it.
async fn explained(context: &Context, account: &Account, error: AuthError) -> anyhow::Error {
    let name = quoted(&account.name);
    let next = match &error {
        AuthError::PortInUse { .. } => "Leave out --port, or name another one.".to_owned(),
        AuthError::NobodyCame { .. } | AuthError::OtherState => {
            format!("Begin again with `wissel account authorize {name}`; on another machine with --link.")
        }
        AuthError::NothingPending { .. } => {
            format!(
                "Make a link with `wissel account authorize {name} --link`; it can be opened within a day."
            )
        }
        AuthError::OtherIssuer { .. } => {
            format!(
                "Begin again with `wissel account authorize {name}`, and look at the address in the browser."
            )
        }
        AuthError::NotAnAnswer(NotAnAnswer::Consent | NotAnAnswer::Link) => format!(
            "Sign in with the link of `wissel account authorize {name} --link`, and paste the address of the page that \
             comes after that."
        ),
        AuthError::NotAnAnswer(_) => format!(
            "Paste it where `wissel account authorize {name} --paste -` asks for it; a new link is made with --link."
        ),
        AuthError::NoClientSecret { .. } => {
            let client =
                account.client.as_ref().map_or_else(|| "CLIENT".to_owned(), |client| quoted(&client.name));
            format!("Store one with `wissel client secret add {client}`.")
        }
        _ => String::new(),
    };
    let problem = context.explain(account, &error.into()).await;
    if next.is_empty() { problem.into() } else { Problem { next, ..problem }.into() }
}
