//! Machine-made faults in every statement of every fix: whether the checks catch them, and which
//! they do not. Ends with 1 when a bar is missed: of each item and of all together 95 % caught of
//! those that make a difference, and 200 mutants when no item is left out. `cargo bench --bench mutants`, with a part
//! of an item's or a variant's name to judge only those; VERDICT_SCALE (smoke unless it says
//! otherwise), VERDICT_SEED and VERDICT_ENGINES choose the world and the engines.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;
use verdict::cli::WorldArgs;
use verdict::error::Result;
use verdict::on_trial::known;
use verdict::progress::Display;
use verdict::{exit, world};
use verdict_audit::{Exit, VariantName};
use verdict_mutants::score::{Score, Subject};
use verdict_mutants::{Bench, Outcome, Sender, is_seen};
use verdict_scenarios::court::Court;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::item::Item;
use verdict_scenarios::session::{Depth, Session};
use verdict_seed::World;
use verdict_store::Change;

fn main() -> ExitCode {
    // Cargo adds --bench.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    match bench(&wanted) {
        Ok(score) => {
            print!("{score}");
            let missed = score.missed(wanted.is_empty());
            missed.iter().for_each(|bar| println!("missed: {bar}"));
            exit::code(match missed[..] {
                [] => Exit::Met,
                _ => Exit::Missed,
            })
        }
        Err(error) => exit::failure(&error),
    }
}

fn bench(wanted: &[String]) -> Result<Score> {
    let flags: &[&str] = match std::env::var_os("VERDICT_SCALE") {
        Some(_) => &[],
        None => &["--scale", "smoke"],
    };
    let asked = WorldArgs::of_environment(flags)?;
    let subjects: Vec<String> = ITEMS
        .iter()
        .flat_map(|item| {
            let variants = item.variants().into_iter().map(|(variant, _)| variant);
            let tried = variants.filter(|variant| *variant != VariantName::Baseline);
            tried.map(|variant| format!("{} {variant}", item.id()))
        })
        .collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    known(wanted, &subjects, |subject, word| subject.contains(word))?;
    let runtime = Runtime::new()?;
    let world = World::new(asked.spec());
    let display = Display::new();
    let host = PathBuf::from(env!("CARGO_BIN_EXE_verdict"));
    let options = world::options(&asked.scale.engines, host, &display)?;
    let engines = runtime.block_on(world::open(&options, &world, &display))?;
    let session = runtime.block_on(Session::open(&engines, &world, Depth::Full))?;
    let court = Court {
        runtime: &runtime,
        session: &session,
        items: ITEMS,
        watcher: &display,
    };
    let (mut score, mut judged) = (Score::default(), HashSet::new());
    let mut items = ITEMS.iter().copied().filter(|item| is_seen(*item));
    let ended = items.try_for_each(|item| {
        for (variant, change) in item.variants() {
            let subject = format!("{} {variant}", item.id());
            let chosen = wanted.is_empty() || wanted.iter().any(|word| subject.contains(word));
            if variant != VariantName::Baseline && chosen {
                let seen = (&mut judged, &mut score);
                judge(&court, item, (&variant, &change), &display, seen)?;
            }
        }
        Ok(())
    });
    let closed = runtime.block_on(session.close());
    let ended = ended.and_then(|()| Ok(closed?));
    let ended = runtime.block_on(engines.stop(ended));
    display.finish();
    ended.map(|()| score)
}

/// Judges every mutant of a variant, but for those of a change that another makes as well: they
/// are judged once.
fn judge(
    court: &Court<'_>,
    item: &dyn Item,
    (variant, change): (&VariantName, &Change),
    display: &Display,
    (judged, score): (&mut HashSet<String>, &mut Score),
) -> Result<()> {
    let subject = Subject {
        item: item.id().to_owned(),
        variant: variant.clone(),
    };
    display.say(format!("{subject}: recording statements"));
    let looked = court.scrutinise(item, variant, change, || {
        let bench = match Bench::open(court, item, variant, change)? {
            Ok(bench) => bench,
            Err(wrong) => {
                score.skip(&subject, &format!("wrong by itself: {wrong}"));
                return Ok(());
            }
        };
        let mut specimens = bench.specimens();
        specimens.retain(|specimen| {
            specimen.sender == Sender::Calls || judged.insert(specimen.mutant.text.clone())
        });
        display.say(format!("{subject}: {} mutants", specimens.len()));
        let bar = display.bars().add(ProgressBar::new(specimens.len() as u64));
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta} {msg}") {
            bar.set_style(style);
        }
        for specimen in &specimens {
            bar.set_message(specimen.mutant.kind.to_string());
            let outcome = bench.judge(specimen)?;
            let equivalent = bench.equivalent(&specimen.mutant);
            if outcome == Outcome::Survived && equivalent.is_none() {
                display.announce(&format!("{subject}: survived: {}", specimen.mutant));
            }
            score.add(&subject, specimen, &outcome, equivalent);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    })?;
    if let Err(refusal) = looked {
        score.skip(&subject, &format!("it does not run: {refusal}"));
    }
    Ok(())
}
