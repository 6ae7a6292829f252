//! An authenticated user and what the credentials allow.

use crate::domain::access::{self, Pattern, Roles};
use crate::store::access::User;
use soapstone_runtime::service::Permissions;

/// An authenticated user.
#[derive(Debug)]
pub(in crate::http) struct Identity {
    name: String,
    roles: Vec<Pattern>,
    /// The scopes of a token, if it has any; they narrow the roles.
    scopes: Option<Vec<Pattern>>,
}

impl Identity {
    pub(super) fn new(user: &User, roles: &Roles, scopes: Option<Vec<Pattern>>) -> Self {
        Self { name: user.name.clone(), roles: roles.permissions(&user.roles), scopes }
    }
}

impl Permissions for Identity {
    fn name(&self) -> &str {
        &self.name
    }

    fn allows(&self, service: &str, operation: &str) -> bool {
        access::covers(&self.roles, service, operation)
            && self.scopes.as_ref().is_none_or(|scopes| access::covers(scopes, service, operation))
    }
}
