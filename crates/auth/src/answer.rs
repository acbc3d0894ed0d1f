//! What comes back from the page where a person signs in: as a request to the loopback address, or pasted.

use std::fmt;

use url::{Url, form_urlencoded};

use crate::AuthError;

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
    /// It is none of them. The text is not repeated: it may be something secret.
    pub fn read(text: &str) -> Result<Self, AuthError> {
        let text = text.trim().trim_matches(['"', '\'', '<', '>']);
        let unreadable = |problem: &str| {
            AuthError::setting(
                None,
                format!(
                    "{problem}; paste the whole address of the page that came last, or the code that it shows"
                ),
            )
        };
        if text.is_empty() {
            return Err(unreadable("nothing was pasted"));
        }
        if let Ok(url) = Url::parse(text)
            && matches!(url.scheme(), "http" | "https")
        {
            let pairs = [url.query(), url.fragment()].into_iter().flatten().collect::<Vec<_>>().join("&");
            let answer = Self::of_query(&pairs);
            return answer.ok_or_else(|| unreadable("this address holds no answer of a sign-in"));
        }
        let query = text.trim_start_matches(['?', '#']);
        if let Some(answer) = Self::of_query(query) {
            return Ok(answer);
        }
        // Visible ASCII characters (RFC 6749, appendix A.11); anything with a blank is no code.
        if text.len() <= 8 << 10 && text.chars().all(|letter| letter.is_ascii_graphic()) {
            return Ok(Self { code: Some(text.to_owned()), ..Self::default() });
        }
        Err(unreadable("this is no answer of a sign-in"))
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
