//! A run judged as a whole: every claim of every variant, the targets, and how many figures that
//! makes, since the error is held over all of them.

use crate::catalogue::{Catalogue, Finding};
use crate::claim_judge::judge_claim;
use crate::counter::Quantity;
use crate::evidence::{ClaimEvidence, ItemEvidence, Latency, Results, SelfCheck, VariantEvidence};
use crate::flow_judge::{self, judge_load};
use crate::names::VariantName;
use crate::promise::{Claim, Promise};
use crate::timed::{self, Promised};

/// Judges every claim of an item for every variant: one list per variant, in the evidence's
/// order, empty for the baseline. `cells` is how many figures are judged in the run: the
/// more there are, the surer each has to be.
pub fn judge_item(
    finding: &Finding,
    evidence: &ItemEvidence,
    cells: usize,
) -> Vec<Vec<ClaimEvidence>> {
    let today = |variant: &&VariantEvidence| variant.name == VariantName::Baseline;
    let baseline = evidence.variants.iter().find(today);
    evidence
        .variants
        .iter()
        .map(|variant| {
            if variant.name == VariantName::Baseline {
                return Vec::new();
            }
            let mut claims: Vec<ClaimEvidence> = finding
                .claims
                .iter()
                .filter(|claim| claim.is_about(&variant.name))
                .map(|claim| judge_claim(finding, claim, baseline, variant, cells))
                .collect();
            // The conclusion's promise, of every variant that changes something.
            if Catalogue::builtin().conclusion.additive && variant.additive.is_some() {
                let claim = Claim {
                    id: "additive".to_owned(),
                    operation: None,
                    variant: None,
                    says: None,
                    promise: Promise::Additive,
                };
                claims.push(judge_claim(finding, &claim, baseline, variant, cells));
            }
            claims
        })
        .collect()
}

/// Judges the baseline against itself as any ratio of time is judged, in a run that judges so many
/// figures; none where it was timed in too few rounds for a ratio.
pub fn judge_self(mut cell: Latency, cells: usize) -> Option<SelfCheck> {
    cell.rest_on(cells);
    let (ratio, judgement) = timed::judge_self(&cell, cells)?;
    Some(SelfCheck {
        ratio,
        verdict: judgement.verdict,
        reason: judgement.reason,
        cell,
    })
}

impl VariantEvidence {
    /// Whether it runs and no answer that was compared differs: only then do its timings mean
    /// anything.
    pub fn stands(&self) -> bool {
        self.failure.is_none() && self.answers.as_ref().is_none_or(|a| a.differing == 0)
    }
}

impl Results {
    /// Where a change has written a table anew, copies may be as far apart as any in the run were,
    /// before it or after.
    pub fn raise_floors(&mut self) {
        let variants = self.items.iter_mut().flat_map(|item| &mut item.variants);
        let mut cells: Vec<_> = variants.flat_map(|variant| &mut variant.latency).collect();
        let seen = |cell: &&mut Latency| cell.zero.map_or(0.0, |zero| zero.apart()).max(cell.floor);
        let spread = cells.iter().map(seen).fold(0.0, f64::max);
        for cell in cells.iter_mut().filter(|cell| cell.floor > 0.0) {
            cell.floor = spread;
        }
    }

    /// Judges all of the run together, the items and the load: the error is held over all figures
    /// that are judged, since with 200 of them at 95 % each run would cry wolf.
    pub fn judge(&mut self) {
        let found: Vec<Option<&Finding>> = self
            .items
            .iter()
            .map(|item| Catalogue::builtin().item(item.id.as_str()).ok())
            .collect();
        let pairs = || self.items.iter().zip(&found);
        let of_items: usize = pairs()
            .filter_map(|(item, finding)| Some(item.cells((*finding)?)))
            .sum();
        self.targets = judge_load(&mut self.flows, &mut self.flow_ratios, of_items);
        let cells = of_items + flow_judge::cells(&self.flows, &self.flow_ratios);
        let itself = self.run.aa.take();
        self.run.aa = itself.and_then(|itself| judge_self(itself.cell, cells));
        for (item, finding) in self.items.iter_mut().zip(found) {
            if let Some(finding) = finding {
                item.judge(finding, cells);
            }
        }
    }
}

impl ItemEvidence {
    /// Ratios of time that a claim on it judges, and the tails that are looked at beside them.
    pub fn cells(&self, item: &Finding) -> usize {
        let timed = self.variants.iter().flat_map(|variant| {
            let timed = variant.latency.iter().filter(|cell| cell.ratio.is_some());
            timed.map(
                move |cell| match promises(item, &variant.name, cell).count() {
                    0 => 0,
                    promises => promises + usize::from(cell.p95_ratio.is_some()),
                },
            )
        });
        timed.sum()
    }

    /// Judges the item, in a run that judges so many ratios of time, and stores the claims with
    /// each variant, and with each ratio what its verdict rests on and what would decide it.
    pub fn judge(&mut self, item: &Finding, cells: usize) {
        for cell in self
            .variants
            .iter_mut()
            .flat_map(|variant| &mut variant.latency)
        {
            cell.rest_on(cells);
        }
        let judged = judge_item(item, self, cells);
        for (variant, claims) in self.variants.iter_mut().zip(judged) {
            variant.claims = claims;
            for cell in &mut variant.latency {
                let longer = promises(item, &variant.name, cell)
                    .filter_map(|promised| cell.longer(promised, cells))
                    .max_by_key(|longer| longer.rounds);
                cell.to_decide = longer;
            }
        }
    }
}

/// What is promised of what was timed at one place.
fn promises<'a>(
    item: &'a Finding,
    variant: &'a VariantName,
    cell: &'a Latency,
) -> impl Iterator<Item = Promised> + use<'a> {
    item.claims.iter().filter_map(move |claim| {
        let on_it = claim.operation.as_ref();
        if !claim.is_about(variant) || on_it.is_some_and(|on| *on != cell.operation) {
            return None;
        }
        match claim.promise {
            Promise::Ratio {
                of: of @ (Quantity::Time | Quantity::P95),
                lo,
                hi,
                at,
            } if at == cell.at => Some(Promised { of, lo, hi }),
            _ => None,
        }
    })
}
