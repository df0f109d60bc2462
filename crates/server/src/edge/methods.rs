//! The methods behind the edge, and who may call them.

use crate::auth::{Access, AccessTable};
use crate::changes::Rate;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServedBy {
    /// The service itself. Its calls are logged at the level info.
    Service,
    /// An auxiliary service (diagnostics). Its calls are logged at the level debug.
    Auxiliary,
}

#[derive(Debug)]
pub(super) struct Method {
    /// `/package.Service/Method`, the path of a request.
    path: String,
    pub(super) access: Access,
    pub(super) rate: Rate,
    pub(super) served_by: ServedBy,
}

impl Method {
    /// Returns `package.Service/Method`, for the log.
    pub(super) fn name(&self) -> &str {
        &self.path[1..]
    }
}

#[derive(Debug, Default)]
pub(super) struct MethodTable(Vec<Method>);

impl MethodTable {
    pub(super) fn with_service(
        mut self,
        service: &str,
        table: AccessTable,
        served_by: ServedBy,
    ) -> Self {
        let row = |(method, access, rate): &(&str, Access, Rate)| Method {
            path: format!("/{service}/{method}"),
            access: *access,
            rate: *rate,
            served_by,
        };
        self.0.extend(table.iter().map(row));
        self
    }

    pub(super) fn find(&self, path: &str) -> Option<&Method> {
        // Comparing with some twenty paths, most of which differ in length, is faster than hashing.
        self.0.iter().find(|method| method.path == path)
    }
}
