//! The macro that generates the checks of a request.

/// Implements `TryFrom<message>` for a request. Each line has a field and the `Result` of parsing
/// it.
///
/// ```text
/// parse! {
///     user::ListCompetitionsRequest as request => ListCompetitions {
///         // An `Err` is reported as the invalid field `starts_after`.
///         starts_after: optional_time(request.starts_after),
///         // An `Err` is reported as the invalid field `page_size`.
///         page as "page_size": RequestedPage::parse(request.page_size, request.page_token);
///         // The fields after the semicolon need no check, so they have values and no `Result`s.
///         open_only: request.open_only,
///     }
/// }
/// ```
///
/// The second form parses a message with a single field into the value of that field:
///
/// ```text
/// parse! {
///     admin::GetUserRequest as request => UserId from "user_id": Self::parse(request.user_id)
/// }
/// ```
macro_rules! parse {
    (
        $message:ty as $request:ident => $target:ident {
            $($field:ident $(as $path:literal)?: $parsed:expr),+ $(,)?
            $(; $($plain:ident: $value:expr),+ $(,)?)?
        }
    ) => {
        impl TryFrom<$message> for $target {
            type Error = domain::InvalidFields;

            fn try_from($request: $message) -> Result<Self, domain::InvalidFields> {
                let mut invalid = domain::InvalidFields::default();
                $(
                    let path = parse!(@path $field $($path)?);
                    let $field = invalid.check(path, $parsed);
                )+
                match ($($field,)+) {
                    ($(Some($field),)+) => Ok(Self { $($field,)+ $($($plain: $value),+)? }),
                    _ => Err(invalid),
                }
            }
        }
    };
    ($message:ty as $request:ident => $target:ident from $path:literal: $parsed:expr) => {
        impl TryFrom<$message> for $target {
            type Error = domain::InvalidFields;

            fn try_from($request: $message) -> Result<Self, domain::InvalidFields> {
                $parsed.map_err(|error| domain::InvalidFields::one($path, &error))
            }
        }
    };
    // The name of a field in an error.
    (@path $field:ident) => { stringify!($field) };
    (@path $field:ident $path:literal) => { $path };
}
