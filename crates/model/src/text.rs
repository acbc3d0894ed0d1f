//! Texts that a person reads, in several languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text by language tag; `en` and `nl` at least, as the description's schema demands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(BTreeMap<String, String>);

impl Text {
    /// The text in this language (`nl`, or `nl-BE` cut to `nl`), else in English, else empty.
    #[must_use]
    pub fn get(&self, language: &str) -> &str {
        let base = language.split(['-', '_']).next().unwrap_or(language);
        [language, base, "en"].iter().find_map(|tag| self.0.get(*tag)).map_or("", String::as_str)
    }
}
