//! Seals: what a kept folder holds, so that damage to it is noticed.
//!
//! A seal is a file in the folder, with a line for each other file (checksum, size, path) and
//! each folder in it. Names and sizes are compared at every use, which takes milliseconds;
//! checksums when something is suspected or asked for, since that reads it all.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::{Error, folders};

const NAME: &str = "verdict-seal";
/// The last line, without which a seal is not whole.
const END: &str = "end";

/// What a seal says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    File { size: u64, checksum: u32 },
}

/// How a folder is compared with its seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Names and sizes.
    Shape,
    /// Every byte.
    Contents,
}

/// Seals a folder as it is now.
pub(crate) fn put(folder: &Path) -> Result<(), Error> {
    let mut text = String::new();
    for (path, entry) in entries(folder, Depth::Contents)? {
        // Writing to a string cannot fail.
        let _ = match entry {
            Entry::Folder => writeln!(text, "folder {path}"),
            Entry::File { size, checksum } => writeln!(text, "{checksum:08x} {size} {path}"),
        };
    }
    text.push_str(END);
    text.push('\n');
    let path = folder.join(NAME);
    fs::write(&path, text).map_err(Error::io("writing", path))
}

/// The first difference between a folder and its seal, in words; `None` when it is whole.
pub(crate) fn damage(folder: &Path, depth: Depth) -> Result<Option<String>, Error> {
    let path = folder.join(NAME);
    let text = match fs::read(&path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Some("it has no seal".to_owned()));
        }
        Err(error) => return Err(Error::io("reading", path)(error)),
    };
    let Some(sealed) = parse(&text) else {
        return Ok(Some("its seal is damaged".to_owned()));
    };
    let found = entries(folder, depth)?;
    for (path, sealed) in &sealed {
        let same = |found: &Entry| match (sealed, found) {
            (
                Entry::File { size, .. },
                Entry::File {
                    size: found_size, ..
                },
            ) if depth == Depth::Shape => size == found_size,
            (sealed, found) => sealed == found,
        };
        match found.get(path) {
            None => return Ok(Some(format!("{path} is missing"))),
            Some(found) if !same(found) => return Ok(Some(format!("{path} is not as it was"))),
            Some(_) => {}
        }
    }
    let stranger = found.keys().find(|path| !sealed.contains_key(*path));
    Ok(stranger.map(|path| format!("{path} does not belong there")))
}

fn parse(text: &str) -> Option<BTreeMap<String, Entry>> {
    let mut sealed = BTreeMap::new();
    let mut lines = text.lines();
    loop {
        let line = lines.next()?;
        if line == END {
            return Some(sealed);
        }
        if let Some(path) = line.strip_prefix("folder ") {
            sealed.insert(path.to_owned(), Entry::Folder);
            continue;
        }
        let (checksum, rest) = line.split_once(' ')?;
        let (size, path) = rest.split_once(' ')?;
        let entry = Entry::File {
            size: size.parse().ok()?,
            checksum: u32::from_str_radix(checksum, 16).ok()?,
        };
        sealed.insert(path.to_owned(), entry);
    }
}

/// Everything in a folder but its seal, by path. Checksums are zero unless contents are asked
/// for.
fn entries(folder: &Path, depth: Depth) -> Result<BTreeMap<String, Entry>, Error> {
    let mut found = BTreeMap::new();
    walk(folder, "", depth, &mut found)?;
    found.remove(NAME);
    Ok(found)
}

fn walk(
    folder: &Path,
    below: &str,
    depth: Depth,
    found: &mut BTreeMap<String, Entry>,
) -> Result<(), Error> {
    for name in folders::names(folder)? {
        let path = folder.join(&name);
        let relative = format!("{below}{}", name.to_string_lossy());
        let metadata = fs::symlink_metadata(&path).map_err(Error::io("reading", &path))?;
        if metadata.is_dir() {
            walk(&path, &format!("{relative}/"), depth, found)?;
            found.insert(relative, Entry::Folder);
        } else {
            let checksum = match depth {
                Depth::Contents if metadata.is_file() => checksum(&path)?,
                _ => 0,
            };
            let size = metadata.len();
            found.insert(relative, Entry::File { size, checksum });
        }
    }
    Ok(())
}

fn checksum(path: &Path) -> Result<u32, Error> {
    let mut file = File::open(path).map_err(Error::io("opening", path))?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(Error::io("reading", path))? {
            0 => return Ok(hasher.finalize()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_damage_is_seen_and_named() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("kept");
        let fresh = || {
            folders::remove(&folder).unwrap();
            folders::private(&folder.join("parts/empty")).unwrap();
            folders::write(&folder.join("parts/data"), "0123456789").unwrap();
            put(&folder).unwrap();
        };
        let after = |depth, harm: &dyn Fn()| {
            fresh();
            harm();
            damage(&folder, depth).unwrap()
        };
        let data = folder.join("parts/data");
        assert_eq!(after(Depth::Contents, &|| {}), None);
        let flip = || fs::write(&data, "0123456780").unwrap();
        assert_eq!(after(Depth::Shape, &flip), None, "sizes say nothing of it");
        for (harm, word) in [
            (&flip as &dyn Fn(), "parts/data is not as it was"),
            (&|| fs::write(&data, "0123").unwrap(), "is not as it was"),
            (&|| fs::remove_file(&data).unwrap(), "is missing"),
            (
                &|| fs::remove_dir(folder.join("parts/empty")).unwrap(),
                "parts/empty is missing",
            ),
            (
                &|| fs::write(folder.join("more"), "").unwrap(),
                "more does not belong there",
            ),
            (
                &|| fs::remove_file(folder.join(NAME)).unwrap(),
                "it has no seal",
            ),
            (
                &|| fs::write(folder.join(NAME), "folder parts\n").unwrap(),
                "its seal is damaged",
            ),
        ] {
            let words = after(Depth::Contents, harm).unwrap_or_default();
            assert!(words.contains(word), "{words:?} for {word:?}");
        }
    }
}
