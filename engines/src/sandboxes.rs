//! Making sides, giving them back as the world is, and dropping them.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Mutex;

use crate::mode::Mode;
use crate::{
    Endpoints, Error, Sandbox, clickhouse_copy, names, postgres_copy, redis_claim, redis_number,
};

/// What all sides of a run are made from.
#[derive(Debug)]
pub(crate) struct Sandboxes {
    mode: Mode,
    /// Of the engines themselves.
    endpoints: Endpoints,
    run: String,
    world: String,
    /// The Redis database of each role. Locked while one is taken or given back.
    numbers: Mutex<BTreeMap<String, i64>>,
    /// The parts of the world that were cut, and those that each role has. Locked while one is
    /// made.
    parts: Mutex<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    cut: BTreeSet<String>,
    of_role: BTreeMap<String, BTreeSet<String>>,
}

impl Sandboxes {
    pub(crate) fn new(mode: Mode, endpoints: Endpoints, run: &str, world: &str) -> Self {
        Self {
            mode,
            endpoints,
            run: run.to_owned(),
            world: world.to_owned(),
            numbers: Mutex::default(),
            parts: Mutex::default(),
        }
    }

    pub(crate) async fn make(&self, role: &str) -> Result<Sandbox, Error> {
        let database = names::of_role(&self.run, role);
        let clickhouse = &self.endpoints.clickhouse;
        let ((), (), number) = tokio::try_join!(
            postgres_copy::make(&self.endpoints.postgres, &database, &self.world),
            async {
                clickhouse_copy::drop_database(clickhouse, &database).await?;
                clickhouse_copy::make(clickhouse, &database, &self.world).await
            },
            self.make_redis(role),
        )?;
        let endpoints = self.endpoints.at(&database, number)?;
        Ok(Sandbox::new(role, database, endpoints))
    }

    /// A part of the world for a role, in a ClickHouse database of its own beside the role's; the
    /// name of that.
    pub(crate) async fn cut(
        &self,
        role: &str,
        part: &str,
        rows: &BTreeMap<&str, String>,
    ) -> Result<String, Error> {
        self.number(role).await?;
        let clickhouse = &self.endpoints.clickhouse;
        let mut parts = self.parts.lock().await;
        let template = self.template(part);
        if !parts.cut.contains(part) {
            clickhouse_copy::drop_database(clickhouse, &template).await?;
            clickhouse_copy::cut(clickhouse, &template, &self.world, rows).await?;
            parts.cut.insert(part.to_owned());
        }
        let database = self.part(role, part);
        clickhouse_copy::drop_database(clickhouse, &database).await?;
        clickhouse_copy::make(clickhouse, &database, &template).await?;
        let of_role = parts.of_role.entry(role.to_owned()).or_default();
        of_role.insert(part.to_owned());
        Ok(database)
    }

    /// Drops a role's parts; what they were cut as stays, for the next.
    pub(crate) async fn uncut(&self, role: &str) -> Result<(), Error> {
        let mut parts = self.parts.lock().await;
        for part in parts.of_role.remove(role).unwrap_or_default() {
            let database = self.part(role, &part);
            clickhouse_copy::drop_database(&self.endpoints.clickhouse, &database).await?;
        }
        Ok(())
    }

    /// The database that a role's part is copied from.
    fn template(&self, part: &str) -> String {
        names::of_role(&self.run, &format!("part_{part}"))
    }

    fn part(&self, role: &str, part: &str) -> String {
        names::of_role(&self.run, &format!("{role}_{part}"))
    }

    pub(crate) async fn drop(&self, role: &str) -> Result<(), Error> {
        self.uncut(role).await?;
        let database = names::of_role(&self.run, role);
        tokio::try_join!(
            postgres_copy::drop_database(&self.endpoints.postgres, &database),
            clickhouse_copy::drop_database(&self.endpoints.clickhouse, &database),
            self.drop_redis(role),
        )?;
        Ok(())
    }

    pub(crate) async fn renew_postgres(&self, role: &str) -> Result<(), Error> {
        self.number(role).await?;
        let database = names::of_role(&self.run, role);
        postgres_copy::make(&self.endpoints.postgres, &database, &self.world).await
    }

    pub(crate) async fn renew_clickhouse(&self, role: &str, tables: &[&str]) -> Result<(), Error> {
        self.number(role).await?;
        let database = names::of_role(&self.run, role);
        let clickhouse = &self.endpoints.clickhouse;
        clickhouse_copy::renew(clickhouse, &database, &self.world, tables).await?;
        let parts = self.parts.lock().await;
        for part in parts.of_role.get(role).into_iter().flatten() {
            let (database, template) = (self.part(role, part), self.template(part));
            clickhouse_copy::renew(clickhouse, &database, &template, tables).await?;
        }
        Ok(())
    }

    pub(crate) async fn renew_redis(&self, role: &str) -> Result<(), Error> {
        self.empty(self.number(role).await?).await
    }

    /// The Redis database of a role that has a side.
    async fn number(&self, role: &str) -> Result<i64, Error> {
        let numbers = self.numbers.lock().await;
        numbers.get(role).copied().ok_or_else(|| Error::NoSide {
            role: role.to_owned(),
        })
    }

    /// An empty Redis database for a role: the one that it has, or another.
    async fn make_redis(&self, role: &str) -> Result<i64, Error> {
        let mut numbers = self.numbers.lock().await;
        if let Some(number) = numbers.get(role).copied() {
            self.empty(number).await?;
            return Ok(number);
        }
        let number = match self.mode {
            Mode::External => redis_claim::claim(&self.endpoints.redis, &self.run).await?,
            // The server is the run's own: nobody else takes a number.
            Mode::Embedded | Mode::Containers => (1..redis_number::OURS)
                .find(|number| numbers.values().all(|taken| taken != number))
                .ok_or(Error::TooManySides {
                    most: redis_number::OURS - 1,
                })?,
        };
        numbers.insert(role.to_owned(), number);
        Ok(number)
    }

    async fn drop_redis(&self, role: &str) -> Result<(), Error> {
        let mut numbers = self.numbers.lock().await;
        let Some(number) = numbers.get(role).copied() else {
            return Ok(());
        };
        match self.mode {
            Mode::External => {
                redis_claim::release(&self.endpoints.redis, number, &self.run).await?;
            }
            Mode::Embedded | Mode::Containers => self.empty(number).await?,
        }
        numbers.remove(role);
        Ok(())
    }

    async fn empty(&self, number: i64) -> Result<(), Error> {
        match self.mode {
            Mode::External => redis_claim::renew(&self.endpoints.redis, number, &self.run).await,
            Mode::Embedded | Mode::Containers => {
                redis_number::flush(&self.endpoints.redis, number).await
            }
        }
    }
}
