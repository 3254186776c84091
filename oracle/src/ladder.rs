//! The ladder of a world: the same thing at growing sizes.

use verdict_seed::{Author, Conversation, World};

/// The sizes of the ladder's conversations, ascending.
pub fn conversation_sizes(world: &World) -> Vec<u64> {
    world
        .ladder_conversations()
        .iter()
        .map(|conversation| conversation.messages)
        .collect()
}

/// The ladder's conversation of exactly this size.
pub fn conversation(world: &World, size: u64) -> Option<Conversation> {
    world
        .ladder_conversations()
        .into_iter()
        .find(|conversation| conversation.messages == size)
}

/// The smallest of the ladder's conversations that holds so many messages.
pub fn conversation_with_at_least(world: &World, messages: u64) -> Option<Conversation> {
    world
        .ladder_conversations()
        .into_iter()
        .find(|conversation| conversation.messages >= messages)
}

/// The ladder's conversations of at most this size.
pub fn conversations_up_to(world: &World, size: u64) -> impl Iterator<Item = Conversation> {
    world
        .ladder_conversations()
        .into_iter()
        .filter(move |conversation| conversation.messages <= size)
}

/// The numbers of posts of the ladder's authors, ascending.
pub fn author_sizes(world: &World) -> Vec<u64> {
    world
        .ladder_authors()
        .iter()
        .map(|author| author.posts)
        .collect()
}

/// The ladder's author with the fewest posts that are so many.
pub fn author_with_at_least(world: &World, posts: u64) -> Option<Author> {
    world
        .ladder_authors()
        .into_iter()
        .find(|author| author.posts >= posts)
}

/// The ladder's authors with at most so many posts.
pub fn authors_up_to(world: &World, posts: u64) -> impl Iterator<Item = Author> {
    world
        .ladder_authors()
        .into_iter()
        .filter(move |author| author.posts <= posts)
}
