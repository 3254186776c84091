//! The generator's own rows, kept for as long as they are asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rand::Rng;
use uuid::Uuid;
use verdict_baseline::pagination::Post;
use verdict_seed::{Cut, World};

use crate::author::AuthorRows;
use crate::conversation::ConversationRows;
use crate::delivery::{self, Delivery};
use crate::ending::Ending;
use crate::events::{self, Event, Events};
use crate::feed_tables::FeedRows;
use crate::hostile::{self, Hostile};
use crate::memo::Memo;
use crate::post_images::{self, Hung};
use crate::slices::Slices;
use crate::write::{Rows, Write};

/// Rows that are kept at most of each kind: a few hundred bytes each.
const KEPT: u64 = 300_000;

/// Rungs of the ladder of events whose feeds are kept.
const KEPT_FEEDS: u64 = 4;

/// What the world holds, by id, with the hostile rows that items add to it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Oracle {
    known: Arc<Known>,
    written: Written,
    /// The part of the world that ClickHouse's tables hold.
    cut: Cut,
}

/// What writes have made of the rows that they touched; none where there are none any more.
#[derive(Debug, Clone, Default)]
struct Written {
    conversations: HashMap<Uuid, Option<Arc<ConversationRows>>>,
    authors: HashMap<Uuid, Option<Arc<AuthorRows>>>,
    /// What hangs on posts.
    hung: HashMap<Uuid, Option<Arc<Hung>>>,
    events: Arc<events::Told>,
}

#[derive(Debug)]
struct Known {
    world: World,
    conversations: Memo<Uuid, ConversationRows>,
    endings: Memo<Uuid, Ending>,
    archived: Memo<Uuid, Vec<Uuid>>,
    authors: Memo<Uuid, AuthorRows>,
    feeds: Memo<Cut, FeedRows>,
    hung: Memo<u64, HashMap<Uuid, Arc<Hung>>>,
    conversation_indexes: OnceLock<HashMap<Uuid, u64>>,
    memberships: OnceLock<HashMap<Uuid, Vec<Uuid>>>,
    author_indexes: OnceLock<HashMap<Uuid, u64>>,
    events: OnceLock<Arc<events::Known>>,
    slices: OnceLock<Slices>,
    hostile: Mutex<BTreeSet<Hostile>>,
}

impl Oracle {
    /// The oracle of a world.
    pub fn new(world: &World) -> Self {
        Self {
            known: Arc::new(Known {
                world: world.clone(),
                conversations: Memo::new(KEPT),
                endings: Memo::new(KEPT),
                archived: Memo::new(KEPT),
                authors: Memo::new(KEPT),
                feeds: Memo::new(KEPT_FEEDS),
                hung: Memo::new(KEPT),
                conversation_indexes: OnceLock::new(),
                memberships: OnceLock::new(),
                author_indexes: OnceLock::new(),
                events: OnceLock::new(),
                slices: OnceLock::new(),
                hostile: Mutex::default(),
            }),
            written: Written::default(),
            cut: world.whole(),
        }
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.known.world
    }

    /// What is right where ClickHouse's tables hold the part of the world of so many events;
    /// `None` where it has no such rung.
    pub fn cut(&self, events: u64) -> Option<Self> {
        Some(Self {
            cut: self.world().cut(events)?,
            ..self.clone()
        })
    }

    /// The part of the world that ClickHouse's tables hold.
    pub fn part(&self) -> Cut {
        self.cut
    }

    /// Posts, likes and comments as ClickHouse's tables have to come to them. Those of the world
    /// are made once, which takes a while, and kept.
    pub fn events(&self) -> Events {
        let known = &self.known;
        let made = || Arc::new(events::Known::of(&known.world));
        let made = Arc::clone(known.events.get_or_init(made));
        Events::new(made, Arc::clone(&self.written.events), self.cut)
    }

    /// What was done in every range of time, made once and kept.
    pub fn slices(&self) -> &Slices {
        let known = &self.known;
        known.slices.get_or_init(|| Slices::of(&known.world))
    }

    /// What is right once these have been told to ClickHouse, in this order.
    #[must_use]
    pub fn told(&self, events: &[Event]) -> Self {
        let mut with = self.clone();
        let told = Arc::make_mut(&mut with.written.events);
        events.iter().for_each(|event| told.tell(*event));
        with
    }

    /// What is right once these versions have come, in whatever order.
    #[must_use]
    pub fn delivered(&self, deliveries: &[Delivery]) -> Self {
        self.told(&delivery::in_order(deliveries))
    }

