//! Caches where they are not expected, or cannot be.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;

use nix::mount::{MsFlags, mount, umount};
use tempfile::TempDir;

use super::damage::doctor;
use super::scene::Scene;
use crate::common::options;

#[test]
fn a_cache_with_an_odd_name_works() {
    let base = TempDir::new().unwrap();
    let odd = base.path().join(r#"it's a "cache" & <more>"#);
    std::fs::create_dir(&odd).unwrap();
    symlink(options().cache.join("packages"), odd.join("packages")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["seed", "--scale", "smoke"])
        .env("VERDICT_CACHE", &odd)
        .env("VERDICT_ENGINES", "embedded")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_full_disk_is_said_with_its_own_code_and_leaves_no_half_world() {
    let folder = Arc::new(TempDir::new().unwrap());
    let size = Some("size=90m");
    if let Err(error) = mount(
        Some("tmpfs"),
        folder.path(),
        Some("tmpfs"),
        MsFlags::empty(),
        size,
    ) {
        println!("skipped: a small file system cannot be mounted here ({error})");
        return;
    }
    let packages = options().cache.join("packages");
    symlink(packages, folder.path().join("packages")).unwrap();
    let scene = Scene::on(&folder);
    let ended = scene
        .start(&["check", "pagination", "--scale", "smoke"])
        .end();
    scene.is_left_alone();
    let kept = doctor(&scene);
    umount(folder.path()).unwrap();
    assert_eq!(ended.status.code(), Some(74), "{}", ended.said);
    assert!(!kept.contains("damaged"), "{kept}");
    scene.results_stand();
}
