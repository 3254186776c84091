//! Mutants that survive because they can make no difference, each looked at, with its reason.

use verdict_audit::VariantName;

use crate::mutant::{Kind, Mutant};

/// A mutant, or several alike, that no answer could tell from the statement.
struct Equivalent {
    item: &'static str,
    variant: &'static str,
    kind: Kind,
    before: &'static str,
    after: &'static str,
    reason: &'static str,
}

const EQUIVALENT: &[Equivalent] = &[];

/// Why a mutant can make no difference, if somebody found that.
pub fn reason(item: &str, variant: &VariantName, mutant: &Mutant) -> Option<&'static str> {
    let variant = variant.to_string();
    EQUIVALENT
        .iter()
        .find(|known| {
            known.item == item
                && known.variant == variant
                && known.kind == mutant.kind
                && known.before == mutant.before
                && known.after == mutant.after
        })
        .map(|known| known.reason)
}
