//! The cache folder: whose folders are alive, and how trees are copied.
//!
//! A folder in use has a lock file beside it (`<name>.lock`), held with `flock` by its owner.
//! The kernel lets go of it when the owner ends in whatever way, so a lock that can be
//! taken marks a folder that nobody uses any more.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// Makes a folder, with its parents, that only this user may enter.
pub(crate) fn private(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(Error::io("making", folder))
}

/// Writes a file, with any secret in it, that only this user may read.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), Error> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("writing", path))?;
    file.write_all(content.as_bytes())
        .map_err(Error::io("writing", path))
}

/// Where the lock of a folder is.
fn lock_path(folder: &Path) -> PathBuf {
    beside(folder, ".lock")
}

/// Where a folder is made before it gets the name that counts; the owner of the folder's lock
/// owns this, too.
pub(crate) fn part(folder: &Path) -> PathBuf {
    beside(folder, PART)
}

/// Where the folder of such a part will be.
pub(crate) fn whole(part: &Path) -> Option<PathBuf> {
    let name = part.file_name()?.to_str()?.strip_suffix(PART)?;
    Some(part.with_file_name(name))
}

const PART: &str = ".part";

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder
        .file_name()
        .unwrap_or(OsStr::new("folder"))
        .to_owned();
    name.push(suffix);
    folder.with_file_name(name)
}

