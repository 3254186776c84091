//! The audit as data: items, claims and targets, read from `audit.toml`.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::names::{FlowId, ItemId, Side, VariantName};
use crate::nearest::nearest;

/// Everything the audit says that Verdict holds it to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Closed-loop users at which the targets under load are judged.
    pub judged_users: u32,
    /// The items in the audit's order.
    #[serde(rename = "item")]
    pub items: Vec<Item>,
    /// The flows in the audit's order.
    #[serde(rename = "flow")]
    pub flows: Vec<Flow>,
}

/// One finding of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
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
    /// Whether Verdict tries it yet.
    #[serde(default = "yes")]
    pub on_trial: bool,
    /// What the audit promises.
    #[serde(default, rename = "claim")]
    pub claims: Vec<Claim>,
}

fn yes() -> bool {
    true
}

/// One promise of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Unique within the item, such as `speed-up`.
    pub id: String,
    /// The operation it is judged on; every operation of the item when absent.
    pub operation: Option<String>,
    /// What is promised.
    #[serde(flatten)]
    pub kind: ClaimKind,
}

/// What a claim promises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ClaimKind {
    /// So many times faster.
    SpeedUp {
        /// Least factor promised.
        lo: f64,
        /// Greatest factor promised.
        hi: f64,
        /// The rung it is judged at.
        at: u64,
    },
    /// Work that grows less with size.
    Complexity {
        /// How it grows today, as the audit says.
        today: Order,
        /// How it grows with the fix, as the audit says.
        fixed: Order,
    },
}

/// How work grows with size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Order {
    /// Not at all.
    #[serde(rename = "O(1)")]
    Constant,
    /// With the logarithm.
    #[serde(rename = "O(log n)")]
    Logarithmic,
    /// In proportion.
    #[serde(rename = "O(n)")]
    Linear,
}

/// One of the audit's targets under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
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

/// Why the catalogue, or an item in it, cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    /// The text is not a catalogue.
    #[error("audit.toml cannot be read: {0}")]
    Malformed(String),
    /// The text is a catalogue that contradicts itself.
    #[error("audit.toml contradicts itself: {0}")]
    Contradiction(String),
    /// Nothing has this id or number.
    #[error(
        "no item {asked:?} in the audit: did you mean {nearest:?}? `verdict list` shows all {count}"
    )]
    NoSuchItem {
        /// What was asked for.
        asked: String,
        /// The id nearest to it.
        nearest: String,
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
        Ok(catalogue)
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
            if item.variants.is_empty() || item.variants.contains(&VariantName::Baseline) {
                return Err(format!("{id} must list its variants without the baseline"));
            }
            if item.on_trial && item.claims.is_empty() {
                return Err(format!("{id} is on trial without a claim"));
            }
            let mut claims = HashSet::new();
            for claim in &item.claims {
                if !claims.insert(&claim.id) {
                    return Err(format!("{id} has two claims called {}", claim.id));
                }
                let sound = match claim.kind {
                    ClaimKind::SpeedUp { lo, hi, at } => lo > 1.0 && hi >= lo && at > 0,
                    ClaimKind::Complexity { today, fixed } => fixed < today,
                };
                if !sound {
                    return Err(format!("{id} claims no improvement in {}", claim.id));
                }
            }
        }
        let mut flows = HashSet::new();
        for flow in &self.flows {
            if !flows.insert(flow.id) {
                return Err(format!("flow {} is there twice", flow.id));
            }
            if !(flow.goal_ms > 0.0 && flow.before_ms > flow.goal_ms) {
                return Err(format!("flow {} aims for no improvement", flow.id));
            }
        }
        Ok(())
    }

    /// The item with this id or number.
    ///
    /// # Errors
    /// [`CatalogueError::NoSuchItem`], naming the nearest id.
    pub fn item(&self, asked: &str) -> Result<&Item, CatalogueError> {
        let number = asked.parse::<u32>().ok();
        self.items
            .iter()
            .find(|item| item.id.as_str() == asked || Some(item.number) == number)
            .ok_or_else(|| CatalogueError::NoSuchItem {
                asked: asked.to_owned(),
                nearest: nearest(asked, self.items.iter().map(|item| item.id.as_str()))
                    .unwrap_or_default()
                    .to_owned(),
                count: self.items.len(),
            })
    }

    /// The flow with this id, where the audit has a target for it.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == id)
    }

    /// The items that Verdict tries, in the audit's order.
    pub fn on_trial(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.on_trial)
    }
}

impl Flow {
    /// What a side is held to, milliseconds: the goal for the optimized one, the audit's
    /// "before" figure for the baseline.
    pub fn target_ms(&self, side: Side) -> f64 {
        match side {
            Side::Baseline => self.before_ms,
            Side::Optimized => self.goal_ms,
        }
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Constant => "O(1)",
            Self::Logarithmic => "O(log n)",
            Self::Linear => "O(n)",
        })
    }
}

impl std::fmt::Display for ClaimKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SpeedUp { lo, hi, .. } => write!(f, "{lo}-{hi}x"),
            Self::Complexity { today, fixed } => write!(f, "{today} to {fixed}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_audit_has_fifteen_items_and_four_flows() {
        let audit = Catalogue::builtin();
        assert_eq!(audit.items.len(), 15);
        assert_eq!(audit.flows.len(), 4);
        let tried: Vec<u32> = audit.on_trial().map(|item| item.number).collect();
        assert_eq!(tried, [1, 2, 7]);
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
        let error = Catalogue::builtin().item("mesage-sned").unwrap_err();
        assert!(error.to_string().contains("\"message-send\""), "{error}");
    }

    #[test]
    fn the_claims_read_as_the_audit_states_them() {
        let claims: Vec<String> = Catalogue::builtin()
            .on_trial()
            .flat_map(|item| item.claims.iter().map(move |claim| (item, claim)))
            .map(|(item, claim)| format!("{} {}: {}", item.number, claim.id, claim.kind))
            .collect();
        assert_eq!(
            claims,
            [
                "1 speed-up: 2-4x",
                "2 speed-up: 100-1000x",
                "2 complexity: O(n) to O(1)",
                "7 speed-up: 10-100x",
                "7 complexity: O(n) to O(1)",
            ]
        );
    }

    #[test]
    fn a_contradiction_is_refused_by_name() {
        let text = include_str!("../audit.toml");
        for (from, to, word) in [
            ("number = 2\n", "number = 3\n", "place 2"),
            ("id = \"message-send\"", "id = \"message-history\"", "twice"),
            ("lo = 100.0", "lo = 2000.0", "no improvement"),
            ("fixed = \"O(1)\"", "fixed = \"O(n)\"", "no improvement"),
            ("variants = [\"proposed\"]", "variants = []", "monitoring"),
            ("goal_ms = 100.0", "goal_ms = 900.0", "no improvement"),
        ] {
            let error = Catalogue::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(word), "{from} -> {to}: {error}");
        }
        let unknown = Catalogue::parse("judged_users = 4\nitem = []\nflow = []\nx = 1");
        assert!(matches!(unknown, Err(CatalogueError::Malformed(_))));
    }
}
