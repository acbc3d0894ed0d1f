//! Who asks, and what the token's permissions allow ("Microsoft Graph permissions reference").

use axum::http::{HeaderMap, StatusCode};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{errors::GraphError, server::Face};
use crate::{
    entra::tokens::{GRAPH, Refused, TokenInfo},
    mailboxes::Owner,
};

/// Checks the bearer token: known, for this service, in time, of this tenant.
pub(super) fn check(face: &Face, headers: &HeaderMap) -> Result<TokenInfo, GraphError> {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer = given.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(bearer) = bearer else {
        return Err(invalid("Access token is empty.", ""));
    };
    let token = face.tokens.check(bearer, GRAPH).map_err(|refused| match refused {
        Refused::Unknown => invalid("IDX14100: JWT is not well formed.", "invalid_token"),
        Refused::Expired => invalid("Lifetime validation failed, the token is expired.", "invalid_token"),
        Refused::OtherAudience => {
            invalid("Access token validation failure. Invalid audience.", "invalid_token")
        }
        Refused::InsufficientClaims { claims } => challenge(&claims),
    })?;
    if token.tenant != face.tenant {
        return Err(invalid("Access token validation failure. Invalid tenant.", "invalid_token"));
    }
    Ok(token)
}

fn invalid(message: &str, error: &str) -> GraphError {
    let realm = r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000""#;
    let field = match error {
        "" => realm.to_owned(),
        error => format!("{realm}, error=\"{error}\", error_description=\"{message}\""),
    };
    GraphError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
        .header("www-authenticate", field)
}

/// Continuous access evaluation: the client is to ask for a token with these claims.
fn challenge(claims: &str) -> GraphError {
    let field = format!(
        r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="{}""#,
        STANDARD.encode(claims)
    );
    let message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp";
    GraphError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
        .header("www-authenticate", field)
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Write,
    Send,
}

/// Whether the token allows the act in this mailbox; an app that acts by itself reaches every mailbox.
pub(super) fn permit(face: &Face, token: &TokenInfo, owner: &Owner, act: Act) -> Result<(), GraphError> {
    let (own, shared): (&[&str], &[&str]) = match act {
        Act::Read => (&["Mail.Read", "Mail.ReadWrite"], &["Mail.Read.Shared", "Mail.ReadWrite.Shared"]),
        Act::Write => (&["Mail.ReadWrite"], &["Mail.ReadWrite.Shared"]),
        Act::Send => (&["Mail.Send"], &["Mail.Send.Shared"]),
    };
    let Some(user) = &token.user else {
        return if token.has_role(own) { Ok(()) } else { Err(GraphError::access_denied()) };
    };
    let is_own = owner.address.eq_ignore_ascii_case(&user.name);
    let allowed = token.has_scope(shared) || (is_own && token.has_scope(own));
    let rights = face.entra.rights(&user.name, &owner.address);
    let sends = act == Act::Send && (rights.send_as || rights.send_on_behalf);
    let opens = rights.full_access || sends;
    if allowed && opens { Ok(()) } else { Err(GraphError::access_denied()) }
}

/// Whether the token may read the user's record.
pub(super) fn permit_profile(token: &TokenInfo, owner: &Owner) -> Result<(), GraphError> {
    let refused = || {
        let message = "Insufficient privileges to complete the operation.";
        Err(GraphError::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message))
    };
    let allowed = match &token.user {
        None => token.has_role(&["User.Read.All", "Directory.Read.All"]),
        Some(user) if user.name.eq_ignore_ascii_case(&owner.address) => {
            token.has_scope(&["User.Read", "User.ReadBasic.All", "User.Read.All"])
        }
        Some(_) => token.has_scope(&["User.ReadBasic.All", "User.Read.All"]),
    };
    if allowed { Ok(()) } else { refused() }
}
