//! Which items are tried.

use verdict_audit::{Catalogue, Finding};
use verdict_scenarios::docket;
use verdict_scenarios::item::Item;
use verdict_scenarios::timing::bench_names;
use verdict_seed::World;

use crate::error::Error;
use crate::filter::Filter;

/// An item as the audit has it and as it is tried.
#[derive(Clone, Copy)]
pub struct OnTrial {
    /// The audit's.
    pub audit: &'static Finding,
    /// The trial's.
    pub item: &'static dyn Item,
}

impl std::fmt::Debug for OnTrial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OnTrial").field(&self.audit.id).finish()
    }
}

/// The items that are asked for by id or number; every one on trial when none is.
///
/// # Errors
/// An item that the audit does not have (the nearest is named), or that is not on trial yet.
pub fn items(asked: &[String]) -> crate::error::Result<Vec<OnTrial>> {
    let catalogue = Catalogue::builtin();
    let mut chosen: Vec<&'static Finding> = if asked.is_empty() {
        catalogue
            .items
            .iter()
            .filter(|finding| docket::item(&finding.id).is_some())
            .collect()
    } else {
        asked
            .iter()
            .map(|name| catalogue.item(name))
            .collect::<Result<_, _>>()?
    };
    chosen.sort_by_key(|item| item.number);
    chosen.dedup_by_key(|item| item.number);
    chosen
        .into_iter()
        .map(|audit| {
            let item =
                docket::item(&audit.id).ok_or_else(|| Error::NotOnTrial(audit.id.to_string()))?;
            Ok(OnTrial { audit, item })
        })
        .collect()
}

/// Those of the items that have a bench which a filter wants.
///
/// # Errors
/// A filter that wants none of them.
pub fn wanted(
    items: Vec<OnTrial>,
    world: &World,
    filter: &Filter,
) -> crate::error::Result<Vec<OnTrial>> {
    let mut wanted = Vec::new();
    for on_trial in items {
        let names = bench_names(on_trial.item, world)?;
        if names.iter().any(|name| filter.wants(name)) {
            wanted.push(on_trial);
        }
    }
    if wanted.is_empty() {
        return Err(Error::NoSuchBench(filter.pattern().to_owned()));
    }
    Ok(wanted)
}

/// Refuses the first of these words that none of those names is meant by.
///
/// # Errors
/// Such a word.
pub fn known<W: AsRef<str>>(
    words: &[W],
    there: &[&str],
    meant: fn(&str, &str) -> bool,
) -> crate::error::Result<()> {
    let unknown = |word: &&W| !there.iter().any(|name| meant(name, (*word).as_ref()));
    match words.iter().find(unknown) {
        None => Ok(()),
        Some(word) => Err(Error::NoSuchPart {
            word: word.as_ref().to_owned(),
            there: there.join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use verdict_audit::Exit;
    use verdict_seed::{Scale, WorldSpec};

    use super::*;

    #[test]
    fn a_filter_that_matches_nothing_and_a_word_that_names_nothing_are_refused() {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: None,
            days: None,
            seed: 1,
        });
        let chosen = |pattern: &str| {
            let filter = Filter::parse(["--bench", pattern].map(str::to_owned)).unwrap();
            wanted(items(&[]).unwrap(), &world, &filter)
        };
        let one = docket::ITEMS[0].id();
        assert_eq!(chosen(&format!("^{one}/")).unwrap().len(), 1);
        let error = chosen("no-such-bench").unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("no-such-bench"), "{error}");

        let there = ["aa", "power"];
        let known = |words: &[&str]| known(words, &there, |name, word| name == word);
        known(&["aa"]).unwrap();
        known(&[]).unwrap();
        let error = known(&["aa", "pwoer"]).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("pwoer"), "{error}");
    }
}
