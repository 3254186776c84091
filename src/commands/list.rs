//! `verdict list`: the audit's items with what it promises for them, on trial or not.

use std::process::ExitCode;

use serde_json::{Value, json};
use verdict_audit::promise::Claim;
use verdict_audit::{Catalogue, Finding, VariantName};
use verdict_scenarios::docket;

use crate::cli::ListArgs;

pub(super) fn run(args: &ListArgs) -> crate::error::Result<ExitCode> {
    let catalogue = Catalogue::builtin();
    if args.json {
        let items: Vec<Value> = catalogue.items.iter().map(item).collect();
        println!(
            "{:#}",
            json!({
                "items": items,
                "phases": catalogue.phases,
                "total": catalogue.total,
                "conclusion": catalogue.conclusion,
                "targets": catalogue.targets,
            })
        );
        return Ok(ExitCode::SUCCESS);
    }
    for finding in &catalogue.items {
        let later = if on_trial(finding) {
            ""
        } else {
            " (not on trial yet)"
        };
        println!(
            "{:>2}  {:<20} {}{later}",
            finding.number, finding.id, finding.title
        );
        println!("    {}", variants(finding).join(", "));
        for claim in &finding.claims {
            println!("    {}: {}", claim.id, words(claim));
        }
    }
    println!();
    for phase in &catalogue.phases {
        let items: Vec<&str> = phase.items.iter().map(|item| item.as_str()).collect();
        println!(
            "{}: {}-{}x from {}",
            phase.title,
            phase.lo,
            phase.hi,
            items.join(", ")
        );
    }
    println!(
        "All together: {}-{}x, with no change that breaks today",
        catalogue.total.lo, catalogue.total.hi
    );
    for target in &catalogue.targets {
        println!(
            "{}: p95 {} {} ms today, below {} ms with the fixes",
            target.title, target.before_is, target.before_ms, target.goal_ms
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn on_trial(finding: &Finding) -> bool {
    docket::item(&finding.id).is_some()
}

fn item(finding: &Finding) -> Value {
    let claims: Vec<Value> = finding
        .claims
        .iter()
        .map(|claim| {
            json!({
                "id": claim.id,
                "operation": claim.operation,
                "variant": claim.variant,
                "promise": claim.promise.to_string(),
                "at": claim.promise.at(),
                "says": claim.says,
            })
        })
        .collect();
    json!({
        "number": finding.number,
        "id": finding.id,
        "title": finding.title,
        "variants": variants(finding),
        "operations": finding.operations,
        "on_trial": on_trial(finding),
        "claims": claims,
    })
}

/// A claim on one line: what is promised, of what, and what the audit says where it has no
/// figure.
fn words(claim: &Claim) -> String {
    let mut words = claim.promise.to_string();
    if let Some(at) = claim.promise.at() {
        words = format!("{words} at {at}");
    }
    if let Some(operation) = &claim.operation {
        words = format!("{operation}, {words}");
    }
    if let Some(says) = &claim.says {
        words = format!("{words} ({says})");
    }
    words
}

/// Today's and the others', in the order in which they are tried.
fn variants(finding: &Finding) -> Vec<String> {
    std::iter::once(&VariantName::Baseline)
        .chain(&finding.variants)
        .map(VariantName::to_string)
        .collect()
}
