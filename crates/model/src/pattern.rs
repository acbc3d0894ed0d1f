//! What a text has to be like for a filter: the one place that says what a pattern means.
//!
//! A pattern without `*` has to occur in the text. With `*`, which stands for any characters or none, it has to fit the
//! whole text: `*.pdf` is what ends with `.pdf`. Upper and lower case are one. Texts are compared decoded (RFC 2047),
//! as a person sees them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Characters of a pattern; no name or subject needs more.
const MOST: usize = 500;

/// A pattern for a sender, a subject or the name of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    folded: String,
}

/// Why a text cannot be a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pattern has 1 to {MOST} characters, none of them a control character")]
pub struct PatternError;

impl Pattern {
    /// Whether a text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut pieces = self.folded.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(last) = pieces.next_back() else { return text.contains(first) };
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        for piece in pieces {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MOST || text.contains(char::is_control) {
            return Err(PatternError);
        }
        Ok(Self { text: text.to_owned(), folded: text.to_lowercase() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().fits(text)
    }

    #[test]
    fn without_a_star_it_occurs_and_with_one_it_is_the_whole() {
        assert!(fits("factuur", "Uw FACTUUR van mei"));
        assert!(fits("ÉTÉ", "été 2026") && !fits("factuur", "offerte"));
        assert!(fits("*.pdf", "Factuur.PDF") && !fits("*.pdf", "factuur.pdf.exe"));
        assert!(fits("factuur*", "factuur 12") && !fits("factuur*", "de factuur 12"));
        assert!(fits("*a*b*", "xaxb") && !fits("*a*b*", "xbxa"));
        assert!(fits("a*a", "aa") && !fits("a*a", "a") && fits("*", ""));
        assert!(fits("[5?]", "is it [5?] or not"), "nothing else is special");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in ["", "  ", "a\nb", &"x".repeat(501)] {
            assert!(wrong.parse::<Pattern>().is_err());
        }
    }
}
