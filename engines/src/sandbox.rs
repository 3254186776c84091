//! One side of a comparison: databases of its own in all three engines.

use crate::Endpoints;

/// Copies of the world in PostgreSQL and ClickHouse and a Redis database, all for one role
/// such as `baseline`. A handle, cheap to clone: dropping it drops no data.
#[derive(Debug, Clone)]
pub struct Sandbox {
    role: String,
    database: String,
    endpoints: Endpoints,
}

impl Sandbox {
    pub(crate) fn new(role: &str, database: String, endpoints: Endpoints) -> Self {
        Self {
            role: role.to_owned(),
            database,
            endpoints,
        }
    }

    /// What it is for.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The name of its database, the same in PostgreSQL and in ClickHouse.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// How its databases are reached, without a detour.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }
}
