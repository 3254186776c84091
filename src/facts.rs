//! Facts about the machine and the tree, as the system answers them.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use verdict_audit::evidence::Host;

/// This machine.
pub fn host() -> Host {
    Host {
        name: read("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".to_owned()),
        cpus: available_parallelism().map_or(1, usize::from),
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        memory: field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
            .unwrap_or(0)
            * 1024,
        os: format!(
            "{} {}",
            std::env::consts::OS,
            read("/proc/sys/kernel/osrelease").unwrap_or_default()
        ),
    }
}

/// The commit of the tree in the working folder, with `-dirty` when it has changes.
pub fn commit() -> Option<String> {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let commit = String::from_utf8(described.stdout).ok()?;
    Some(commit.trim().to_owned()).filter(|commit| !commit.is_empty())
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
