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
        let of_a_ratio = |id: &str| {
            finding
                .claims
                .iter()
                .any(|claim| claim.id == id && matches!(claim.promise, Promise::Ratio { .. }))
        };
        let right = self.variants.iter().filter(|variant| variant.stands());
        right
            .flat_map(|variant| variant.claims.iter().map(move |claim| (variant, claim)))
            .filter(|(_, claim)| {
                matches!(
                    claim.verdict,
                    Verdict::FallsShort | Verdict::Confirmed | Verdict::Exceeded
                )
            })
            .filter(move |(_, claim)| of_a_ratio(&claim.id))
    }
}