    /// What is right after one write more. What is wrong with rows that nobody has stays wrong.
    #[must_use]
    pub fn with(&self, write: &Write) -> Self {
        let mut with = self.clone();
        match &write.rows {
            Rows::Delivered(turn) => {
                if let Some(deliveries) = &turn.after {
                    return self.delivered(deliveries);
                }
            }
            Rows::Conversation(turn) => {
                if let Some(rows) = turn.either() {
                    let after = turn.after.clone();
                    with.written.conversations.insert(rows.id, after);
                }
            }
            Rows::Message { conversation, turn } => {
                if let Some(rows) = self.conversation(*conversation) {
                    let after = Some(Arc::new(rows.turned(turn)));
                    with.written.conversations.insert(*conversation, after);
                }
            }
            Rows::Member { conversation, turn } => {
                if let Some(rows) = self.conversation(*conversation) {
                    let after = Some(Arc::new(rows.with_member(turn)));
                    with.written.conversations.insert(*conversation, after);
                }
            }
            Rows::Author(turn) => {
                if let Some(rows) = turn.either() {
                    with.written.authors.insert(rows.id, turn.after.clone());
                }
            }
            Rows::Hung { post, turn, .. } => {
                with.written.hung.insert(*post, turn.after.clone());
            }
            Rows::Post { author, turn } => {
                if let Some(rows) = self.author(*author) {
                    let after = Some(Arc::new(rows.turned(turn)));
                    with.written.authors.insert(*author, after);
                }
            }
        }
        with
    }

    /// A conversation with its rows; `None` when nobody has the id.
    pub fn conversation(&self, id: Uuid) -> Option<Arc<ConversationRows>> {
        match self.written.conversations.get(&id) {
            Some(rows) => rows.clone(),
            None => self.known.conversation(id),
        }
    }

    /// How a conversation ends; `None` when nobody has the id. Of one that nobody wrote to, its
    /// rows are not made for it.
    pub fn ending(&self, id: Uuid) -> Option<Arc<Ending>> {
        match self.written.conversations.get(&id) {
            Some(rows) => rows.as_deref().map(|rows| Arc::new(rows.into())),
            None => self.known.ending(id),
        }
    }

    /// The conversations that somebody is a member of, in no order.
    pub fn conversations_of(&self, user: Uuid) -> Vec<Uuid> {
        let written = &self.written.conversations;
        let known = self.known.conversations_of(user).into_iter();
        let joined = written.iter().filter_map(|(id, rows)| {
            let rows = rows.as_ref()?;
            rows.members.contains(&user).then_some(*id)
        });
        known
            .filter(|id| !written.contains_key(id))
            .chain(joined)
            .collect()
    }

    /// Whether a member has put a conversation away. Nobody has who joined since, or is in a
    /// hostile one.
    pub fn has_archived(&self, conversation: Uuid, user: Uuid) -> bool {
        let archived = self.known.archived(conversation);
        archived.is_some_and(|users| users.contains(&user))
    }

    /// An author with his or her rows; `None` when nobody has the id.
    pub fn author(&self, id: Uuid) -> Option<Arc<AuthorRows>> {
        match self.written.authors.get(&id) {
            Some(rows) => rows.clone(),
            None => self.known.author(id),
        }
    }

    /// What feeds are made from. Events that were told since are not in it.
    pub(crate) fn feed(&self) -> Arc<FeedRows> {
        let made = || (FeedRows::of(self.world(), self.events()), 1);
        self.known.feeds.get_or(self.cut, made)
    }

    /// What hangs on a post.
    pub(crate) fn hung(&self, post: &Post) -> Arc<Hung> {
        let written = self.written.hung.get(&post.id).cloned();
        let known = || self.known.hung(post);
        let hung = written.unwrap_or_else(known);
        // Nothing is done yet to one that nobody knew of.
        hung.unwrap_or_else(|| Arc::new(Hung::nothing(post.created_at)))
    }

    /// Whether hostile rows were added to the world.
    pub fn has(&self, hostile: Hostile) -> bool {
        self.known.has(hostile)
    }

    /// Notes that hostile rows were added to the world; until then they are unknown.
    pub fn add(&self, hostile: Hostile) {
        self.known.lock().insert(hostile);
    }

    /// The hostile rows that were added.
    pub fn added(&self) -> Vec<Hostile> {
        self.known.lock().iter().copied().collect()
    }

