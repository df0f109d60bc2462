//! What all types share that hold a checked text.

/// Implements `parse`, `as_str` and the conversions of `struct $name(String)`.
///
/// `$check` is a function from `&str` to `Result<(), $error>`. `parse` and `stored` are functions
/// from `String` to `Result<String, $error>`: the first for what a client sends, the second for what
/// the conversions read, also those of serde.
macro_rules! checked_text {
    ($name:ident, $error:ty, $check:expr) => {
        checked_text!(
            $name,
            $error,
            parse: |text: String| $check(&text).map(|()| text),
            stored: |text: String| $check(&text).map(|()| text)
        );
    };
    ($name:ident, $error:ty, parse: $parse:expr, stored: $stored:expr) => {
        impl $name {
            /// Checks the text against the rules of the type.
            pub fn parse(text: impl Into<String>) -> Result<Self, $error> {
                $parse(text.into()).map(Self)
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Reads a stored text.
        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                $stored(text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

/// Implements `Display` of `struct $name(String)`. Not for personal data.
macro_rules! display_text {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
