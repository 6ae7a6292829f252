//! Permissions beside the operations of the contracts, named as those are: service and operation.

/// A permission: service and operation.
pub type PermissionName = (&'static str, &'static str);

pub const NAVIGATOR_VIEW: PermissionName = ("Navigator", "View");
pub const NAVIGATOR_CHANGE: PermissionName = ("Navigator", "Change");
/// Users, roles and tokens.
pub const ACCESS_CHANGE: PermissionName = ("Access", "Change");
/// Captured messages.
pub const MESSAGES_READ: PermissionName = ("Messages", "Read");
/// Settings and load of the server.
pub const SYSTEM_READ: PermissionName = ("System", "Read");
/// Mapping profiles and filters.
pub const PROFILES_CHANGE: PermissionName = ("Profiles", "Change");
pub const METRICS_READ: PermissionName = ("Metrics", "Read");

pub const ALL: [PermissionName; 7] =
    [NAVIGATOR_VIEW, NAVIGATOR_CHANGE, ACCESS_CHANGE, MESSAGES_READ, SYSTEM_READ, PROFILES_CHANGE, METRICS_READ];
