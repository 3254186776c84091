//! Adding hostile rows to a side, as the oracle has them.

use verdict_oracle::write::insert;
use verdict_oracle::{Hostile, hostile};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Error, Store, Table};

const CONVERSATION: &[Table] = &[
    Table::postgres("conversations"),
    Table::postgres("conversation_members"),
    Table::postgres("messages"),
    Table::postgres("message_reactions"),
    Table::postgres("message_attachments"),
];
const AUTHOR: &[Table] = &[
    Table::postgres("users"),
    Table::postgres("posts"),
    Table::postgres("post_metadata"),
];

/// Adds them, and answers the tables that they are in.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub(crate) async fn add(
    store: &Store,
    world: &World,
    rows: Hostile,
) -> Result<&'static [Table], Error> {
    let mut transaction = store
        .postgres
        .begin()
        .await
        .doing("begin adding hostile rows")?;
    let tables = match rows {
        Hostile::TiedConversation => {
            insert::conversation(&mut transaction, &hostile::conversation(world)).await?;
            CONVERSATION
        }
        Hostile::SearchedConversation => {
            insert::conversation(&mut transaction, &hostile::searched(world)).await?;
            CONVERSATION
        }
        Hostile::EncryptedConversation => {
            insert::conversation(&mut transaction, &hostile::encrypted(world)).await?;
            CONVERSATION
        }
        Hostile::BorderConversation => {
            insert::conversation(&mut transaction, &hostile::border(world)).await?;
            CONVERSATION
        }
        Hostile::TiedAuthor => {
            insert::author(&mut transaction, &hostile::author(world)).await?;
            AUTHOR
        }
    };
    transaction.commit().await.doing("add hostile rows")?;
    Ok(tables)
}
