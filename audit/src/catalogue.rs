//! The audit as data: items, claims and targets, read from `audit.toml`.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::names::{FlowId, ItemId, OperationName, Side, VariantName};
use crate::promise::Claim;

/// Everything the audit says that Verdict holds it to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Closed-loop users at which the targets under load are judged.
    pub judged_users: u32,
    /// What holds for every change that any item makes.
    pub conclusion: Conclusion,
    /// What all fixes together come to.
    pub total: Total,
    /// The items in the audit's order.
    #[serde(rename = "item")]
    pub items: Vec<Finding>,
    /// The steps in which the audit would have them made.
    #[serde(rename = "phase")]
    pub phases: Vec<Phase>,
    /// The targets under load in the audit's order.
    #[serde(rename = "target")]
    pub targets: Vec<Target>,
    /// What the flow of all operations is mixed of.
    pub mix: Vec<Share>,
}

/// One operation's share of the mixed flow. The audit counts no requests: the weight is Verdict's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The operation.
    pub of: Part,
    /// Its share, percent.
    pub weight: u32,
    /// Why so much.
    pub reason: String,
}

/// An operation of the service, as its `/metrics` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A feed.
    Feed,
    /// A message sent.
    Send,
    /// A page of a conversation.
    History,
    /// A page of an author's posts.
    Page,
    /// A search in a conversation.
    Search,
    /// A user's list of conversations.
    Conversations,
    /// One conversation.
    Conversation,
    /// One post with its images.
    Post,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Feed,
        Self::Send,
        Self::History,
        Self::Page,
        Self::Search,
        Self::Conversations,
        Self::Conversation,
        Self::Post,
    ];
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Feed => "feed",
            Self::Send => "send",
            Self::History => "history",
            Self::Page => "page",
            Self::Search => "search",
            Self::Conversations => "conversations",
            Self::Conversation => "conversation",
            Self::Post => "post",
        })
    }
}

/// What the audit's conclusion promises of every change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Conclusion {
    /// That nothing breaks: judged for each variant that changes something.
    pub additive: bool,
}

/// What all fixes together come to.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Least factor promised.
    pub lo: f64,
    /// Greatest factor promised.
    pub hi: f64,
}

/// Items that the audit would have fixed together, and what they come to.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Unique, such as `this-week`.
    pub id: String,
    /// The phase in a few words.
    pub title: String,
    /// Its items.
    pub items: Vec<ItemId>,
    /// Least factor promised.
    pub lo: f64,
    /// Greatest factor promised.
    pub hi: f64,
}

/// One finding of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The audit's number, from 1.
    pub number: u32,
    /// The item's id.
    pub id: ItemId,
    /// The finding in a few words.
    pub title: String,
    /// Where the audit states it.
    pub source: String,
    /// The variants besides the baseline.
    pub variants: Vec<VariantName>,
    /// The calls it is tried by.
    pub operations: Vec<OperationName>,
    /// What the audit promises.
    #[serde(default, rename = "claim")]
    pub claims: Vec<Claim>,
}

/// What the code has of one item: its id, its variants, its operations.
pub type Coded = (ItemId, Vec<VariantName>, Vec<OperationName>);

/// One of the audit's targets under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The flow.
    pub id: FlowId,
    /// The operation in a few words.
    pub title: String,
    /// p95 today as the audit says, milliseconds.
    pub before_ms: f64,
    /// Whether `before_ms` is a figure or a floor.
    pub before_is: Before,
    /// p95 that the audit aims for, milliseconds.
    pub goal_ms: f64,
    /// Planned requests per second, where the service's plan gives them.
    pub demand: Option<f64>,
    /// The items whose work the operation does: who asks for one of them asks for this flow.
    pub items: Vec<ItemId>,
}

/// How the audit states a "before" figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Before {
    /// About so much.
    About,
    /// More than so much.
    Over,
}

impl std::fmt::Display for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::About => "about",
            Self::Over => "over",
        })
    }
}

