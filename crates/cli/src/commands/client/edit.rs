//! `wissel client edit`.

use clap::Args;
use serde_json::json;
use wissel_model::description::SettingKind;
use wissel_model::settings::of_client;

use super::add::redirect;
use super::print_done;
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::form::Whose;
use crate::problem::Problem;
use crate::{form, job_rules};

/// Changes of a client. What is not given stays.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The client
    name: String,
    /// A new name
    #[arg(long, value_name = "NAME", value_parser = job_rules::name)]
    rename: Option<String>,
    /// Another connector that describes its settings
    #[arg(long, short)]
    connector: Option<String>,
    /// A setting of the client; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = form::pair)]
    settings: Vec<(String, String)>,
    /// Give a setting its default again; can be repeated
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// The https address that the provider sends the answer to, as it is registered there
    #[arg(long, value_name = "URL", value_parser = redirect)]
    redirect: Option<String>,
    /// Let the provider send the answer to this machine again
    #[arg(long, conflicts_with = "redirect")]
    no_redirect: bool,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let store = context.store().await?;
    let before = store.client_named(&arguments.name).await?;
    let mut client = before.clone();
    if let Some(connector) = &arguments.connector {
        client.connector.clone_from(connector);
    }
    let description = context.description(&client.connector).await?;
    if let Some(name) = &arguments.rename {
        client.name.clone_from(name);
    }
    let whose = Whose::Client(&before.name);
    form::check_keys(whose, &description, arguments.unset.iter())?;
    // A newer version of the connector, or another one, may not know a setting.
    client.settings = of_client(&description, &before.settings);
    client
        .settings
        .retain(|key, _| description.setting(key).is_some_and(|setting| setting.kind != SettingKind::Secret));
    for key in &arguments.unset {
        client.settings.remove(key);
    }
    // A value that was only the default of other values follows them.
    let given = form::once(&format!("OAuth client '{}'", client.name), arguments.settings.clone())?;
    let stayed = form::without_defaults(&description, std::mem::take(&mut client.settings));
    client.settings = stayed;
    client.settings.extend(given);
    client.settings = form::complete(whose, &description, std::mem::take(&mut client.settings), None)?;
    if arguments.no_redirect {
        client.redirect = None;
    }
    if let Some(redirect) = arguments.redirect {
        client.redirect = Some(redirect);
    }
    if client == before {
        return Err(Problem::usage(
            format!("nothing to change is given for OAuth client '{}'", client.name),
            "`wissel client edit --help` lists the options; a secret is added with `wissel client secret add`.",
        )
        .into());
    }
    let detail = json!({ "renamed_from": before.name, "connector": client.connector });
    store.update_client(&client, &Context::record("client.edit", &client.name, detail)).await?;
    let sentence = context.language.pick(
        format!("OAuth client '{}' is changed", client.name),
        format!("OAuth-client '{}' is gewijzigd", client.name),
    );
    print_done(context, &client, "changed", &sentence).await?;
    Ok(Code::Done)
}
