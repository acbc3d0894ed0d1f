//! Where everything is: the OpenID configuration (OpenID Connect Discovery 1.0) and the keys.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Face, keys, state::Realm};

/// Answers `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(super) async fn configuration(
    Shared(face): Shared<Arc<Face>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
) -> Response {
    let asking = face.asking(&headers);
    let issuer = match face.state().realm(&segment) {
        Ok(Realm::One(tenant)) => tenant,
        // Entra writes it like that: whoever checks tokens fills in the tenant.
        Ok(Realm::Any) => "{tenantid}".to_owned(),
        Err(refusal) => return refusal.json(&asking),
    };
    let url = &face.url;
    Json(json!({
        "issuer": format!("{url}/{issuer}/v2.0"),
        "authorization_endpoint": format!("{url}/{segment}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{url}/{segment}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{url}/{segment}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{url}/{segment}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported":
            ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver", "oid"],
    }))
    .into_response()
}

/// Answers `GET /{tenant}/discovery/v2.0/keys`.
pub(super) async fn key_set(
    Shared(face): Shared<Arc<Face>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
) -> Response {
    let asking = face.asking(&headers);
    let known = face.state().realm(&segment);
    match known.and_then(|_| keys::set()) {
        Ok(keys) => Json(keys).into_response(),
        Err(refusal) => refusal.json(&asking),
    }
}
