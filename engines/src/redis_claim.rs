//! Numbered Redis databases of the user's server, claimed for a run and given back.
//!
//! A claim is the key [`MARKER`] with the run's id, set only where nothing else is: the
//! database must be empty before and hold nothing but the marker after. Only a database that
//! still has the run's marker is ever emptied.

use redis::aio::MultiplexedConnection;

use crate::{Error, names};

/// The key that says whose a database is; its value is the run's id.
pub(crate) const MARKER: &str = "verdict:run";
/// A server has 16 databases unless told otherwise; beyond this many, something is wrong.
const MOST: i64 = 1024;

/// Claims an empty database for a run and returns its number. The one that the URL names is
/// never taken, and neither is number 0, for both are where the user's own data goes first.
pub(crate) async fn claim(client: &redis::Client, run: &str) -> Result<i64, Error> {
    let named = client.get_connection_info().redis_settings().db();
    let mut connection = connect(client).await?;
    for number in (1..MOST).filter(|number| *number != named) {
        // The first number out of range, or no other database at all in a cluster.
        if select(&mut connection, number).await.is_err() {
            break;
        }
        if size(&mut connection).await? > 0 {
            continue;
        }
        let claimed: Option<String> = redis::cmd("SET")
            .arg(MARKER)
            .arg(run)
            .arg("NX")
            .query_async(&mut connection)
            .await
            .map_err(refused("claim a database"))?;
        if claimed.is_none() {
            continue;
        }
        if size(&mut connection).await? == 1 {
            return Ok(number);
        }
        // Somebody wrote in between: it is theirs.
        redis::cmd("DEL")
            .arg(MARKER)
            .exec_async(&mut connection)
            .await
            .map_err(refused("let go of a database"))?;
    }
    Err(Error::NoRedisDatabase)
}

/// Empties a database that a run has claimed; the claim stays.
pub(crate) async fn renew(client: &redis::Client, number: i64, run: &str) -> Result<(), Error> {
    if empty(client, number, run, true).await? {
        Ok(())
    } else {
        Err(Error::RedisClaimLost { number })
    }
}

/// Empties a database that a run has claimed, and gives it back. One without the run's
/// marker is left as it is, and is an error if there is anything in it.
pub(crate) async fn release(client: &redis::Client, number: i64, run: &str) -> Result<(), Error> {
    if empty(client, number, run, false).await? {
        return Ok(());
    }
    let mut connection = connect(client).await?;
    select(&mut connection, number)
        .await
        .map_err(refused(format!("select database {number}")))?;
    if size(&mut connection).await? == 0 {
        return Ok(());
    }
    Err(Error::RedisClaimLost { number })
}

/// The claimed databases of all runs: their numbers, and the runs.
pub(crate) async fn claims(client: &redis::Client) -> Result<Vec<(i64, String)>, Error> {
    let mut connection = connect(client).await?;
    let keyspace: String = redis::cmd("INFO")
        .arg("keyspace")
        .query_async(&mut connection)
        .await
        .map_err(refused("list its databases"))?;
    let mut claims = Vec::new();
    for number in keyspace.lines().filter_map(number_of) {
        select(&mut connection, number)
            .await
            .map_err(refused(format!("select database {number}")))?;
        // The type is asked for first: a user's key of that name need not be text.
        let kind: String = redis::cmd("TYPE")
            .arg(MARKER)
            .query_async(&mut connection)
            .await
            .map_err(refused("tell whose a database is"))?;
        if kind != "string" {
            continue;
        }
        let run: Option<Vec<u8>> = redis::cmd("GET")
            .arg(MARKER)
            .query_async(&mut connection)
            .await
            .map_err(refused("tell whose a database is"))?;
        if let Some(run) = run
            .and_then(|run| String::from_utf8(run).ok())
            .filter(|run| names::is_run(run))
        {
            claims.push((number, run));
        }
    }
    Ok(claims)
}

/// The number in a line such as `db3:keys=1,expires=0`.
fn number_of(line: &str) -> Option<i64> {
    line.strip_prefix("db")?.split_once(':')?.0.parse().ok()
}

/// Whether it was the run's, and so has been emptied.
async fn empty(client: &redis::Client, number: i64, run: &str, keep: bool) -> Result<bool, Error> {
    let what = || refused(format!("empty database {number}"));
    let mut connection = connect(client).await?;
    select(&mut connection, number).await.map_err(what())?;
    // Between the look at the marker and the emptying, the database may change hands.
    redis::cmd("WATCH")
        .arg(MARKER)
        .exec_async(&mut connection)
        .await
        .map_err(what())?;
    let owner: Option<String> = redis::cmd("GET")
        .arg(MARKER)
        .query_async(&mut connection)
        .await
        .map_err(what())?;
    if owner.as_deref() != Some(run) {
        return Ok(false);
    }
    let mut steps = redis::pipe();
    steps.atomic().cmd("FLUSHDB").ignore();
    if keep {
        steps.cmd("SET").arg(MARKER).arg(run).ignore();
    }
    // Nil when the marker was touched meanwhile.
    let done: Option<()> = steps.query_async(&mut connection).await.map_err(what())?;
    Ok(done.is_some())
}

async fn connect(client: &redis::Client) -> Result<MultiplexedConnection, Error> {
    client
        .get_multiplexed_async_connection()
        .await
        .map_err(refused("let Verdict in"))
}

async fn select(
    connection: &mut MultiplexedConnection,
    number: i64,
) -> Result<(), redis::RedisError> {
    redis::cmd("SELECT")
        .arg(number)
        .exec_async(connection)
        .await
}

async fn size(connection: &mut MultiplexedConnection) -> Result<u64, Error> {
    redis::cmd("DBSIZE")
        .query_async(connection)
        .await
        .map_err(refused("count its keys"))
}

fn refused(what: impl Into<String>) -> impl FnOnce(redis::RedisError) -> Error {
    Error::refused("redis", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyspace_names_the_databases_that_hold_something() {
        let lines = [
            "# Keyspace",
            "db0:keys=1,expires=0",
            "db12:keys=3,expires=0",
            "",
        ];
        assert_eq!(lines.map(number_of), [None, Some(0), Some(12), None]);
    }
}
