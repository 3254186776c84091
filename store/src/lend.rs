//! Where statements that share a connection get it: sqlx's pool, or another one behind the same
//! seam.

use std::fmt::Debug;
use std::ops::DerefMut;

use futures_util::future::BoxFuture;
use sqlx::{PgConnection, PgPool};

/// A PostgreSQL connection that is given back when it is dropped.
pub type Lent = Box<dyn DerefMut<Target = PgConnection> + Send>;

/// Lends connections.
pub trait Lend: Debug + Send + Sync {
    /// Waits for a connection.
    ///
    /// # Errors
    /// As the pool behind it.
    fn lend(&self) -> BoxFuture<'_, sqlx::Result<Lent>>;
}

impl Lend for PgPool {
    fn lend(&self) -> BoxFuture<'_, sqlx::Result<Lent>> {
        Box::pin(async {
            let connection = self.acquire().await?;
            Ok(Box::new(connection) as Lent)
        })
    }
}
