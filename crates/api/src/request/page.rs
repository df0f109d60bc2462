//! The page of a list.

use crate::{admin, user};

/// The size of a page if the request names none.
const DEFAULT_SIZE: u32 = 50;
/// The size of a page if the request asks for more.
const MAX_SIZE: u32 = 200;

/// The requested page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedPage {
    /// The maximal number of entries: 1 to 200.
    pub size: u32,
    /// The page token of the request, not checked yet. Empty = the first page.
    pub token: String,
}

impl RequestedPage {
    /// Takes 0 as 50 and more than 200 as 200; refuses a negative size.
    pub(super) fn parse(size: i32, token: String) -> Result<Self, &'static str> {
        let size = match u32::try_from(size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) => size.min(MAX_SIZE),
            Err(_) => return Err("must not be negative"),
        };
        Ok(Self { size, token })
    }
}

impl RequestedPage {
    /// Takes 0 as 200, because a client that names no size wants as much as there is.
    fn parse_largest(size: i32, token: String) -> Result<Self, &'static str> {
        let largest = i32::try_from(MAX_SIZE).unwrap_or(i32::MAX);
        Self::parse(if size == 0 { largest } else { size }, token)
    }
}

parse! {
    user::ExportMeRequest as request =>
        RequestedPage from "page_size": Self::parse_largest(request.page_size, request.page_token)
}

parse! {
    admin::ListAdminsRequest as request =>
        RequestedPage from "page_size": Self::parse(request.page_size, request.page_token)
}

parse! {
    user::ListMyRegistrationsRequest as request =>
        RequestedPage from "page_size": Self::parse(request.page_size, request.page_token)
}

#[cfg(test)]
mod tests {
    use domain::InvalidFields;

    use super::*;

    fn size(page_size: i32) -> Result<u32, InvalidFields> {
        let page_token = String::new();
        let request = admin::ListAdminsRequest {
            page_size,
            page_token,
        };
        RequestedPage::try_from(request).map(|page| page.size)
    }

    #[test]
    fn a_page_has_1_to_200_entries_and_50_by_default() {
        assert_eq!(size(0), Ok(50));
        assert_eq!(size(1), Ok(1));
        assert_eq!(size(200), Ok(200));
        assert_eq!(size(i32::MAX), Ok(200));
    }

    #[test]
    fn an_export_has_200_registrations_by_default() {
        for (page_size, expected) in [(0, 200), (1, 1), (201, 200)] {
            let request = user::ExportMeRequest {
                page_size,
                ..Default::default()
            };
            let size = RequestedPage::try_from(request).map(|page| page.size);
            assert_eq!(size, Ok(expected));
        }
    }

    #[test]
    fn a_negative_page_size_is_refused() {
        for negative in [-1, i32::MIN] {
            let error = size(negative).expect_err("refused");
            assert_eq!(error.to_string(), "page_size must not be negative");
        }
    }
}
