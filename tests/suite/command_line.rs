//! The command line: what it prints, its exit codes, and what bad input gets.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use verdict_audit::evidence::SCHEMA;

/// Runs `verdict` with its output folder in `target`.
fn verdict(target: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(args)
        .env("CARGO_TARGET_DIR", target)
        .env("VERDICT_ENGINES", "embedded")
        .env("VERDICT_SCALE", "smoke")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs it and answers its exit code and what it complained of.
fn refused(args: &[&str]) -> (i32, String) {
    let target = tempfile::tempdir().unwrap();
    let output = verdict(target.path(), args);
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn the_list_has_all_fifteen_items_with_their_variants() {
    let target = tempfile::tempdir().unwrap();
    let output = verdict(target.path(), &["list", "--json"]);
    assert!(output.status.success());
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 15);
    for (index, item) in items.iter().enumerate() {
        assert_eq!(item["number"], index + 1);
        assert!(item["id"].is_string() && item["title"].is_string());
        assert_eq!(item["variants"][0], "baseline");
    }
    assert_eq!(items[1]["variants"][2], "proposed-trigger");
}

#[test]
fn an_item_that_is_not_there_is_told_the_nearest() {
    let (code, complaint) = refused(&["run", "mesage-send"]);
    assert_eq!(code, 64);
    assert!(complaint.contains("\"message-send\""), "{complaint}");
    for like_none in ["", "xyzzy"] {
        let (code, complaint) = refused(&["run", like_none]);
        assert_eq!(code, 64);
        assert!(!complaint.contains("did you mean"), "{complaint}");
        assert!(complaint.contains("`verdict list`"), "{complaint}");
    }
    let (code, complaint) = refused(&["run", "99"]);
    assert_eq!(code, 64);
    assert!(complaint.contains("1 to 15"), "{complaint}");
}

#[test]
fn bad_flags_are_usage_errors() {
    for args in [
        &["run", "--scale", "huge"][..],
        &["run", "--engines", "docker"],
        &["run", "--seed", "-1"],
        &["seed", "--users", "3"],
        &["load", "--users", "many"],
        &["load", "feeed"],
        &["nonsense"],
    ] {
        let (code, complaint) = refused(args);
        assert_eq!(code, 64, "{args:?}: {complaint}");
        assert!(complaint.starts_with("error:"), "{complaint}");
    }
    for target in ["", "file:///etc/passwd", "http://me:hush@127.0.0.1:1"] {
        let (code, complaint) = refused(&["load", "page", "--target", target]);
        assert_eq!(code, 64, "{complaint}");
        assert!(!complaint.contains("hush"), "{complaint}");
    }
}

#[test]
fn a_load_that_cannot_be_is_refused_before_anything_is_started_for_it() {
    for words in [["--users", "0"], ["--rate", "0"], ["--rate", "nan"]] {
        let (code, complaint) = refused(&["load", words[0], words[1]]);
        assert_eq!(code, 64, "{words:?}: {complaint}");
        assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    }
}

#[test]
fn a_load_is_held_against_the_limit_on_open_files_before_it_comes() {
    let limited = |limit: &str, load: [&str; 2]| {
        let target = tempfile::tempdir().unwrap();
        let command = format!("ulimit {limit} && exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &command, env!("CARGO_BIN_EXE_verdict")]);
        // Nobody is there: who gets so far is told that.
        shell.args(["load", "page"]).args(load);
        shell.args(["--target", "http://127.0.0.1:1"]);
        shell.env("CARGO_TARGET_DIR", target.path());
        let output = shell.output().unwrap();
        (output.status.code().unwrap(), text(&output.stderr))
    };
    for load in [["--users", "1500"], ["--rate", "1500"]] {
        let (code, complaint) = limited("-n 1024", load);
        assert_eq!(code, 64, "{complaint}");
        assert!(
            complaint.contains("requests at once") && complaint.contains("768 are under way"),
            "{complaint}"
        );
    }
    // One that may be raised is.
    let (code, complaint) = limited("-S -n 1024", ["--users", "1500"]);
    assert_eq!(code, 69, "{complaint}");
}

#[test]
fn a_url_of_another_kind_of_server_is_told_what_is_expected() {
    let output = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["check", "--engines", "external"])
        .env("DATABASE_URL", "mysql://me:hush@db.example:3306/x")
        .env("CLICKHOUSE_URL", "http://127.0.0.1:1")
        .env("REDIS_URL", "redis://127.0.0.1:1/")
        .output()
        .unwrap();
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    let says = complaint.contains("DATABASE_URL") && complaint.contains("postgres://");
    assert!(says && !complaint.contains("hush"), "{complaint}");
}

#[test]
fn an_output_that_nobody_takes_is_no_panic() {
    let into = |rest: &str| {
        let command = format!("\"$0\" list {rest}");
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", &command, env!("CARGO_BIN_EXE_verdict")]);
        let output = output.output().unwrap();
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (_, complaint) = into("| head -n 1");
    assert_eq!(complaint, "");
    let (code, complaint) = into("> /dev/full");
    assert_eq!(code, 74, "{complaint}");
    assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    // The one who is told of it cannot be told, either.
    assert_eq!(into("> /dev/full 2> /dev/full").0, 74);
}

#[test]
fn a_results_file_that_is_none_is_one_clear_error_with_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let missing = folder.path().join("missing.json");
    // Nobody writes to it, and whoever opens it waits for that.
    let pipe = folder.path().join("pipe.json");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let pipe = pipe.display().to_string();
    let schema = format!("{{\"schema\": {SCHEMA}");
    let long = format!("{schema}, \"run\": \"{}\"}}", "x".repeat(20 << 20));
    for (path, code, word) in [
        ("/dev/zero".to_owned(), 65, "is no file"),
        (pipe, 65, "is no file"),
        (file("long.json", &long), 65, "not a results file"),
        (missing.to_str().unwrap().to_owned(), 66, "no results at"),
        (file("text.json", "hello"), 65, "not JSON"),
        (
            file("cut.json", &format!("{schema}, \"run\"")),
            65,
            "truncated",
        ),
        (file("old.json", "{\"schema\": 0}"), 65, "schema 0"),
        (
            file("other.json", &format!("{schema}}}")),
            65,
            "not a results file",
        ),
    ] {
        for command in ["gate", "report"] {
            let (found, complaint) = refused(&[command, &path]);
            assert_eq!(found, code, "{command} {path}: {complaint}");
            assert!(complaint.contains(word), "{complaint}");
            assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
            assert!(complaint.len() < 1_000, "{complaint}");
        }
    }
}

#[test]
fn an_output_folder_that_cannot_be_is_said_before_anything_long_begins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let output = verdict(&file, &["run", "--quick"]);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(74), "{complaint}");
    assert!(complaint.contains("CARGO_TARGET_DIR"), "{complaint}");
    assert!(!complaint.contains("starting engines"), "{complaint}");
}

