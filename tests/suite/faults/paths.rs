//! Caches where they are not expected, or cannot be.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount, umount};
use tempfile::TempDir;

use super::damage::doctor;
use super::scene::{Scene, whole};
use crate::common::options;

#[test]
fn a_cache_with_an_odd_name_works() {
    let base = TempDir::new_in(&options().cache).unwrap();
    let odd = base.path().join("it's a cache & <more>; %s #1");
    std::fs::create_dir(&odd).unwrap();
    // No link to the folder: programs find out where they really are.
    link(&options().cache.join("packages"), &odd.join("packages"));
    let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["seed", "--scale", "smoke"])
        .env("VERDICT_CACHE", &odd)
        .env("VERDICT_ENGINES", "embedded")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The same files under another name, as no copy.
fn link(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            link(&from, &to);
        } else if kind.is_symlink() {
            symlink(std::fs::read_link(&from).unwrap(), &to).unwrap();
        } else {
            std::fs::hard_link(&from, &to).unwrap();
        }
    }
}

#[test]
fn a_cache_that_cannot_be_used_is_said_in_one_line_with_its_own_code() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let lines = folder.path().join("two\nlines");
    let shelled = [r"back\slash", r#"a "quote""#, "$(id)", "`id`"];
    let bytes = folder.path().join(OsStr::from_bytes(b"no \xff text"));
    let mut caches = vec![(file.join("below"), 74), (lines, 64), (bytes, 64)];
    caches.extend(shelled.map(|name| (folder.path().join(name), 64)));
    let unwritable = Mounted::tmpfs("size=1m", MsFlags::MS_RDONLY);
    match &unwritable {
        Ok(unwritable) => caches.push((unwritable.path().to_owned(), 77)),
        Err(error) => println!("skipped: nothing can be mounted here ({error})"),
    }
    for (cache, code) in caches {
        let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
            .args(["check", "pagination", "--scale", "smoke"])
            .env("VERDICT_CACHE", &cache)
            .env("VERDICT_ENGINES", "embedded")
            .env("CARGO_TARGET_DIR", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{cache:?}: {said}");
        let complaints = said.lines().filter(|line| line.starts_with("verdict: "));
        assert_eq!(complaints.count(), 1, "{said}");
        // What it could not do is said once, too.
        assert_eq!(
            said.matches("os error").count().min(2),
            usize::from(code == 74),
            "{said}"
        );
    }
}

/// A file system of its own, for as long as it is asked for.
struct Mounted(TempDir);

impl Mounted {
    fn tmpfs(options: &str, flags: MsFlags) -> nix::Result<Self> {
        let folder = TempDir::new().unwrap();
        let kind = Some("tmpfs");
        mount(kind, folder.path(), kind, flags, Some(options))?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = umount(self.0.path());
    }
}

#[test]
fn a_full_disk_is_said_with_its_own_code_and_leaves_no_half_world() {
    let sizes: &[u32] = if whole() {
        &[20, 50, 90, 130, 170, 210]
    } else {
        &[90]
    };
    let load: &[&str] = &["load", "page", "--users", "2", "--duration", "2"];
    let commands: &[&[&str]] = match whole() {
        true => &[
            &["check", "pagination"],
            &["seed"],
            &["run", "pagination", "--quick"],
            load,
        ],
        false => &[&["check", "pagination"]],
    };
    for size in sizes {
        for words in commands {
            full(*size, words);
        }
    }
}

/// Tries a command on a disk of so many megabytes.
fn full(size: u32, words: &[&str]) {
    let mounted = match Mounted::tmpfs(&format!("size={size}m"), MsFlags::empty()) {
        Ok(mounted) => mounted,
        Err(error) => {
            println!("skipped: a small file system cannot be mounted here ({error})");
            return;
        }
    };
    let packages = options().cache.join("packages");
    symlink(packages, mounted.path().join("packages")).unwrap();
    let scene = Scene::at(mounted.path());
    let ended = scene.start(&[words, &["--scale", "smoke"]].concat()).end();
    scene.is_left_alone();
    assert!(!doctor(&scene).contains("damaged"));
    let (status, said) = (ended.status, &ended.said);
    if size > 90 && matches!(status.code(), Some(0..=1)) {
        return;
    }
    assert_eq!(status.code(), Some(74), "{size} MB, {words:?}: {said}");
    assert!(ended.complaint().contains("full"), "{said}");
    scene.results_stand();
}
