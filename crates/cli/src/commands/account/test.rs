//! `wissel account test`: signs in and says who and what is found. Changes nothing.

use serde_json::json;
use wissel_model::Identity;

use super::{named_or_default, warn};
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::{output, views};

/// Carries out the command.
pub(crate) async fn run(context: &Context, name: Option<&str>) -> CommandResult {
    let account = named_or_default(context, name).await?;
    let mut session = context.open(&account, "account test").await?;
    let checked = session.check().await;
    session.close().await;
    let identity = match checked {
        Ok(identity) => identity,
        Err(error) => return Err(context.explain(&account, &error).await.into()),
    };
    if context.json {
        output::json(&json!({ "account": account.name, "ok": true, "identity": views::identity(&identity) }));
        return Ok(Code::Done);
    }
    output::line(&context.language.pick(
        format!("Successfully signed in to account '{}'.", account.name),
        format!("Inloggen op account '{}' is gelukt.", account.name),
    ));
    print(context, &identity);
    warn(context, &account);
    Ok(Code::Done)
}

fn print(context: &Context, identity: &Identity) {
    let labels = context.language.pick(
        ["Mailbox", "Signed in as", "Name", "Denied"],
        ["Postvak", "Ingelogd als", "Naam", "Niet toegestaan"],
    );
    let values = [
        identity.mailbox.clone(),
        identity.signed_in_as.clone().unwrap_or_default(),
        identity.display_name.clone().unwrap_or_default(),
        identity.denied.join(", "),
    ];
    let mut fields: Vec<(&str, String)> = labels.into_iter().zip(values).collect();
    let known = |label: &str| context.language.pick(None, dutch(label));
    let facts = identity.facts.iter();
    fields.extend(facts.map(|(label, value)| (known(label).unwrap_or(label.as_str()), value.clone())));
    output::fields(&fields);
}

/// What connectors say of a mailbox, in Dutch: they know no language.
fn dutch(label: &str) -> Option<&'static str> {
    Some(match label {
        "Inbox" => "Postvak IN",
        "Signs in as" => "Logt in als",
        "Capabilities" => "Mogelijkheden",
        "Quota" => "Quotum",
        _ => return None,
    })
}
