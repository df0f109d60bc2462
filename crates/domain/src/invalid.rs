//! The invalid fields of a request. All are reported at once, so that a form can be corrected in
//! one go.

use std::fmt;

use thiserror::Error;

/// One invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField {
    /// The path of the field in the contract, such as `competition.title`.
    pub field: String,
    /// What the field must be. Names the limit and never repeats the value, which may be a secret.
    pub description: String,
}

/// All invalid fields of a request, in the order in which they were found.
///
/// ```
/// # use domain::{InvalidFields, Title, Venue};
/// # let (title, venue) = ("Spring Cup", "Town Hall");
/// let mut invalid = InvalidFields::default();
/// let title = invalid.check("title", Title::parse(title));
/// let venue = invalid.check("venue", Venue::parse(venue));
/// let (Some(title), Some(venue)) = (title, venue) else {
///     return Err(invalid);
/// };
/// # Ok::<(), InvalidFields>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Error)]
pub struct InvalidFields(Vec<InvalidField>);

impl InvalidFields {
    /// Makes the error of a request with one invalid field.
    pub fn one(field: impl Into<String>, description: &(impl ToString + ?Sized)) -> Self {
        let mut invalid = Self::default();
        invalid.reject(field, description);
        invalid
    }

    /// Records an invalid field.
    pub fn reject(&mut self, field: impl Into<String>, description: &(impl ToString + ?Sized)) {
        self.0.push(InvalidField {
            field: field.into(),
            description: description.to_string(),
        });
    }

    /// Returns the value of a valid field; records an invalid one and returns `None`.
    pub fn check<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.reject(field, &error)).ok()
    }

    /// Returns the value of a required field; records an absent one and returns `None`.
    pub fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.reject(field, "must be set");
        }
        value
    }

    /// Returns the value of a valid part of the request; otherwise adds the part's invalid fields.
    pub fn absorb<T>(&mut self, part: Result<T, InvalidFields>) -> Option<T> {
        part.map_err(|mut invalid| self.0.append(&mut invalid.0))
            .ok()
    }

    /// Returns `value` if no invalid field was recorded.
    pub fn into_result<T>(self, value: T) -> Result<T, InvalidFields> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// Prefixes every path with the field that holds the message: `ends_at` becomes
    /// `competition.ends_at`.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        for invalid in &mut self.0 {
            invalid.field = format!("{field}.{}", invalid.field);
        }
        self
    }

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
    fn every_invalid_field_is_reported() {
        let mut invalid = InvalidFields::default();
        assert_eq!(invalid.check("title", Title::parse("")), None);
        assert_eq!(invalid.check("venue", Venue::parse("a\u{7}b")), None);
        let error = invalid
            .into_result(())
            .expect_err("both fields are invalid");
        assert_eq!(
            error.to_string(),
            "title must be 1 to 120 characters; venue must not hold the control character U+0007"
        );
    }

    #[test]
    fn the_fields_of_a_part_are_named_within_the_field_that_holds_it() {
        let part = InvalidFields::one("ends_at", "must be after starts_at");
        assert_eq!(
            part.within("competition").to_string(),
            "competition.ends_at must be after starts_at"
        );
    }
}
