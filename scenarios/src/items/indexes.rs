//! Item 11 on trial: each of the audit's indexes against the read that it is for, the other reads,
//! and a write to each table; and which indexes the calls of all items look into.
//!
//! The rung is the number of messages of a conversation, or of posts of an author.

mod reads;
mod writes;

use futures_util::future::BoxFuture;
use verdict_audit::VariantName;
use verdict_audit::evidence::Price;
use verdict_optimized::as_proposed::indexes as as_proposed;
use verdict_optimized::indexes as optimized;
use verdict_oracle::{Hostile, ladder};
use verdict_store::Change;

use self::reads::{
    ConversationList, MemberConversations, MessageRange, PostMetadata, PublishedPosts,
};
use self::writes::Written;
use super::sends;
use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, erase};
use crate::session::Session;

/// The rung that is judged.
const JUDGED: u64 = 1_000;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Indexes;

impl Item for Indexes {
    fn id(&self) -> &'static str {
        "indexes"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation, Hostile::TiedAuthor]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        let proposed = |index: &str| VariantName::Proposed(Some(index.to_owned()));
        vec![
            (VariantName::Baseline, Change::NONE),
            (proposed("members"), as_proposed::MEMBERS),
            (proposed("posts"), as_proposed::POSTS),
            (proposed("messages"), as_proposed::MESSAGES),
            (proposed("conversations"), as_proposed::CONVERSATIONS),
            (
                VariantName::Mended(Some("conversations".to_owned())),
                as_proposed::MENDED_CONVERSATIONS,
            ),
            (proposed("metadata"), as_proposed::METADATA),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![
            erase(MemberConversations),
            erase(PublishedPosts),
            erase(MessageRange),
            erase(ConversationList),
            erase(PostMetadata),
            erase(Written::Join),
            erase(Written::Publish),
            erase(Written::Like),
        ]
    }

    fn tells_uses(&self) -> bool {
        true
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(async move {
            let Some(conversation) = ladder::conversation(session.world(), JUDGED) else {
                return Ok(Vec::new());
            };
            let mut prices = vec![sends::sending(session, variant, &conversation).await?];
            prices.extend(sends::held(self, session, variant, &conversation).await?);
            Ok(prices)
        })
    }
}
