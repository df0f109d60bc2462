//! The part of a list that a request asks for.

use domain::InvalidFields;

use super::field::only;
use crate::{admin, user};

/// The size that a request without one means.
const DEFAULT_SIZE: u32 = 50;
/// The size that a request for more means.
const MAX_SIZE: u32 = 200;

/// The part of a list that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most how many: 1 to 200.
    pub size: u32,
    /// Where to go on, as the client sent it: not checked yet. Empty = at the beginning.
    pub token: String,
}

impl Page {
    /// The field that can be wrong.
    pub(super) const FIELD: &str = "page_size";

    /// Takes 0 as 50 and more than 200 as 200, and refuses a negative size.
    pub(super) fn parse(size: i32, token: String) -> Result<Self, &'static str> {
        let size = match u32::try_from(size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => return Err("must not be negative"),
        };
        Ok(Self { size, token })
    }
}

impl TryFrom<admin::ListAdminsRequest> for Page {
    type Error = InvalidFields;

    fn try_from(request: admin::ListAdminsRequest) -> Result<Self, InvalidFields> {
        only(
            Self::FIELD,
            Self::parse(request.page_size, request.page_token),
        )
    }
}

impl TryFrom<user::ListMyRegistrationsRequest> for Page {
    type Error = InvalidFields;

    fn try_from(request: user::ListMyRegistrationsRequest) -> Result<Self, InvalidFields> {
        only(
            Self::FIELD,
            Self::parse(request.page_size, request.page_token),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(page_size: i32) -> Result<u32, InvalidFields> {
        let page_token = String::new();
        let request = admin::ListAdminsRequest {
            page_size,
            page_token,
        };
        Page::try_from(request).map(|page| page.size)
    }

    #[test]
    fn a_page_has_1_to_200_entries_and_50_if_nothing_is_said() {
        assert_eq!(size(0), Ok(50));
        assert_eq!(size(1), Ok(1));
        assert_eq!(size(200), Ok(200));
        assert_eq!(size(i32::MAX), Ok(200));
    }

    #[test]
    fn a_negative_page_size_is_refused() {
        for negative in [-1, i32::MIN] {
            let error = size(negative).expect_err("refused");
            assert_eq!(error.to_string(), "page_size must not be negative");
        }
    }
}
