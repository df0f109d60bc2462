//! Which calls the server admits.

/// What one connection uses of the limits of the process.
#[derive(Debug, Default)]
pub struct ConnectionUsage {}
