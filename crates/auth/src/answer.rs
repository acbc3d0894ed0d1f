//! What comes back from the page where a person signs in: as a request to the loopback address, or pasted.

use std::fmt;

use url::{Url, form_urlencoded};

use crate::AuthError;

/// Octets of a code that is pasted by itself.
const LEAST_CODE: usize = 12;
const MOST_CODE: usize = 8 << 10;

/// What was pasted in place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnAnswer {
    /// Nothing.
    Nothing,
    /// The link to the page where somebody has to sign in first.
    Link,
    /// What an administrator's page ends at after he consented: permissions were granted, and nobody signed in.
    Consent,
    /// Something else.
    Other,
}

impl NotAnAnswer {
    fn of(query: &str) -> Self {
        let has = |wanted: &str| form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == wanted);
        if has("admin_consent") {
            Self::Consent
        } else if has("response_type") || has("code_challenge") {
            Self::Link
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for NotAnAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing was pasted",
            Self::Link => "this is the link itself, and not what comes after signing in there",
            Self::Consent => {
                "this address says that an administrator has consented; that is done, and nobody has signed in yet"
            }
            Self::Other => "this is no answer of a sign-in",
        })
    }
}

/// The answer to an authorisation request (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) description: Option<String>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("error", &self.error).finish_non_exhaustive()
    }
}

impl Answer {
    /// Reads what a person pasted: the whole address, what stands behind its question mark, or just the code.
    ///
    /// # Errors
    /// [`AuthError::NotAnAnswer`]: it is none of them. The text is not repeated: it may be something secret.
    pub fn read(text: &str) -> Result<Self, AuthError> {
        let text = text.trim().trim_matches(['"', '\'', '<', '>']);
        if text.is_empty() {
            return Err(AuthError::NotAnAnswer(NotAnAnswer::Nothing));
        }
        if let Ok(url) = Url::parse(text)
            && matches!(url.scheme(), "http" | "https")
        {
            let pairs = [url.query(), url.fragment()].into_iter().flatten().collect::<Vec<_>>().join("&");
            return Self::of_query(&pairs).ok_or(AuthError::NotAnAnswer(NotAnAnswer::of(&pairs)));
        }
        let query = text.trim_start_matches(['?', '#']);
        if let Some(answer) = Self::of_query(query) {
            return Ok(answer);
        }
        // Visible ASCII characters (RFC 6749, appendix A.11); anything with a blank is no code, nor is anything that could
        // be guessed (section 10.10).
        let lengths = LEAST_CODE..=MOST_CODE;
        if lengths.contains(&text.len()) && text.chars().all(|letter| letter.is_ascii_graphic()) {
            return Ok(Self { code: Some(text.to_owned()), ..Self::default() });
        }
        Err(AuthError::NotAnAnswer(NotAnAnswer::of(query)))
    }

    /// Reads a query, if there is an answer in it. What is given twice is no answer (RFC 6749, section 3.1).
    pub(crate) fn of_query(query: &str) -> Option<Self> {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.issuer,
                "error" => &mut answer.error,
                "error_description" => &mut answer.description,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        (answer.code.is_some() || answer.error.is_some()).then_some(answer)
    }
}