/// A lock on a folder that may not exist yet; ends with the value or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits for the lock. Blocks the thread.
    pub(crate) fn wait(folder: &Path) -> Result<Self, Error> {
        Self::take(folder, |file| file.lock().map(|()| true))?
            .ok_or_else(|| Error::io("locking", folder)(std::io::ErrorKind::WouldBlock.into()))
    }

    /// The lock, or `None` if its owner lives.
    pub(crate) fn attempt(folder: &Path) -> Result<Option<Self>, Error> {
        Self::take(folder, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    fn take(
        folder: &Path,
        lock: impl Fn(&File) -> std::io::Result<bool>,
    ) -> Result<Option<Self>, Error> {
        let path = lock_path(folder);
        if let Some(parent) = path.parent() {
            private(parent)?;
        }
        loop {
            let file = File::create(&path).map_err(Error::io("opening", &path))?;
            if !lock(&file).map_err(Error::io("locking", &path))? {
                return Ok(None);
            }
            // A sweep may have removed the file between the opening and the locking: then
            // this lock guards nothing, and the next caller would get one beside it.
            let held = file.metadata().map_err(Error::io("reading", &path))?.ino();
            if fs::metadata(&path).is_ok_and(|named| named.ino() == held) {
                return Ok(Some(Self { file, path }));
            }
        }
    }

    /// Removes the folder, then the lock file.
    pub(crate) fn remove(self, folder: &Path) -> Result<(), Error> {
        remove(folder)?;
        fs::remove_file(&self.path).map_err(Error::io("removing", &self.path))?;
        drop(self.file);
        Ok(())
    }
}

/// Removes a folder if it is there.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("removing", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Removes the folders in `parent` whose owners are gone, those that have lost their lock file
/// too; returns how many.
pub(crate) fn sweep(parent: &Path) -> Result<usize, Error> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for name in names(parent)? {
        match locked(&name) {
            Some(stem) => folders.insert(parent.join(stem)),
            None => parent.join(&name).is_dir() && folders.insert(parent.join(name)),
        };
    }
    let mut swept = 0;
    for folder in folders {
        if let Some(lock) = Lock::attempt(&folder)? {
            lock.remove(&folder)?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Removes the lock files in `parent` that nobody holds and that lie beside nothing.
pub(crate) fn sweep_locks(parent: &Path) -> Result<(), Error> {
    for name in names(parent)? {
        let Some(folder) = locked(&name).map(|stem| parent.join(stem)) else {
            continue;
        };
        if !folder.exists()
            && !part(&folder).exists()
            && let Some(lock) = Lock::attempt(&folder)?
        {
            lock.remove(&folder)?;
        }
    }
    Ok(())
}

/// The name of the folder that a lock file of this name locks.
fn locked(name: &OsStr) -> Option<&str> {
    name.to_str()?.strip_suffix(".lock")
}

/// Removes what is half-made in `parent` by makers that are gone; returns how many.
pub(crate) fn sweep_parts(parent: &Path) -> Result<usize, Error> {
    let mut swept = 0;
    for name in names(parent)? {
        let part = parent.join(name);
        if let Some(folder) = whole(&part)
            && let Some(_lock) = Lock::attempt(&folder)?
        {
            remove(&part)?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// The names in a folder; none if it is not there.
pub(crate) fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, Error> {
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| {
                entry
                    .map(|entry| entry.file_name())
                    .map_err(Error::io("reading", folder))
            })
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io("reading", folder)(error)),
    }
}

/// Copies a tree. A file for which `shared` says yes is hard-linked where the file system
/// allows it; others are copied, which shares blocks on file systems that can (the kernel's
/// `copy_file_range`).
pub(crate) fn copy(from: &Path, to: &Path, shared: &dyn Fn(&Path) -> bool) -> Result<(), Error> {
    private(to)?;
    for name in names(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        let kind = fs::symlink_metadata(&source)
            .map_err(Error::io("reading", &source))?
            .file_type();
        if kind.is_dir() {
            copy(&source, &target, shared)?;
        } else if kind.is_symlink() {
            let link = fs::read_link(&source).map_err(Error::io("reading", &source))?;
            std::os::unix::fs::symlink(link, &target).map_err(Error::io("linking", &target))?;
        } else if kind.is_file() && !(shared(&source) && fs::hard_link(&source, &target).is_ok()) {
            fs::copy(&source, &target).map_err(Error::io("copying", &target))?;
        }
    }
    Ok(())
}

/// Writes a tree through to the disk: its files, then its folders. One by one, for a sync of
/// the whole file system waits for whatever else is being written on the machine.
pub(crate) fn sync(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        for name in names(path)? {
            sync(&path.join(name))?;
        }
    }
    let file = File::open(path).map_err(Error::io("opening", path))?;
    file.sync_all().map_err(Error::io("syncing", path))
}

/// Bytes in a tree, each file once per name.
pub(crate) fn size(folder: &Path) -> u64 {
    names(folder)
        .unwrap_or_default()
        .iter()
        .fold(0, |sum, name| {
            let path = folder.join(name);
            sum + match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => size(&path),
                Ok(found) => found.len(),
                Err(_) => 0,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_the_folders_of_the_dead_and_leaves_those_of_the_living() {
        let base = tempfile::tempdir().unwrap();
        let (dead, alive) = (base.path().join("dead"), base.path().join("alive"));
        drop(Lock::wait(&dead).unwrap());
        private(&dead.join("deep/inside")).unwrap();
        let held = Lock::wait(&alive).unwrap();
        private(&alive).unwrap();

        assert_eq!(sweep(base.path()).unwrap(), 1);
        assert!(!dead.exists() && alive.exists());
        assert!(
            Lock::attempt(&alive).unwrap().is_none(),
            "the living keep their lock"
        );
        held.remove(&alive).unwrap();
        assert!(
            names(base.path()).unwrap().is_empty(),
            "nothing is left, not even a lock"
        );
    }

    #[test]
    fn a_copy_shares_what_it_may_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let (from, to) = (base.path().join("from"), base.path().join("to"));
        private(&from.join("sub")).unwrap();
        write(&from.join("sub/part.bin"), "kept").unwrap();
        write(&from.join("sub/mutable"), "first").unwrap();
        copy(&from, &to, &|path| {
            path.extension().is_some_and(|e| e == "bin")
        })
        .unwrap();
        write(&to.join("sub/mutable"), "second").unwrap();

        assert_eq!(
            fs::read_to_string(from.join("sub/mutable")).unwrap(),
            "first"
        );
        assert_eq!(fs::metadata(from.join("sub/part.bin")).unwrap().nlink(), 2);
        assert_eq!(size(&to), 10);
    }
}
