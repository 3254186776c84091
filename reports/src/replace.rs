//! Files that are replaced in a single step.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::json::JsonError;

/// What a file is called until it is whole, after its name and the process that writes it.
const PARTIAL: &str = "partial";
/// Nobody takes that long over one: whoever wrote it was killed.
const ABANDONED: Duration = Duration::from_secs(600);

/// Writes a file through a temporary one beside it, so that a reader sees the old file or the
/// new one and never a part, whoever is killed in between. Creates the folder, and removes what
/// was left of this file by others that were.
///
/// # Errors
/// [`JsonError::Io`], and the old file stands.
pub fn replace(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), JsonError> {
    let failed = |verb, path: &Path| {
        let path = path.to_owned();
        move |source| JsonError::Io { verb, path, source }
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed("creating", folder))?;
        sweep(folder, path);
    }
    // Two runs may end at once: the process keeps their temporary files apart.
    let temporary = path.with_extension(format!("{}.{PARTIAL}", std::process::id()));
    let replaced = write(&temporary)
        .map_err(failed("writing", &temporary))
        .and_then(|()| fs::rename(&temporary, path).map_err(failed("replacing", path)));
    if replaced.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// Removes what was never finished of a file; where that fails, writing will say why.
fn sweep(folder: &Path, path: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.map(|entry| entry.path()) {
        if is_partial(&file, path) && is_abandoned(&file).unwrap_or(false) {
            let _ = fs::remove_file(file);
        }
    }
}

/// Whether a file's name is one that [`replace`] gives: others end so, too, and are not ours.
fn is_partial(file: &Path, path: &Path) -> bool {
    let process = |file: &Path| -> Option<u32> {
        let name = Path::new(file.file_stem()?);
        let same = name.file_stem() == path.file_stem() && file.extension()? == PARTIAL;
        same.then_some(name.extension()?.to_str()?.parse().ok()?)
    };
    process(file).is_some()
}

fn is_abandoned(file: &Path) -> io::Result<bool> {
    let age = fs::metadata(file)?.modified()?.elapsed();
    Ok(age.is_ok_and(|age| age > ABANDONED))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_was_left_is_removed_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["results.json", "results.1.partial", "results.2.partial"];
        let strangers = ["film.partial", "film.3.partial", "results.new.partial"];
        let make = |name| {
            let path = folder.path().join(name);
            fs::write(&path, "old").unwrap();
            path
        };
        let [file, left, fresh] = names.map(make);
        let strangers = strangers.map(make);
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for old in strangers.iter().chain([&file, &left]) {
            let old = fs::File::options().write(true).open(old).unwrap();
            old.set_modified(long_ago).unwrap();
        }
        replace(&file, |temporary| fs::write(temporary, "new")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(!left.exists() && fresh.exists());
        assert!(strangers.iter().all(|stranger| stranger.exists()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
