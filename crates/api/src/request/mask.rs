//! The update mask: which fields a change is about.

use domain::InvalidFields;
use prost_types::FieldMask;

/// Which fields are named.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// Those that are set in the message: the mask was absent or empty.
    Set,
    /// All that may be changed: `*`.
    All,
    /// These.
    Named(Vec<String>),
}

impl Mask {
    /// Accepts nothing, `*` alone, or some of the fields that may be changed.
    ///
    /// However many paths are wrong, they are one wrong field, and none is repeated: the answer has
    /// to fit into the trailers of a response.
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

    fn covers(&self, field: &str, is_set: bool) -> bool {
        match self {
            Self::Set => is_set,
            Self::All => true,
            Self::Named(fields) => fields.iter().any(|named| named == field),
        }
    }
}

/// Reads the fields that a mask covers, and notes the wrong ones.
pub(super) struct Changes<'a> {
    mask: &'a Mask,
    invalid: &'a mut InvalidFields,
}

impl<'a> Changes<'a> {
    pub(super) fn new(mask: &'a Mask, invalid: &'a mut InvalidFields) -> Self {
        Self { mask, invalid }
    }

    /// `None` = not covered, or wrong; a wrong one is noted.
    pub(super) fn field<T, E: ToString>(
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(paths: &[&str]) -> Result<Mask, String> {
        let paths = paths.iter().copied().map(String::from).collect();
        Mask::parse(Some(FieldMask { paths }), &["title", "venue"])
    }

    #[test]
    fn without_a_mask_the_fields_that_are_set_are_meant() {
        let mask = parse(&[]).expect("a mask");
        assert!(mask.covers("title", true));
        assert!(!mask.covers("title", false));
        assert_eq!(Mask::parse(None, &["title"]), Ok(mask));
    }

    #[test]
    fn a_star_means_all() {
        let mask = parse(&["*"]).expect("a mask");
        assert!(mask.covers("venue", false));
    }

    #[test]
    fn a_named_field_is_meant_even_if_it_is_not_set() {
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