    /// An id that nobody has.
    pub fn nobody(&self, random: &mut impl Rng) -> Uuid {
        use rand::RngExt;
        Uuid::from_u128(random.random())
    }
}

/// How the rows of a conversation are made.
type Made = fn(&World) -> ConversationRows;

/// The hostile rows that are conversations.
const HOSTILE_CONVERSATIONS: [(Hostile, Made); 4] = [
    (Hostile::TiedConversation, hostile::conversation),
    (Hostile::SearchedConversation, hostile::searched),
    (Hostile::EncryptedConversation, hostile::encrypted),
    (Hostile::BorderConversation, hostile::border),
];

fn hostile_conversation(id: Uuid) -> Option<(Hostile, Made)> {
    let mut all = HOSTILE_CONVERSATIONS.into_iter();
    all.find(|(hostile, _)| hostile.id() == id)
}

impl Known {
    fn conversation(&self, id: Uuid) -> Option<Arc<ConversationRows>> {
        let weighed = |rows: ConversationRows| {
            let weight = rows.weight();
            (rows, weight)
        };
        if let Some((hostile, made)) = hostile_conversation(id) {
            let made = || weighed(made(&self.world));
            return self
                .has(hostile)
                .then(|| self.conversations.get_or(id, made));
        }
        let conversation = self.world.conversation(self.conversation_index(id)?);
        Some(self.conversations.get_or(id, || {
            weighed(ConversationRows::of(&self.world, &conversation))
        }))
    }

    fn conversation_index(&self, id: Uuid) -> Option<u64> {
        let indexes = self.conversation_indexes.get_or_init(|| {
            (0..self.world.conversations())
                .map(|index| (self.world.conversation(index).id, index))
                .collect()
        });
        indexes.get(&id).copied()
    }

    fn ending(&self, id: Uuid) -> Option<Arc<Ending>> {
        if hostile_conversation(id).is_some() {
            return self.conversation(id).map(|rows| Arc::new((&*rows).into()));
        }
        let conversation = self.world.conversation(self.conversation_index(id)?);
        let made = || (Ending::of(&self.world, &conversation), 1);
        Some(self.endings.get_or(id, made))
    }

    fn archived(&self, id: Uuid) -> Option<Arc<Vec<Uuid>>> {
        let conversation = self.world.conversation(self.conversation_index(id)?);
        let made = || (self.world.archived_by(&conversation), 1);
        Some(self.archived.get_or(id, made))
    }

    fn conversations_of(&self, user: Uuid) -> Vec<Uuid> {
        let memberships = self.memberships.get_or_init(|| {
            let mut memberships: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
            for index in 0..self.world.conversations() {
                let conversation = self.world.conversation(index);
                for member in conversation.members {
                    memberships.entry(member).or_default().push(conversation.id);
                }
            }
            memberships
        });
        let mut ids = memberships.get(&user).cloned().unwrap_or_default();
        let added = HOSTILE_CONVERSATIONS.iter();
        let added = added.filter_map(|(hostile, _)| self.conversation(hostile.id()));
        let joined = added.filter(|rows| rows.members.contains(&user));
        ids.extend(joined.map(|rows| rows.id));
        ids
    }

    fn author_index(&self, id: Uuid) -> Option<u64> {
        let indexes = self.author_indexes.get_or_init(|| {
            (0..self.world.users())
                .map(|index| (self.world.user(index), index))
                .collect()
        });
        indexes.get(&id).copied()
    }

    fn hung(&self, post: &Post) -> Option<Arc<Hung>> {
        let index = self.author_index(post.user_id)?;
        let of_author = self.hung.get_or(index, || {
            let hung = post_images::hung(&self.world, index);
            let weight = hung.len() as u64;
            (hung, weight)
        });
        of_author.get(&post.id).cloned()
    }

    fn author(&self, id: Uuid) -> Option<Arc<AuthorRows>> {
        let weighed = |rows: AuthorRows| {
            let weight = rows.weight();
            (rows, weight)
        };
        if id == hostile::tied_author() {
            let tied = || weighed(hostile::author(&self.world));
            return self
                .has(Hostile::TiedAuthor)
                .then(|| self.authors.get_or(id, tied));
        }
        let index = self.author_index(id)?;
        Some(self.authors.get_or(id, || {
            weighed(AuthorRows::of(&self.world, &self.world.author(index)))
        }))
    }

    fn has(&self, hostile: Hostile) -> bool {
        self.lock().contains(&hostile)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Hostile>> {
        self.hostile.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
