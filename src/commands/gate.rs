//! `verdict gate`: whether results keep the promises.

use std::process::ExitCode;

use verdict_audit::Exit;
use verdict_audit::evidence::ItemEvidence;
use verdict_reports::json::JsonError;
use verdict_reports::{Gate, gate, json};
use verdict_scenarios::docket;
use verdict_scenarios::item::Item;

use crate::cli::ResultsArgs;
use crate::{exit, paths};

pub(super) fn run(args: &ResultsArgs) -> crate::error::Result<ExitCode> {
    let file = args
        .results
        .clone()
        .unwrap_or_else(|| paths::results(&paths::output()));
    let results = json::read(&file)?;
    let kept =
        |item: &&ItemEvidence| docket::item(&item.id).and_then(Item::keep) != item.keep.as_deref();
    if let Some(item) = results.items.iter().find(kept) {
        return Err(JsonError::CannotBeTrue {
            path: file,
            reason: format!(
                "whether today is kept in {} is another matter here",
                item.id
            ),
        }
        .into());
    }
    let (word, reasons, code) = match gate(&results) {
        Gate::Met => ("met", Vec::new(), Exit::Met),
        Gate::Missed(reasons) => ("missed", reasons, Exit::Missed),
        Gate::CannotJudge(reasons) => ("cannot judge", reasons, Exit::CannotJudge),
    };
    println!("{word}");
    for reason in reasons {
        println!("  {reason}");
    }
    Ok(exit::code(code))
}
