//! Results files that somebody or something has changed, before every reader: each is read for
//! what it says or refused with one error, and soon.

use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::mpsc::channel;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Number, Value};
use verdict_audit::Exit;
use verdict_audit::evidence::Results;
use verdict_reports::{gate, html, json, table};

use super::scene::{VARIABLE, seed, whole};

#[path = "../../../reports/tests/common/mod.rs"]
mod made_up;

/// Files that are tried.
const FILES: u32 = 60;
/// And where everything is.
const ALL: u32 = 1_000;
/// How long all readers may take over one, on a busy machine and without optimization.
const PATIENCE: Duration = Duration::from_secs(60);

/// One change to a file; places are shares of all that there are.
#[derive(Debug, Clone)]
enum Change {
    /// A bit of a byte turned.
    Bit(f64, u8),
    /// The file ends there.
    Cut(f64),
    /// A number in the place of another.
    Number(f64, Number),
    /// A string so much longer.
    Longer(f64, usize),
    /// A key less.
    Less(f64),
    /// A list that has its first element so many times.
    Again(f64, usize),
    /// Something of another kind.
    Other(f64, Value),
}

fn numbers() -> impl Strategy<Value = Number> {
    let odd = [
        5e-324, 1.7e308, -1.7e308, -1.0, 0.0, -0.0, 1e-9, 1e18, 1e300, 0.1, 3.0,
    ];
    let large = [u64::MAX, u64::from(u32::MAX), 1 << 62, 0, 1, 2];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(|odd| Number::from_f64(odd).unwrap()),
        prop::sample::select(large.to_vec()).prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    let place = || 0.0..1.0;
    prop_oneof![
        1 => (place(), 0_u8..8).prop_map(|(place, bit)| Change::Bit(place, bit)),
        1 => place().prop_map(Change::Cut),
        6 => (place(), numbers()).prop_map(|(place, number)| Change::Number(place, number)),
        2 => (place(), 1_usize..100_000).prop_map(|(place, more)| Change::Longer(place, more)),
        2 => place().prop_map(Change::Less),
        1 => (place(), 0_usize..200).prop_map(|(place, times)| Change::Again(place, times)),
        1 => (place(), prop::sample::select(vec![Value::Null, true.into(), "".into()]))
            .prop_map(|(place, other)| Change::Other(place, other)),
    ]
}

/// Every value of a tree for which `is` says yes.
fn places<'v>(value: &'v mut Value, is: &dyn Fn(&Value) -> bool, found: &mut Vec<&'v mut Value>) {
    if is(value) {
        found.push(value);
        return;
    }
    match value {
        Value::Array(list) => list.iter_mut().for_each(|of| places(of, is, found)),
        Value::Object(map) => map.values_mut().for_each(|of| places(of, is, found)),
        _ => {}
    }
}

/// Changes one of the values for which `is` says yes, where there is one.
fn at(tree: &mut Value, place: f64, is: fn(&Value) -> bool, change: impl FnOnce(&mut Value)) {
    let mut found = Vec::new();
    places(tree, &is, &mut found);
    let chosen = (place * found.len() as f64) as usize;
    if let Some(chosen) = found.into_iter().nth(chosen) {
        change(chosen);
    }
}

fn leaf(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// An object of figures, or a list of them: what has no further objects in it.
fn innermost(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|map| !map.values().any(Value::is_object))
}