/// Why the catalogue, or an item in it, cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    /// The text is not a catalogue.
    #[error("audit.toml cannot be read: {0}")]
    Malformed(String),
    /// The text is a catalogue that contradicts itself.
    #[error("audit.toml contradicts itself: {0}")]
    Contradiction(String),
    /// The code and the catalogue name different things.
    #[error("the code and audit.toml disagree about {item}: {what}")]
    Apart {
        /// The item.
        item: String,
        /// What only one of them has.
        what: String,
    },
    /// Nothing has this number.
    #[error("no item {asked} in the audit: it has 1 to {count}, and `verdict list` shows them")]
    NoSuchNumber {
        /// What was asked for.
        asked: u32,
        /// How many items there are.
        count: usize,
    },
    /// Nothing has this id.
    #[error(
        "no item {asked:?} in the audit{} `verdict list` shows all {count}",
        nearest.as_ref().map_or(":".to_owned(), |id| format!(": did you mean {id:?}?"))
    )]
    NoSuchItem {
        /// What was asked for.
        asked: String,
        /// The id nearest to it, where one is near.
        nearest: Option<String>,
        /// How many items there are.
        count: usize,
    },
}

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the text is compiled in, and a test parses it"
    )]
    Catalogue::parse(include_str!("../audit.toml")).expect("the embedded audit.toml is valid")
});

