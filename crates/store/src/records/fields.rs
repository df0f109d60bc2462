//! A hash as Redis stores it: texts by the names of their fields.

use std::collections::HashMap;
use std::str::FromStr;

use deadpool_redis::redis::{FromRedisValue, ParsingError, Value};
use domain::Timestamp;

use crate::error::{Error, Result};

/// The fields of a record. An absent field reads as empty text.
pub struct Fields(HashMap<String, String>);

impl Fields {
    /// Takes names and values in turn, as HGETALL replies.
    #[must_use]
    pub fn from_pairs(values: Vec<String>) -> Self {
        let mut fields = HashMap::with_capacity(values.len() / 2);
        let mut values = values.into_iter();
        while let (Some(name), Some(value)) = (values.next(), values.next()) {
            fields.insert(name, value);
        }
        Self(fields)
    }

    /// Whether there is no such record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a field that is stored elsewhere, such as a count.
    pub fn insert(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// Takes a field as text.
    pub fn text(&mut self, name: &str) -> String {
        self.0.remove(name).unwrap_or_default()
    }

    /// Takes a field and converts it. Fails if the field is not valid.
    pub fn get<T: TryFrom<String>>(&mut self, name: &str) -> Result<T> {
        T::try_from(self.text(name)).map_err(|_| unreadable_field(name))
    }

    /// Takes a field and converts it; empty = `None`.
    pub fn optional<T: TryFrom<String>>(&mut self, name: &str) -> Result<Option<T>> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        T::try_from(text)
            .map(Some)
            .map_err(|_| unreadable_field(name))
    }

    /// Takes a field and parses it as a number.
    pub fn number<T: FromStr>(&mut self, name: &str) -> Result<T> {
        self.text(name).parse().map_err(|_| unreadable_field(name))
    }

    /// Takes a field and parses it as a number; empty = `None`.
    pub fn optional_number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| unreadable_field(name))
    }

    /// Takes a field that holds milliseconds since 1970.
    pub fn timestamp(&mut self, name: &str) -> Result<Timestamp> {
        Timestamp::from_millis(self.number(name)?).map_err(|_| unreadable_field(name))
    }
}

impl FromRedisValue for Fields {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        Vec::from_redis_value(value).map(Self::from_pairs)
    }
}

fn unreadable_field(name: &str) -> Error {
    Error::unreadable(format_args!("the field {name}"))
}
