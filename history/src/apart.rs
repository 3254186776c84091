//! What sets two runs apart, so that their figures say nothing about the code.

use std::fmt;

use crate::record::Record;

/// What differs between two runs beside the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// What.
    pub what: &'static str,
    /// In the earlier run.
    pub before: String,
    /// In the later one.
    pub after: String,
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            before,
            after,
        } = self;
        write!(f, "{what}: {before} before, {after} after")
    }
}

/// Everything that differs between two runs beside the code: worlds, machines, engines and their
/// settings. Empty where figures may be held against each other.
pub fn apart(before: &Record, after: &Record) -> Vec<Apart> {
    let facts = |record: &Record| {
        let (run, host) = (&record.run, &record.run.host);
        let sizes = run.sizes.iter();
        let sizes: Vec<String> = sizes.map(|(name, size)| format!("{size} {name}")).collect();
        [
            ("scale", run.scale.clone()),
            ("seed", run.seed.to_string()),
            ("world", sizes.join(", ")),
            ("host", host.name.clone()),
            ("processor", format!("{} of {}", host.cpus, host.cpu)),
        ]
    };
    let mut found: Vec<Apart> = facts(before)
        .into_iter()
        .zip(facts(after))
        .filter(|(before, after)| before.1 != after.1)
        .map(|((what, before), (_, after))| Apart {
            what,
            before,
            after,
        })
        .collect();
    found.extend(engines(before, after));
    found
}

/// Engines that both runs used: one that only one of them needed is no difference.
fn engines(before: &Record, after: &Record) -> Vec<Apart> {
    let mut found = Vec::new();
    for one in &before.run.engines {
        let same = after
            .run
            .engines
            .iter()
            .find(|other| other.name == one.name);
        let Some(other) = same else { continue };
        let words = |version: &str, mode: &str| format!("{version}, {mode}");
        if (&one.version, &one.mode) != (&other.version, &other.mode) {
            found.push(Apart {
                what: "engine",
                before: format!("{} {}", one.name, words(&one.version, &one.mode)),
                after: format!("{} {}", other.name, words(&other.version, &other.mode)),
            });
        }
        for (name, value) in &one.settings {
            let now = other.settings.get(name);
            if let Some(now) = now.filter(|now| *now != value) {
                found.push(Apart {
                    what: "setting",
                    before: format!("{} {name} = {value}", one.name),
                    after: now.clone(),
                });
            }
        }
    }
    found
}