#[test]
fn a_service_that_is_not_there_is_unavailable() {
    let (code, complaint) = refused(&[
        "load",
        "page",
        "--users",
        "1",
        "--target",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(code, 69, "{complaint}");
    assert!(complaint.contains("--target"), "{complaint}");
}

#[test]
fn check_compares_answers_and_nothing_else() {
    let target = tempfile::tempdir().unwrap();
    let output = verdict(target.path(), &["check", "2"]);
    let said = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{said}{}",
        text(&output.stderr)
    );
    assert!(
        said.contains("optimized") && said.contains("all as due"),
        "{said}"
    );
    assert!(
        said.contains("proposed-cte") && said.contains("wrong:"),
        "{said}"
    );
    assert!(said.contains("fails:"), "{said}");
}

#[test]
fn a_run_writes_results_and_a_report_and_the_gate_agrees() {
    let target = tempfile::tempdir().unwrap();
    let run = verdict(
        target.path(),
        &["run", "pagination", "--quick", "--seed", "1"],
    );
    let said = text(&run.stdout);
    let code = run.status.code().unwrap();
    assert!([0, 1].contains(&code), "{said}{}", text(&run.stderr));

    let output = target.path().join("verdict");
    let results = std::fs::read_to_string(output.join("results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    assert_eq!(results["run"]["scale"], "smoke");
    assert_eq!(results["run"]["engines"].as_array().unwrap().len(), 3);
    assert!(results["run"]["aa"]["ratio"]["lo"].is_number());
    let item = &results["items"][0];
    assert_eq!(
        (&item["number"], &item["id"]),
        (&7.into(), &"pagination".into())
    );
    let optimized = &item["variants"][2];
    assert_eq!(optimized["name"], "optimized");
    assert_eq!(optimized["answers"]["differing"], 0);
    assert!(optimized["work"][0]["counters"]["rows_read"].is_number());
    assert!(optimized["latency"][0]["ratio"]["hi"].is_number());
    assert!(optimized["claims"][0]["verdict"].is_string());
    let flows = results["flows"].as_array().unwrap();
    assert!(flows.is_empty(), "nobody asked for flows: {flows:?}");

    let page = std::fs::read_to_string(output.join("report/index.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("pagination"));
    assert!(!page.contains("<script src") && !page.contains("<link rel=\"stylesheet\" href"));

    let gate = verdict(target.path(), &["gate"]);
    let gate_code = gate.status.code().unwrap();
    assert_eq!(code == 1, gate_code == 1, "{}", text(&gate.stdout));
    let again = verdict(target.path(), &["report"]);
    assert!(again.status.success());

    // What an item keeps is the item's to say, and not a file's.
    let mut kept = results;
    kept["items"][0]["keep"] = "because".into();
    let file = output.join("kept.json");
    std::fs::write(&file, kept.to_string()).unwrap();
    let gate = verdict(target.path(), &["gate", file.to_str().unwrap()]);
    assert_eq!(gate.status.code(), Some(65), "{}", text(&gate.stderr));
    assert!(text(&gate.stderr).contains("kept in pagination"));
}

#[test]
fn the_doctor_names_the_engines_and_why() {
    let target = tempfile::tempdir().unwrap();
    let output = verdict(target.path(), &["doctor"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("engines: embedded"), "{said}");
}

#[test]
fn a_run_whose_engine_dies_says_so_and_ends() {
    let target = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_verdict"))
        .args(["check", "pagination", "--scale", "smoke"])
        .env("CARGO_TARGET_DIR", target.path())
        .env("VERDICT_ENGINES", "embedded")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let verdict = run.id();
    let engine = (0..600)
        .find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            engine_of(verdict)
        })
        .expect("a PostgreSQL below the run");
    kill(engine, Signal::SIGKILL).unwrap();
    let output = run.wait_with_output().unwrap();
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{complaint}");
}

/// The PostgreSQL that the keeper of a run started, once it takes connections.
fn engine_of(verdict: u32) -> Option<Pid> {
    let child = |parent: u32, name: &str| {
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        children.ok()?.split_whitespace().find_map(|pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            line.contains(name).then(|| pid.parse::<u32>().ok())?
        })
    };
    let threads = std::fs::read_dir(format!("/proc/{verdict}/task")).ok()?;
    let keeper = threads.flatten().find_map(|thread| {
        let children = std::fs::read_to_string(thread.path().join("children")).ok()?;
        children.split_whitespace().find_map(|pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            line.contains("engine-keeper").then(|| pid.parse().ok())?
        })
    })?;
    let postgres = child(keeper, "bin/postgres")?;
    // It serves once it has processes of its own.
    child(postgres, "walwriter")?;
    i32::try_from(postgres).ok().map(Pid::from_raw)
}
