//! What is no single search: pages one after the other, and texts of two megabytes.

use verdict_audit::VariantName;
use verdict_baseline::message_search::{Request, Sort};
use verdict_oracle::message_search::{self as oracle, COMMON};
use verdict_oracle::write;
use verdict_oracle::{Difference, Oracle, hostile, same};
use verdict_store::{Error, Fault};

use super::search;
use crate::error::Result as Outcome;
use crate::session::Session;
use crate::tally::Tally;

/// Rows of a page of a walk: so few that pages begin and end between rows of one place.
const WALKED_LIMIT: i64 = 3;

/// Bytes of a long text.
const LONG: usize = 2_000_000;

pub(super) async fn of(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    for sort in [Sort::Recent, Sort::Oldest, Sort::Relevance] {
        walk(session, variant, sort, tally).await?;
    }
    let repeated = format!("{COMMON} ").repeat(LONG / (COMMON.len() + 1));
    long_text(session, variant, ("the same word", &repeated), tally).await?;
    let mut distinct = String::with_capacity(LONG + 16);
    let mut number = 0;
    while distinct.len() < LONG {
        // No digits: they would be numbers, which are words of another kind.
        let letters = format!("{number:07}").into_bytes();
        distinct.extend(letters.iter().map(|digit| char::from(digit - b'0' + b'q')));
        distinct.push(' ');
        number += 1;
    }
    long_text(session, variant, ("other words", &distinct), tally).await
}

/// Walks through all that is found in the hostile conversation, page after page: each page is
/// right, and the fix's walk meets every row once. Today's order leaves ties open.
async fn walk(
    session: &Session<'_>,
    variant: &VariantName,
    sort: Sort,
    tally: &mut Tally,
) -> Outcome<()> {
    let store = session.store(variant);
    let mut request = request(sort, WALKED_LIMIT);
    let mut met = Vec::new();
    loop {
        let answer = match search(&store, variant, &request).await {
            Ok(answer) => answer,
            Err(Fault::Harness(error)) => return Err(error.into()),
            Err(Fault::Variant(refusal)) => {
                let refused = Err(Difference(refusal.to_string()));
                tally.record(format_args!("a walk's {request:?}"), refused);
                return Ok(());
            }
        };
        let held = oracle::hold(session.oracle(), &request, &answer);
        let right = held.is_ok();
        tally.record(format_args!("a walk's {request:?}"), held);
        let messages = answer.map_or_else(|_| Vec::new(), |found| found.messages);
        if messages.is_empty() || !right {
            break;
        }
        request.offset += messages.len() as i64;
        met.extend(messages.into_iter().map(|message| message.id));
    }
    let rows = met.len();
    met.sort_unstable();
    met.dedup();
    if *variant == VariantName::Optimized {
        tally.record(
            format_args!("a walk through all pages, {sort:?}"),
            same("rows met, each once", &rows, &met.len()),
        );
    } else if met.len() < rows {
        tally.declare(
            "rows of one place may stand on two pages: today's order leaves ties open, so this \
             is today's own fault"
                .to_owned(),
        );
    }
    Ok(())
}

fn request(sort: Sort, limit: i64) -> Request {
    Request {
        conversation: hostile::searched_conversation(),
        text: COMMON.to_owned(),
        sort,
        limit,
        offset: 0,
    }
}

/// A long text is sent, as today one can be, and the conversation is searched with it in it.
async fn long_text(
    session: &Session<'_>,
    variant: &VariantName,
    (described, text): (&str, &str),
    tally: &mut Tally,
) -> Outcome<()> {
    let store = session.store(variant);
    let mut random = session.random("message-search long texts");
    let conversation = session
        .oracle()
        .conversation(hostile::searched_conversation());
    let Some(rows) = conversation else {
        return Ok(());
    };
    let Some(row) = oracle::sent(&rows, text, &mut random) else {
        return Ok(());
    };
    let what = format!("2 MB of {described}");
    let sent = oracle::sending(&rows, row);
    match write::apply(&store.postgres, &sent).await {
        Ok(()) => tally.record(format_args!("{what}, sent"), Ok(())),
        // Today sends it.
        Err(Error::Refused { words, .. }) => {
            tally.record(format_args!("{what}, sent"), Err(Difference(words)));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    let oracle: Oracle = session.oracle().with(&sent);
    let request = request(Sort::Recent, 20);
    let answer = search(&store, variant, &request).await;
    write::apply(&store.postgres, &sent.back()).await?;
    match answer {
        Ok(answer) => {
            let held = oracle::hold(&oracle, &request, &answer);
            tally.record(format_args!("{what}, searched"), held);
        }
        Err(Fault::Variant(refusal)) if *variant == VariantName::Baseline => {
            tally.declare(format!(
                "{what} can be sent today, and then no search of the conversation runs: {refusal}. \
             The fix finds what is in the beginning, as far as a vector goes"
            ))
        }
        Err(Fault::Variant(refusal)) => tally.record(
            format_args!("{what}, searched"),
            Err(Difference(refusal.to_string())),
        ),
        Err(Fault::Harness(error)) => return Err(error.into()),
    }
    Ok(())
}
