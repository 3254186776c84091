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

const EQUIVALENT: &[Equivalent] = &[
    Equivalent {
        item: "message-history",
        variant: "optimized",
        kind: Kind::Comparison,
        before: "<",
        after: "<=",
        reason: "the row in the middle is found from either end",
    },
    Equivalent {
        item: "message-history",
        variant: "optimized",
        kind: Kind::Arithmetic,
        before: "2",
        after: "3",
        reason: "a row is found from either end, only the farther one takes longer",
    },
    Equivalent {
        item: "message-history",
        variant: "optimized",
        kind: Kind::Predicate,
        before: "NOT has_reactions",
        after: "TRUE",
        reason: "a flag that is up is raised once more",
    },
    Equivalent {
        item: "message-history",
        variant: "optimized",
        kind: Kind::Predicate,
        before: "has_reactions",
        after: "TRUE",
        reason: "a flag that is down is lowered once more",
    },
    Equivalent {
        item: "message-history",
        variant: "optimized",
        kind: Kind::Predicate,
        before: "NOT has_attachments",
        after: "TRUE",
        reason: "a flag that is up is raised once more",
    },
    Equivalent {
        item: "message-history",
        variant: "optimized",
        kind: Kind::Predicate,
        before: "has_attachments",
        after: "TRUE",
        reason: "a flag that is down is lowered once more",
    },
    Equivalent {
        item: "message-send",
        variant: "optimized",
        kind: Kind::Join,
        before: "CROSS JOIN message",
        after: "LEFT JOIN message ON TRUE",
        reason: "a counter that is found has its message: the insert makes one row of it or fails",
    },
    Equivalent {
        item: "message-send",
        variant: "optimized",
        kind: Kind::Column,
        before: "created_at, updated_at",
        after: "updated_at, created_at",
        reason: "both get the same moment",
    },
    Equivalent {
        item: "message-search",
        variant: "optimized",
        kind: Kind::Arithmetic,
        before: "60000",
        after: "60001",
        reason: "of a text that no vector holds, nobody is promised how much is searched",
    },
    Equivalent {
        item: "message-search",
        variant: "optimized",
        kind: Kind::Order,
        before: "page.id",
        after: "page.id DESC",
        reason: "rows of one place may stand either way, as long as it is the same for every page",
    },
    Equivalent {
        item: "message-search",
        variant: "optimized",
        kind: Kind::Join,
        before: "JOIN",
        after: "LEFT JOIN",
        reason: "the page's rows are messages, so each of them joins one",
    },
    Equivalent {
        item: "conversation-fetch",
        variant: "optimized",
        kind: Kind::Join,
        before: "JOIN",
        after: "LEFT JOIN",
        reason: "a member's conversation is there: a foreign key says so",
    },
    Equivalent {
        item: "conversation-fetch",
        variant: "optimized",
        kind: Kind::Comparison,
        before: "<",
        after: "<=",
        reason: "of several messages of the last instant any is right, as today",
    },
    Equivalent {
        item: "conversation-fetch",
        variant: "optimized",
        kind: Kind::Predicate,
        before: "id = ANY(touched)",
        after: "TRUE",
        reason: "conversations that nothing touched are renewed to what they are",
    },
    Equivalent {
        item: "conversation-fetch",
        variant: "optimized",
        kind: Kind::Order,
        before: "id",
        after: "id DESC",
        reason: "conversations are locked in one order, whichever it is",
    },
    Equivalent {
        item: "hot-cold",
        variant: "optimized",
        kind: Kind::Join,
        before: "JOIN",
        after: "LEFT JOIN",
        reason: "a part of a table is a table",
    },
];

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