impl Catalogue {
    /// The audit that Verdict was built with.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Reads a catalogue and checks that it agrees with itself.
    ///
    /// # Errors
    /// The first thing that is malformed or contradictory, by item.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self =
            toml::from_str(text).map_err(|error| CatalogueError::Malformed(error.to_string()))?;
        catalogue.check().map_err(CatalogueError::Contradiction)?;
        let written: toml::Table =
            toml::from_str(text).map_err(|error| CatalogueError::Malformed(error.to_string()))?;
        catalogue
            .check_keys(&written)
            .map_err(CatalogueError::Malformed)?;
        Ok(catalogue)
    }

    /// A misspelt key of a claim would change what it is about: the parser takes any, since a
    /// claim's own keys depend on its promise.
    fn check_keys(&self, written: &toml::Table) -> Result<(), String> {
        let tables = |table: &toml::Table, key: &str| -> Vec<toml::Table> {
            let array = table.get(key).and_then(toml::Value::as_array);
            let tables = array.into_iter().flatten();
            tables
                .filter_map(|table| table.as_table().cloned())
                .collect()
        };
        for (item, written) in self.items.iter().zip(tables(written, "item")) {
            for (claim, written) in item.claims.iter().zip(tables(&written, "claim")) {
                if let Some(unknown) = written.keys().find(|key| !claim.has_key(key)) {
                    let (id, claim) = (&item.id, &claim.id);
                    return Err(format!(
                        "claim {claim} of {id} has an unknown key {unknown}"
                    ));
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.items.is_empty() {
            return Err("it has no items".to_owned());
        }
        let mut ids = HashSet::new();
        for (item, number) in self.items.iter().zip(1..) {
            let id = &item.id;
            if item.number != number {
                return Err(format!("{id} has number {} in place {number}", item.number));
            }
            if !ids.insert(id) {
                return Err(format!("{id} is there twice"));
            }
            item.check()?;
        }
        for phase in &self.phases {
            if let Some(unknown) = phase.items.iter().find(|item| !ids.contains(item)) {
                return Err(format!("phase {} names no item by {unknown}", phase.id));
            }
            if !(phase.lo > 1.0 && phase.hi >= phase.lo) {
                return Err(format!("phase {} claims no improvement", phase.id));
            }
        }
        let mut flows = HashSet::new();
        for target in &self.targets {
            if !flows.insert(target.id) {
                return Err(format!("target {} is there twice", target.id));
            }
            if !(target.goal_ms > 0.0 && target.before_ms > target.goal_ms) {
                return Err(format!("target {} aims for no improvement", target.id));
            }
            if let Some(unknown) = target.items.iter().find(|item| !ids.contains(item)) {
                return Err(format!("target {} names no item by {unknown}", target.id));
            }
        }
        for part in Part::ALL {
            let shares = self.mix.iter().filter(|share| share.of == part);
            if shares.filter(|share| share.weight > 0).count() != 1 {
                return Err(format!("{part} has not one share of the mix"));
            }
        }
        let whole: u32 = self.mix.iter().map(|share| share.weight).sum();
        if whole != 100 {
            return Err(format!("the mix comes to {whole} %"));
        }
        Ok(())
    }

    /// Holds what the code has to the catalogue, both ways: the same variants and the same
    /// operations by the same names. Items that the code lacks are not on trial yet.
    ///
    /// # Errors
    /// The first name that only one of them has.
    pub fn hold(&self, code: &[Coded]) -> Result<(), CatalogueError> {
        for (id, variants, operations) in code {
            let apart = |what: String| CatalogueError::Apart {
                item: id.to_string(),
                what,
            };
            let Some(finding) = self.items.iter().find(|item| item.id == *id) else {
                return Err(apart("audit.toml does not have it".to_owned()));
            };
            only_in_one(variants, &finding.all_variants()).map_or(Ok(()), |(name, place)| {
                Err(apart(format!("variant {name} is only in {place}")))
            })?;
            only_in_one(operations, &finding.operations).map_or(Ok(()), |(name, place)| {
                Err(apart(format!("operation {name} is only in {place}")))
            })?;
        }
        Ok(())
    }

    /// The item with this id or number.
    ///
    /// # Errors
    /// [`CatalogueError::NoSuchNumber`], or [`CatalogueError::NoSuchItem`], naming the nearest id.
    pub fn item(&self, asked: &str) -> Result<&Finding, CatalogueError> {
        let number = asked.parse::<u32>().ok();
        self.items
            .iter()
            .find(|item| item.id.as_str() == asked || Some(item.number) == number)
            .ok_or_else(|| match number {
                Some(asked) => CatalogueError::NoSuchNumber {
                    asked,
                    count: self.items.len(),
                },
                None => CatalogueError::NoSuchItem {
                    asked: asked.to_owned(),
                    nearest: self.nearest(asked),
                    count: self.items.len(),
                },
            })
    }

    /// The id that is most like what was asked for, where one is like it.
    fn nearest(&self, asked: &str) -> Option<String> {
        const LIKE: f64 = 0.6;
        let likeness = |id: &&str| strsim::jaro_winkler(&asked.to_lowercase(), id);
        let ids = self.items.iter().map(|item| item.id.as_str());
        ids.filter(|id| likeness(id) >= LIKE)
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .map(str::to_owned)
    }

    /// The flows that do the work of any of these items, in the audit's order; where those are all
    /// that it has a target for, the mixed ones, too.
    pub fn flows_of(&self, items: &[&ItemId]) -> Vec<FlowId> {
        let does = |target: &&Target| target.items.iter().any(|item| items.contains(&item));
        let targets = self.targets.iter().filter(does);
        let mut flows: Vec<FlowId> = targets.map(|target| target.id).collect();
        if flows.len() == self.targets.len() {
            flows.extend([FlowId::Mix, FlowId::MixUncached]);
        }
        flows
    }

    /// The target of a flow, where the audit has one.
    pub fn target(&self, id: FlowId) -> Option<&Target> {
        self.targets.iter().find(|target| target.id == id)
    }
}

impl Finding {
    /// The baseline, and every variant that the audit has.
    pub(crate) fn all_variants(&self) -> Vec<VariantName> {
        let mut all = vec![VariantName::Baseline];
        all.extend(self.variants.iter().cloned());
        all
    }

    fn check(&self) -> Result<(), String> {
        let id = &self.id;
        if self.variants.is_empty() || self.variants.contains(&VariantName::Baseline) {
            return Err(format!("{id} must list its variants without the baseline"));
        }
        if self.operations.is_empty() || self.claims.is_empty() {
            return Err(format!("{id} needs an operation and a claim"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = self.variants.iter().find(|name| !names.insert(*name)) {
            return Err(format!("{id} has {twice} twice"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = self.operations.iter().find(|name| !names.insert(*name)) {
            return Err(format!("{id} has {twice} twice"));
        }
        let mut claims = HashSet::new();
        for claim in &self.claims {
            if !claims.insert(&claim.id) {
                return Err(format!("{id} has two claims called {}", claim.id));
            }
            if let Some(unknown) = claim
                .operation
                .as_ref()
                .filter(|name| !self.operations.contains(name))
            {
                return Err(format!("{id} has no operation {unknown}"));
            }
            if let Some(unknown) = claim
                .variant
                .as_ref()
                .filter(|name| !self.variants.contains(name))
            {
                return Err(format!("{id} has no variant {unknown}"));
            }
            if !claim.promise.is_sound() {
                return Err(format!("{id} claims no improvement in {}", claim.id));
            }
        }
        Ok(())
    }
}

impl CatalogueError {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoSuchItem { .. } | Self::NoSuchNumber { .. } => Exit::Usage,
            Self::Malformed(_) | Self::Contradiction(_) | Self::Apart { .. } => Exit::Software,
        }
    }
}

/// The first name that one of two lists has and the other has not, with the place where it is.
fn only_in_one<'a, T: PartialEq>(code: &'a [T], audit: &'a [T]) -> Option<(&'a T, &'static str)> {
    let lacking = |of: &'a [T], other: &'a [T]| of.iter().find(|name| !other.contains(name));
    lacking(code, audit)
        .map(|name| (name, "the code"))
        .or_else(|| lacking(audit, code).map(|name| (name, "audit.toml")))
}

impl Target {
    /// What a side is held to, milliseconds: the goal for the optimized one, the audit's
    /// "before" figure for the baseline.
    pub fn target_ms(&self, side: Side) -> f64 {
        match side {
            Side::Baseline => self.before_ms,
            Side::Optimized => self.goal_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_audit_has_fifteen_items_three_phases_and_four_targets() {
        let audit = Catalogue::builtin();
        assert_eq!(audit.items.len(), 15);
        assert_eq!(audit.phases.len(), 3);
        assert_eq!(audit.targets.len(), 4);
        assert!(audit.items.iter().all(|item| !item.claims.is_empty()));
    }

    #[test]
    fn an_item_is_found_by_id_and_by_number() {
        let audit = Catalogue::builtin();
        assert_eq!(
            audit.item("2").unwrap(),
            audit.item("message-send").unwrap()
        );
    }

    #[test]
    fn an_unknown_item_names_the_nearest() {
        for (asked, meant) in [
            ("mesage-sned", "message-send"),
            ("paginatoin", "pagination"),
        ] {
            let error = Catalogue::builtin().item(asked).unwrap_err();
            assert!(error.to_string().contains(&format!("{meant:?}")), "{error}");
        }
    }

    #[test]
    fn the_claims_read_as_the_audit_states_them() {
        let read = |number: usize| -> Vec<String> {
            let item = &Catalogue::builtin().items[number - 1];
            let claims = item.claims.iter();
            claims
                .map(|claim| format!("{}: {}", claim.id, claim.promise))
                .collect()
        };
        assert_eq!(
            read(1),
            [
                "speed-up: 2-4x",
                "speed-up-at-1-ms: 2-4x, 1 ms away",
                "statements: 3 to 1 statements"
            ]
        );
        assert_eq!(read(2), ["speed-up: 100-1000x", "growth: O(n) to O(1)"]);
        assert_eq!(
            read(7),
            [
                "speed-up: 10-100x",
                "rows: 2000 to 20 rows read",
                "growth: O(n) to O(1)"
            ]
        );
        assert!(read(6).contains(&"look-ups: 4 to 2 look-ups in indexes".to_owned()));
        assert!(read(10).contains(&"retention: O(n) to O(1) in rows written".to_owned()));
        assert!(read(13).contains(&"load: 50-80 % fewer statements".to_owned()));
    }

    #[test]
    fn a_contradiction_is_refused_by_name() {
        let text = include_str!("../audit.toml");
        for (from, to, word) in [
            ("number = 2\n", "number = 3\n", "place 2"),
            ("id = \"message-send\"", "id = \"message-history\"", "twice"),
            ("lo = 100.0", "lo = 2000.0", "no improvement"),
            ("fixed = \"O(1)\"", "fixed = \"O(n)\"", "no improvement"),
            ("variants = [\"optimized\"]", "variants = []", "hot-cold"),
            ("goal_ms = 100.0", "goal_ms = 900.0", "no improvement"),
            ("operations = [\"send\"]", "operations = []", "message-send"),
            (
                "operation = \"retention\"",
                "operation = \"retain\"",
                "retain",
            ),
            (
                "items = [\"message-send\"",
                "items = [\"message-sent\"",
                "message-sent",
            ),
            ("of = \"search\"", "of = \"post\"", "search has not one"),
            ("weight = 3\n", "weight = 4\n", "101 %"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Catalogue::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(word), "{from} -> {to}: {error}");
        }
        let unknown = Catalogue::parse("judged_users = 4\nitem = []\nflow = []\nx = 1");
        assert!(matches!(unknown, Err(CatalogueError::Malformed(_))));
    }

    #[test]
    fn the_code_is_held_to_the_catalogue_both_ways() {
        let audit = Catalogue::builtin();
        let coded = |variants: &[&str], operations: &[&str]| {
            let variants = variants.iter().map(|name| name.parse().unwrap()).collect();
            let operations = operations.iter().map(|name| name.parse().unwrap());
            ("cache".parse().unwrap(), variants, operations.collect())
        };
        let whole = ["baseline", "proposed", "optimized"];
        let operations: Vec<&str> = audit.items[12]
            .operations
            .iter()
            .map(|o| o.as_str())
            .collect();
        assert_eq!(audit.hold(&[coded(&whole, &operations)]), Ok(()));
        for (variants, operations, word) in [
            (
                &whole[..2],
                &operations[..],
                "variant optimized is only in audit.toml",
            ),
            (
                &["baseline", "proposed", "optimized", "mended"][..],
                &operations[..],
                "variant mended is only in the code",
            ),
            (&whole[..], &[][..], "is only in audit.toml"),
            (
                &whole[..],
                &["raed"][..],
                "operation raed is only in the code",
            ),
        ] {
            let error = audit.hold(&[coded(variants, operations)]).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
