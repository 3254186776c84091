//! Removing what Verdict keeps between runs.

use std::fmt;

use crate::blocking::blocking;
use crate::folders::{self, Lock};
use crate::options::{Choice, Options};
use crate::{Error, containers, run_databases, variables};

/// What [`clean`] removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Sealed worlds by name: folders, images, or databases (also those of dead runs).
    pub worlds: Vec<String>,
    /// What dead runs left: their folders, half-built worlds and half-fetched packages.
    pub runs: usize,
    /// Bytes freed in the cache folder.
    pub bytes: u64,
}

impl fmt::Display for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "removed {} worlds and {} leftovers of dead runs, {} MB",
            self.worlds.len(),
            self.runs,
            self.bytes / 1_000_000
        )?;
        self.worlds
            .iter()
            .try_for_each(|world| write!(f, "\n  {world}"))
    }
}

/// Removes all sealed worlds that nobody is using at the moment, and what dead runs left: in
/// the cache folder, in Docker, and in the user's servers, as far as [`Options::choice`] goes
/// (auto: wherever they are at hand). Packages stay.
///
/// # Errors
/// When something that was asked for by name is not at hand, or cannot be removed.
pub async fn clean(options: &Options) -> Result<Cleaned, Error> {
    let mut cleaned = Cleaned::default();
    let auto = options.choice == Choice::Auto;
    if options.choice == Choice::Containers || auto && containers::survey().await.is_ok() {
        cleaned.worlds.extend(containers::clean(options).await?);
    }
    if options.choice == Choice::External || auto && variables::all_set() {
        cleaned.worlds.extend(run_databases::clean().await?);
    }
    if options.choice == Choice::Embedded || auto {
        let cache = options.cache.clone();
        cleaned = blocking(move || clean_folders(&cache, cleaned)).await?;
    }
    Ok(cleaned)
}

fn clean_folders(cache: &std::path::Path, mut cleaned: Cleaned) -> Result<Cleaned, Error> {
    let before = folders::size(cache);
    let (worlds, packages) = (cache.join("worlds"), cache.join("packages"));
    cleaned.runs = folders::sweep(&cache.join("runs"))?
        + folders::sweep_parts(&worlds)?
        + folders::sweep_parts(&packages)?;
    for name in folders::names(&worlds)? {
        let folder = worlds.join(&name);
        if folder.is_dir()
            && folders::whole(&folder).is_none()
            && let Some(lock) = Lock::attempt(&folder)?
        {
            lock.remove(&folder)?;
            cleaned.worlds.push(name.to_string_lossy().into_owned());
        }
    }
    folders::sweep_locks(&worlds)?;
    folders::sweep_locks(&packages)?;
    cleaned.bytes = before.saturating_sub(folders::size(cache));
    Ok(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_in_use_and_packages_stay() {
        let cache = tempfile::tempdir().unwrap();
        let (idle, used) = (
            cache.path().join("worlds/idle"),
            cache.path().join("worlds/used"),
        );
        for folder in [&idle, &used, &cache.path().join("packages/engine")] {
            folders::private(folder).unwrap();
        }
        folders::write(&idle.join("data"), "1234567").unwrap();
        let _lock = Lock::wait(&used).unwrap();
        // Half-made: one whose maker is dead, and one that is being sealed just now.
        let dead = folders::part(&cache.path().join("packages/other-1.2.3"));
        let sealing = folders::part(&used);
        for folder in [&dead, &sealing] {
            folders::private(folder).unwrap();
        }
        let alone = cache.path().join("worlds/gone.lock");
        folders::write(&alone, "").unwrap();
        let unlocked = cache.path().join("runs/unlocked");
        folders::private(&unlocked).unwrap();

        let cleaned = clean_folders(cache.path(), Cleaned::default()).unwrap();

        assert_eq!(
            cleaned,
            Cleaned {
                worlds: vec!["idle".to_owned()],
                runs: 2,
                bytes: 7
            }
        );
        assert!(!dead.exists() && sealing.is_dir());
        assert!(!alone.exists() && !unlocked.exists());
        assert!(cache.path().join("worlds/used.lock").is_file());
        assert!(used.is_dir() && cache.path().join("packages/engine").is_dir());
    }
}
