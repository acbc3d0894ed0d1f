//! `$filter`: the part of OData's grammar that mail clients use, and the filters that the service finds too complex.
//!
//! Comparisons, `and`, `or`, `not`, parentheses, `startswith`, `endswith`, `contains`, and `any` over a list of words.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::errors::GraphError;

/// What is filtered.
pub(super) trait Properties {
    /// The value of a property, by its path.
    fn at(&self, path: &str) -> Value;

    /// The same where it is a time that need not be written out: a large folder has many.
    fn time(&self, _path: &str) -> Option<Timestamp> {
        None
    }
}

impl<F: Fn(&str) -> Value> Properties for F {
    fn at(&self, path: &str) -> Value {
        self(path)
    }
}

/// A filter that was read.
#[derive(Debug)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare {
        property: String,
        operator: String,
        literal: Literal,
    },
    Call {
        function: String,
        property: String,
        text: String,
    },
    /// `categories/any(c:c eq 'x')`
    Any {
        property: String,
        text: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    /// A date without quotes.
    Time(Timestamp),
    /// `true`, `null` or a number.
    Word(String),
}

impl Filter {
    /// Reads a filter.
    pub(super) fn read(text: &str) -> Result<Self, GraphError> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0 };
        let filter = reader.or()?;
        if reader.at < reader.tokens.len() { Err(invalid()) } else { Ok(filter) }
    }

    /// Whether something with these properties passes.
    pub(super) fn passes(&self, item: &impl Properties) -> bool {
        match self {
            Self::And(one, other) => one.passes(item) && other.passes(item),
            Self::Or(one, other) => one.passes(item) || other.passes(item),
            Self::Not(one) => !one.passes(item),
            Self::Compare { property, operator, literal } => {
                let order = match (literal, item.time(property)) {
                    (Literal::Time(literal), Some(time)) => Some(time.cmp(literal)),
                    _ => compare(&item.at(property), literal),
                };
                match operator.as_str() {
                    "eq" => order == Some(Ordering::Equal),
                    "ne" => order != Some(Ordering::Equal),
                    "gt" => order.is_some_and(Ordering::is_gt),
                    "ge" => order.is_some_and(Ordering::is_ge),
                    "lt" => order.is_some_and(Ordering::is_lt),
                    _ => order.is_some_and(Ordering::is_le),
                }
            }
            Self::Call { function, property, text } => {
                let value = item.at(property).as_str().unwrap_or_default().to_lowercase();
                let text = text.to_lowercase();
                match function.as_str() {
                    "startswith" => value.starts_with(&text),
                    "endswith" => value.ends_with(&text),
                    _ => value.contains(&text),
                }
            }
            Self::Any { property, text } => {
                item.at(property).as_array().is_some_and(|list| list.iter().any(|word| word == text))
            }
        }
    }

    /// The properties in the order of the filter.
    pub(super) fn properties(&self) -> Vec<&str> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                let mut properties = one.properties();
                properties.extend(other.properties());
                properties
            }
            Self::Not(one) => one.properties(),
            Self::Compare { property, .. } | Self::Call { property, .. } | Self::Any { property, .. } => {
                vec![property]
            }
        }
    }

    /// Refuses what the service cannot do at once: sorting by what does not come first in the filter, in the same order.
    pub(super) fn refuse_inefficient(&self, order: &[&str]) -> Result<(), GraphError> {
        let mut filtered = self.properties();
        filtered.dedup();
        if order
            .iter()
            .zip(filtered.iter().map(Some).chain(std::iter::repeat(None)))
            .all(|(order, filtered)| filtered == Some(order))
        {
            return Ok(());
        }
        let message = "The restriction or sort order is too complex for this operation.";
        Err(GraphError::bad_request("InefficientFilter", message))
    }
}

/// The order of a property's value and a literal; none when they cannot be compared.
fn compare(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Null, Literal::Word(word)) if word == "null" => Some(Ordering::Equal),
        (Value::Bool(value), Literal::Word(word)) => Some(value.cmp(&word.parse().ok()?)),
        (Value::Number(value), Literal::Word(word)) => value.as_f64()?.partial_cmp(&word.parse().ok()?),
        (Value::String(value), Literal::Time(literal)) => Some(time(value)?.cmp(literal)),
        // Exchange compares texts without regard to case.
        (Value::String(value), Literal::Text(text)) => Some(value.to_lowercase().cmp(&text.to_lowercase())),
        _ => None,
    }
}

/// A moment, or the beginning of a day.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()
}

