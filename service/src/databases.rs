//! The databases of both sides.

use std::sync::Arc;

use futures_util::future::join;
use verdict_audit::Side;

use crate::database::Database;
use crate::error::Result;
use crate::sides::Sides;

/// Both sides.
#[derive(Debug)]
pub(crate) struct Databases {
    /// As today.
    pub baseline: Arc<Database>,
    /// With every fix.
    pub optimized: Arc<Database>,
}

impl Databases {
    /// Both, connected to on first use.
    ///
    /// # Errors
    /// When one has no address that can be taken.
    pub fn new(sides: Sides) -> Result<Self> {
        Ok(Self {
            baseline: Arc::new(Database::new(Side::Baseline, sides.baseline)?),
            optimized: Arc::new(Database::new(Side::Optimized, sides.optimized)?),
        })
    }

    /// Baseline first.
    pub fn each(&self) -> [&Database; 2] {
        [&self.baseline, &self.optimized]
    }

    /// Closes every connection.
    pub async fn close(&self) {
        join(self.baseline.pool.close(), self.optimized.pool.close()).await;
    }
}
