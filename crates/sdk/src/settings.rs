//! The settings of an account, as the host hands them to [`Session::open`](crate::Session::open). The host has
//! validated them against the description; secrets are never among them.

use crate::{Error, Result};

/// Keys and values. A value that is absent or empty counts as not given.
#[derive(Debug, Clone, Default)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// The value of this key, when it has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The value of this key.
    ///
    /// # Errors
    /// `invalid-setting` that names the key when it has none.
    pub fn required(&self, key: &str) -> Result<&str> {
        self.get(key).ok_or_else(|| Error::invalid_setting(key, format!("the setting `{key}` has no value")))
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.get(key) == Some("true")
    }

    /// The whole number of this key, when it has one.
    ///
    /// # Errors
    /// `invalid-setting` that names the key when the value is no number.
    pub fn number(&self, key: &str) -> Result<Option<u32>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let number = value.parse();
        number
            .map(Some)
            .map_err(|_| Error::invalid_setting(key, format!("the setting `{key}` is not a whole number")))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_counts_as_absent_and_errors_name_the_key() {
        let settings: Settings =
            [("host", "mail.example.test"), ("user", ""), ("port", "x")].into_iter().collect();
        assert_eq!(settings.required("host").unwrap(), "mail.example.test");
        assert_eq!(settings.required("user").unwrap_err().setting.as_deref(), Some("user"));
        assert_eq!(settings.number("port").unwrap_err().setting.as_deref(), Some("port"));
        assert_eq!(settings.number("absent").unwrap(), None);
        assert!(!settings.flag("absent"));
    }
}
