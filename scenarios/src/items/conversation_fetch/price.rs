//! What keeping the columns costs those who write: versions of the conversation's row, by itself
//! and beside item 2's fix, how many of them no index hears of, and the time of a send.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use rand::RngExt;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Unit, VariantName};
use verdict_baseline::message_send::{Request, send, unsend};
use verdict_baseline::writes::{join, leave};
use verdict_optimized::{as_proposed, message_send};
use verdict_oracle::{ladder, message_send as messages};
use verdict_seed::Conversation;
use verdict_store::fault::Doing;
use verdict_store::{Change, Connect, Error, Fault, Store};

use crate::error::Result;
use crate::items::sends::typical;
use crate::session::{Depth, ROLES, Role, Session};
use crate::versions::{Updates, Versions};

/// Calls that versions are counted over.
const COUNTED: usize = 20;

/// Senders at once, and the messages that each of them sends, in a full trial.
const SENDERS: [u32; 2] = [1, 16];
const SENT: usize = 40;

/// Times that both sides take turns.
const TURNS: usize = 4;

pub(super) async fn of(session: &Session<'_>, variant: &VariantName) -> Result<Vec<Price>> {
    let Some(conversation) = ladder::conversation(session.world(), 1_000) else {
        return Ok(Vec::new());
    };
    let on = |role, call| versions(session, role, call, &conversation);
    let today = on(Role::Baseline, Call::Send).await?;
    let changed = on(Role::Trial, Call::Send).await?;
    let mut prices = vec![
        versions_price(Call::Send, None, today, changed),
        price(
            PriceOf::HotShare {
                table: TABLE.to_owned(),
                call: Call::Send.name(),
            },
            today.hot / today.all,
            changed.hot / changed.all,
            Unit::Count,
        ),
        beside_item_2(session, variant, &conversation, today).await?,
    ];
    let today = on(Role::Baseline, Call::Join).await?;
    let changed = on(Role::Trial, Call::Join).await?;
    prices.push(versions_price(Call::Join, None, today, changed));
    prices.extend(times(session, &conversation).await?);
    Ok(prices)
}

const TABLE: &str = "conversations";

fn price(what: PriceOf, baseline: f64, variant: f64, unit: Unit) -> Price {
    Price {
        what,
        baseline,
        variant,
        unit,
    }
}

fn versions_price(call: Call, beside: Option<&str>, today: Versions, changed: Versions) -> Price {
    let what = PriceOf::VersionsPerCall {
        table: TABLE.to_owned(),
        call: call.name(),
        beside: beside.map(str::to_owned),
    };
    price(what, today.all, changed.all, Unit::CountPerCall)
}

/// A write of today's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Send,
    Join,
}

impl Call {
    fn name(self) -> String {
        match self {
            Self::Send => "send".to_owned(),
            Self::Join => "join".to_owned(),
        }
    }
}

/// The versions that a call of today's leaves on a side.
async fn versions(
    session: &Session<'_>,
    role: Role,
    call: Call,
    conversation: &Conversation,
) -> Result<Versions> {
    let store = session.connect(role, None, Connect::by_one).await?;
    let pool = &store.postgres;
    let before = Updates::so_far(pool, TABLE).await?;
    match call {
        Call::Send => {
            let sent = requests(session, conversation, COUNTED);
            for request in &sent {
                sent_one(pool, request).await?;
            }
            let after = Updates::so_far(pool, TABLE).await?;
            take_back(pool, &sent).await?;
            store.close().await;
            Ok(after.per_call(before, COUNTED))
        }
        Call::Join => {
            let world = session.world();
            let strangers = (0..world.users()).map(|index| world.user(index));
            let strangers = strangers.filter(|user| !conversation.members.contains(user));
            let strangers: Vec<Uuid> = strangers.take(COUNTED).collect();
            for user in &strangers {
                let joined = join(pool, conversation.id, *user).await;
                joined.doing("add a member")?;
            }
            let after = Updates::so_far(pool, TABLE).await?;
            for user in &strangers {
                let left = leave(pool, conversation.id, *user).await;
                left.doing("take a member back")?;
            }
            store.close().await;
            Ok(after.per_call(before, strangers.len()))
        }
    }
}

