//! Small help for writing the JSON document of [`Connector::describe`](crate::Connector::describe) with
//! [`serde_json::json!`]. The document's shape is `wit/description.schema.json`; the host checks it and names the
//! member that is wrong.

use serde_json::{Value, json};

/// A text in the two languages that every text must have.
#[must_use]
pub fn text(en: &str, nl: &str) -> Value {
    json!({ "en": en, "nl": nl })
}
