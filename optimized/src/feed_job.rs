//! The job that fills the tables a feed is made from, with the formulas of today's code, which
//! was written and never had tables to fill.
//!
//! What it computes, by a clock that it is given:
//!
//! | source | posts of the last | combined score | kept |
//! |---|---|---|---|
//! | followees | 30 days | .35 F + .40 E + .25 A | 500 a reader |
//! | trending | 14 days | .5 F + .5 E | 1 000 in all |
//! | affinity | 30 days | .2 F + .4 E + .4 A | 300 a reader |
//!
//! F = exp(-0.0025 × age in minutes, seconds as fractions of one), E = ln(1 + likes + 2 ×
//! comments), A = likes + 1.5 × comments of the reader with the author over 90 days; impressions
//! = 5 × likes + 10 × comments + 10; shares = 0, and A of what is trending is 0. Rows count as
//! their newest version says, merged or not; a post whose row is deleted is no candidate, and
//! what was done with it counts for nobody. The reader's own posts are candidates like others.
//! Of equal scores the smaller id comes first. `updated_at` is the clock.
//!
//! Everything is made in tables whose names end in the run's own id, and only at the end they
//! change places with those that are read, each in one step. So a reader never meets a table
//! that is half full; two runs at once do not meet, and the one that ends last stands; and one
//! that is killed leaves what was there, and tables that a later run sweeps away.
//!
//! Tried and lost: one statement a source over the raw tables reads likes and comments three
//! times over; joining every author's posts to every reader before the cut sorts hundreds of
//! rows for each that is kept, so a reader's least score is estimated first, from eight posts of
//! each author, and only what reaches it is joined.

mod statements;

use std::time::Duration;

use clickhouse::Client;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::feed_tables::{SOURCES, Source};
use verdict_baseline::schema::CLICKHOUSE_CLOCK;

use self::statements::{DERIVED, EDGES, FILL_EDGES, FILL_POSTS, POSTS, fill};

/// From one run to the next, as today's job was meant to run.
pub const PACE: Duration = Duration::from_secs(300);

/// How long tables of a run are left alone that may still be at work: longer than a run takes.
pub const LEFT_ALONE: Duration = Duration::from_secs(900);

/// Fills every table that is there by the world's clock.
///
/// # Errors
/// ClickHouse's own; the tables that are read are then as they were.
pub async fn refresh(client: &Client) -> Result<()> {
    refresh_at(client, CLICKHOUSE_CLOCK).await
}

/// The same by another clock, a ClickHouse expression.
///
/// # Errors
/// As [`refresh`].
pub async fn refresh_at(client: &Client, clock: &str) -> Result<()> {
    sweep(client, LEFT_ALONE).await?;
    let run = Run::begin(client, clock).await?;
    let filled = run.fill_all().await;
    run.end().await?;
    filled
}

/// Drops what runs left behind that began so long ago.
///
/// # Errors
/// ClickHouse's own.
pub async fn sweep(client: &Client, began_before: Duration) -> Result<()> {
    let left: Vec<String> = client
        .query(
            "SELECT name
            FROM system.tables
            WHERE database = currentDatabase()
              AND match(name, '^feed_[a-z_]+__[0-9a-f]{32}$')
              AND metadata_modification_time <= now() - toIntervalSecond(?)",
        )
        .bind(began_before.as_secs())
        .fetch_all()
        .await?;
    for table in left {
        drop_table(client, &table).await?;
    }
    Ok(())
}

async fn drop_table(client: &Client, table: &str) -> Result<()> {
    execute(client, &format!("DROP TABLE IF EXISTS {table} SYNC")).await
}

async fn execute(client: &Client, statement: &str) -> Result<()> {
    Ok(client.query(statement).execute().await?)
}

/// One run: what is computed once for all tables, in tables of its own.
#[derive(Debug)]
pub struct Run<'a> {
    client: &'a Client,
    clock: &'a str,
    id: String,
}

impl<'a> Run<'a> {
    /// Computes what all sources have in common: recent posts, and who is near to whom.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn begin(client: &'a Client, clock: &'a str) -> Result<Self> {
        let run = Self {
            client,
            clock,
            id: Uuid::new_v4().simple().to_string(),
        };
        for statement in [POSTS, FILL_POSTS, EDGES, FILL_EDGES] {
            run.execute(statement).await?;
        }
        Ok(run)
    }

    /// Fills a table with a source's candidates.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn fill(&self, source: Source, table: &str) -> Result<()> {
        self.execute(&fill(source).replace("{table}", table)).await
    }

    /// Makes an empty table like another one; its name.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn like(&self, table: &str) -> Result<String> {
        let staging = format!("{table}__{}", self.id);
        execute(self.client, &format!("CREATE TABLE {staging} AS {table}")).await?;
        Ok(staging)
    }

    /// Drops what is the run's own.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn end(self) -> Result<()> {
        let own: Vec<String> = self
            .client
            .query(
                "SELECT name
                FROM system.tables
                WHERE database = currentDatabase()
                  AND endsWith(name, ?)",
            )
            .bind(format!("__{}", self.id))
            .fetch_all()
            .await?;
        for table in own {
            drop_table(self.client, &table).await?;
        }
        Ok(())
    }

    async fn fill_all(&self) -> Result<()> {
        let mut staged = Vec::new();
        for source in SOURCES {
            let staging = self.like(source.table()).await?;
            self.fill(source, &staging).await?;
            staged.push((source.table(), staging));
        }
        for (table, fill) in DERIVED {
            if self.is_there(table).await? {
                let staging = self.like(table).await?;
                self.execute(&fill.replace("{table}", &staging)).await?;
                staged.push((table, staging));
            }
        }
        for (table, staging) in staged {
            let exchange = format!("EXCHANGE TABLES {staging} AND {table}");
            execute(self.client, &exchange).await?;
        }
        Ok(())
    }

    async fn is_there(&self, table: &str) -> Result<bool> {
        let there: u8 = self
            .client
            .query(&format!("EXISTS TABLE {table}"))
            .fetch_one()
            .await?;
        Ok(there == 1)
    }

    async fn execute(&self, statement: &str) -> Result<()> {
        let statement = statement
            .replace("{clock}", self.clock)
            .replace("{run}", &self.id);
        execute(self.client, &statement).await
    }
}
