//! What Redis counts of its own work: the calls of each command, less those that clients make to
//! introduce themselves, and the meter's own.

use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use verdict_audit::Counter;
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::{Meter, Reading};

/// Commands that are no work of a caller's.
const OWN: [&str; 6] = ["info", "hello", "auth", "select", "client", "command"];

/// Reads `INFO commandstats`.
pub struct Redis {
    connection: MultiplexedConnection,
    begun: Option<u64>,
}

impl Redis {
    /// A meter with a connection of its own.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn connect(client: &redis::Client) -> Result<Self, Error> {
        let connection = client
            .get_multiplexed_async_connection()
            .await
            .doing("connect the meter")?;
        Ok(Self {
            connection,
            begun: None,
        })
    }

    async fn commands(&mut self) -> Result<u64, Error> {
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut self.connection)
            .await
            .doing("read its command statistics")?;
        Ok(commands(&info))
    }
}

/// `cmdstat_get:calls=3,usec=…`, and `cmdstat_client|setinfo:…` for what has sub-commands.
fn commands(info: &str) -> u64 {
    info.lines()
        .filter_map(|line| line.trim().strip_prefix("cmdstat_")?.split_once(':'))
        .filter(|(name, _)| !OWN.contains(&name.split('|').next().unwrap_or(name)))
        .filter_map(|(_, figures)| {
            let (_, calls) = figures.split(',').next()?.split_once('=')?;
            calls.parse::<u64>().ok()
        })
        .sum()
}

impl Meter for Redis {
    fn begin(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            self.begun = Some(self.commands().await?);
            Ok(())
        })
    }

    fn end(&mut self) -> BoxFuture<'_, Result<Reading, Error>> {
        Box::pin(async {
            let now = self.commands().await?;
            let before = self.begun.take().unwrap_or(now);
            Ok([(Counter::RedisCommands, (now - before) as f64)].into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_commands_are_summed_and_introductions_left_out() {
        let info = "# Commandstats\r\ncmdstat_get:calls=3,usec=9,usec_per_call=3.00\r\n\
                    cmdstat_client|setinfo:calls=2,usec=1\r\ncmdstat_set:calls=4,usec=1\r\n\
                    cmdstat_info:calls=7,usec=1\r\n";
        assert_eq!(commands(info), 7);
    }
}
