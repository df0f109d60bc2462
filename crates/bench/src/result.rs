//! The result of whatever can fail here.

/// An error ends the scenario and is shown to a person, so a sentence is enough.
pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
