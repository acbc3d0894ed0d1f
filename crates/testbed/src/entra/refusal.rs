//! What the face refuses with: Entra's AADSTS codes, each with its OAuth error, and the shapes in which they are told.
//!
//! Codes, errors and the wording of the first sentence follow Microsoft's "Microsoft Entra authentication and
//! authorization error codes" and "Microsoft identity platform and OAuth 2.0 authorization code flow".

use std::collections::BTreeMap;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// Code, OAuth error, HTTP status at the token endpoint, suberror, text.
type Row = (u32, &'static str, u16, &'static str, &'static str);

const TABLE: &[Row] = &[
    (16000, "interaction_required", 400, "", "Several user identities are available; one must be chosen."),
    (
        28000,
        "invalid_request",
        400,
        "",
        "The input parameter 'scope' is not valid because it contains more than one resource.",
    ),
    (
        50011,
        "invalid_request",
        400,
        "",
        "The redirect URI specified in the request does not match the redirect URIs configured for the application. Make sure the redirect URI sent in the request matches one added to the application in the Azure portal.",
    ),
    (50013, "invalid_client", 401, "", "The client assertion failed signature validation."),
    (
        50020,
        "invalid_request",
        400,
        "",
        "The user account does not exist in the tenant and cannot access the application in it.",
    ),
    (50034, "invalid_grant", 400, "", "The user account does not exist in the directory."),
    (50057, "invalid_grant", 400, "", "The user account is disabled."),
    (50058, "login_required", 400, "", "A silent sign-in request was sent but no user is signed in."),
    (
        50059,
        "invalid_request",
        400,
        "",
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    (
        50076,
        "interaction_required",
        400,
        "basic_action",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.",
    ),
    (
        50079,
        "interaction_required",
        400,
        "basic_action",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource.",
    ),
    (50126, "invalid_grant", 400, "", "Error validating credentials due to invalid username or password."),
    (
        50173,
        "invalid_grant",
        400,
        "bad_token",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
    ),
    (
        50194,
        "invalid_request",
        400,
        "",
        "The application is not configured as a multi-tenant application. Use a tenant-specific endpoint.",
    ),
    (
        53003,
        "invalid_grant",
        400,
        "message_only",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    (
        54005,
        "invalid_grant",
        400,
        "",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
    ),
    (
        65001,
        "invalid_grant",
        400,
        "consent_required",
        "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.",
    ),
    (65004, "access_denied", 400, "", "User declined to consent to access the app."),
    (70000, "invalid_grant", 400, "", "The provided grant is invalid or malformed."),
    (70003, "unsupported_grant_type", 400, "", "The app requested an unsupported grant type."),
    (70005, "unsupported_response_type", 400, "", "The app requested a response type that is not supported."),
    (
        70008,
        "invalid_grant",
        400,
        "",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
    ),
    (
        70011,
        "invalid_scope",
        400,
        "",
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid.",
    ),
    (
        70016,
        "authorization_pending",
        400,
        "",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    ),
    (70018, "bad_verification_code", 400, "", "The device code is not known."),
    (
        70020,
        "expired_token",
        400,
        "",
        "The provided value for the input parameter 'device_code' is not valid. This code has expired.",
    ),
    (
        70043,
        "invalid_grant",
        400,
        "token_expired",
        "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
    ),
    (
        90002,
        "invalid_request",
        400,
        "",
        "The tenant was not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    ),
    (90033, "temporarily_unavailable", 503, "", "A transient error has occurred. Please try again."),
    (
        90094,
        "access_denied",
        400,
        "",
        "The grant requires admin permission. An administrator must consent to the application.",
    ),
    (500011, "invalid_resource", 400, "", "The resource principal was not found in the tenant."),
    (
        500112,
        "invalid_client",
        400,
        "",
        "The reply address does not match the reply address provided when requesting the authorization code.",
    ),
    (
        501481,
        "invalid_grant",
        400,
        "",
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    (
        700016,
        "unauthorized_client",
        400,
        "",
        "The application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    (700023, "invalid_client", 401, "", "Client assertion audience claim does not match Realm issuer."),
    (700024, "invalid_client", 401, "", "Client assertion is not within its valid time range."),
    (
        700025,
        "invalid_client",
        401,
        "",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    ),
    (
        700027,
        "invalid_client",
        401,
        "",
        "The certificate with identifier used to sign the client assertion is not registered on application.",
    ),
    (700082, "invalid_grant", 400, "", "The refresh token has expired due to inactivity."),
    (
        900023,
        "invalid_request",
        400,
        "",
        "The specified tenant identifier is neither a valid DNS name, nor a valid external domain.",
    ),
    (900144, "invalid_request", 400, "", "The request body lacks a parameter."),
    (
        1002012,
        "invalid_scope",
        400,
        "",
        "Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
    ),
    (7000112, "unauthorized_client", 400, "", "The application is disabled."),
    (
        7000215,
        "invalid_client",
        401,
        "",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to the app.",
    ),
    (
        7000218,
        "invalid_client",
        401,
        "",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    (
        7000222,
        "invalid_client",
        401,
        "",
        "The provided client secret keys are expired. Create new keys for your app, or consider using certificate credentials for added security.",
    ),
    (9002313, "invalid_request", 400, "", "Invalid request. Request is malformed or invalid."),
    (
        9002325,
        "invalid_request",
        400,
        "",
        "Proof Key for Code Exchange is required: send code_challenge with code_challenge_method=S256.",
    ),
];

/// A refusal, not yet put into the shape of the endpoint that tells it.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: u32,
    pub(super) error: &'static str,
    status: StatusCode,
    suberror: &'static str,
    message: String,
    claims: Option<String>,
}

/// What a request is known by in the face's answers.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    /// The face's own address.
    pub(super) url: String,
    /// The time by its clock.
    pub(super) now: Timestamp,
    /// The client's `client-request-id`, or one of the face's own.
    pub(super) correlation: String,
}

impl Refusal {
    /// The refusal with this code. A code without an entry is a bad request that says no more.
    pub(super) fn new(code: u32) -> Self {
        let unknown = (code, "invalid_request", 400, "", "The request was refused.");
        let row = TABLE.iter().find(|row| row.0 == code).unwrap_or(&unknown);
        let &(code, error, status, suberror, text) = row;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { code, error, status, suberror, message: text.to_owned(), claims: None }
    }

    /// A required parameter is not there.
    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(900144)
            .saying(format!("The request body must contain the following parameter: '{parameter}'."))
    }

    /// The same with another text.
    pub(super) fn saying(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// The same with another OAuth error: `slow_down`, `interaction_required`.
    pub(super) fn with_error(self, error: &'static str) -> Self {
        Self { error, ..self }
    }

    /// The same with the claims that the client has to send along next time.
    pub(super) fn with_claims(self, claims: String) -> Self {
        Self { claims: Some(claims), ..self }
    }

    /// `AADSTS700016: ...`, without the ids that follow it.
    pub(super) fn text(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.message)
    }

    fn described(&self, asking: &Asking) -> (String, String, String) {
        let (trace, timestamp) = (Uuid::new_v4().to_string(), asking.now.strftime("%F %TZ").to_string());
        let correlation = &asking.correlation;
        let text = self.text();
        let description =
            format!("{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}");
        (description, trace, timestamp)
    }

    /// As the token endpoint tells it.
    pub(super) fn json(&self, asking: &Asking) -> Response {
        let (description, trace, timestamp) = self.described(asking);
        let body = [
            ("error", json!(self.error)),
            ("error_description", json!(description)),
            ("error_codes", json!([self.code])),
            ("timestamp", json!(timestamp)),
            ("trace_id", json!(trace)),
            ("correlation_id", json!(asking.correlation)),
            ("error_uri", json!(format!("{}/error?code={}", asking.url, self.code))),
            ("suberror", json!(Some(self.suberror).filter(|suberror| !suberror.is_empty()))),
            ("claims", json!(self.claims)),
        ];
        let body: BTreeMap<_, _> = body.into_iter().filter(|(_, value)| !value.is_null()).collect();
        (self.status, Json(body)).into_response()
    }

    /// The parameters with which the authorize endpoint sends the browser back.
    pub(super) fn parameters(&self, asking: &Asking) -> Vec<(&'static str, String)> {
        let (description, ..) = self.described(asking);
        let mut parameters = vec![
            ("error", self.error.to_owned()),
            ("error_description", description),
            ("error_uri", format!("{}/error?code={}", asking.url, self.code)),
        ];
        parameters.extend(self.claims.iter().map(|claims| ("claims", claims.clone())));
        parameters
    }

    /// What a page of the face shows.
    pub(super) fn on_page(&self, asking: &Asking) -> (String, String) {
        let (_, trace, timestamp) = self.described(asking);
        let ids =
            format!("Request Id: {trace} Correlation Id: {} Timestamp: {timestamp}", asking.correlation);
        (self.text(), ids)
    }
}