fn invalid() -> GraphError {
    GraphError::bad_query("Invalid filter clause")
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let mark = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            _ => None,
        };
        if let Some(mark) = mark {
            tokens.push(mark);
            rest = after;
        } else if first == '\'' {
            let (mut word, mut left) = (String::new(), after);
            loop {
                let (piece, after) = left.split_once('\'').ok_or_else(invalid)?;
                word.push_str(piece);
                match after.strip_prefix('\'') {
                    // Two quotes are one.
                    Some(after) => {
                        word.push('\'');
                        left = after;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
            tokens.push(Token::Text(word));
        } else {
            let ends = |character: char| character.is_whitespace() || "(),'".contains(character);
            let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
            tokens.push(Token::Word(word.to_owned()));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Result<Token, GraphError> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(invalid)?;
        self.at += 1;
        Ok(token)
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), GraphError> {
        if self.next()? == *wanted { Ok(()) } else { Err(invalid()) }
    }

    fn word(&mut self) -> Result<String, GraphError> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => Err(invalid()),
        }
    }

    fn text(&mut self) -> Result<String, GraphError> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            _ => Err(invalid()),
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found == word);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Filter, GraphError> {
        let mut filter = self.and()?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.and()?));
        }
        Ok(filter)
    }

    fn and(&mut self) -> Result<Filter, GraphError> {
        let mut filter = self.one()?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, GraphError> {
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.tokens.get(self.at) == Some(&Token::Open) {
            self.at += 1;
            let filter = self.or()?;
            self.expect(&Token::Close)?;
            return Ok(filter);
        }
        let word = self.word()?;
        if let Some(property) = word.strip_suffix("/any") {
            return self.any(property.to_owned());
        }
        if self.tokens.get(self.at) == Some(&Token::Open) {
            return self.call(word);
        }
        let operator = self.word()?;
        if !matches!(operator.as_str(), "eq" | "ne" | "gt" | "ge" | "lt" | "le") {
            return Err(invalid());
        }
        let literal = match self.next()? {
            Token::Text(text) => Literal::Text(text),
            Token::Word(word) => time(&word).map_or(Literal::Word(word), Literal::Time),
            _ => return Err(invalid()),
        };
        Ok(Filter::Compare { property: word, operator, literal })
    }

    fn call(&mut self, function: String) -> Result<Filter, GraphError> {
        if !matches!(function.as_str(), "startswith" | "endswith" | "contains") {
            return Err(invalid());
        }
        self.expect(&Token::Open)?;
        let property = self.word()?;
        self.expect(&Token::Comma)?;
        let text = self.text()?;
        self.expect(&Token::Close)?;
        Ok(Filter::Call { function, property, text })
    }

    /// `(c:c eq 'x')`
    fn any(&mut self, property: String) -> Result<Filter, GraphError> {
        self.expect(&Token::Open)?;
        while !self.takes("eq") {
            self.word()?;
        }
        let text = self.text()?;
        self.expect(&Token::Close)?;
        Ok(Filter::Any { property, text })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(filter: &str) -> bool {
        let properties = json!({
            "subject": "Factuur d'Arc", "isRead": false, "receivedDateTime": "2026-11-02T10:00:00Z",
            "categories": ["Rood"], "from/emailAddress/address": "a@b.example",
        });
        Filter::read(filter).unwrap().passes(&|name: &str| properties.get(name).cloned().unwrap_or_default())
    }

    #[test]
    fn filters_mean_what_clients_mean() {
        assert!(passes("subject eq 'factuur d''arc' and isRead eq false"));
        assert!(passes("receivedDateTime ge 2026-11-02T10:00:00Z and not (isRead eq true)"));
        assert!(!passes("receivedDateTime gt 2026-11-02T10:00:00Z or isRead eq true"));
        assert!(passes("receivedDateTime lt 2026-11-03"));
        assert!(passes("startswith(subject,'fact') and contains(from/emailAddress/address,'@b.')"));
        assert!(passes("categories/any(c:c eq 'Rood')") && !passes("categories/any(c:c eq 'Blauw')"));
        for broken in ["subject", "subject is 'x'", "subject eq 'x", "(isRead eq true", "isRead eq true true"]
        {
            assert_eq!(Filter::read(broken).unwrap_err().code, "BadRequest", "{broken}");
        }
    }

    #[test]
    fn sorting_needs_its_properties_first_in_the_filter() {
        let filter = Filter::read("receivedDateTime ge 2026-01-01 and isRead eq false").unwrap();
        assert!(filter.refuse_inefficient(&["receivedDateTime"]).is_ok());
        assert!(filter.refuse_inefficient(&[]).is_ok());
        assert_eq!(filter.refuse_inefficient(&["isRead"]).unwrap_err().code, "InefficientFilter");
        assert!(filter.refuse_inefficient(&["receivedDateTime", "subject"]).is_err());
    }
}
