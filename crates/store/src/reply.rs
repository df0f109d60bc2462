//! Reading what a script answers: a word, then values in the order that its contract states.

use std::collections::HashMap;
use std::str::FromStr;

use deadpool_redis::redis::{self, FromRedisValue, Value};
use domain::{Revision, Timestamp};

use crate::error::{Error, Result};

/// Decodes an answer of Redis.
pub(crate) fn decode<T: FromRedisValue>(value: Value) -> Result<T> {
    redis::from_redis_value(value)
        .map_err(|error| Error::Corrupt(format!("redis answered {error}")))
}

/// The values of an answer, read one after the other.
pub(crate) struct Reply {
    word: String,
    values: std::vec::IntoIter<String>,
}

impl Reply {
    pub(crate) fn read(value: Value) -> Result<Self> {
        Self::of(decode(value)?)
    }

    pub(crate) fn of(values: Vec<String>) -> Result<Self> {
        let mut values = values.into_iter();
        let word = values.next().ok_or_else(|| unreadable("an empty answer"))?;
        Ok(Self { word, values })
    }

    /// The word that says what happened.
    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    /// The error for a word that the contract does not have.
    pub(crate) fn unknown(self) -> Error {
        let detail: Vec<_> = self.values.collect();
        unreadable(&format!("{} {}", self.word, detail.join(" ")))
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.values
            .next()
            .ok_or_else(|| unreadable("a short answer"))
    }

    /// A value of a type that cannot be wrong; empty = `None`.
    pub(crate) fn optional<T: FromStr>(&mut self) -> Result<Option<T>> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| unreadable(&text))
    }

    pub(crate) fn number<T: FromStr>(&mut self) -> Result<T> {
        self.optional()?
            .ok_or_else(|| unreadable("a number that is absent"))
    }

    pub(crate) fn revision(&mut self) -> Result<Revision> {
        self.number().map(Revision::new)
    }

    pub(crate) fn timestamp(&mut self) -> Result<Timestamp> {
        let millis = self.number()?;
        Timestamp::from_millis(millis).map_err(|error| unreadable(&error.to_string()))
    }

    /// The rest, as names and values.
    pub(crate) fn fields(self) -> Fields {
        Fields::of(self.values.collect())
    }
}

/// A record by the names of its fields.
pub(crate) struct Fields(HashMap<String, String>);

impl Fields {
    /// Takes names and values in turn, as HGETALL answers them.
    pub(crate) fn of(flat: Vec<String>) -> Self {
        let mut fields = HashMap::with_capacity(flat.len() / 2);
        let mut flat = flat.into_iter();
        while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
            fields.insert(name, value);
        }
        Self(fields)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what does not stand in the record itself.
    pub(crate) fn put(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// A field as text; absent = empty.
    pub(crate) fn text(&mut self, name: &str) -> String {
        self.0.remove(name).unwrap_or_default()
    }

    /// A field of a type that cannot be wrong.
    pub(crate) fn get<T>(&mut self, name: &str) -> Result<T>
    where
        T: TryFrom<String>,
    {
        T::try_from(self.text(name)).map_err(|_| unreadable(&format!("the field {name}")))
    }

    /// The same; empty = `None`.
    pub(crate) fn optional<T>(&mut self, name: &str) -> Result<Option<T>>
    where
        T: TryFrom<String>,
    {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        T::try_from(text)
            .map(Some)
            .map_err(|_| unreadable(&format!("the field {name}")))
    }

    pub(crate) fn number<T: FromStr>(&mut self, name: &str) -> Result<T> {
        let text = self.text(name);
        text.parse()
            .map_err(|_| unreadable(&format!("the field {name}")))
    }

    pub(crate) fn optional_number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse()
            .map(Some)
            .map_err(|_| unreadable(&format!("the field {name}")))
    }

    pub(crate) fn timestamp(&mut self, name: &str) -> Result<Timestamp> {
        Timestamp::from_millis(self.number(name)?)
            .map_err(|_| unreadable(&format!("the field {name}")))
    }
}

/// The error for something that no part of the store writes.
pub(crate) fn unreadable(what: &str) -> Error {
    Error::Corrupt(format!("unreadable: {what}"))
}
