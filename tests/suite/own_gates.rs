//! `verdict gate` with gates of one's own.

use std::path::Path;
use std::process::Command;

use verdict_audit::VariantName;
use verdict_audit::evidence::Results;
use verdict_reports::json;

use crate::faults::generated;

/// Runs `verdict gate` in a folder: its exit code, and all that it said.
fn gate(folder: &Path, words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .arg("gate")
        .args(words)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn write(folder: &Path, results: &Results) {
    json::write(&folder.join("verdict/results.json"), results).unwrap();
}

#[test]
fn gates_are_proposed_held_and_missed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut results = generated("one");
    write(folder, &results);
    let (code, said) = gate(folder, &["--propose"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = gate(folder, &["--propose"]);
    assert!(code == 64 && said.contains("--to"), "{said}");
    let (code, said) = gate(folder, &[]);
    assert_eq!(code, 0, "{said}");

    for variant in &mut results.items[0].variants {
        if variant.name == VariantName::Optimized {
            let work = variant.work.iter_mut();
            for counter in work.flat_map(|work| work.counters.values_mut()) {
                *counter *= 2.0;
            }
        }
    }
    results.judge();
    write(folder, &results);
    let forms = ["--junit", "j.xml", "--markdown", "m.md", "--json", "g.json"];
    let (code, said) = gate(folder, &[&forms[..], &["--annotations"]].concat());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("::error title="), "{said}");
    for (file, due) in [
        ("j.xml", "<failure"),
        ("m.md", "| missed |"),
        ("g.json", "\"missed\""),
    ] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(due), "{file}: {text}");
    }
}

#[test]
fn gates_that_cannot_be_had_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, &generated("one"));
    let (code, said) = gate(folder, &["--gates", "nowhere.toml"]);
    assert_eq!(code, 66, "{said}");
    std::fs::write(folder.join("gates.toml"), "schema = 1").unwrap();
    let (code, said) = gate(folder, &[]);
    assert!(code == 65 && said.contains("--propose"), "{said}");
    let other = "schema = 1\nscale = \"nightly\"\nseed = 1\n";
    std::fs::write(folder.join("gates.toml"), other).unwrap();
    let (code, said) = gate(folder, &[]);
    assert!(code == 2 && said.contains("nightly"), "{said}");
}
