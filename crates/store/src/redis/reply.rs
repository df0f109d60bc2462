//! Decoding of replies. A script replies with a word that names what happened, followed by values
//! in the order that the script's contract states.

use std::str::FromStr;

use deadpool_redis::redis::{self, FromRedisValue, Value};
use domain::{Revision, Timestamp};

use super::fault::{Fault, text_of};
use crate::error::{Error, Result};
use crate::records::Fields;

/// Decodes a reply.
pub(crate) fn decode<T: FromRedisValue>(value: Value) -> Result<T> {
    redis::from_redis_value(value)
        .map_err(|error| Error::Corrupt(format!("unexpected reply of redis: {error}")))
}

/// Turns an error reply into an error.
pub(crate) fn checked(reply: Value) -> Result<Value> {
    match reply {
        Value::ServerError(error) => Err(Fault::of(&error).error(text_of(&error))),
        reply => Ok(reply),
    }
}

/// Reads a script's reply: its word, then its values in order.
pub(crate) struct ReplyReader {
    word: String,
    values: std::vec::IntoIter<String>,
}

impl ReplyReader {
    pub(crate) fn new(reply: Value) -> Result<Self> {
        Self::from_values(decode(reply)?)
    }

    pub(crate) fn from_values(values: Vec<String>) -> Result<Self> {
        let mut values = values.into_iter();
        let word = values.next();
        Ok(Self {
            word: word.ok_or_else(|| Error::unreadable("an empty reply"))?,
            values,
        })
    }

    /// The word that names what happened.
    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    /// Checks the word of a script that has a single one.
    pub(crate) fn expect_word(self, word: &str) -> Result<()> {
        if self.word == word {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The error for a word that the script's contract does not have.
    pub(crate) fn unexpected(self) -> Error {
        let values: Vec<_> = self.values.collect();
        Error::unreadable(format!("the reply {} {}", self.word, values.join(" ")))
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.values
            .next()
            .ok_or_else(|| Error::unreadable("a reply that is too short"))
    }

    /// Parses a value; empty = `None`.
    pub(crate) fn optional<T: FromStr>(&mut self) -> Result<Option<T>> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| Error::unreadable(&text))
    }

    pub(crate) fn number<T: FromStr>(&mut self) -> Result<T> {
        self.optional()?
            .ok_or_else(|| Error::unreadable("a reply without an expected number"))
    }

    pub(crate) fn revision(&mut self) -> Result<Revision> {
        self.number().map(Revision::new)
    }

    pub(crate) fn timestamp(&mut self) -> Result<Timestamp> {
        Timestamp::from_millis(self.number()?).map_err(Error::unreadable)
    }

    /// The remaining values, as names and values in turn.
    pub(crate) fn into_fields(self) -> Fields {
        Fields::from_pairs(self.values.collect())
    }
}
