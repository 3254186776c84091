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
/// others left there that were.
///
/// # Errors
/// [`JsonError::Io`], and the old file stands.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), JsonError> {
    let failed = |verb, path: &Path| {
        let path = path.to_owned();
        move |source| JsonError::Io { verb, path, source }
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed("creating", folder))?;
        sweep(folder);
    }
    // Two runs may end at once: the process keeps their temporary files apart.
    let temporary = path.with_extension(format!("{}.{PARTIAL}", std::process::id()));
    let replaced = fs::write(&temporary, bytes)
        .map_err(failed("writing", &temporary))
        .and_then(|()| fs::rename(&temporary, path).map_err(failed("replacing", path)));
    if replaced.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// Removes what was never finished; where that fails, writing will say why.
fn sweep(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.map(|entry| entry.path()) {
        if is_abandoned(&file).unwrap_or(false) {
            let _ = fs::remove_file(file);
        }
    }
}

fn is_abandoned(file: &Path) -> io::Result<bool> {
    if file.extension().is_none_or(|ending| ending != PARTIAL) {
        return Ok(false);
    }
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
        let [file, left, fresh] =
            ["results.json", "results.1.partial", "results.2.partial"].map(|name| {
                let path = folder.path().join(name);
                fs::write(&path, "old").unwrap();
                path
            });
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for old in [&file, &left] {
            let old = fs::File::options().write(true).open(old).unwrap();
            old.set_modified(long_ago).unwrap();
        }
        replace(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(!left.exists() && fresh.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
