//! What is wrong with a request: every field at once, so that a person corrects a form in one go.

use std::fmt;

use thiserror::Error;

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField {
    /// The path of the field as the contract spells it, such as `competition.title`.
    pub field: String,
    /// What the field must be: a sentence that names the limit and never repeats a secret.
    pub description: String,
}

/// All wrong fields of a request.
///
/// ```
/// # use domain::{InvalidFields, Title, Venue};
/// # let (title, venue) = ("Spring Cup", "Town Hall");
/// let mut invalid = InvalidFields::default();
/// let title = invalid.check("competition.title", Title::parse(title));
/// let venue = invalid.check("competition.venue", Venue::parse(venue));
/// let (title, venue) = invalid.finish(|| Some((title?, venue?)))?;
/// # Ok::<(), InvalidFields>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Error)]
pub struct InvalidFields(Vec<InvalidField>);

impl InvalidFields {
    /// A single wrong field.
    pub fn one(field: impl Into<String>, description: &(impl ToString + ?Sized)) -> Self {
        let mut invalid = Self::default();
        invalid.reject(field, description);
        invalid
    }

    /// Notes a wrong field.
    pub fn reject(&mut self, field: impl Into<String>, description: &(impl ToString + ?Sized)) {
        self.0.push(InvalidField {
            field: field.into(),
            description: description.to_string(),
        });
    }

    /// Keeps the value of a good field, notes a wrong one.
    pub fn check<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.reject(field, &error)).ok()
    }

    /// Keeps the value of a field that must be there, notes one that is absent.
    pub fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.reject(field, "must be set");
        }
        value
    }

    /// Takes over the wrong fields of a part of the request.
    pub fn absorb<T>(&mut self, part: Result<T, InvalidFields>) -> Option<T> {
        part.map_err(|mut invalid| self.0.append(&mut invalid.0))
            .ok()
    }

    /// Builds the request from its good fields, or answers all wrong ones.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, InvalidFields> {
        match build() {
            Some(request) if self.0.is_empty() => Ok(request),
            _ => Err(self),
        }
    }

    /// The wrong fields, in the order in which they were found.
    #[must_use]
    pub fn fields(&self) -> &[InvalidField] {
        &self.0
    }
}

impl fmt::Display for InvalidFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, InvalidField { field, description }) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{field} {description}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Title, Venue};

    #[test]
    fn every_wrong_field_is_named() {
        let mut invalid = InvalidFields::default();
        let title = invalid.check("title", Title::parse(""));
        let venue = invalid.check("venue", Venue::parse("a\u{7}b"));
        let error = invalid
            .finish(|| Some((title?, venue?)))
            .expect_err("both fields are wrong");
        assert_eq!(
            error.to_string(),
            "title must be 1 to 120 characters; venue must not hold control characters"
        );
    }
}
