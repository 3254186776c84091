//! A word that one message in ten holds, in a conversation; and, while nothing is measured, any
//! text in any order.

use std::collections::HashSet;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use reqwest::Url;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::message_search::{DEFAULT_LIMIT, Found, MAX_LIMIT, Request, Sort};
use verdict_oracle::message_search as oracle;
use verdict_oracle::{Oracle, Write, same};
use verdict_seed::PrivacyMode;

use super::{CHANGED, DRAWS, TRIES, VARIED};
use crate::flows::call::{Call, parse};
use crate::flows::{Flow, Lacking};
use crate::moments::{Truth, into};

/// Messages of a conversation that is searched, at least.
const LEAST: u64 = 100;

/// The part.
#[derive(Debug)]
pub(super) struct Search {
    asked: Vec<Arc<Asked>>,
    varied: Vec<Arc<Asked>>,
    truth: Truth,
}

/// A search with what it finds as long as nobody writes.
#[derive(Debug)]
struct Asked {
    request: Request,
    viewer: Uuid,
    /// 200, or how it is refused.
    status: u16,
    found: HashSet<Uuid>,
}

impl Asked {
    fn of(oracle: &Oracle, request: Request, random: &mut ChaCha8Rng) -> Arc<Self> {
        let rows = oracle.conversation(request.conversation);
        let viewer = rows.as_ref().and_then(|rows| rows.members.choose(random));
        let status = match viewer {
            _ if request.limit == 0 => 400,
            None => 404,
            Some(_) => 200,
        };
        let found = oracle::found(oracle, &request).unwrap_or_default();
        Arc::new(Self {
            viewer: viewer.copied().unwrap_or_default(),
            found: found.into_iter().collect(),
            request,
            status,
        })
    }

    fn path(&self) -> String {
        let Request {
            conversation,
            text,
            sort,
            limit,
            offset,
        } = &self.request;
        let sort = match sort {
            Sort::Recent => "recent",
            Sort::Oldest => "oldest",
            Sort::Relevance => "relevance",
        };
        let (limit, offset) = (limit.to_string(), offset.to_string());
        let viewer = self.viewer.to_string();
        let parameters = [
            ("viewer", viewer.as_str()),
            ("q", text),
            ("limit", &limit),
            ("offset", &offset),
            ("sort", sort),
        ];
        let path = format!("/conversations/{conversation}/search");
        // Only what stands behind the question mark is of use of it.
        match Url::parse_with_params("http://any", parameters) {
            Ok(url) => format!("{path}?{}", url.query().unwrap_or_default()),
            Err(_) => path,
        }
    }

    /// Rows of the page, of so many that are found.
    fn rows(&self, total: usize) -> usize {
        let offset = usize::try_from(self.request.offset).unwrap_or_default();
        let limit = usize::try_from(self.request.limit.min(MAX_LIMIT)).unwrap_or_default();
        total.saturating_sub(offset).min(limit)
    }
}

impl Search {
    /// In all conversations but these.
    pub(super) fn new(
        truth: &Truth,
        without: &HashSet<Uuid>,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, Lacking> {
        let oracle = &truth.world.oracle;
        let mut asked = Vec::new();
        for _ in 0..TRIES {
            let drawn = oracle.world().sample_conversation(random);
            let is_fit = (LEAST..=CHANGED).contains(&drawn.messages)
                && drawn.privacy == PrivacyMode::SearchEnabled
                && !without.contains(&drawn.id);
            if !is_fit {
                continue;
            }
            let request = Request {
                conversation: drawn.id,
                text: oracle::COMMON.to_owned(),
                sort: Sort::Recent,
                limit: DEFAULT_LIMIT,
                offset: 0,
            };
            asked.push(Asked::of(oracle, request, random));
            if asked.len() == DRAWS / 4 {
                break;
            }
        }
        if asked.is_empty() {
            return Err(Lacking {
                flow: FlowId::Mix,
                what: "a conversation that can be searched",
            });
        }
        let varied = (0..VARIED).filter_map(|_| {
            let request = oracle::draw(oracle, random);
            let apart = !without.contains(&request.conversation);
            apart.then(|| Asked::of(oracle, request, random))
        });
        Ok(Self {
            varied: varied.collect(),
            asked,
            truth: truth.clone(),
        })
    }

    fn search(&self, side: Side, asked: &Arc<Asked>) -> Call {
        let (shape, whole) = (Arc::clone(asked), Arc::clone(asked));
        let call = Call::get(
            side,
            self.truth.of(side),
            &asked.path(),
            Box::new(move |right, body| {
                let answer: Found = parse(body)?;
                let request = &shape.request;
                if right.changes(request.conversation) {
                    return oracle::hold(&right.oracle, request, &Ok(answer));
                }
                let total = shape.found.len();
                same("total", &(total as i64), &answer.total)?;
                same("rows", &shape.rows(total), &answer.messages.len())?;
                let ids = answer.messages.iter().map(|message| message.id);
                let found: HashSet<Uuid> = ids.filter(|id| shape.found.contains(id)).collect();
                same("matches", &answer.messages.len(), &found.len())
            }),
            Box::new(move |right, body| {
                oracle::hold(&right.oracle, &whole.request, &Ok(parse(body)?))
            }),
        );
        match asked.status {
            200 => call,
            status => call.refused(status),
        }
    }
}

impl Flow for Search {
    fn id(&self) -> FlowId {
        FlowId::Mix
    }

    fn about(&self) -> &str {
        "a word that one message in ten holds, in conversations drawn by popularity"
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        self.search(side, &self.asked[random.random_range(0..self.asked.len())])
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let asked = &self.varied[random.random_range(0..self.varied.len())];
        self.search(side, asked).unjudged()
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let asked = self.asked.choose(random)?;
        oracle::write_between(oracle, &asked.request, random)
    }

    /// The matches and their number are read by two statements, so that an answer may be of both
    /// sides of a write.
    fn takes_amid(&self, write: &Write) -> bool {
        let into = into(write);
        let mut all = self.asked.iter().chain(&self.varied);
        all.all(|asked| asked.request.conversation != into)
    }
}
