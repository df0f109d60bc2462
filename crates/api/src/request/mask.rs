//! The update mask, which names the fields that an update changes.

use domain::InvalidFields;
use prost_types::FieldMask;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// The mask is absent or empty: covers the fields that are set in the message.
    Set,
    /// `*`: covers all changeable fields.
    All,
    /// Covers these fields.
    Named(Vec<String>),
}

impl Mask {
    /// Accepts no path, `*` alone, or paths of changeable fields.
    ///
    /// The error does not repeat the invalid paths: a client can send many, and the error has to
    /// fit into the trailers of a response.
    pub(super) fn parse(mask: Option<FieldMask>, changeable: &[&str]) -> Result<Self, String> {
        let paths = mask.unwrap_or_default().paths;
        if paths.is_empty() {
            return Ok(Self::Set);
        }
        if paths == ["*"] {
            return Ok(Self::All);
        }
        if paths.iter().all(|path| changeable.contains(&path.as_str())) {
            return Ok(Self::Named(paths));
        }
        let changeable = changeable.join(", ");
        Err(format!("must be * alone, or name only: {changeable}"))
    }

    /// Whether the mask covers the whole message, so that a field that cannot be changed is refused
    /// rather than ignored.
    pub(super) fn covers_message(&self) -> bool {
        !matches!(self, Self::Named(_))
    }

    fn covers(&self, field: &str, is_set: bool) -> bool {
        match self {
            Self::Set => is_set,
            Self::All => true,
            Self::Named(fields) => fields.iter().any(|named| named == field),
        }
    }
}

/// Parses the fields of a message that a mask covers, and collects the invalid ones.
pub(super) struct MaskedFields<'a> {
    mask: &'a Mask,
    invalid: InvalidFields,
}

impl<'a> MaskedFields<'a> {
    pub(super) fn new(mask: &'a Mask) -> Self {
        Self {
            mask,
            invalid: InvalidFields::default(),
        }
    }

    /// Returns `None` if the field is not covered, or if it is invalid.
    pub(super) fn parse<T, E: ToString>(
        &mut self,
        field: &str,
        is_set: bool,
        parse: impl FnOnce() -> Result<T, E>,
    ) -> Option<T> {
        if !self.mask.covers(field, is_set) {
            return None;
        }
        self.invalid.check(field, parse())
    }

    pub(super) fn into_invalid(self) -> InvalidFields {
        self.invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(paths: &[&str]) -> Result<Mask, String> {
        let paths = paths.iter().copied().map(String::from).collect();
        Mask::parse(Some(FieldMask { paths }), &["title", "venue"])
    }

    #[test]
    fn without_a_mask_the_set_fields_are_covered() {
        let mask = parse(&[]).expect("a mask");
        assert!(mask.covers("title", true));
        assert!(!mask.covers("title", false));
        assert_eq!(Mask::parse(None, &["title"]), Ok(mask));
    }

    #[test]
    fn a_star_covers_all_fields() {
        let mask = parse(&["*"]).expect("a mask");
        assert!(mask.covers("venue", false));
    }

    #[test]
    fn a_named_field_is_covered_even_if_it_is_not_set() {
        let mask = parse(&["venue"]).expect("a mask");
        assert!(mask.covers("venue", false));
        assert!(!mask.covers("title", true));
    }

    #[test]
    fn a_field_that_cannot_be_changed_is_refused() {
        for bad in [&["state"][..], &["title", "etag"], &["*", "title"], &[""]] {
            let error = parse(bad).expect_err("refused");
            assert_eq!(error, "must be * alone, or name only: title, venue");
        }
    }
}
