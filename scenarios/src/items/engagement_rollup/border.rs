//! A day goes by in which nothing comes: what is older than 90 days has to go by itself.

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::sql::Identifier;
use clickhouse::{Client, Row};
use serde::Deserialize;
use verdict_audit::VariantName;
use verdict_baseline::engagement_rollup::AffinityRequest;
use verdict_oracle::{Oracle, engagement_rollup as oracle};
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::scene::{Part, Scene};
use super::{UserAuthor, caught_up};
use crate::error::Result;
use crate::operation::Operation;
use crate::session::Session;
use crate::tally::Tally;

/// Users for whom the day makes a difference, and those that are looked at for them.
const USERS: usize = 5;
const LOOKED_AT: usize = 3_000;

/// Lets a day go by, and asks users for whom it makes a difference.
pub(super) async fn crossed(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let scene = Scene::open(session, variant, Part::Smallest);
    let Some(scene) = scene.filter(|_| UserAuthor.offered_by(variant)) else {
        return Ok(());
    };
    let now = scene.oracle.world().clock();
    let later = now + TimeDelta::days(1);
    let users = concerned(session, &scene.oracle, later);
    clock(&scene.store.clickhouse, now, later).await?;
    caught_up(&scene.store, variant).await?;
    let when = "a day later, with nothing inserted";
    let asked = scene.ask(when, &scene.oracle, &users, &[], tally).await;
    scene.anew(false).await?;
    asked.map(drop)
}

fn concerned(session: &Session<'_>, oracle: &Oracle, later: DateTime<Utc>) -> Vec<AffinityRequest> {
    let mut random = session.random("engagement-rollup border");
    let drawn = (0..LOOKED_AT).map(|_| oracle::measured_user(oracle, &mut random));
    drawn
        .map(|request| AffinityRequest {
            now: later,
            ..request
        })
        .filter(|request| oracle::ages(oracle, request))
        .take(USERS)
        .collect()
}

#[derive(Row, Deserialize)]
struct View {
    name: String,
    is_stored: u8,
    query: String,
}

/// Moves the clock that stands in the text of views.
async fn clock(
    client: &Client,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> std::result::Result<(), Error> {
    let text = |at: DateTime<Utc>| at.format("'%Y-%m-%d %H:%M:%S'").to_string();
    let views: Vec<View> = client
        .query(
            "SELECT name, engine = 'MaterializedView' AS is_stored, as_select AS query
            FROM system.tables
            WHERE database = currentDatabase() AND position(as_select, ?) > 0",
        )
        .bind(text(from))
        .fetch_all()
        .await
        .doing("see which views know the time")?;
    for view in views {
        let query = view
            .query
            .replace(&text(from), &text(to))
            .replace('?', "??");
        let statement = match view.is_stored {
            1 => format!("ALTER TABLE ? MODIFY QUERY {query}"),
            _ => format!("CREATE OR REPLACE VIEW ? AS {query}"),
        };
        let moved = client.query(&statement).bind(Identifier(&view.name));
        moved.execute().await.doing("let time go by in a view")?;
    }
    Ok(())
}
