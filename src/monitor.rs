//! What servers of the user's tell of themselves, as people read it.

mod clickhouse;
mod layout;
mod postgres;

use serde::Serialize;
use verdict_monitor::clickhouse::ClickHouse;
use verdict_monitor::postgres::Postgres;

use self::layout::Page;

/// What was told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Monitored {
    /// By PostgreSQL.
    pub postgres: Postgres,
    /// By ClickHouse, where there is one.
    pub clickhouse: Option<ClickHouse>,
}

/// All of it, in tables and bars. Ends with a newline.
pub fn render(monitored: &Monitored) -> String {
    let mut page = Page::default();
    postgres::show(&monitored.postgres, &mut page);
    if let Some(told) = &monitored.clickhouse {
        clickhouse::show(told, &mut page);
    }
    page.text()
}
