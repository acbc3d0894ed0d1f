//! Making the answer of the token endpoint: access token, refresh token, id token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    directory::User,
    keys, random,
    refusal::{Asking, Refusal},
    resources::{Asked, Wanted},
    state::{Grant, Refresh, State},
    tokens::{GRAPH, Subject, TokenInfo, Tokens},
};

/// Makes what a grant entitles to, for the service that `asked` names (or the grant's own).
pub(super) fn for_user(
    state: &mut State,
    tokens: &Tokens,
    grant: &Grant,
    asked: &Asked,
    client_info: bool,
    asking: &Asking,
) -> Result<Value, Refusal> {
    let user = state.user(&grant.tenant, &grant.user)?.clone();
    let fallback = Wanted { audience: GRAPH, prefix: String::new(), names: ["User.Read"].into(), all: false };
    let wanted = asked.single()?.unwrap_or(&fallback);
    let names = state.granted(&grant.tenant, &grant.app, &user, wanted)?;
    let info = TokenInfo {
        tenant: grant.tenant.clone(),
        app: grant.app.clone(),
        audience: wanted.audience.to_owned(),
        user: Some(Subject { id: user.id.clone(), name: user.name.clone() }),
        scopes: names.clone(),
        roles: Vec::new(),
        issued: asking.now,
        expires: asking.now,
        capabilities: grant.capabilities.clone(),
        claims: grant.claims.clone(),
    };
    let mut answer = access_token(state, tokens, info, asking)?;
    let mut add = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    let own = asked.own.iter().filter(|own| **own != "offline_access").map(|own| (*own).to_owned());
    let listed: Vec<_> = names.iter().map(|name| format!("{}{name}", wanted.prefix)).chain(own).collect();
    add("scope", json!(listed.join(" ")));
    if grant.asked.offline() {
        let token = format!("1.{}", random::text(120));
        tokens.note(&token);
        add("refresh_token", json!(token));
        state.refresh.insert(token, Refresh { grant: grant.clone(), issued: asking.now, replaced: false });
    }
    if grant.asked.openid() {
        add("id_token", json!(id_token(state, grant, &user, asking)?));
    }
    if client_info {
        let info = json!({ "uid": user.id, "utid": grant.tenant }).to_string();
        add("client_info", json!(URL_SAFE_NO_PAD.encode(info)));
    }
    Ok(answer.into())
}

/// Makes an access token, registers it, and begins the answer. The lifetime is set here.
pub(super) fn access_token(
    state: &State,
    tokens: &Tokens,
    info: TokenInfo,
    asking: &Asking,
) -> Result<Map<String, Value>, Refusal> {
    let settings = &state.directory.settings;
    let lifetime = if info.answers_challenges() { settings.access_with_challenges } else { settings.access };
    let info = TokenInfo { expires: after(asking.now, lifetime), ..info };
    let token = if settings.jwt { jwt(&info, asking)? } else { format!("EwB{}", random::text(300)) };
    tokens.issue(&token, info);
    let seconds = json!(lifetime.as_secs());
    let answer = [
        ("token_type", json!("Bearer")),
        ("expires_in", seconds.clone()),
        ("ext_expires_in", seconds),
        ("access_token", json!(token)),
    ];
    Ok(answer.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.saturating_add(time).unwrap_or(Timestamp::MAX)
}

/// An access token that services of other makers can verify by themselves.
fn jwt(info: &TokenInfo, asking: &Asking) -> Result<String, Refusal> {
    let scopes = info.scopes.join(" ");
    let user = info.user.as_ref();
    let claims = json!({
        "aud": info.audience,
        "iss": format!("{}/{}/v2.0", asking.url, info.tenant),
        "iat": info.issued.as_second(),
        "nbf": info.issued.as_second(),
        "exp": info.expires.as_second(),
        "jti": Uuid::new_v4().to_string(),
        "appid": info.app,
        "azp": info.app,
        "tid": info.tenant,
        "ver": "2.0",
        "sub": user.map_or(&info.app, |user| &user.id),
        "oid": user.map(|user| &user.id),
        "preferred_username": user.map(|user| &user.name),
        // `scp` is Entra's name; verifiers that follow RFC 9068 read `scope`.
        "scp": user.map(|_| &scopes),
        "scope": user.map(|_| &scopes),
        "roles": user.is_none().then_some(&info.roles),
    });
    keys::sign(&present(claims))
}

/// Without the members that are null.
fn present(mut claims: Value) -> Value {
    if let Some(claims) = claims.as_object_mut() {
        claims.retain(|_, claim| !claim.is_null());
    }
    claims
}

fn id_token(state: &State, grant: &Grant, user: &User, asking: &Asking) -> Result<String, Refusal> {
    let claims = json!({
        "aud": grant.app,
        "iss": format!("{}/{}/v2.0", asking.url, grant.tenant),
        "iat": asking.now.as_second(),
        "nbf": asking.now.as_second(),
        "exp": after(asking.now, state.directory.settings.access).as_second(),
        "name": user.name,
        "oid": user.id,
        "preferred_username": user.name,
        "sub": user.id,
        "tid": grant.tenant,
        "ver": "2.0",
        "nonce": grant.nonce,
    });
    keys::sign(&present(claims))
}
