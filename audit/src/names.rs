//! The names a trial is spoken of by: items, variants, operations, flows and sides.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that does not follow the form of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no {kind}: {form}")]
pub struct NameError {
    name: String,
    kind: &'static str,
    form: &'static str,
}

/// An item's id, such as `message-send`: words of lower-case letters and digits, joined by `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId(String);

/// One call that an item is tried by, such as `first-page`: words joined by `-` as in [`ItemId`].
/// Unique within its item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperationName(String);

/// One way of doing an item's work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum VariantName {
    /// `baseline`: today.
    Baseline,
    /// `proposed`: the audit's own fix; `proposed-cte` and the like where it offers several.
    Proposed(Option<String>),
    /// `mended`: a proposed one that does not run as written, with the smallest repair that lets
    /// it run, so that a slip of the pen is told from a wrong idea; `mended-trigger` and the like
    /// where the audit offers several.
    Mended(Option<String>),
    /// `optimized`: the fix done right.
    Optimized,
}

/// A user-visible operation under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlowId {
    /// Feed generation.
    Feed,
    /// Message send.
    Send,
    /// Message history.
    History,
    /// Posts by user.
    Page,
    /// All of the service's operations at once, as the audit's `mix` weighs them.
    Mix,
    /// The same, of an optimized side without its cache.
    #[serde(rename = "mix-uncached")]
    MixUncached,
}

/// Which of the two services a flow runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Today.
    Baseline,
    /// Every fix together.
    Optimized,
}

impl ItemId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OperationName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_kebab(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

impl FromStr for ItemId {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        if is_kebab(name) {
            return Ok(Self(name.to_owned()));
        }
        Err(NameError {
            name: name.to_owned(),
            kind: "item id",
            form: "write lower-case words joined by '-', such as message-send",
        })
    }
}

impl FromStr for OperationName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        if is_kebab(name) {
            return Ok(Self(name.to_owned()));
        }
        Err(NameError {
            name: name.to_owned(),
            kind: "operation",
            form: "write lower-case words joined by '-', such as first-page",
        })
    }
}

impl FromStr for VariantName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        match name {
            "baseline" => return Ok(Self::Baseline),
            "proposed" => return Ok(Self::Proposed(None)),
            "mended" => return Ok(Self::Mended(None)),
            "optimized" => return Ok(Self::Optimized),
            _ => {}
        }
        match name.split_once('-') {
            Some(("proposed", solution)) if is_kebab(solution) => {
                Ok(Self::Proposed(Some(solution.to_owned())))
            }
            Some(("mended", solution)) if is_kebab(solution) => {
                Ok(Self::Mended(Some(solution.to_owned())))
            }
            _ => Err(NameError {
                name: name.to_owned(),
                kind: "variant",
                form: "write baseline, proposed, proposed-<solution>, mended, mended-<solution> or optimized",
            }),
        }
    }
}

impl FromStr for FlowId {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        match name {
            "feed" => Ok(Self::Feed),
            "send" => Ok(Self::Send),
            "history" => Ok(Self::History),
            "page" => Ok(Self::Page),
            "mix" => Ok(Self::Mix),
            "mix-uncached" => Ok(Self::MixUncached),
            _ => Err(NameError {
                name: name.to_owned(),
                kind: "flow",
                form: "write feed, send, history, page, mix or mix-uncached",
            }),
        }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for VariantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => f.pad("baseline"),
            Self::Proposed(None) => f.pad("proposed"),
            Self::Proposed(Some(solution)) => f.pad(&format!("proposed-{solution}")),
            Self::Mended(None) => f.pad("mended"),
            Self::Mended(Some(solution)) => f.pad(&format!("mended-{solution}")),
            Self::Optimized => f.pad("optimized"),
        }
    }
}

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Feed => "feed",
            Self::Send => "send",
            Self::History => "history",
            Self::Page => "page",
            Self::Mix => "mix",
            Self::MixUncached => "mix-uncached",
        })
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Baseline => "baseline",
            Self::Optimized => "optimized",
        })
    }
}

impl TryFrom<String> for ItemId {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        name.parse()
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> Self {
        id.0
    }
}

impl TryFrom<String> for OperationName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        name.parse()
    }
}

impl From<OperationName> for String {
    fn from(name: OperationName) -> Self {
        name.0
    }
}

impl TryFrom<String> for VariantName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        name.parse()
    }
}

impl From<VariantName> for String {
    fn from(name: VariantName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_name_survives_a_round_trip() {
        for name in [
            "baseline",
            "proposed",
            "proposed-cte",
            "mended",
            "mended-trigger",
            "optimized",
        ] {
            assert_eq!(name.parse::<VariantName>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_malformed_name_is_refused_with_the_form_it_should_have() {
        for name in [
            "",
            "Proposed",
            "proposed-",
            "proposed-CTE",
            "mended-",
            "fast",
        ] {
            let error = name.parse::<VariantName>().unwrap_err().to_string();
            assert!(error.contains("proposed-<solution>"), "{error}");
        }
        for name in ["", "message_send", "-send", "message--send"] {
            assert!(name.parse::<ItemId>().is_err(), "{name}");
            assert!(name.parse::<OperationName>().is_err(), "{name}");
        }
    }
}
