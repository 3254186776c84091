//! `verdict list`: the audit's items.

use std::process::ExitCode;

use serde_json::{Value, json};
use verdict_audit::{Catalogue, Item, VariantName};

use crate::cli::ListArgs;

pub(super) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let items = &Catalogue::builtin().items;
    if args.json {
        let items: Vec<Value> = items
            .iter()
            .map(|item| {
                json!({
                    "number": item.number,
                    "id": item.id,
                    "title": item.title,
                    "variants": variants(item),
                    "on_trial": item.on_trial,
                })
            })
            .collect();
        println!("{:#}", json!({ "items": items }));
    } else {
        for item in items {
            let later = if item.on_trial {
                ""
            } else {
                " (not on trial yet)"
            };
            println!("{:>2}  {:<20} {}{later}", item.number, item.id, item.title);
            println!("    {}", variants(item).join(", "));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Today's and the others', in the order in which they are tried.
fn variants(item: &Item) -> Vec<String> {
    std::iter::once(&VariantName::Baseline)
        .chain(&item.variants)
        .map(VariantName::to_string)
        .collect()
}
