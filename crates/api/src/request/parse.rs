//! The macro that generates the checks of a request.

/// Implements `TryFrom` of a message for a request, from one line per field: the field and the
/// `Result` of parsing it. Every `Err` becomes an invalid field of the same name, or of the name after
/// `as`.
///
/// ```text
/// parse! {
///     user::WithdrawRequest as request => Withdraw {
///         competition_id: CompetitionId::parse(request.competition_id),
///         request_id: request_id(&request.request_id),
///     }
/// }
/// ```
///
/// A field after `;` needs no check: its expression is the value. A target without fields in braces,
/// such as `UserId from "user_id": …`, is the value of the only field.
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
    (@path $field:ident) => { stringify!($field) };
    (@path $field:ident $path:literal) => { $path };
}
