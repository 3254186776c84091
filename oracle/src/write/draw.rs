//! Which write makes another page right, drawn among all kinds that do.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use uuid::Uuid;
use verdict_baseline::message_history::Attachment;
use verdict_baseline::pagination::Post;
use verdict_seed::{Reaction, World};

use super::gap::Page;
use super::{Kind, Rows, Write};
use crate::author::AuthorRows;
use crate::conversation::{ConversationRows, Row};
use crate::turn::Turn;

/// How a history is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Whether recalled messages are.
    pub recalled: bool,
    /// Whether reactions and attachments are.
    pub details: bool,
}

/// Rows that something new has beyond those before the page, and the most that these may be.
const ROWS: i64 = 2;
const MOST: i64 = 20;

/// A change is later than what it changes.
const LATER: TimeDelta = TimeDelta::seconds(1);

const WRITTEN: &str = "written between two reads";

impl Write {
    /// What makes another page of a conversation right, if anything does.
    pub fn on_page(
        rows: &ConversationRows,
        shown: Shown,
        page: Page,
        random: &mut impl Rng,
    ) -> Option<Self> {
        let mut kinds = vec![Kind::Sent, Kind::Edited, Kind::Recalled, Kind::Deleted];
        if shown.details {
            kinds.extend([Kind::Reacted, Kind::Unreacted, Kind::Attached]);
        }
        kinds.shuffle(random);
        let mut kinds = kinds.into_iter();
        kinds.find_map(|kind| Self::of_kind(kind, rows, shown, page, random))
    }

    /// The same of one kind.
    pub fn of_kind(
        kind: Kind,
        rows: &ConversationRows,
        shown: Shown,
        page: Page,
        random: &mut impl Rng,
    ) -> Option<Self> {
        let timeline = rows.visible(shown.recalled);
        let leaves = kind == Kind::Deleted || kind == Kind::Recalled && !shown.recalled;
        let page = match kind {
            Kind::Sent => page.reached(timeline.len(), random),
            // Of an empty page nothing is left to move away.
            _ if leaves => page.reached(timeline.len().saturating_sub(1), random),
            _ => page,
        };
        let turn = if kind == Kind::Sent {
            let created_at = timeline.gap(page, random)?;
            let id = Uuid::from_u128(random.random());
            Turn::into(Arc::new(sent(
                id,
                *rows.members.choose(random)?,
                created_at,
            )))
        } else {
            let mut places = timeline.page(page.offset, page.limit).to_vec();
            places.shuffle(random);
            places.into_iter().find_map(|(_, id)| {
                let before = rows.row(id)?;
                let after = before.altered(kind, &rows.members, random)?;
                Some(Turn::of(Arc::clone(before), Arc::new(after)))
            })?
        };
        Some(Self {
            kind,
            rows: Rows::Message {
                conversation: rows.id,
                turn,
            },
        })
    }

    /// What makes another page of an author's posts right, if anything does.
    pub fn on_page_of(rows: &AuthorRows, page: Page, random: &mut impl Rng) -> Option<Self> {
        let mut kinds = [Kind::Sent, Kind::Edited, Kind::Deleted];
        kinds.shuffle(random);
        let mut kinds = kinds.into_iter();
        kinds.find_map(|kind| {
            let turn = if kind == Kind::Sent {
                let created_at = rows.visible().gap(page, random)?;
                Turn::into(Arc::new(posted(rows.id, created_at, random)))
            } else {
                let (_, id) = rows
                    .visible()
                    .page(page.offset, page.limit)
                    .choose(random)?;
                return Self::on_post(rows, *id, kind);
            };
            Some(Self {
                kind,
                rows: Rows::Post {
                    author: rows.id,
                    turn,
                },
            })
        })
    }

    /// A post edited, or deleted.
    pub fn on_post(rows: &AuthorRows, post: Uuid, kind: Kind) -> Option<Self> {
        let before = rows.post(post)?;
        let mut after = Post::clone(before);
        // Of every change today's trigger notes the time.
        after.updated_at += LATER;
        match kind {
            Kind::Deleted => after.soft_delete = Some(after.updated_at),
            _ => after.caption = Some(WRITTEN.to_owned()),
        }
        Some(Self {
            kind,
            rows: Rows::Post {
                author: rows.id,
                turn: Turn::of(Arc::clone(before), Arc::new(after)),
            },
        })
    }

