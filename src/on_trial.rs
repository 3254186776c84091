//! Which items are tried.

use verdict_audit::{Catalogue, Finding};
use verdict_scenarios::docket;
use verdict_scenarios::item::Item;

use crate::error::Error;

/// An item as the audit has it and as it is tried.
#[derive(Clone, Copy)]
pub struct OnTrial {
    /// The audit's.
    pub audit: &'static Finding,
    /// The trial's.
    pub item: &'static dyn Item,
}

impl std::fmt::Debug for OnTrial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OnTrial").field(&self.audit.id).finish()
    }
}

/// The items that are asked for by id or number; every one on trial when none is.
///
/// # Errors
/// An item that the audit does not have (the nearest is named), or that is not on trial yet.
pub fn items(asked: &[String]) -> crate::error::Result<Vec<OnTrial>> {
    let catalogue = Catalogue::builtin();
    let mut chosen: Vec<&'static Finding> = if asked.is_empty() {
        catalogue
            .items
            .iter()
            .filter(|finding| docket::item(&finding.id).is_some())
            .collect()
    } else {
        asked
            .iter()
            .map(|name| catalogue.item(name))
            .collect::<Result<_, _>>()?
    };
    chosen.sort_by_key(|item| item.number);
    chosen.dedup_by_key(|item| item.number);
    chosen
        .into_iter()
        .map(|audit| {
            let item =
                docket::item(&audit.id).ok_or_else(|| Error::NotOnTrial(audit.id.to_string()))?;
            Ok(OnTrial { audit, item })
        })
        .collect()
}
