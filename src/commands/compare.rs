//! `verdict compare`: two runs beside each other.

use std::process::ExitCode;

use verdict_audit::Exit;
use verdict_history::{Comparison, Way};
use verdict_reports::comparison_text;

use crate::cli::CompareArgs;
use crate::error::Error;
use crate::{exit, past, paths};

pub(super) fn run(args: &CompareArgs) -> crate::error::Result<ExitCode> {
    let last = paths::results(&paths::output());
    let after = args.after.as_deref().unwrap_or(&last);
    let (before, after) = (past::read(&args.before)?, past::read(after)?);
    let comparison = Comparison::of(&before, &after);
    if !args.anyway && !comparison.apart.is_empty() {
        let apart: Vec<String> = comparison.apart.iter().map(ToString::to_string).collect();
        return Err(Error::NotAlike(apart.join("; ")));
    }
    print!("{}", comparison_text::render(&before, &after, &comparison));
    let worse = comparison.that_went(Way::Worse).next().is_some();
    Ok(exit::code(if worse { Exit::Missed } else { Exit::Met }))
}