    /// A post of an author where nobody knew of one.
    pub fn post(author: &AuthorRows, id: Uuid, random: &mut impl Rng) -> Option<Self> {
        let (created_at, _) = *author.visible().page(0, 1).first()?;
        let post = Post {
            id,
            ..posted(author.id, created_at, random)
        };
        Some(Self {
            kind: Kind::Created,
            rows: Rows::Post {
                author: author.id,
                turn: Turn::into(Arc::new(post)),
            },
        })
    }

    /// A conversation where nobody knew of one, with rows on a page.
    pub fn conversation(
        id: Uuid,
        world: &World,
        page: Page,
        random: &mut impl Rng,
    ) -> Option<Self> {
        let times = page.filled(world)?;
        let owner = world.user(random.random_range(0..world.users()));
        let rows = times
            .map(|time| sent(Uuid::from_u128(random.random()), owner, time))
            .collect();
        let rows = ConversationRows::new(id, vec![owner], rows);
        Some(Self {
            kind: Kind::Created,
            rows: Rows::Conversation(Turn::into(Arc::new(rows))),
        })
    }

    /// An author where nobody knew of one, with rows on a page.
    pub fn author(id: Uuid, world: &World, page: Page, random: &mut impl Rng) -> Option<Self> {
        let times = page.filled(world)?;
        let posts = times.map(|time| posted(id, time, random)).collect();
        Some(Self {
            kind: Kind::Created,
            rows: Rows::Author(Turn::into(Arc::new(AuthorRows::new(id, posts)))),
        })
    }
}

impl Page {
    /// The page, or now and then all that is before it too, where that moves it and it begins
    /// after at most so many rows.
    fn reached(self, rows: usize, random: &mut impl Rng) -> Self {
        let moves = self.moves && self.limit > 0 && self.offset <= rows as i64;
        match moves && random.random_range(0..4) == 0 {
            true => Self {
                offset: 0,
                limit: self.offset.saturating_add(self.limit),
                ..self
            },
            false => self,
        }
    }

    /// Times of as many rows as the page begins after, and of a few on it.
    fn filled(self, world: &World) -> Option<impl Iterator<Item = DateTime<Utc>>> {
        let begun = world.clock() - TimeDelta::days(1);
        let rows = (0..self.offset.saturating_add(ROWS)).map(move |row| begun + LATER * row as i32);
        (self.limit > 0 && self.offset <= MOST).then_some(rows)
    }
}

pub(super) fn sent(id: Uuid, sender: Uuid, created_at: DateTime<Utc>) -> Row {
    Row::new(id, sender, created_at, WRITTEN.to_owned())
}

fn posted(author: Uuid, created_at: DateTime<Utc>, random: &mut impl Rng) -> Post {
    Post {
        id: Uuid::from_u128(random.random()),
        user_id: author,
        caption: Some(WRITTEN.to_owned()),
        image_key: String::new(),
        image_sizes: None,
        status: "published".to_owned(),
        content_type: "image".to_owned(),
        created_at,
        updated_at: created_at,
        soft_delete: None,
    }
}

