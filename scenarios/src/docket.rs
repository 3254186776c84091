//! The items that can be put on trial.

use verdict_audit::{Catalogue, ItemId};
use verdict_store::Down;

use crate::error::{Error, Result};
use crate::item::Item;
use crate::items::{MessageHistory, MessageSend, Pagination};

/// Every item, in the audit's order.
pub const ITEMS: [&dyn Item; 3] = [&MessageHistory, &MessageSend, &Pagination];

/// The item of an id.
pub fn item(id: &ItemId) -> Option<&'static dyn Item> {
    ITEMS.into_iter().find(|item| item.id() == id.as_str())
}

/// Holds the code to the audit's catalogue, both ways: the same variants and the same operations
/// under the same names; and every optimized change to steps that take it back.
///
/// # Errors
/// The first name that only one of them has.
pub fn hold(catalogue: &Catalogue, items: &[&dyn Item]) -> Result<()> {
    let mut code = Vec::new();
    for item in items {
        let variants = item.variants();
        for (variant, change) in &variants {
            if *variant == verdict_audit::VariantName::Optimized
                && matches!(change.down, Down::Renew)
            {
                return Err(Error::NoWayBack(item.id()));
            }
        }
        let operations = item
            .operations()
            .iter()
            .filter(|operation| !operation.aside())
            .map(|operation| operation.name().parse())
            .collect::<std::result::Result<_, _>>()?;
        let variants = variants.into_iter().map(|(variant, _)| variant).collect();
        code.push((item.id().parse()?, variants, operations));
    }
    Ok(catalogue.hold(&code)?)
}
