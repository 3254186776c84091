//! What a write costs that a cache is told of.

use std::time::Instant;

use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Unit, VariantName};
use verdict_oracle::write::Kind;
use verdict_oracle::{Write, cache as oracle};
use verdict_store::settle::settle;

use super::write;
use crate::error::Result;
use crate::items::sends::typical;
use crate::session::Session;

/// Posts that are edited, and edited back.
const EDITS: usize = 31;

/// How long it takes to edit a post, as today and as a variant does it, in turn.
pub(super) async fn of(session: &Session<'_>, variant: &VariantName) -> Result<Vec<Price>> {
    let (store, untouched) = (session.store(variant), session.oracle());
    let mut random = session.random("edits that are timed");
    let mut times = [const { Vec::new() }; 2];
    let mut tables = &[][..];
    for (author, post) in oracle::posts(untouched, EDITS as u64, &mut random) {
        let rows = untouched.author(author);
        let Some(edit) = rows.and_then(|rows| Write::on_post(&rows, post, Kind::Edited)) else {
            continue;
        };
        tables = edit.tables();
        for (way, times) in [&VariantName::Baseline, variant]
            .into_iter()
            .zip(&mut times)
        {
            for edit in [edit.clone(), edit.clone().back()] {
                let began = Instant::now();
                write(&store, way, &edit).await?;
                times.push(began.elapsed());
            }
        }
    }
    settle(&store.postgres, tables).await?;
    let [baseline, variant] = times.map(typical);
    Ok(vec![Price {
        what: PriceOf::TimePerUpdate {
            table: "posts".to_owned(),
        },
        baseline,
        variant,
        unit: Unit::Microseconds,
    }])
}