impl Row {
    /// The message after something was done to it; none where that cannot be done to it.
    pub(crate) fn altered(
        &self,
        kind: Kind,
        members: &[Uuid],
        random: &mut impl Rng,
    ) -> Option<Self> {
        let mut row = self.clone();
        let now = row.message.updated_at + LATER;
        match kind {
            Kind::Edited => {
                match &mut row.message.content_encrypted {
                    Some(cipher) => cipher.extend_from_slice(WRITTEN.as_bytes()),
                    None => row.message.content = Some(WRITTEN.to_owned()),
                }
                row.message.version_number += 1;
                row.message.updated_at = now;
            }
            Kind::Recalled => {
                if row.message.recalled_at.is_some() {
                    return None;
                }
                row.message.recalled_at = Some(now);
                row.message.updated_at = now;
            }
            Kind::Deleted => row.deleted_at = Some(now),
            Kind::Reacted => {
                let emoji = match row.reactions.choose(random) {
                    Some(given) if random.random() => given.emoji,
                    _ => "🧪",
                };
                let user = *members.choose(random)?;
                let mut given = row.reactions.iter();
                if given.any(|given| given.user == user && given.emoji == emoji) {
                    return None;
                }
                row.reactions.push(Reaction {
                    id: Uuid::from_u128(random.random()),
                    message: row.message.id,
                    user,
                    emoji,
                    created_at: now,
                });
            }
            Kind::Unreacted => {
                let gone = random.random_range(0..row.reactions.len().max(1));
                if row.reactions.is_empty() {
                    return None;
                }
                row.reactions.remove(gone);
            }
            Kind::Attached => row.attachments.push(Attachment {
                id: Uuid::from_u128(random.random()),
                file_name: "between.txt".to_owned(),
                file_type: "text/plain".to_owned(),
                file_size: 1,
                s3_key: String::new(),
            }),
            Kind::Created
            | Kind::Sent
            | Kind::Liked
            | Kind::Unliked
            | Kind::Commented
            | Kind::Counted
            | Kind::Served
            | Kind::Joined => return None,
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use verdict_seed::{Scale, WorldSpec};

    use super::*;
    use crate::{Oracle, hostile};

    fn oracle() -> Oracle {
        Oracle::new(&World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        }))
    }

    const PAGE: Page = Page {
        offset: 3,
        limit: 9,
        moves: true,
        after: None,
    };

    #[test]
    fn every_kind_changes_what_is_right_and_turned_round_changes_nothing() {
        let (oracle, mut random) = (oracle(), rand::rng());
        oracle.add(crate::Hostile::TiedConversation);
        let rows = oracle.conversation(hostile::tied_conversation()).unwrap();
        let shown = Shown {
            recalled: true,
            details: true,
        };
        // Every row of the conversation as it is shown, and the order of what is visible.
        let seen = |oracle: &Oracle| {
            let rows = oracle.conversation(rows.id).unwrap();
            let order = |recalled| rows.visible(recalled).rows().to_vec();
            let whole: BTreeSet<_> = rows.rows().map(|row| format!("{row:?}")).collect();
            (order(true), order(false), whole, rows.messages)
        };
        let first = Page { offset: 0, ..PAGE };
        for kind in [
            Kind::Sent,
            Kind::Edited,
            Kind::Recalled,
            Kind::Deleted,
            Kind::Reacted,
            Kind::Unreacted,
            Kind::Attached,
        ] {
            let write = Write::of_kind(kind, &rows, shown, first, &mut random).unwrap();
            let with = oracle.with(&write);
            assert_ne!(seen(&with), seen(&oracle), "{kind:?}");
            assert_eq!(seen(&with.with(&write.back())), seen(&oracle), "{kind:?}");
        }
    }

    #[test]
    fn writes_add_up_on_conversations_and_authors_at_once() {
        let (oracle, mut random) = (oracle(), rand::rng());
        let (here, there) = (oracle.nobody(&mut random), oracle.nobody(&mut random));
        let world = oracle.world();
        let mut with = oracle.clone();
        for write in [
            Write::conversation(here, world, PAGE, &mut random).unwrap(),
            Write::author(there, world, PAGE, &mut random).unwrap(),
        ] {
            with = with.with(&write);
        }
        for due in 6..9 {
            let rows = with.conversation(here).unwrap();
            assert_eq!(rows.visible(true).len(), due - 1);
            let shown = Shown {
                recalled: true,
                details: false,
            };
            let write = Write::of_kind(Kind::Sent, &rows, shown, PAGE, &mut random).unwrap();
            with = with.with(&write);
        }
        assert_eq!(with.author(there).unwrap().visible().len(), 5);
        assert!(oracle.conversation(here).is_none() && oracle.author(there).is_none());
    }

    #[test]
    fn nothing_is_written_for_a_page_that_cannot_show_it() {
        let (oracle, mut random) = (oracle(), rand::rng());
        let id = oracle.nobody(&mut random);
        for page in [
            Page { limit: 0, ..PAGE },
            Page {
                offset: 1_000,
                ..PAGE
            },
        ] {
            assert!(Write::conversation(id, oracle.world(), page, &mut random).is_none());
            assert!(Write::author(id, oracle.world(), page, &mut random).is_none());
        }
    }
}
