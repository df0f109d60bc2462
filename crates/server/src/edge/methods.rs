//! Which methods there are behind the edge, and who may call them.

use crate::auth::{Access, AccessTable};

/// Who serves a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// The service itself. Its calls have a line each in the log, at the level info.
    Service,
    /// What is mounted beside it. Its calls are nobody's business but at the level debug.
    Beside,
}

/// A method behind the edge.
#[derive(Debug)]
pub(super) struct Method {
    /// `/package.Service/Method`, as it stands in the request.
    path: String,
    pub(super) access: Access,
    pub(super) home: Home,
}

impl Method {
    /// `package.Service/Method`, for the log.
    pub(super) fn name(&self) -> &str {
        &self.path[1..]
    }
}

/// All methods behind the edge.
#[derive(Debug, Default)]
pub(super) struct Methods(Vec<Method>);

impl Methods {
    /// Adds the methods of a service.
    pub(super) fn with(mut self, service: &str, table: AccessTable, home: Home) -> Self {
        let row = |(method, access): &(&str, Access)| Method {
            path: format!("/{service}/{method}"),
            access: *access,
            home,
        };
        self.0.extend(table.iter().map(row));
        self
    }

    /// The method at this path. A walk along some twenty rows, most of which differ in length, is
    /// faster than a hash.
    pub(super) fn find(&self, path: &str) -> Option<&Method> {
        self.0.iter().find(|method| method.path == path)
    }
}
