//! The items that can be put on trial.

use std::collections::BTreeSet;

use verdict_audit::{Catalogue, ItemId, VariantName};
use verdict_store::Down;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::items::{
    Caching, ConversationFetch, EngagementRollup, FeedCandidates, FeedTables, HotCold, Indexes,
    MessageHistory, MessageSearch, MessageSend, Monitoring, Pagination, Partitioning, Pool,
    PostImages,
};
use crate::operation::{AnyOperation, Between, Leaves};

/// Every item, in the audit's order.
pub const ITEMS: &[&dyn Item] = &[
    &MessageHistory,
    &MessageSend,
    &EngagementRollup,
    &FeedTables,
    &FeedCandidates,
    &PostImages,
    &Pagination,
    &MessageSearch,
    &ConversationFetch,
    &Partitioning,
    &Indexes,
    &Pool,
    &Caching,
    &HotCold,
    &Monitoring,
];

/// The item of an id.
pub fn item(id: &ItemId) -> Option<&'static dyn Item> {
    ITEMS.iter().copied().find(|item| item.id() == id.as_str())
}

/// Holds the code to the audit's catalogue, both ways: the same variants and the same operations
/// under the same names; every optimized change to steps that take it back; and every operation
/// to what its answers cannot be told right by when it is left out.
///
/// # Errors
/// The first name that only one of them has, or the first operation that leaves something out.
pub fn hold(catalogue: &Catalogue, items: &[&dyn Item]) -> Result<()> {
    let mut code = Vec::new();
    for item in items {
        let variants = item.variants();
        let names: BTreeSet<String> = variants.iter().map(|(name, _)| name.to_string()).collect();
        let operations = item.operations();
        let calls: BTreeSet<&str> = operations.iter().map(|of| of.name()).collect();
        for operation in &operations {
            said(item.id(), &**operation)?;
        }
        let first = variants.first().map(|(name, _)| name);
        if first != Some(&VariantName::Baseline)
            || names.len() < variants.len()
            || calls.len() < operations.len()
        {
            return Err(Error::Misordered(item.id()));
        }
        for (variant, change) in &variants {
            if *variant == VariantName::Optimized && matches!(change.down, Down::Renew) {
                return Err(Error::NoWayBack(item.id()));
            }
        }
        let operations = operations
            .iter()
            .filter(|operation| !operation.aside())
            .map(|operation| operation.name().parse())
            .collect::<std::result::Result<_, _>>()?;
        let variants = variants.into_iter().map(|(variant, _)| variant).collect();
        code.push((item.id().parse()?, variants, operations));
    }
    Ok(catalogue.hold(&code)?)
}

/// Nothing of an operation is left to a silent default.
fn said(item: &'static str, operation: &dyn AnyOperation) -> Result<()> {
    let leaves = operation.leaves() != Leaves::Nothing;
    let lacks = match operation.between() {
        _ if leaves == operation.writes().is_empty() => {
            "tables in `writes` where it leaves something, and only there"
        }
        _ if leaves && !operation.reads_back() => "`hold_left`, with `reads_back` to say so",
        Between::Unsaid if !leaves => "`write_between`, with `between` to say so or why not",
        Between::Nothing(why) if why.trim().is_empty() => "a reason in `Between::Nothing`",
        _ => return Ok(()),
    };
    Err(Error::Unsaid {
        item,
        operation: operation.name(),
        lacks,
    })
}