/// The versions with item 2's fix as well: the audit's beside the audit's, ours beside ours.
async fn beside_item_2(
    session: &Session<'_>,
    variant: &VariantName,
    conversation: &Conversation,
    today: Versions,
) -> Result<Price> {
    let beside: Change = match variant {
        VariantName::Optimized => message_send::CHANGE,
        _ => as_proposed::message_send::MENDED_TRIGGER,
    };
    match session.apply(Role::Trial, &beside).await {
        Ok(_) => {}
        Err(Fault::Harness(error)) => return Err(error.into()),
        Err(Fault::Variant(refusal)) => {
            return Err(Error::NotRenewed(refusal.to_string()).into());
        }
    }
    let changed = versions(session, Role::Trial, Call::Send, conversation).await?;
    session.take_back(Role::Trial, &beside).await?;
    Ok(versions_price(
        Call::Send,
        Some("message-send"),
        today,
        changed,
    ))
}

/// The time of a send of today's with few senders and many, all into one conversation and each
/// into one of his or her own.
async fn times(session: &Session<'_>, one: &Conversation) -> Result<Vec<Price>> {
    let most = SENDERS.into_iter().max().unwrap_or_default();
    let as_many = |mut connect: Connect| {
        connect.pool = connect.pool.min_connections(most).max_connections(most);
        connect
    };
    let mut stores = Vec::new();
    for role in ROLES {
        stores.push(session.connect(role, None, as_many).await?);
    }
    let mut prices = Vec::new();
    for senders in SENDERS {
        for many in [false, true] {
            let conversations = conversations(session, senders, many, one);
            prices.push(time(session, &stores, &conversations, many).await?);
        }
    }
    for store in stores {
        store.close().await;
    }
    Ok(prices)
}

/// The same of one sender for each conversation, on either side in turns.
async fn time(
    session: &Session<'_>,
    stores: &[Store],
    conversations: &[Conversation],
    many: bool,
) -> Result<Price> {
    let each = match session.depth() {
        Depth::Full => SENT,
        Depth::Quick => SENT / 8,
    };
    let mut took: [Vec<Duration>; 2] = Default::default();
    for _ in 0..TURNS {
        for (store, took) in stores.iter().zip(&mut took) {
            took.extend(sends(session, &store.postgres, conversations, each).await?);
        }
    }
    let [today, changed] = took.map(typical);
    let what = PriceOf::TimePerCall {
        call: Call::Send.name(),
        callers: conversations.len() as u32,
        many,
    };
    Ok(price(what, today, changed, Unit::Microseconds))
}

/// Where each sender sends to.
fn conversations(
    session: &Session<'_>,
    senders: u32,
    many: bool,
    one: &Conversation,
) -> Vec<Conversation> {
    let (world, mut random) = (session.world(), session.random("where many send to"));
    let mut drawn: Vec<Conversation> = Vec::new();
    while drawn.len() < senders as usize {
        let conversation = match many {
            true => world.conversation(random.random_range(0..world.conversations())),
            false => one.clone(),
        };
        if !many || drawn.iter().all(|other| other.id != conversation.id) {
            drawn.push(conversation);
        }
    }
    drawn
}

async fn sends(
    session: &Session<'_>,
    pool: &PgPool,
    conversations: &[Conversation],
    each: usize,
) -> Result<Vec<Duration>> {
    let sent: Vec<Vec<Request>> = conversations
        .iter()
        .map(|conversation| requests(session, conversation, each))
        .collect();
    let sending = sent.iter().map(|requests| async move {
        let mut took = Vec::new();
        for request in requests {
            let started = Instant::now();
            sent_one(pool, request).await?;
            took.push(started.elapsed());
        }
        Ok::<_, Error>(took)
    });
    let took = try_join_all(sending).await;
    for requests in &sent {
        take_back(pool, requests).await?;
    }
    Ok(took?.concat())
}

fn requests(session: &Session<'_>, conversation: &Conversation, count: usize) -> Vec<Request> {
    let mut random = session.random("what is sent for a price");
    (0..count)
        .map(|_| messages::message(conversation, &mut random))
        .collect()
}

async fn sent_one(pool: &PgPool, request: &Request) -> std::result::Result<(), Error> {
    match send(pool, request).await.map_err(Fault::from) {
        Ok(_) => Ok(()),
        Err(Fault::Harness(error)) => Err(error),
        // The variant's schema takes no message of today's, which `additive` tells.
        Err(Fault::Variant(refusal)) => Err(Error::NotRenewed(refusal.to_string())),
    }
}

async fn take_back(pool: &PgPool, sent: &[Request]) -> std::result::Result<(), Error> {
    let ids: Vec<Uuid> = sent.iter().map(|request| request.id).collect();
    match sent.first() {
        Some(first) => unsend(pool, first.conversation, &ids)
            .await
            .map(drop)
            .doing("take messages back"),
        None => Ok(()),
    }
}
