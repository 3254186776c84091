//! Redis's databases, which have numbers for names.

use crate::Error;

/// How many databases a server of our own has: one for the world, and one for each side.
pub(crate) const OURS: i64 = 64;

/// The client for another of a server's databases.
pub(crate) fn at(client: &redis::Client, number: i64) -> Result<redis::Client, Error> {
    let info = client.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_db(number);
    redis::Client::open(info.set_redis_settings(settings))
        .map_err(Error::refused("redis", "take a database's number"))
}

/// Empties a database of a server of our own.
pub(crate) async fn flush(client: &redis::Client, number: i64) -> Result<(), Error> {
    let refused = || Error::refused("redis", format!("empty database {number}"));
    let mut connection = at(client, number)?
        .get_multiplexed_async_connection()
        .await
        .map_err(refused())?;
    redis::cmd("FLUSHDB")
        .exec_async(&mut connection)
        .await
        .map_err(refused())
}