fn changed(whole: &Value, changes: &[Change]) -> Vec<u8> {
    let mut tree = whole.clone();
    for change in changes {
        match change {
            Change::Number(place, number) => {
                at(&mut tree, *place, Value::is_number, |of| {
                    *of = number.clone().into()
                });
            }
            Change::Longer(place, more) => at(&mut tree, *place, Value::is_string, |of| {
                let longer = format!("{}{}", of.as_str().unwrap_or_default(), "é".repeat(*more));
                *of = longer.into();
            }),
            Change::Less(place) => at(&mut tree, *place, innermost, |of| {
                let map = of.as_object_mut().unwrap();
                if let Some(key) = map.keys().nth((place * 1e6) as usize % map.len().max(1)) {
                    let key = key.clone();
                    map.remove(&key);
                }
            }),
            Change::Again(place, times) => {
                let list = |of: &Value| of.as_array().is_some_and(|list| !list.is_empty());
                at(&mut tree, *place, list, |of| {
                    let first = of[0].clone();
                    *of = vec![first; *times].into();
                });
            }
            Change::Other(place, other) => at(&mut tree, *place, leaf, |of| *of = other.clone()),
            Change::Bit(..) | Change::Cut(_) => {}
        }
    }
    let mut bytes = serde_json::to_vec(&tree).unwrap();
    for change in changes {
        let place = |of: f64| (of * bytes.len() as f64) as usize;
        match *change {
            Change::Bit(of, bit) => {
                let place = place(of);
                bytes[place] ^= 1 << bit;
            }
            Change::Cut(of) => bytes.truncate(place(of).max(1)),
            _ => {}
        }
    }
    bytes
}

/// The made-up run with windows behind its rows, as generators leave them.
pub(crate) fn generated(id: &str) -> Results {
    static RESULTS: LazyLock<Results> = LazyLock::new(made_up::results);
    let mut results = RESULTS.clone();
    results.run.id = id.to_owned();
    results
}

/// What every reader makes of a file: whether it is one; in words, what it must not.
fn read(bytes: &[u8], other: &Results) -> Result<bool, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("results.json");
    std::fs::write(&file, bytes).map_err(|error| error.to_string())?;
    let one_error = |words: String, exit: Exit| {
        let sound = matches!(exit, Exit::Data | Exit::Usage) && words.len() < 4_000;
        match sound {
            true => Ok(false),
            false => Err(format!("{exit:?}: {words}")),
        }
    };
    let results = match json::read(&file) {
        Ok(results) => results,
        Err(error) => return one_error(error.to_string(), error.exit()),
    };
    gate(&results);
    table::render(&results, false);
    let page = folder.path().join("index.html");
    if let Err(error) = html::write(&page, &results, &[]) {
        one_error(error.to_string(), error.exit())?;
    }
    match verdict_load::merge(vec![results, other.clone()]) {
        // As it is written, it is read.
        Ok(merged) => {
            json::write(&file, &merged).map_err(|error| error.to_string())?;
            json::read(&file).map_err(|error| format!("merged: {error}"))?;
        }
        Err(error) => {
            one_error(error.to_string(), error.exit())?;
        }
    }
    Ok(true)
}

/// The same with an end.
fn read_soon(bytes: &[u8], other: &Results) -> Result<bool, String> {
    let (sender, outcome) = channel();
    let (bytes, other) = (bytes.to_vec(), other.clone());
    std::thread::spawn(move || {
        let _ = sender.send(read(&bytes, &other));
    });
    // A reader that panics lets go of the sender.
    outcome
        .recv_timeout(PATIENCE)
        .map_err(|end| format!("a reader panicked, or takes longer than {PATIENCE:?}: {end}"))?
}

#[test]
fn whatever_is_changed_in_a_results_file_every_reader_has_a_word_for_it() {
    let [one, other] = ["one", "other"].map(generated);
    let file = serde_json::to_value(&one).unwrap();
    assert_eq!(
        read_soon(&serde_json::to_vec(&file).unwrap(), &other),
        Ok(true)
    );
    let seed = seed();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let cases = if whole() { ALL } else { FILES };
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, random);
    let few = prop::collection::vec(changes(), 1..4);
    let taken = Cell::new(0);
    let tried = runner.run(&few, |changes| {
        let read = read_soon(&changed(&file, &changes), &other);
        let one = read.map_err(TestCaseError::fail)?;
        taken.set(taken.get() + u32::from(one));
        Ok(())
    });
    if let Err(found) = tried {
        panic!("{VARIABLE}={seed}: {found}");
    }
    // Both happen: else all of them are refused for one and the same reason.
    println!("{} files of {cases} were taken", taken.get());
    assert!((1..cases).contains(&taken.get()), "{taken:?}");
}
