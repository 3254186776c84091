//! `verdict monitor`: what a server of the user's tells of itself.

use std::process::ExitCode;

use sqlx::Connection;
use tokio::runtime::Runtime;
use verdict_engines::{clickhouse_client_at, postgres_at};
use verdict_monitor::{clickhouse, postgres};

use crate::cli::MonitorArgs;
use crate::error::Error;
use crate::monitor::{Monitored, render};

pub(super) fn run(args: &MonitorArgs) -> crate::error::Result<ExitCode> {
    let bad = |flag, form| Error::BadUrl { flag, form };
    let server = postgres_at(&args.url)
        .ok_or_else(|| bad("--url", "postgres://USER:PASSWORD@HOST:PORT/DATABASE"))?;
    let client = match &args.clickhouse {
        Some(url) => Some(
            clickhouse_client_at(url)
                .ok_or_else(|| bad("--clickhouse", "http://USER:PASSWORD@HOST:8123"))?,
        ),
        None => None,
    };
    let monitored = Runtime::new()?.block_on(async {
        let mut session = postgres::connect(&server).await?;
        let told = postgres::read(&mut session).await?;
        // It has told everything: what a server says when it is left is of no interest.
        let _ = session.close().await;
        Ok::<_, Error>(Monitored {
            postgres: told,
            clickhouse: match &client {
                Some(client) => Some(clickhouse::read(client).await?),
                None => None,
            },
        })
    })?;
    if args.json {
        println!("{:#}", serde_json::json!(monitored));
    } else {
        print!("{}", render(&monitored));
    }
    Ok(ExitCode::SUCCESS)
}
