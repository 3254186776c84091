//! Where nothing beats today: whether what was tried still loses.

use crate::catalogue::Finding;
use crate::evidence::{ClaimEvidence, ItemEvidence, VariantEvidence};
use crate::promise::Promise;
use crate::verdict::Verdict;

impl ItemEvidence {
    /// The variants that answer rightly and surely do better than today in a ratio that the
    /// audit promises, each with the claim that says so.
    pub fn better_than_today(
        &self,
        finding: &Finding,
    ) -> impl Iterator<Item = (&VariantEvidence, &ClaimEvidence)> {
        let right = self.variants.iter().filter(|variant| variant.stands());
        right
            .flat_map(|variant| variant.claims.iter().map(move |claim| (variant, claim)))
            .filter(|(_, claim)| {
                matches!(
                    claim.verdict,
                    Verdict::FallsShort | Verdict::Confirmed | Verdict::Exceeded
                )
            })
            .filter(|(_, claim)| finding.promises_a_ratio(claim))
    }
}

impl Finding {
    /// Whether a claim is of a ratio: of what a fix is chosen for, and not of what it must not do.
    pub fn promises_a_ratio(&self, of: &ClaimEvidence) -> bool {
        let mut claims = self.claims.iter();
        claims.any(|claim| claim.id == of.id && matches!(claim.promise, Promise::Ratio { .. }))
    }
}
