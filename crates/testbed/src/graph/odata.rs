//! Query options of OData as the service takes them, and pages of results.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{errors::GraphError, filter::Filter};

/// What need not be encoded in a query option.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b'/')
    .remove(b'\'');

/// The most messages in a page.
const MOST: usize = 1000;

/// The options of a request, decoded, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(text: &str) -> Self {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(k, v)| (decode(k), decode(v)))
                .collect(),
        )
    }

    /// An option by its name; `$` may be missing, as OData 4.01 allows.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let bare = name.trim_start_matches('$');
        let found = self.0.iter().find(|(key, _)| key.trim_start_matches('$').eq_ignore_ascii_case(bare));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn number(&self, name: &str) -> Result<Option<usize>, GraphError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let invalid = || {
            GraphError::bad_query(format!(
                "Invalid value '{text}' for {name} query option found. The {name} query option requires a non-negative integer value."
            ))
        };
        text.parse().map(Some).map_err(|_| invalid())
    }

    /// `$select`, when it is there.
    pub(super) fn select(&self) -> Option<Vec<String>> {
        let select = self.get("$select").filter(|select| !select.is_empty())?;
        Some(select.split(',').map(|name| name.trim().to_owned()).collect())
    }

    /// `$filter`, when it is there.
    pub(super) fn filter(&self) -> Result<Option<Filter>, GraphError> {
        self.get("$filter").map(Filter::read).transpose()
    }

    /// `$orderby`: property, and whether it descends.
    pub(super) fn order(&self) -> Vec<(String, bool)> {
        let orders = self.get("$orderby").unwrap_or_default().split(',').map(str::trim);
        orders
            .filter(|order| !order.is_empty())
            .map(|order| {
                let (property, direction) = order.split_once(' ').unwrap_or((order, ""));
                (property.to_owned(), direction.trim().eq_ignore_ascii_case("desc"))
            })
            .collect()
    }

    /// The same options with one set otherwise or left out, as they stand in a link.
    pub(super) fn with(&self, name: &str, value: Option<&str>) -> String {
        let mut pairs: Vec<(String, String)> = self.0.clone();
        pairs.retain(|(key, _)| key != name);
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        let encode = |text: &str| utf8_percent_encode(text, &KEPT).to_string();
        let written: Vec<_> =
            pairs.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        written.join("&")
    }

    /// One page of `items`: those from `$skip` on, `$top` of them or `usual`.
    pub(super) fn page<T>(
        &self,
        url: &str,
        context: &str,
        items: &[T],
        usual: usize,
        mut write: impl FnMut(&T) -> Value,
    ) -> Result<Value, GraphError> {
        let skip = self.number("$skip")?.unwrap_or(0);
        let top = self.number("$top")?.unwrap_or(usual);
        if top > MOST {
            return Err(GraphError::bad_query(format!(
                "The limit of '{MOST}' for Top query has been exceeded. The value from the incoming request is '{top}'."
            )));
        }
        let mut answer = Map::new();
        answer.insert("@odata.context".to_owned(), context.into());
        if self.is_true("$count") {
            answer.insert("@odata.count".to_owned(), items.len().into());
        }
        let value: Vec<Value> = items.iter().skip(skip).take(top).map(&mut write).collect();
        let next = skip + value.len();
        answer.insert("value".to_owned(), value.into());
        if next < items.len() && top > 0 {
            let link = format!("{url}?{}", self.with("$skip", Some(&next.to_string())));
            answer.insert("@odata.nextLink".to_owned(), link.into());
        }
        Ok(Value::Object(answer))
    }
}

/// The properties of `object` that were selected, and its id and annotations.
pub(super) fn select(object: Value, selected: Option<&[String]>) -> Value {
    let Some(selected) = selected else { return object };
    let Value::Object(mut object) = object else { return object };
    object.retain(|name, _| {
        name == "id"
            || name.starts_with('@')
            || selected.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    });
    Value::Object(object)
}
